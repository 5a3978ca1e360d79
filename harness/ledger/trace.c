/*
 * trace.c - see trace.h. Runs in the worker.
 *
 * Turning tracing off forgets everything: a new epoch begins, whose number is part of the numbers
 * that block headers hold, so that older ones are recognised as void.
 */
#include "harness/ledger/trace.h"

#include "harness/ledger/given.h"
#include "harness/ledger/hooks.h"
#include "harness/ledger/site.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <linux/membarrier.h>
#include <string.h>

_Atomic uint64_t trace_state = TRACE_OFF;

static uint32_t epoch_next = 1; /* of the thread that runs the tests */

void trace_switch(uint64_t flag, bool on)
{
    if (on) {
        atomic_fetch_or(&trace_state, flag);
    } else {
        atomic_fetch_and(&trace_state, ~flag);
    }
}

void trace_code_gone(void)
{
    unwind_forget();
    atomic_fetch_add(&trace_state, UINT64_C(1) << 32);
}

static uint32_t tag_of(uint64_t state)
{
    return (uint32_t)state & ~(uint32_t)TRACE_FLAGS;
}

static void trace_renew(struct thread *self, uint64_t state)
{
    struct trace *trace = self->trace;
    if (trace->records.tag != tag_of(state)) {
        trace->records = (struct record_list){.tag = tag_of(state)};
    }
    atomic_thread_fence(memory_order_acquire); /* what is as new as the state */
    unwind_renew(&trace->unwind);
    self->traced = state;
}

/* NULL when tracing is off, or memory is out. */
static struct trace *trace_get(struct thread *self)
{
    uint64_t state = trace_now();
    if (state & TRACE_OFF) {
        return NULL;
    }
    if (__builtin_expect(self->trace == NULL, 0)) {
        self->trace = meter_own_map(sizeof *self->trace);
        if (self->trace != NULL) {
            watch_attach(&self->trace->watch);
        }
    }
    state &= ~(uint64_t)TRACE_FLAGS;
    if (self->trace != NULL && __builtin_expect(self->traced != state, 0)) {
        trace_renew(self, state);
    }
    return self->trace;
}

/* The site of the stack that was just walked. */
static __attribute__((noinline)) uint32_t stack_site(struct trace *trace, enum wire_site_kind kind)
{
    const struct unwind *unwind = &trace->unwind;
    uint64_t frames[UNWIND_MOST];
    uint32_t count = 0, at = 0;
    for (; at < unwind->count && count < WIRE_FRAMES_MAX; at++) {
        if (!unwind_is_own(unwind->pcs[at])) {
            frames[count++] = unwind->pcs[at];
        }
    }
    uint64_t hash = site_hash(frames, count, kind);
    uint32_t slot = hash % TRACE_SITES_CACHED;
    if (trace->cache[slot].hash != hash || trace->cache[slot].site == 0) {
        trace->cache[slot].site = 0; /* a signal handler may leave by longjmp, here and below */
        atomic_signal_fence(memory_order_seq_cst);
        trace->cache[slot].hash = hash;
        atomic_signal_fence(memory_order_seq_cst);
        trace->cache[slot].site = site_find(frames, count, unwind->cut || at < unwind->count, kind);
    }
    return trace->cache[slot].site;
}

static __attribute__((noinline)) uint32_t heap_site_walk(struct trace *trace, const void *frame)
{
    unwind_walk(&trace->unwind, frame);
    uint64_t hash = trace->unwind.hash;
    uint32_t slot = hash % TRACE_STACKS_CACHED;
    if (trace->stacks[slot].hash != hash) {
        trace->stacks[slot].hash = 0;
        atomic_signal_fence(memory_order_seq_cst);
        trace->stacks[slot].site = stack_site(trace, WIRE_SITE_HEAP);
        atomic_signal_fence(memory_order_seq_cst);
        trace->stacks[slot].hash = hash;
    }
    unwind_keep(&trace->unwind, frame, trace->stacks[slot].site);
    return trace->stacks[slot].site;
}

/* The site of the stack above `frame`, which is not the one that was recalled last. */
static uint32_t heap_site(struct trace *trace, const void *frame)
{
    uint32_t site = unwind_recall(&trace->unwind, frame);
    return site != 0 ? site : heap_site_walk(trace, frame);
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

static uint32_t birth_record(struct trace *trace, const void *block, size_t size, uint32_t site)
{
    if (__builtin_expect((trace_now() & TRACE_BIRTHS) != 0, 0)) {
        birth_count(site, size);
        if (given_on) {
            given_birth(site, (uint64_t)(uintptr_t)block, size);
        }
    }
    uint32_t index = record_take(&trace->records);
    if (index == 0) {
        return 0;
    }
    record_fill(index, block, size, site, birth_now());
    if (trace_now() & TRACE_WATCH) {
        watch_birth(&trace->watch, site, size);
    }
    return index | trace->records.tag;
}

uint32_t trace_birth(struct thread *self, const void *block, size_t size, const void *frame)
{
    if (self->busy != 0) {
        return 0;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct trace *trace = trace_get(self);
    uint32_t number = trace == NULL ? 0 : birth_record(trace, block, size, heap_site(trace, frame));
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    trace_verify(number, block, frame);
    return number;
}

uint32_t trace_birth_at(struct thread *self, const void *block, size_t size, uint32_t site)
{
    if (self->busy != 0) {
        return 0;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct trace *trace = trace_get(self);
    uint32_t number = trace == NULL ? 0 : birth_record(trace, block, size, site);
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    return number;
}

static uint32_t index_of(uint32_t number)
{
    return number & ((1u << RECORD_INDEX_BITS) - 1);
}

static void record_copy(uint32_t index, const struct record *record, struct trace_record *copy)
{
    *copy = (struct trace_record){.address = record->word & RECORD_ADDRESS,
                                  .size = record_size(index, record),
                                  .site = record->site,
                                  .serial = record->serial};
}

bool trace_look(uint32_t number, const void *block, struct trace_record *copy)
{
    uint32_t index = index_of(number);
    const struct record *record = number == 0 ? NULL : record_at(index);
    uint64_t state = trace_now();
    if (record == NULL || (state & TRACE_OFF) || (number ^ index) != tag_of(state) ||
        (record->word & RECORD_ADDRESS) != (uint64_t)(uintptr_t)block) {
        return false;
    }
    record_copy(index, record, copy);
    return true;
}

/* A signal handler within our own code frees a block: the record is lost, not the count. */
static void death_aside(uint32_t index, const void *block)
{
    struct record *lost = record_at(index);
    if (lost != NULL && (lost->word & RECORD_ADDRESS) == (uint64_t)(uintptr_t)block) {
        if (trace_now() & TRACE_WATCH) {
            watch_aside(lost->site, -1, -(int64_t)record_size(index, lost));
        }
        record_word_set(lost, 0, memory_order_relaxed);
    }
}

/* *was becomes what the record was, unless there is none. */
static void death_record(struct trace *trace, uint32_t number, const void *block, size_t *size,
                         struct trace_record *was)
{
    uint32_t index = index_of(number);
    struct record *record = NULL;
    if (trace != NULL && (trace->records.tag == (number ^ index) || *size == 0)) {
        record = record_at(index);
        if (record == NULL || (record->word & RECORD_ADDRESS) != (uint64_t)(uintptr_t)block) {
            /* The block's number was overwritten, which only happens to damaged blocks. */
            index = record_search(block);
            record = index == 0 ? NULL : record_at(index);
        }
    }
    if (record != NULL) {
        record_copy(index, record, was);
        *size = was->size;
        if (trace_now() & TRACE_WATCH) {
            watch_death(&trace->watch, was->site, was->size);
        }
        if (record_list_full(&trace->records)) {
            record_batch_give(&trace->records);
        }
        record_put(&trace->records, record, index);
    }
}

void trace_death(struct thread *self, uint32_t number, const void *block, size_t *size)
{
    struct trace_record was;
    if (!trace_on) {
        return;
    }
    if (self->busy != 0) {
        death_aside(index_of(number), block);
        return;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    death_record(trace_get(self), number, block, size, &was);
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
}

/* The record of a block that was moved goes on where the old one was. */
static void record_follow(uint32_t number, const struct trace_record *was)
{
    struct record *record = number == 0 ? NULL : record_at(index_of(number));
    if (record != NULL) {
        record->serial = was->serial;
        if (record->site != was->site) {
            site_join(was->site, record->site);
        }
    }
}

uint32_t trace_move(struct thread *self, uint32_t number, const void *from, size_t *old_size,
                    const void *to, size_t size, const void *frame)
{
    struct trace_record was = {.address = 0};
    uint32_t fresh = 0;
    if (self->busy != 0) {
        death_aside(index_of(number), from);
        return 0;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct trace *trace = trace_get(self);
    if (trace != NULL) {
        if (number != 0) {
            death_record(trace, number, from, old_size, &was);
        }
        fresh = birth_record(trace, to, size, heap_site(trace, frame));
        if (was.address != 0) {
            record_follow(fresh, &was);
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
    trace_verify(fresh, to, frame);
    return fresh;
}

void trace_follow(struct thread *self, uint32_t from_number, const void *from, uint32_t to_number,
                  const void *to)
{
    struct trace_record was, now;
    if (self->busy != 0) {
        return;
    }
    self->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);
    if (trace_look(from_number, from, &was) && trace_look(to_number, to, &now)) {
        record_follow(to_number, &was);
    }
    atomic_signal_fence(memory_order_seq_cst);
    self->busy = 0;
}

struct watch *trace_watch(struct thread *self)
{
    if ((trace_now() & TRACE_WATCH) == 0) {
        return NULL;
    }
    struct trace *trace = trace_get(self);
    return trace == NULL ? NULL : &trace->watch;
}

uint32_t trace_records(void)
{
    return record_limit();
}

void trace_each(trace_seen *each, void *context)
{
    uint32_t used = record_limit();
    for (uint32_t index = 1; index < used; index++) {
        const struct record *record = record_at(index);
        if (record == NULL) {
            index |= RECORDS_PER_CHUNK - 1;
        } else if (record->word != 0) {
            struct trace_record live;
            record_copy(index, record, &live);
            each(context, &live);
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

/* Epochs come round: a thread that slept through all others must not take its list for a new one.
 */
static void records_void(void *context, struct thread *thread)
{
    (void)context;
    if (thread->trace != NULL) {
        thread->trace->records = (struct record_list){0};
        thread->traced = 0;
    }
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
    bool before = trace_on;
    if (on && !before) {
        /* Nobody else changes flag and tag, but code may be unloaded meanwhile: no plain store. */
        uint64_t tag = (uint64_t)epoch_next << RECORD_INDEX_BITS;
        atomic_fetch_xor(&trace_state, TRACE_OFF ^ tag ^ tag_of(trace_now()));
        epoch_next = epoch_next % RECORD_EPOCHS + 1;
    }
    if (!on) {
        trace_switch(TRACE_OFF, true);
        trace_switch(TRACE_WATCH, false);
        watch_stopped();
    }
    thread_small_set(on ? 0 : HOOKS_SMALL_END);
    if (on || !before) {
        return;
    }
    kernel_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
    thread_each(busy_wait_out, self);
    thread_each(records_void, NULL);
    record_forget();
}
