/*
 * trace.c - see trace.h. Runs in the worker.
 *
 * Records stand in chunks, which are never moved or given back while tracing is on. A thread has a
 * list of free ones and a run of unused ones; when its list grows long (it frees what others
 * allocate) it hands a batch to the shared stack of batches, where others take it.
 *
 *   free record:  address 0 | size: next in the list | site: next batch | serial: records in the
 * batch
 *
 * Turning tracing off forgets everything: a new epoch begins, whose number is part of the record
 * numbers that block headers hold, so that older ones are recognised as void.
 */
#include "harness/ledger/trace.h"

#include "harness/ledger/birth.h"
#include "harness/ledger/hooks.h"
#include "harness/ledger/site.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>

#define RECORDS_PER_CHUNK (1u << 15)
#define CHUNKS_MOST       (1u << 12) /* 134 million blocks */
#define INDEX_BITS        27u
#define INDEX_MASK        ((1u << INDEX_BITS) - 1)
#define RUN               256u
#define POPULATED         4096u /* records; their memory is asked for in one call */
#define BATCH             512u
#define SITES_CACHED      256u
#define CONTEXTS_CACHED   2048u

struct trace {
    uint32_t epoch;
    uint32_t free, free_count; /* list of free records */
    uint32_t run, run_end;     /* never used ones */
    struct {
        uint64_t hash;
        uint32_t site;
    } cache[SITES_CACHED];
    struct {
        uint64_t context;
        uint32_t site;
    } contexts[CONTEXTS_CACHED];
    struct unwind unwind;
};

_Atomic bool trace_switch;
_Atomic bool trace_births;

static _Atomic(struct trace_record *) chunks[CHUNKS_MOST];
static _Atomic uint32_t epoch_now = 1;
static _Atomic uint32_t records_used = RUN; /* 0 means no record; the first run is left out */
static _Atomic uint64_t batches;            /* tag << 32 | first record of the top batch */

static struct trace_record *record_at(uint32_t index)
{
    struct trace_record *chunk =
        atomic_load_explicit(&chunks[index / RECORDS_PER_CHUNK], memory_order_relaxed);
    return chunk == NULL ? NULL : &chunk[index % RECORDS_PER_CHUNK];
}

static uint32_t number_of(uint32_t index, uint32_t epoch)
{
    return index | (epoch << INDEX_BITS);
}

static struct trace *trace_get(struct thread *self)
{
    if (__builtin_expect(self->trace == NULL, 0)) {
        self->trace = meter_own_map(sizeof *self->trace);
    }
    struct trace *trace = self->trace;
    uint32_t epoch = atomic_load_explicit(&epoch_now, memory_order_relaxed);
    if (trace != NULL && __builtin_expect(trace->epoch != epoch, 0)) {
        trace->epoch = epoch;
        trace->free = trace->free_count = trace->run = trace->run_end = 0;
    }
    return trace;
}

static bool batch_take(struct trace *trace)
{
    uint64_t top = atomic_load(&batches);
    for (;;) {
        uint32_t first = (uint32_t)top;
        if (first == 0) {
            return false;
        }
        const struct trace_record *record = record_at(first);
        uint64_t rest = ((top >> 32) + 1) << 32 | record->site;
        uint32_t count = record->serial;
        if (atomic_compare_exchange_weak(&batches, &top, rest)) {
            trace->free = first;
            trace->free_count = count;
            return true;
        }
    }
}

/* Hands BATCH records of the list to whoever needs them. */
static void batch_give(struct trace *trace)
{
    uint32_t first = trace->free, last = first;
    for (uint32_t i = 1; i < BATCH; i++) {
        last = (uint32_t)record_at(last)->size;
    }
    struct trace_record *head = record_at(first);
    trace->free = (uint32_t)record_at(last)->size;
    trace->free_count -= BATCH;
    record_at(last)->size = 0;
    head->serial = BATCH;
    uint64_t top = atomic_load(&batches);
    do {
        head->site = (uint32_t)top;
    } while (!atomic_compare_exchange_weak(&batches, &top, ((top >> 32) + 1) << 32 | first));
}

static bool run_take(struct trace *trace)
{
    uint32_t at = atomic_fetch_add(&records_used, RUN);
    if (at / RECORDS_PER_CHUNK >= CHUNKS_MOST) {
        return false;
    }
    _Atomic(struct trace_record *) *chunk = &chunks[at / RECORDS_PER_CHUNK];
    if (atomic_load(chunk) == NULL) {
        struct trace_record *none = NULL;
        struct trace_record *fresh = meter_own_map(RECORDS_PER_CHUNK * sizeof *fresh);
        if (fresh == NULL) {
            return false;
        }
        if (!atomic_compare_exchange_strong(chunk, &none, fresh)) {
            meter_own_unmap(fresh, RECORDS_PER_CHUNK * sizeof *fresh);
        }
    }
    if (at % POPULATED == 0 || at == RUN) { /* many pages at once cost a third of as many faults */
        kernel_call(SYS_madvise, (long)record_at(at),
                    (POPULATED - at % POPULATED) * sizeof(struct trace_record), MADV_POPULATE_WRITE,
                    0, 0, 0);
    }
    trace->run = at;
    trace->run_end = at + RUN;
    return true;
}

static uint32_t record_take(struct trace *trace)
{
    if (trace->free == 0 && trace->run == trace->run_end && !batch_take(trace) &&
        !run_take(trace)) {
        return 0;
    }
    if (trace->free != 0) {
        uint32_t index = trace->free;
        trace->free = (uint32_t)record_at(index)->size;
        trace->free_count--;
        return index;
    }
    return trace->run++;
}

/* The site of the stack that was just walked, by all of its innermost frames. */
static __attribute__((noinline)) uint32_t stack_site(struct trace *trace, enum wire_site_kind kind)
{
    const struct unwind *unwind = &trace->unwind;
    uint64_t frames[UNWIND_MOST];
    uint32_t count = 0, at = unwind->top;
    uint32_t end = at + UNWIND_MOST < UNWIND_ROOM ? at + UNWIND_MOST : UNWIND_ROOM;
    for (; at < end && count < WIRE_FRAMES_MAX; at++) {
        if (!unwind_is_own(unwind->frames[at].pc)) {
            frames[count++] = unwind->frames[at].pc;
        }
    }
    uint64_t hash = site_hash(frames, count, kind);
    uint32_t slot = hash % SITES_CACHED;
    if (trace->cache[slot].hash != hash || trace->cache[slot].site == 0) {
        trace->cache[slot].hash = hash;
        trace->cache[slot].site = site_find(frames, count, unwind->cut || at < UNWIND_ROOM, kind);
    }
    return trace->cache[slot].site;
}

/* The same by its context's hash, which stands for all of a stack that is not too deep. */
static inline uint32_t heap_site(struct trace *trace)
{
    struct unwind *unwind = &trace->unwind;
    if (unwind->top >= UNWIND_ROOM || unwind_depth(unwind) > UNWIND_MOST || unwind->cut) {
        return stack_site(trace, WIRE_SITE_HEAP);
    }
    uint64_t context = unwind->frames[unwind->top].context;
    uint32_t slot = context % CONTEXTS_CACHED;
    if (trace->contexts[slot].context != context) {
        trace->contexts[slot].site = stack_site(trace, WIRE_SITE_HEAP);
        trace->contexts[slot].context = context;
    }
    return trace->contexts[slot].site;
}

static __attribute__((noinline)) uint32_t heap_site_walk(struct trace *trace, const void *frame)
{
    unwind_walk(&trace->unwind, frame);
    uint32_t site = heap_site(trace);
    unwind_keep(&trace->unwind, frame, site);
    return site;
}

uint32_t trace_site(const void *frame, enum wire_site_kind kind)
{
    struct thread *self = thread_get();
    if (self->busy != 0 || !trace_on) {
        return 0;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct trace *trace = trace_get(self);
    uint32_t site = 0;
    if (trace != NULL) {
        unwind_walk(&trace->unwind, frame);
        site = stack_site(trace, kind);
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    return site;
}

static __attribute__((noinline)) void birth_count(uint32_t number, size_t size)
{
    struct site *site = site_get(number);
    if (site != NULL) {
        atomic_fetch_add_explicit(&site->born_blocks, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&site->born_bytes, (int64_t)size, memory_order_relaxed);
    }
}

uint32_t trace_birth(struct thread *self, const void *block, size_t size, const void *frame)
{
    if (self->busy != 0) {
        return 0;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    uint32_t number = 0;
    struct trace *trace = trace_on ? trace_get(self) : NULL;
    if (trace != NULL) {
        uint32_t site = unwind_recall(&trace->unwind, frame);
        if (__builtin_expect(site == 0, 0)) {
            site = heap_site_walk(trace, frame);
        }
        if (__builtin_expect(atomic_load_explicit(&trace_births, memory_order_relaxed), 0)) {
            birth_count(site, size);
        }
        uint32_t index = record_take(trace);
        if (index != 0) {
            struct trace_record *record = record_at(index);
            record->size = size;
            record->site = site;
            record->serial = birth_now();
            atomic_store_explicit((_Atomic uint64_t *)&record->address, (uint64_t)(uintptr_t)block,
                                  memory_order_release);
            number = number_of(index, trace->epoch);
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    return number;
}

/* The block's number was overwritten: looked for one by one, which only happens to damaged blocks.
 */
static uint32_t record_search(uint64_t address)
{
    uint32_t used = trace_records();
    for (uint32_t index = RUN; index < used; index++) {
        const struct trace_record *record = record_at(index);
        if (record != NULL && record->address == address) {
            return index;
        }
    }
    return 0;
}

bool trace_look(uint32_t number, const void *block, struct trace_record *copy)
{
    uint32_t epoch = atomic_load_explicit(&epoch_now, memory_order_relaxed);
    const struct trace_record *record = number == 0 ? NULL : record_at(number & INDEX_MASK);
    if (record == NULL || number_of(0, epoch) != (number & ~INDEX_MASK) ||
        record->address != (uint64_t)(uintptr_t)block) {
        return false;
    }
    *copy = *record;
    return true;
}

void trace_death(struct thread *self, uint32_t number, const void *block, size_t *size)
{
    uint32_t epoch = atomic_load_explicit(&epoch_now, memory_order_relaxed);
    uint32_t index = number & INDEX_MASK;
    if (!trace_on) {
        return;
    }
    if (self->busy !=
        0) { /* a signal handler within our own code: the record is lost, not the count */
        struct trace_record *lost = record_at(index);
        if (lost != NULL && lost->address == (uint64_t)(uintptr_t)block) {
            lost->address = 0;
        }
        return;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct trace *trace = trace_on ? trace_get(self) : NULL;
    uint64_t address = (uint64_t)(uintptr_t)block;
    struct trace_record *record = NULL;
    if (trace != NULL && (number_of(0, epoch) == (number & ~INDEX_MASK) || *size == 0)) {
        record = record_at(index);
        if (record == NULL || record->address != address) {
            index = record_search(address);
            record = index == 0 ? NULL : record_at(index);
        }
    }
    if (record != NULL) {
        *size = record->size;
        atomic_store_explicit((_Atomic uint64_t *)&record->address, 0, memory_order_relaxed);
        record->size = trace->free;
        trace->free = index;
        if (++trace->free_count >= 2 * BATCH) {
            batch_give(trace);
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
}

uint32_t trace_records(void)
{
    uint32_t used = atomic_load(&records_used);
    uint32_t most = RECORDS_PER_CHUNK * CHUNKS_MOST;
    return used < most ? used : most;
}

void trace_each(trace_seen *each, void *context)
{
    uint32_t used = trace_records();
    for (uint32_t index = RUN; index < used; index++) {
        const struct trace_record *record = record_at(index);
        if (record == NULL) {
            index |= RECORDS_PER_CHUNK - 1;
        } else if (record->address != 0) {
            each(context, record);
        }
    }
}

/* Waits until no other thread is within trace_birth or trace_death with the old switch. The
 * kernel's barrier makes every thread see the switch, so that those need no fence of their own. */
static void busy_wait_out(void *context, struct thread *thread)
{
    const struct thread *self = context;
    volatile uint32_t *busy = &thread->busy;
    for (int look = 0; thread != self && *busy != 0 && look < 1000; look++) {
        struct timespec pause = {.tv_nsec = 10000};
        kernel_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
    }
}

static void records_forget(void)
{
    atomic_store(&batches, 0);
    atomic_store(&records_used, RUN);
    for (uint32_t c = 0; c < CHUNKS_MOST && chunks[c] != NULL; c++) {
        meter_own_unmap(atomic_exchange(&chunks[c], NULL), RECORDS_PER_CHUNK * sizeof **chunks);
    }
    uint32_t epoch = epoch_now % 31 + 1; /* 1..31: five bits, never 0 */
    atomic_store(&epoch_now, epoch);
}

void trace_init(void)
{
    unwind_init();
    thread_small_set(HOOKS_SMALL_END);
    kernel_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
}

void trace_set(bool on)
{
    struct thread *self = thread_get();
    self->busy = 0; /* a test may have left a signal handler by longjmp */
    bool before = atomic_exchange(&trace_switch, on);
    thread_small_set(on ? 0 : HOOKS_SMALL_END);
    if (on || !before) {
        return;
    }
    kernel_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
    thread_each(busy_wait_out, self);
    records_forget();
}
