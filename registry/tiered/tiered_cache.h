/*
 * tiered_cache.h - levels of stores (store.h) in front of a source that is slow: for services whose
 * processes come and go with their requests. The last level has the log of events and is shared;
 * those above it are nearer and may be anything, or missing.
 *
 *   age            a value is never served longer than its TTL after the source was asked: a level
 *                  above holds it for min(its own TTL, what is left)
 *   events         after tiered_cache_invalidate has returned true, no level of any process serves
 *                  the old value for longer than poll_ns (an entry of the level that has the log:
 *                  not at all); a load that was under way does not bring it back
 *   single flight  of all processes that miss a key at once one loads, the others wait for its
 * value early refresh  within refresh_ns of expiry one caller of all processes is asked to refresh,
 * after its answer stale while revalidate for stale_ns after expiry the old value is served at
 * once, and one caller of all processes is asked to refresh; also while the source fails. An event
 * ends that: a value that it made old is not served degradation    a level that fails is left out
 * for retry_ns, at the next failure for twice as long, at most retry_max_ns; each cache varies that
 * by up to a quarter, so that a server that comes back is not asked by all at once. While the log
 * cannot be heard, levels above it are trusted for deaf_ns, then the source is asked directly:
 * slow, but right. A larger deaf_ns buys speed with staleness keys           of any bytes and any
 * length (key_name.h)
 *
 * Times of all keys are options; those of single endpoints, and the events that make their values
 * old, are a table (tiered_endpoint.h).
 *
 * One thread at a time, as an instance that serves one request at a time has it; open one for each
 * thread. Open after fork. The clock is a parameter: wall time, the same for all processes.
 */
#ifndef TIERED_CACHE_H
#define TIERED_CACHE_H

#include "registry/tiered/store.h"
#include "registry/tiered/tiered_usage.h"

#define TIERED_LEVELS 4u

struct tiered_level {
    const struct store_kind *kind;
    const char *address;
    struct store_limits limits;
    uint64_t ttl_ns; /* of a level above the log; 0: as long as the value */
};

/* The source. *data is borrowed until its next call. False: it failed, or there is no such thing.
 */
typedef bool tiered_load(void *context, struct store_key key, const void **data, size_t *bytes);

struct tiered_options {
    struct tiered_level levels[TIERED_LEVELS]; /* nearest first; ends at kind NULL */
    uint64_t ttl_ns;                           /* [600 s] */
    uint64_t refresh_ns;                       /* 0: no early refresh */
    uint64_t stale_ns;                         /* 0: nothing is served after expiry */
    struct tiered_endpoints endpoints;         /* a key with a rule has that rule's times */
    struct tiered_usage
        *usage;            /* NULL, or where look-ups and events are recorded (tiered_usage.h) */
    uint64_t poll_ns;      /* [400 ms] */
    uint64_t deaf_ns;      /* [poll_ns] */
    uint64_t retry_ns;     /* [1 s] */
    uint64_t retry_max_ns; /* [8 x retry_ns] */
    uint64_t claim_ns;     /* [30 s] a loader that takes longer counts as dead */
    uint64_t patience_ns;  /* [claim_ns] how long others wait for a loader */
    uint64_t sweep_ns;     /* [60 s] one process in so long removes what has expired */
    bool totals; /* the figures of all processes are added up in the level with the log: one
                    statement at the end of each, and one in sweep_ns */
    uint64_t (*now_ns)(void *clock);           /* [CLOCK_REALTIME] */
    void (*wait_ns)(void *clock, uint64_t ns); /* [nanosleep] */
    void *clock;
    tiered_load *load;
    void *context;
};

struct tiered_level_statistics {
    const char *name;
    uint64_t hits, misses;
    uint64_t outages, recoveries; /* times it went away, and was back */
    uint64_t failures;            /* calls that it did not answer */
    uint64_t skipped; /* look-ups that left it out because it was away, or not confirmed */
    uint64_t refused; /* puts that an event forbade, or that did not fit */
    char trouble[STORE_TROUBLE_BYTES]; /* the last one, in one line; "": none yet */
};

struct tiered_statistics {
    struct tiered_level_statistics levels[TIERED_LEVELS];
    unsigned level_count;
    uint64_t lookups, hits, misses;
    uint64_t loads, failures;
    uint64_t waited;    /* misses that another process loaded */
    uint64_t direct;    /* loads without a claim, because there was no log, or patience ran out */
    uint64_t refreshes; /* loads that were asked for, most of them before expiry */
    uint64_t stale;     /* hits after expiry */
    uint64_t events, unpublished; /* invalidations, and those that no log took */
    uint64_t purged;              /* entries of upper levels that events of others removed */
    uint64_t expired_cleaned;
    uint64_t cached_ns, uncached_ns; /* time of all hits, of all misses */
};

struct tiered_value {
    const void *data; /* good until the next call */
    size_t bytes;
    uint64_t loaded_ns, expires_ns;
    bool stale;   /* it has expired, and is served while it is loaded anew */
    bool refresh; /* you are the one: answer first, then call tiered_cache_refresh */
};

struct tiered_cache;

/* NULL: no memory, or the last level has no log. Levels that cannot be reached are no error. */
struct tiered_cache *tiered_cache_open(const struct tiered_options *options);
void tiered_cache_close(struct tiered_cache **cache);

/* False: the source failed and nothing was cached. */
bool tiered_cache_get(struct tiered_cache *cache, const char *key, struct tiered_value *value);
/* Loads anew and puts the value everywhere; also how to warm. False: the source failed. */
bool tiered_cache_refresh(struct tiered_cache *cache, const char *key);
/* A value that comes from elsewhere than the source, for ttl_ns [the cache's]. */
bool tiered_cache_set(struct tiered_cache *cache, const char *key, const void *data, size_t bytes,
                      uint64_t ttl_ns);
/* False: the log did not take it, so that nobody hears of it; try again. */
bool tiered_cache_invalidate(struct tiered_cache *cache, const char *key);
/* Invalidates every key that the endpoints' rules name for an event. *keys: how many. False: for
 * one of them the log did not take it. */
bool tiered_cache_event(struct tiered_cache *cache, const char *event,
                        const struct tiered_field *fields, size_t field_count, size_t *keys);
/* What has expired goes now; how many entries of all levels went. */
uint64_t tiered_cache_sweep(struct tiered_cache *cache);

void tiered_cache_statistics(const struct tiered_cache *cache,
                             struct tiered_statistics *statistics);
/* Of one level now; false: it cannot be asked. */
bool tiered_cache_usage(struct tiered_cache *cache, unsigned level, uint64_t *entries,
                        uint64_t *bytes);

#endif
