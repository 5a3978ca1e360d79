/*
 * record.h - trace depth's record of every live block: 16 bytes, found by the number that the
 * block's header holds, so that nothing is ever looked up. Runs in the worker, on any thread that
 * has set thread->busy. Lock-free: a thread takes records from lists of its own and passes on whole
 * batches when it frees what others allocate.
 *
 *   live record:  size: 16 | address: 48 | site | serial of the birth
 *   free record:  0                      | next batch | next in the list
 *
 * A size that does not fit into its 16 bits stands in a table behind the chunk's records, whose
 * pages are touched by such blocks only.
 */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_INDEX_BITS  27u /* of a number; the epoch above */
#define RECORD_EPOCHS      31u /* 1..31 */
#define RECORDS_PER_CHUNK  (1u << 15)
#define RECORD_CHUNKS_MOST (1u << (RECORD_INDEX_BITS - 15)) /* 134 million blocks */
#define RECORD_BATCH       512u
#define RECORD_SIZE_SHIFT  48
#define RECORD_ADDRESS     0xffffffffffffu
#define RECORD_LARGE       0xffffu /* as a size: see the chunk's table */

struct record {
    uint64_t word;   /* 0: free */
    uint32_t site;   /* free: the next batch */
    uint32_t serial; /* free: the next record of the list */
};

struct record_chunk {
    struct record records[RECORDS_PER_CHUNK];
    uint64_t large[RECORDS_PER_CHUNK]; /* bytes, of records whose size is RECORD_LARGE */
};

/* Of one thread. Void, like all numbers, when its tag is not that of the epoch. */
struct record_list {
    uint32_t tag;              /* epoch << RECORD_INDEX_BITS */
    uint32_t free, free_count; /* a list, at most a batch */
    uint32_t spare;            /* a whole batch, or 0 */
    uint32_t run, run_end;     /* never used ones */
};

extern _Atomic(struct record_chunk *) record_chunks[RECORD_CHUNKS_MOST]
    __attribute__((visibility("hidden")));

/* NULL for a number that was never given. */
static inline struct record *record_at(uint32_t index)
{
    struct record_chunk *chunk =
        atomic_load_explicit(&record_chunks[index / RECORDS_PER_CHUNK], memory_order_relaxed);
    return chunk == NULL ? NULL : &chunk->records[index % RECORDS_PER_CHUNK];
}

/* Of a number that was given. */
static inline struct record *record_given(uint32_t index)
{
    struct record_chunk *chunk =
        atomic_load_explicit(&record_chunks[index / RECORDS_PER_CHUNK], memory_order_relaxed);
    return &chunk->records[index % RECORDS_PER_CHUNK];
}

static inline uint64_t record_word(const void *block, uint64_t size)
{
    return (uint64_t)(uintptr_t)block | size << RECORD_SIZE_SHIFT;
}

static inline void record_word_set(struct record *record, uint64_t word, memory_order order)
{
    atomic_store_explicit((_Atomic uint64_t *)&record->word, word, order);
}

uint32_t record_take_more(struct record_list *list); /* the thread's own are used up */

/* The index of a free record; 0 when the thread has none at hand. */
static inline uint32_t record_take_own(struct record_list *list)
{
    uint32_t index = list->free;
    if (index != 0) {
        list->free = record_given(index)->serial;
        list->free_count--;
        return index;
    }
    return list->run != list->run_end ? list->run++ : 0;
}

/* The same; 0 when memory is out. */
static inline uint32_t record_take(struct record_list *list)
{
    uint32_t index = record_take_own(list);
    return index != 0 ? index : record_take_more(list);
}

/* A small block's record: of fewer than RECORD_LARGE bytes. */
static inline void record_fill_small(uint32_t index, const void *block, size_t size, uint32_t site,
                                     uint32_t serial)
{
    struct record *record = record_given(index);
    record->site = site;
    record->serial = serial;
    record_word_set(record, record_word(block, size), memory_order_release);
}

/* Any block's. */
void record_fill(uint32_t index, const void *block, size_t size, uint32_t site, uint32_t serial);

void record_batch_give(struct record_list *list); /* its list is full */

static inline bool record_list_full(const struct record_list *list)
{
    return list->free_count == RECORD_BATCH;
}

static inline void record_put(struct record_list *list, struct record *record, uint32_t index)
{
    record_word_set(record, 0, memory_order_relaxed);
    record->serial = list->free;
    list->free = index;
    list->free_count++;
}

/* The size of a live record. */
size_t record_size(uint32_t index, const struct record *record);

/* The index of the live record of this block, looked for one by one; 0 when there is none. */
uint32_t record_search(const void *block);

uint32_t record_limit(void); /* indexes that were ever given are below */

/* All records are void, their memory is given back. No thread may be using one. */
void record_forget(void);

#endif
