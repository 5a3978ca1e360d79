/*
 * trace.h - trace depth: a record (record.h) for every live block with its address, size, site and
 * birth. Runs in the worker, on any thread, also in signal handlers. Lock-free.
 *
 * The everyday block - small, of a stack that was met before, on a thread that has traced before -
 * is born and dies within the hook itself, by the two inline functions here; all else is trace.c's.
 */
#ifndef LEDGER_TRACE_H
#define LEDGER_TRACE_H

#include "harness/base/wire.h"
#include "harness/ledger/birth.h"
#include "harness/ledger/header.h"
#include "harness/ledger/record.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/unwind.h"
#include "harness/ledger/watch.h"

#include <stddef.h>
#include <stdint.h>

#define TRACE_SITES_CACHED  256u
#define TRACE_STACKS_CACHED 16384u

struct trace { /* of one thread; used with thread->busy set */
    struct record_list records;
    struct watch watch; /* begins near the records: both are used by each birth */
    struct unwind unwind;
    struct {
        uint64_t hash;
        uint32_t site;
    } cache[TRACE_SITES_CACHED];
    struct {
        uint64_t hash;
        uint32_t site;
    } stacks[TRACE_STACKS_CACHED];
};

/* In one word, so that the everyday birth and death ask one question only: the flags below, the tag
 * of the records of now (the epoch << RECORD_INDEX_BITS), and above, from bit 32 on, how often code
 * was unloaded. With any flag it is no thread's `traced`; TRACE_WATCH is part of that. */
extern _Atomic uint64_t trace_state __attribute__((visibility("hidden")));
enum {
    TRACE_OFF = 1,
    TRACE_BIRTHS = 2,   /* births are counted by site, too */
    TRACE_RELEASES = 4, /* who releases what is remembered (release.h) */
    TRACE_FLAGS = 7
};
#define TRACE_WATCH (UINT64_C(1) << 63) /* watch.h: sites' live values are kept up to date */

static inline uint64_t trace_now(void)
{
    return atomic_load_explicit(&trace_state, memory_order_relaxed);
}

#define trace_on ((trace_now() & TRACE_OFF) == 0)

void trace_switch(uint64_t flag, bool on);
void trace_code_gone(void); /* was unloaded: what was remembered of it is void */

void trace_init(void);
void trace_set(bool on); /* off forgets all records */

/* A block is born; `frame` is the frame address of the hook that the program called. Returns its
 * number, or 0 when it cannot be traced (a signal handler within our own code, no memory). */
uint32_t trace_birth(struct thread *self, const void *block, size_t size, const void *frame);

/* The same for a block whose site is known. */
uint32_t trace_birth_at(struct thread *self, const void *block, size_t size, uint32_t site);

/* For measuring only: every traced birth passes here (verify_bench.c). */
#if defined(LEDGER_VERIFY)
void trace_verify(uint32_t number, const void *block, const void *frame);
#else
static inline void trace_verify(uint32_t number, const void *block, const void *frame)
{
    (void)number;
    (void)block;
    (void)frame;
}
#endif

/* The everyday birth: of a block of fewer than RECORD_LARGE bytes on a thread that has traced
 * before. 0, and nothing done, when that takes trace_birth. */
static inline __attribute__((always_inline)) uint32_t
trace_birth_small(struct thread *self, const void *block, size_t size, const void *frame)
{
    uint32_t number = 0;
    if (__builtin_expect(self->busy != 0, 0)) {
        return 0;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t state = trace_now();
    if (__builtin_expect(self->traced == state, 1)) {
        struct trace *trace = self->trace;
        uint32_t site = unwind_recall_last(&trace->unwind, frame);
        uint32_t index = site == 0 ? 0 : record_take_own(&trace->records);
        if (__builtin_expect(index != 0, 1)) {
            record_fill_small(index, block, size, site, birth_now());
            number = index | (uint32_t)state;
            if (state & TRACE_WATCH) {
                watch_birth(&trace->watch, site, size);
            }
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    trace_verify(number, block, frame);
    return number;
}

/* realloc: a traced block, or one that is not (number 0), has become the block `to`. As a death and
 * a birth, but it keeps the birth it had, and the two sites become one family. Returns the new
 * number. */
uint32_t trace_move(struct thread *self, uint32_t number, const void *from, size_t *old_size,
                    const void *to, size_t size, const void *frame);
/* The same when `to` was born already, and `from` has not died yet. */
void trace_follow(struct thread *self, uint32_t from_number, const void *from, uint32_t to_number,
                  const void *to);

/* A block with a number dies. *size becomes the record's when it is 0 (damaged header). */
void trace_death(struct thread *self, uint32_t number, const void *block, size_t *size);

/* The same for a block whose header is whole and tells a size below RECORD_LARGE, on a thread with
 * a trace. False, and nothing done, when that takes trace_death. */
static inline __attribute__((always_inline)) bool
trace_death_small(struct thread *self, uint32_t number, const void *block, size_t size)
{
    bool done = false;
    if (__builtin_expect(self->busy != 0, 0)) {
        return false;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t state = trace_now();
    uint32_t index = number ^ (uint32_t)state; /* none at all when the number is of another epoch */
    if (__builtin_expect(self->traced == state && index >> RECORD_INDEX_BITS == 0, 1)) {
        struct trace *trace = self->trace;
        struct record *record = record_at(index);
        if (__builtin_expect(record != NULL && record->word == record_word(block, size) &&
                                 !record_list_full(&trace->records),
                             1)) {
            if (state & TRACE_WATCH) {
                watch_death(&trace->watch, record->site, size);
            }
            record_put(&trace->records, record, index);
            done = true;
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    return done;
}

/* The calling thread's watch, with busy set; NULL when it is off, or memory is out. */
struct watch *trace_watch(struct thread *self);

/* The site of a stack that is not a heap allocation's; 0 when it cannot be traced. */
uint32_t trace_site(const void *frame, enum wire_site_kind kind);

struct trace_record { /* a live block */
    uint64_t address;
    uint64_t size;
    uint32_t site;
    uint32_t serial; /* of the birth: birth_of() gives the test */
};

/* The record of a block that is alive, copied; false when it has none. */
bool trace_look(uint32_t number, const void *block, struct trace_record *copy);

/* Calls `each` with every live record. */
typedef void trace_seen(void *context, const struct trace_record *record);
void trace_each(trace_seen *each, void *context);
uint32_t trace_records(void); /* upper bound of how many trace_each will show */

#endif
