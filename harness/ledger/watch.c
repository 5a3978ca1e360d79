/*
 * watch.c - see watch.h. Runs in the worker; all but the first part on the thread that runs the
 * tests.
 *
 * A site's floor need not be written at every boundary: one that nothing touched in a run holds
 * what it held, so that its floor is what is live. The first change in a run sets the floor to what
 * was live before it, and only sites that changed are looked at again.
 */
#include "harness/ledger/watch.h"

#include "harness/ledger/stop.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <linux/membarrier.h>

#define START_TRIES 50 /* to stop all threads outside of our own code */

static _Atomic(struct watch *) watches;
static _Atomic bool asides;
static bool on;
/* Numbers of the last floor reset, fold, births reset; 0 in a site: none. */
static uint32_t run = 1, fold_number, births_run = 1;
static bool first_boundary;
static uint32_t folded_first;  /* sites that the last fold changed */
static uint32_t pending_first; /* sites that may have something to send */
static uint32_t joins_told;    /* site_joins() when families were last compared */

void watch_attach(struct watch *watch)
{
    watch->next = atomic_load(&watches);
    while (!atomic_compare_exchange_weak(&watches, &watch->next, watch)) {
    }
}

__attribute__((noinline)) struct watch_entry *watch_entry_new(struct watch *watch, uint32_t site)
{
    struct watch_chunk *chunk = meter_own_map(sizeof *chunk);
    if (chunk == NULL) {
        return NULL;
    }
    atomic_store_explicit(&watch->chunks[site / WATCH_CHUNK], chunk, memory_order_release);
    return &chunk->entries[site % WATCH_CHUNK];
}

/* Listed last: a signal handler may leave by longjmp in between, and then it is put in twice. */
__attribute__((noinline)) void watch_list(struct watch *watch, uint32_t site,
                                          struct watch_entry *entry)
{
    uint32_t at = atomic_load_explicit(&watch->written, memory_order_relaxed);
    if (at - atomic_load_explicit(&watch->read, memory_order_acquire) >= WATCH_QUEUE) {
        atomic_store_explicit(&watch->overflow, 1, memory_order_release);
        return;
    }
    watch->queue[at % WATCH_QUEUE] = site;
    atomic_store_explicit(&watch->written, at + 1, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&entry->listed, 1, memory_order_relaxed);
}

void watch_aside(uint32_t number, int64_t blocks, int64_t bytes)
{
    struct site *site = site_get(number);
    if (site != NULL) {
        atomic_fetch_add(&site->aside_blocks, blocks);
        atomic_fetch_add(&site->aside_bytes, bytes);
        atomic_store(&asides, true);
    }
}

/* Folding.
 * ------------------------------------------------------------------------------------------ */

static void pending_add(struct site *site, uint32_t number)
{
    if (!site->pending) {
        site->pending = true;
        site->pending_next = pending_first;
        pending_first = number;
    }
}

/* A site is about to change, maybe not for the first time in this fold. */
static void site_touch(struct site *site, uint32_t number)
{
    if (site->fold == fold_number) {
        return;
    }
    site->fold = fold_number;
    site->fold_next = folded_first;
    folded_first = number;
    if (site->floor_run != run && !first_boundary) {
        site->floor_run = run;
        site->floor_blocks = site->live_blocks;
        site->floor_bytes = site->live_bytes;
    }
    if (site->run != births_run) {
        site->run = births_run;
        site->run_blocks = site->run_bytes = 0;
    }
    pending_add(site, number);
}

static void entry_fold(struct watch_chunk *chunk, uint32_t number)
{
    const struct watch_entry *entry = &chunk->entries[number % WATCH_CHUNK];
    struct watch_folded *before = &chunk->folded[number % WATCH_CHUNK];
    struct watch_folded now = {entry->born_blocks, entry->born_bytes, entry->died_blocks,
                               entry->died_bytes};
    int64_t born = (int64_t)(now.born_blocks - before->born_blocks);
    int64_t born_bytes = (int64_t)(now.born_bytes - before->born_bytes);
    int64_t died = (int64_t)(now.died_blocks - before->died_blocks);
    int64_t died_bytes = (int64_t)(now.died_bytes - before->died_bytes);
    struct site *site = site_get(number);
    *before = now;
    if (site == NULL || (born == 0 && died == 0 && born_bytes == 0 && died_bytes == 0)) {
        return;
    }
    site_touch(site, number);
    site->live_blocks += born - died;
    site->live_bytes += born_bytes - died_bytes;
    site->run_blocks += born;
    site->run_bytes += born_bytes;
}

static struct watch_chunk *chunk_of(struct watch *watch, uint32_t number)
{
    return atomic_load_explicit(&watch->chunks[number / WATCH_CHUNK], memory_order_acquire);
}

typedef void chunk_seen(struct watch_chunk *chunk, uint32_t number);

static void entries_each(struct watch *watch, chunk_seen *each)
{
    uint32_t count = site_count();
    for (uint32_t number = 1; number <= count; number++) {
        struct watch_chunk *chunk = chunk_of(watch, number);
        if (chunk == NULL) {
            number |= WATCH_CHUNK - 1;
        } else {
            each(chunk, number);
        }
    }
}

/* Sites that are put into the queue from here on are of the next fold. */
static void queue_open(struct watch *watch)
{
    uint32_t at = atomic_load_explicit(&watch->read, memory_order_relaxed);
    watch->reading = atomic_load_explicit(&watch->written, memory_order_acquire);
    for (; at != watch->reading; at++) {
        uint32_t number = watch->queue[at % WATCH_QUEUE];
        struct watch_chunk *chunk = chunk_of(watch, number);
        atomic_store_explicit(&chunk->entries[number % WATCH_CHUNK].listed, 0,
                              memory_order_relaxed);
    }
}

static void queue_fold(struct watch *watch, bool whole)
{
    uint32_t at = atomic_load_explicit(&watch->read, memory_order_relaxed);
    for (; at != watch->reading; at++) {
        uint32_t number = watch->queue[at % WATCH_QUEUE];
        entry_fold(chunk_of(watch, number), number);
    }
    atomic_store_explicit(&watch->read, at, memory_order_release);
    if (whole) {
        entries_each(watch, entry_fold);
    }
}

/* A thread that counted before it saw that its site is no longer listed must have its counts seen,
 * and one that counts later must see it. The kernel's barrier does for both sides; without it (an
 * old kernel, an emulator) false is returned, and nothing may be concluded from `listed`. */
static bool others_ordered(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    return kernel_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0) == 0;
}

static void asides_fold(void)
{
    if (!atomic_exchange(&asides, false)) {
        return;
    }
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site == NULL || (site->aside_blocks == 0 && site->aside_bytes == 0)) {
            continue;
        }
        site_touch(site, number);
        site->live_blocks += atomic_exchange(&site->aside_blocks, 0);
        site->live_bytes += atomic_exchange(&site->aside_bytes, 0);
    }
}

static void held_note(void)
{
    for (uint32_t number = folded_first; number != 0;) {
        struct site *site = site_get(number);
        site->held |= site->live_blocks > 0;
        number = site->fold_next;
    }
}

void watch_fold(void)
{
    struct watch *first = atomic_load(&watches);
    bool alone = first == NULL || first->next == NULL, ordered;
    fold_number++;
    folded_first = 0;
    for (struct watch *watch = first; watch != NULL; watch = watch->next) {
        queue_open(watch);
    }
    ordered = alone || others_ordered();
    for (struct watch *watch = first; watch != NULL; watch = watch->next) {
        bool overflow = atomic_exchange(&watch->overflow, 0) != 0;
        queue_fold(watch, overflow || !ordered);
    }
    asides_fold();
    held_note();
}

/* Start and end.
 * ------------------------------------------------------------------------------------ */

static void entry_baseline(struct watch_chunk *chunk, uint32_t number)
{
    struct watch_entry *entry = &chunk->entries[number % WATCH_CHUNK];
    chunk->folded[number % WATCH_CHUNK] = (struct watch_folded){
        entry->born_blocks, entry->born_bytes, entry->died_blocks, entry->died_bytes};
    atomic_store_explicit(&entry->listed, 0, memory_order_relaxed);
}

/* What was counted so far is in what the walk finds. */
static void baseline(void)
{
    for (struct watch *watch = atomic_load(&watches); watch != NULL; watch = watch->next) {
        watch->reading = atomic_load_explicit(&watch->written, memory_order_acquire);
        atomic_store_explicit(&watch->read, watch->reading, memory_order_release);
        atomic_store(&watch->overflow, 0);
        entries_each(watch, entry_baseline);
    }
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site != NULL) {
            site->aside_blocks = site->aside_bytes = 0;
        }
    }
}

/* A sleeper that was not stopped may have woken up, and counted, since the baseline. */
static bool counted_since(void)
{
    bool counted = atomic_load(&asides);
    for (struct watch *watch = atomic_load(&watches); watch != NULL; watch = watch->next) {
        counted |= atomic_load(&watch->written) != watch->reading || atomic_load(&watch->overflow);
    }
    return counted;
}

static void busy_count(void *context, struct thread *thread)
{
    const volatile uint32_t *busy = &thread->busy;
    *(uint32_t *)context += thread != thread_get() && *busy != 0;
}

/* Stops the others, none of them in the middle of a birth or death. */
static bool others_stop(struct stop *stop)
{
    for (int tries = 0; tries < START_TRIES; tries++) {
        uint32_t busy = 0;
        if (!stop_others(stop)) {
            return false;
        }
        thread_each(busy_count, &busy);
        if (busy == 0) {
            return true;
        }
        stop_release(stop);
        kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    }
    return false;
}

void watch_start(void (*walk)(void))
{
    struct stop stop;
    bool stopped = meter_threads() > 1 && others_stop(&stop);
    trace_switch(TRACE_WATCH, true);
    int tries = 0;
    do {
        atomic_store(&asides, false);
        baseline();
        walk();
    } while (stopped && counted_since() && ++tries < START_TRIES);
    if (stopped) {
        stop_release(&stop);
    }
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site != NULL) {
            site->held |= site->live_blocks > 0;
            pending_add(site, number);
        }
    }
    on = true;
}

void watch_stopped(void)
{
    on = false;
}

bool watch_is_on(void)
{
    return on;
}

void watch_births_reset(void)
{
    watch_fold();
    births_run++;
}

/* Floors, and what is to be sent.
 * ------------------------------------------------------------------- */

void watch_floor_reset(void)
{
    watch_fold();
    run++;
    first_boundary = true;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void watch_floor_update(void)
{
    watch_fold();
    for (uint32_t number = folded_first; number != 0;) {
        struct site *site = site_get(number);
        bool fresh = first_boundary || site->floor_run != run;
        site->floor_blocks =
            fresh ? site->live_blocks : least(site->floor_blocks, site->live_blocks);
        site->floor_bytes = fresh ? site->live_bytes : least(site->floor_bytes, site->live_bytes);
        site->floor_run = run;
        number = site->fold_next;
    }
    first_boundary = false;
}

void watch_values_get(const struct site *site, uint32_t number, struct watch_values *values)
{
    bool floored = site->floor_run == run, born = site->run == births_run;
    *values = (struct watch_values){
        .live_blocks = site->live_blocks,
        .live_bytes = site->live_bytes,
        .floor_blocks = floored ? site->floor_blocks : site->live_blocks,
        .floor_bytes = floored ? site->floor_bytes : site->live_bytes,
        .born_blocks = born ? site->run_blocks : 0,
        .born_bytes = born ? site->run_bytes : 0,
        .family = site_family(number),
    };
}

static bool told_differs(const struct site *site, const struct watch_values *now)
{
    return !site->told.ever || site->told.live_blocks != now->live_blocks ||
           site->told.live_bytes != now->live_bytes ||
           site->told.floor_blocks != now->floor_blocks ||
           site->told.floor_bytes != now->floor_bytes || site->told.family != now->family;
}

void watch_told(struct site *site, const struct watch_values *values)
{
    site->told.ever = true;
    site->told.family = values->family;
    site->told.live_blocks = values->live_blocks;
    site->told.live_bytes = values->live_bytes;
    site->told.floor_blocks = values->floor_blocks;
    site->told.floor_bytes = values->floor_bytes;
}

/* Sites of families that grew are among those to be looked at. */
static void families_pend(void)
{
    uint32_t joins = site_joins();
    if (joins == joins_told) {
        return;
    }
    joins_told = joins;
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site != NULL && site->told.ever && site->told.family != site_family(number)) {
            pending_add(site, number);
        }
    }
}

void watch_changes_each(watch_changed *each, void *context)
{
    families_pend();
    uint32_t number = pending_first;
    pending_first = 0;
    while (number != 0) {
        struct site *site = site_get(number);
        uint32_t next = site->pending_next;
        struct watch_values now;
        watch_values_get(site, number, &now);
        site->pending = false;
        if (site->frames != NULL && site->held &&
            (told_differs(site, &now) || now.born_blocks != 0)) {
            each(context, site, number);
        }
        /* A floor below what is live rises by itself, if nothing happens in the next run. */
        if (now.floor_blocks != now.live_blocks || now.floor_bytes != now.live_bytes) {
            pending_add(site, number);
        }
        number = next;
    }
}
