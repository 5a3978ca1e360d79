/* record.c - see record.h. Chunks are never moved, nor given back while tracing is on. Runs in the
 * worker. */
#include "harness/ledger/record.h"

#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <sys/mman.h>

#define RUN       256u
#define POPULATED 4096u /* records; their memory is asked for in one call */

_Atomic(struct record_chunk *) record_chunks[RECORD_CHUNKS_MOST];

static _Atomic uint32_t records_used = RUN; /* 0 means no record; the first run is left out */
static _Atomic uint64_t batches;            /* count of changes << 32 | first record of the top */

static bool batch_take(struct record_list *list)
{
    uint64_t top = atomic_load(&batches);
    for (;;) {
        uint32_t first = (uint32_t)top;
        if (first == 0) {
            return false;
        }
        uint64_t rest = ((top >> 32) + 1) << 32 | record_at(first)->site;
        if (atomic_compare_exchange_weak(&batches, &top, rest)) {
            list->free = first;
            list->free_count = RECORD_BATCH;
            return true;
        }
    }
}

/* The list becomes the spare; what was spare goes to whoever needs it. */
void record_batch_give(struct record_list *list)
{
    uint32_t first = list->spare;
    list->spare = list->free;
    list->free = list->free_count = 0;
    if (first == 0) {
        return;
    }
    struct record *head = record_at(first);
    uint64_t top = atomic_load(&batches);
    do {
        head->site = (uint32_t)top;
    } while (!atomic_compare_exchange_weak(&batches, &top, ((top >> 32) + 1) << 32 | first));
}

static bool run_take(struct record_list *list)
{
    uint32_t at = atomic_fetch_add(&records_used, RUN);
    if (at / RECORDS_PER_CHUNK >= RECORD_CHUNKS_MOST) {
        return false;
    }
    _Atomic(struct record_chunk *) *chunk = &record_chunks[at / RECORDS_PER_CHUNK];
    if (atomic_load(chunk) == NULL) {
        struct record_chunk *none = NULL;
        struct record_chunk *fresh = meter_own_map(sizeof *fresh);
        if (fresh == NULL) {
            return false;
        }
        if (!atomic_compare_exchange_strong(chunk, &none, fresh)) {
            meter_own_unmap(fresh, sizeof *fresh);
        }
    }
    if (at % POPULATED == 0 || at == RUN) { /* many pages at once cost a third of as many faults */
        kernel_call(SYS_madvise, (long)record_at(at),
                    (POPULATED - at % POPULATED) * sizeof(struct record), MADV_POPULATE_WRITE, 0, 0,
                    0);
    }
    list->run = at;
    list->run_end = at + RUN;
    return true;
}

__attribute__((noinline)) uint32_t record_take_more(struct record_list *list)
{
    if (list->spare != 0) {
        list->free = list->spare;
        list->free_count = RECORD_BATCH;
        list->spare = 0;
    } else if (!batch_take(list) && !run_take(list)) {
        return 0;
    }
    return record_take(list);
}

static uint64_t *record_large(uint32_t index)
{
    return &record_chunks[index / RECORDS_PER_CHUNK]->large[index % RECORDS_PER_CHUNK];
}

void record_fill(uint32_t index, const void *block, size_t size, uint32_t site, uint32_t serial)
{
    if (size >= RECORD_LARGE) {
        *record_large(index) = size;
        size = RECORD_LARGE;
    }
    record_fill_small(index, block, size, site, serial);
}

size_t record_size(uint32_t index, const struct record *record)
{
    size_t size = record->word >> RECORD_SIZE_SHIFT;
    return size == RECORD_LARGE ? *record_large(index) : size;
}

uint32_t record_search(const void *block)
{
    uint32_t used = record_limit();
    for (uint32_t index = RUN; index < used; index++) {
        const struct record *record = record_at(index);
        if (record == NULL) {
            index |= RECORDS_PER_CHUNK - 1;
        } else if ((record->word & RECORD_ADDRESS) == (uint64_t)(uintptr_t)block) {
            return index;
        }
    }
    return 0;
}

uint32_t record_limit(void)
{
    uint32_t used = atomic_load(&records_used);
    uint32_t most = RECORDS_PER_CHUNK * RECORD_CHUNKS_MOST;
    return used < most ? used : most;
}

void record_forget(void)
{
    atomic_store(&batches, 0);
    atomic_store(&records_used, RUN);
    for (uint32_t c = 0; c < RECORD_CHUNKS_MOST && record_chunks[c] != NULL; c++) {
        meter_own_unmap(atomic_exchange(&record_chunks[c], NULL), sizeof **record_chunks);
    }
}
