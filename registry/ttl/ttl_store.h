/*
 * ttl_store.h - the inside of the ttl cache, shared by its files: the entries and where they lie.
 *
 *   ttl_cache.c    what callers see: asking, invalidating, beginning and end
 *   ttl_refresh.c  loading: when a value is due, what its load brings, whom it fails
 *   ttl_store.c    the slab, the index, the heap of deaths, the LRU list
 *   ttl_json.c     reading it all out, for people
 *   ttl_metrics.c  and for Prometheus
 *
 * An entry is found through its bucket's chain. While it is `loading` it lies in neither heap nor
 * LRU list, so nothing can evict it. An entry taken out while somebody still reads or loads it is
 * `dead`: it can no longer be found, and the last one who has to do with it releases it.
 *
 * Every function here is called with the cache's lock held.
 */
#ifndef TTL_STORE_H
#define TTL_STORE_H

#include "registry/cache/key_hash.h"
#include "registry/ttl/ttl_cache.h"

#include <pthread.h>

#define TTL_NONE UINT32_MAX

struct ttl_entry {
    uint64_t hash, born_ns, expires_ns, dies_ns, ttl_ns, cost_ns;
    uint32_t chain;        /* next in the bucket, or in the list of free ones */
    uint32_t newer, older; /* LRU list */
    uint32_t heap_at;      /* TTL_NONE: not in heap and list */
    uint32_t waiters, value_bytes;
    uint16_t key_bytes;
    bool has_value, negative, loading, dead, used, failed;
};

struct ttl_cache {
    struct ttl_options options;
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    struct ttl_entry *entries;
    uint32_t *buckets, *heap;
    unsigned char *cells; /* value, then key */
    uint32_t capacity, bucket_count, heap_count, free, newest, oldest, cell_bytes;
    uint64_t random;
    struct ttl_statistics statistics;
};

static inline uint64_t ttl_now(const struct ttl_cache *cache)
{
    return cache->options.now_ns(cache->options.clock);
}

static inline unsigned char *ttl_value(const struct ttl_cache *cache, uint32_t e)
{
    return cache->cells + (size_t)e * cache->cell_bytes;
}

static inline char *ttl_key(const struct ttl_cache *cache, uint32_t e)
{
    return (char *)ttl_value(cache, e) + cache->options.value_bytes_max;
}

static inline uint64_t ttl_entry_bytes(const struct ttl_cache *cache)
{
    return sizeof(struct ttl_entry) + cache->cell_bytes + 3 * sizeof(uint32_t);
}

static inline void ttl_trace(const struct ttl_cache *cache, enum ttl_event event, const char *key,
                             size_t length)
{
    if (cache->options.trace) {
        cache->options.trace(cache->options.context, event, key, length);
    }
}

/* The arrays, of bucket_count places each; false: no memory, what there is stays for the free. */
bool ttl_store_make(struct ttl_cache *cache);
void ttl_store_free(struct ttl_cache *cache);

/* An entry at rest is in heap and LRU list; both or neither. */
void ttl_rest(struct ttl_cache *cache, uint32_t e);
void ttl_unrest(struct ttl_cache *cache, uint32_t e);
void ttl_touch(struct ttl_cache *cache, uint32_t e); /* at rest: now the newest */

static inline uint32_t *ttl_bucket(struct ttl_cache *cache, uint64_t hash)
{
    return &cache->buckets[((hash >> 32) * cache->bucket_count) >> 32];
}

static inline uint32_t ttl_find(struct ttl_cache *cache, const char *key, size_t length,
                                uint64_t hash)
{
    uint32_t e = *ttl_bucket(cache, hash);
    while (e != TTL_NONE &&
           !(cache->entries[e].hash == hash && cache->entries[e].key_bytes == length &&
             key_equal(ttl_key(cache, e), key, length))) {
        e = cache->entries[e].chain;
    }
    return e;
}

/* A dead entry that nobody has to do with any more becomes free. */
void ttl_release(struct ttl_cache *cache, uint32_t e);
/* Takes an entry out: from now on its key is absent. */
void ttl_unlink(struct ttl_cache *cache, uint32_t e);
/* Takes out those that are dead by now, two at most. */
void ttl_bury(struct ttl_cache *cache, uint64_t now);
void ttl_evict(struct ttl_cache *cache, uint32_t e);
/* A new entry that is loading, or TTL_NONE when all are busy or the key is too long. Nothing goes
 * for a key that may turn out to be absent, while there is a place to load into. */
uint32_t ttl_entry_new(struct ttl_cache *cache, const char *key, size_t length, uint64_t hash);

/* ttl_refresh.c: the entry's value, copied for the caller; false: known to be absent. */
bool ttl_hand_out(struct ttl_cache *cache, uint32_t e, struct strategy_value *value);
/* Whether to load anew although the value has not expired. */
bool ttl_early_due(struct ttl_cache *cache, const struct ttl_entry *entry, uint64_t now);
/* Both let the lock go while the source is asked. */
bool ttl_load_into(struct ttl_cache *cache, uint32_t e, const char *key, size_t length,
                   uint64_t ttl, ttl_load *load, void *context, struct strategy_value *value);
/* Past the cache, which has no place for this key or value. */
bool ttl_fall_back(struct ttl_cache *cache, const char *key, size_t length, ttl_load *load,
                   void *context, struct strategy_value *value);

#endif
