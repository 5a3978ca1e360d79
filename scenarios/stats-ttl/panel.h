/*
 * panel.h - the cache under test behind one small interface: the one that the orchestrator had, or
 * the one of this project; and the clocks and the expensive endpoint in front of which it stands.
 *
 *   as_it_was   a dictionary and a lock: wall clock, the lock is not held during a load and nobody
 * waits for another's, no bound, a substring invalidates, the expired stay until they are touched
 * or a sweep of every 60 s finds them ttl         registry/ttl/ttl_cache.h direct      no cache
 *
 * TIDEMARK_STRATEGY chooses: ttl (the default), direct, and unbounded for as_it_was.
 */
#ifndef SUITE_PANEL_H
#define SUITE_PANEL_H

#include "registry/strategy.h"
#include "registry/ttl/ttl_cache.h"

#define SECOND 1000000000ull

struct panel_statistics {
    uint64_t hits, misses, loads, entries, entries_peak, bytes;
};

struct panel_kind {
    const char *name;
    void *(*open)(uint64_t entries);
    void (*close)(void *cache);
    bool (*get)(void *cache, const char *key, uint64_t ttl_ns, ttl_load *load, void *context,
                struct strategy_value *value);
    size_t (*drop)(void *cache, const char *pattern); /* "stats:*"; as_it_was: any substring */
    void (*statistics)(void *cache, struct panel_statistics *statistics);
};

extern const struct panel_kind panel_as_it_was, panel_ttl, panel_direct;
extern const struct panel_kind *panel; /* the one under test */

/* Clocks that the tests move. Stepping moves the wall clock alone. */
void clock_reset(void);
void clock_advance(uint64_t ns);
void clock_step(int64_t ns);
uint64_t clock_monotonic(void *unused);
uint64_t clock_wall(void);

#define PANEL_VALUE_BYTES 128u
#define PANEL_KEY_BYTES   96u

#endif
