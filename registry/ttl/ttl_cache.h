/*
 * ttl_cache.h - a bounded, thread-safe cache whose entries expire: what a service puts in front of
 * a source that is slow and changes. The body of the strategy "ttl"; used by itself where each key
 * has a TTL of its own, or where events invalidate.
 *
 *   single flight   of several threads that miss a key at once, one loads; the others wait for it
 *   invalidation    a load that was under way when its key was invalidated does not put its result
 * in: it may be older than the event. Whoever waited before the event still gets it expiry entries
 * lie in a heap by the time of their death; each operation buries at most two, so that no more are
 * held than arrive within a TTL, and none waits for a sweep grace           for so long after its
 * expiry a value is served while one thread loads anew, or when the source fails early refresh   a
 * fixed time before expiry, or at random with growing probability (XFetch: Vattani, Chierichetti,
 * Lowenstein, "Optimal probabilistic cache stampede prevention", 2015) negative        that a key
 * is absent can be remembered too adaptive        a value that did not change on reload lives half
 * as long again, one that did half
 *
 * The clock is a parameter and should not step; by default CLOCK_MONOTONIC, which does not.
 * One slab made by ttl_cache_new, nothing allocated after it. Values are copied to the caller's
 * thread (thread_copy.h). If the cache cannot hold an entry, it asks the source and counts a
 * fallback.
 */
#ifndef TTL_CACHE_H
#define TTL_CACHE_H

#include "registry/strategy.h"

#include <stdio.h>

enum ttl_event { TTL_HIT, TTL_MISS, TTL_SET, TTL_DELETE };

struct ttl_options {                         /* 0: off, or the default in brackets */
    uint64_t entries;                        /* most entries [1024] */
    uint64_t bytes;                          /* most bytes of the slab */
    uint32_t key_bytes_max, value_bytes_max; /* required; values at most THREAD_COPY_BYTES */
    uint64_t ttl_ns;                         /* where a key has none of its own [1 h] */
    uint64_t grace_ns, negative_ns;
    uint64_t early_ns; /* refresh so long before expiry */
    double early_beta; /* XFetch: 1 is the optimum for exponential loads; above refreshes earlier */
    uint64_t ttl_least_ns, ttl_most_ns; /* adaptive when ttl_most_ns is given */
    uint64_t (*now_ns)(void *clock);
    void *clock;
    uint64_t seed; /* of XFetch */
    void (*trace)(void *context, enum ttl_event event, const char *key, size_t length);
    void (*evicted)(void *context, const char *key, size_t length,
                    const struct strategy_value *value);
    void *context; /* of trace and evicted; both are called under the cache's lock */
};

struct ttl_statistics {
    uint64_t hits, misses, loads, failures; /* failures: the source had nothing */
    uint64_t coalesced;                     /* misses that waited for another thread's load */
    uint64_t stale;                         /* hits served within the grace */
    uint64_t early;                         /* loads before expiry */
    uint64_t negative;                      /* hits that said absent */
    uint64_t fallbacks;                     /* the cache could not, the source was asked */
    uint64_t expired, evictions, evicted_unused, invalidated;
    uint64_t discarded; /* loads whose key was invalidated meanwhile */
    uint64_t entries, bytes, entries_peak;
};

typedef bool ttl_load(void *context, const char *key, size_t length, struct strategy_value *value);

struct ttl_cache;

/* NULL: no memory, or options that make no sense. */
struct ttl_cache *ttl_cache_new(const struct ttl_options *options);
void ttl_cache_free(struct ttl_cache **cache); /* no other thread may be using it */

/* The value of a key, from the cache or by `load`. ttl_ns 0: the cache's own. *value is good until
 * this thread's next get. False when the key is absent or the source failed. */
bool ttl_cache_get(struct ttl_cache *cache, const char *key, size_t length, uint64_t ttl_ns,
                   ttl_load *load, void *context, struct strategy_value *value);

bool ttl_cache_drop(struct ttl_cache *cache, const char *key,
                    size_t length); /* true: it was held */
/* All keys that match: '*' stands for any bytes, everything else for itself. How many were held. */
size_t ttl_cache_drop_matching(struct ttl_cache *cache, const char *pattern);
void ttl_cache_clear(struct ttl_cache *cache);

void ttl_cache_statistics(struct ttl_cache *cache, struct ttl_statistics *statistics);

/* Every counter, the hit ratio and the ages of what is held. Ratio and ages are left out while
 * there are none. */
enum ttl_metrics_format { TTL_OPENMETRICS, TTL_PROMETHEUS };
void ttl_cache_metrics(struct ttl_cache *cache, enum ttl_metrics_format format, FILE *out);

/* {"size":..,"hits":..,"misses":..,"hit_rate":89.29,"entries":[{"key":..,"age":..,"ttl_remaining":..}]}
 * hit_rate in percent to two digits, null while there was no look-up; ages in seconds. */
void ttl_cache_json(struct ttl_cache *cache, FILE *out);

#endif
