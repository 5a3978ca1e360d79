/*
 * watch.h - watch mode: what every site holds, kept up to date by each birth and death, so that a
 * boundary looks only at the sites that allocated or freed since the last one, and never at the
 * blocks. Runs in the worker.
 *
 * Each thread counts for itself, in memory that it alone writes, and puts the number of a site into
 * its queue when it touches it for the first time since the last boundary:
 *
 *   thread ->  entries[site]: allocated and freed, blocks and bytes, since the process began
 *              queue:         numbers of sites with news; whole tables are read when it overflows
 *
 * The thread that runs the tests adds the differences to struct site at boundaries (watch_fold).
 * The counting functions are called with thread->busy set.
 */
#ifndef LEDGER_WATCH_H
#define LEDGER_WATCH_H

#include "harness/ledger/site.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_CHUNK  4096u /* sites in a chunk of entries */
#define WATCH_CHUNKS (SITE_MOST / WATCH_CHUNK + 1)
#define WATCH_QUEUE  4096u

struct watch_entry {
    uint64_t born_blocks, born_bytes; /* written by the thread only, as is all but `listed` */
    uint64_t died_blocks, died_bytes;
    _Atomic uint32_t listed; /* 1: its site is in the queue, or was a moment ago */
};

struct watch_folded { /* of an entry, what was added to its site already */
    uint64_t born_blocks, born_bytes, died_blocks, died_bytes;
};

struct watch_chunk {
    struct watch_entry entries[WATCH_CHUNK];
    struct watch_folded folded[WATCH_CHUNK];
};

struct watch { /* of one thread */
    _Atomic(struct watch_chunk *) chunks[WATCH_CHUNKS];
    _Atomic uint32_t written;  /* how many numbers were ever put into the queue */
    _Atomic uint32_t read;     /* how many of them were read */
    uint32_t reading;          /* during watch_fold: it reads as far as this */
    _Atomic uint32_t overflow; /* 1: the queue was full */
    struct watch *next;        /* all threads' */
    uint32_t queue[WATCH_QUEUE];
};

/* A thread's watch, zeroed, is made known. It must never go away. */
void watch_attach(struct watch *watch);

/* The entry of a site that the thread counts for the first time; NULL when memory is out. */
struct watch_entry *watch_entry_new(struct watch *watch, uint32_t site);
void watch_list(struct watch *watch, uint32_t site, struct watch_entry *entry);

/* Counts without a thread's entry, because there is none, or because this is a signal handler that
 * interrupted our own code. On any thread. */
void watch_aside(uint32_t site, int64_t blocks, int64_t bytes);

static inline struct watch_entry *watch_entry_get(struct watch *watch, uint32_t site)
{
    struct watch_chunk *chunk =
        atomic_load_explicit(&watch->chunks[site / WATCH_CHUNK], memory_order_relaxed);
    return __builtin_expect(chunk != NULL, 1) ? &chunk->entries[site % WATCH_CHUNK]
                                              : watch_entry_new(watch, site);
}

/* The counts first, then the look at `listed`: watch_fold does it the other way round. */
static inline void watch_listed(struct watch *watch, uint32_t site, struct watch_entry *entry)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&entry->listed, memory_order_relaxed) == 0, 0)) {
        watch_list(watch, site, entry);
    }
}

/* `site` may be 0: what has no site is counted nowhere. */
static inline void watch_birth(struct watch *watch, uint32_t site, uint64_t bytes)
{
    struct watch_entry *entry = watch_entry_get(watch, site);
    if (__builtin_expect(entry == NULL, 0)) {
        watch_aside(site, 1, (int64_t)bytes);
        return;
    }
    entry->born_blocks++;
    entry->born_bytes += bytes;
    watch_listed(watch, site, entry);
}

static inline void watch_death(struct watch *watch, uint32_t site, uint64_t bytes)
{
    struct watch_entry *entry = watch_entry_get(watch, site);
    if (__builtin_expect(entry == NULL, 0)) {
        watch_aside(site, -1, -(int64_t)bytes);
        return;
    }
    entry->died_blocks++;
    entry->died_bytes += bytes;
    watch_listed(watch, site, entry);
}

/* What a site holds changes without an allocation: a mapping is cut in two, or shortened. */
static inline void watch_change(struct watch *watch, uint32_t site, int64_t blocks, int64_t bytes)
{
    struct watch_entry *entry = watch_entry_get(watch, site);
    if (__builtin_expect(entry == NULL, 0)) {
        watch_aside(site, blocks, bytes);
        return;
    }
    entry->died_blocks -= (uint64_t)blocks;
    entry->died_bytes -= (uint64_t)bytes;
    watch_listed(watch, site, entry);
}

/* On the thread that runs the tests, at boundaries.
 * ------------------------------------------------ */

/* Switches counting on, at trace depth, and adds up once what is alive, by `walk`, which sets
 * live_blocks and live_bytes of every site. Other threads are stopped meanwhile. Counting ends with
 * tracing: watch_stopped. */
void watch_start(void (*walk)(void));
void watch_stopped(void);
bool watch_is_on(void);

void watch_births_reset(void); /* site_born_get counts from here on */

/* Brings live_blocks and live_bytes of all sites up to date. */
void watch_fold(void);

/* The floors: since the reset, the least at any watch_floor_update, which folds first. */
void watch_floor_reset(void);
void watch_floor_update(void);

struct watch_values {
    int64_t live_blocks, live_bytes, floor_blocks, floor_bytes, born_blocks, born_bytes;
    uint32_t family;
};
void watch_values_get(const struct site *site, uint32_t number, struct watch_values *values);

/* These were sent of the site. */
void watch_told(struct site *site, const struct watch_values *values);

/* Calls `each` for every site of which something is to be sent (see wire_site): `each` sends it and
 * calls watch_told. */
typedef void watch_changed(void *context, struct site *site, uint32_t number);
void watch_changes_each(watch_changed *each, void *context);

#endif
