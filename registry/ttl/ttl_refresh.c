/* ttl_refresh.c - when a value of the ttl cache is due and what its load brings, see ttl_store.h.
 * The source is asked without the lock. */
#include "registry/ttl/ttl_store.h"

#include "registry/cache/thread_copy.h"

#include <math.h>
#include <string.h>

bool ttl_hand_out(struct ttl_cache *cache, uint32_t e, struct strategy_value *value)
{
    const struct ttl_entry *entry = &cache->entries[e];
    memcpy(thread_copy, ttl_value(cache, e), entry->value_bytes);
    *value = (struct strategy_value){.data = thread_copy, .bytes = entry->value_bytes};
    return !entry->negative;
}

static double random_unit(struct ttl_cache *cache)
{
    cache->random = cache->random * 6364136223846793005u + 1442695040888963407u;
    return ((double)(cache->random >> 11) + 1) * 0x1p-53;
}

bool ttl_early_due(struct ttl_cache *cache, const struct ttl_entry *entry, uint64_t now)
{
    uint64_t left = entry->expires_ns - now;
    if (cache->options.early_ns && left <= cache->options.early_ns) {
        return true;
    }
    return cache->options.early_beta > 0 &&
           (double)entry->cost_ns * cache->options.early_beta * -log(random_unit(cache)) >=
               (double)left;
}

static uint64_t adapted(const struct ttl_cache *cache, const struct ttl_entry *entry, bool changed)
{
    uint64_t ttl = changed ? entry->ttl_ns / 2 : entry->ttl_ns + entry->ttl_ns / 2;
    ttl = ttl < cache->options.ttl_least_ns ? cache->options.ttl_least_ns : ttl;
    return ttl > cache->options.ttl_most_ns ? cache->options.ttl_most_ns : ttl;
}

/* What a load brought goes into its entry. */
static void store(struct ttl_cache *cache, uint32_t e, bool ok, const struct strategy_value *value,
                  uint64_t ttl)
{
    struct ttl_entry *entry = &cache->entries[e];
    uint64_t now = ttl_now(cache);
    size_t bytes = ok ? value->bytes : 0;
    if (cache->options.ttl_most_ns && ok && entry->has_value) {
        bool changed =
            entry->value_bytes != bytes || memcmp(ttl_value(cache, e), value->data, bytes) != 0;
        ttl = adapted(cache, entry, changed);
    }
    memcpy(ttl_value(cache, e), ok ? value->data : "", bytes);
    entry->value_bytes = (uint32_t)bytes;
    entry->has_value = true;
    entry->negative = !ok;
    entry->ttl_ns = ttl;
    entry->born_ns = now;
    entry->expires_ns = now + (ok ? ttl : cache->options.negative_ns);
    entry->dies_ns = entry->expires_ns + (ok ? cache->options.grace_ns : 0);
}

/* The load is over: the lock is held again. True: the caller's answer is what the source said. */
static bool loaded(struct ttl_cache *cache, uint32_t e, bool ok, const struct strategy_value *value,
                   uint64_t ttl)
{
    struct ttl_entry *entry = &cache->entries[e];
    bool fits = !ok || value->bytes <= cache->options.value_bytes_max;
    bool stale = !ok && entry->has_value && !entry->negative && ttl_now(cache) < entry->dies_ns;
    cache->statistics.loads += ok;
    cache->statistics.failures += !ok;
    entry->failed = !ok && !stale;
    if (fits && !stale && (ok || cache->options.negative_ns)) {
        store(cache, e, ok, value, ttl);
    } else if (!stale) {
        entry->has_value = false;
    }
    entry->loading = false;
    if (entry->dead) {
        cache->statistics.discarded++;
        ttl_release(cache, e);
    } else if (entry->has_value) {
        if (cache->heap_count == cache->capacity) {
            ttl_evict(cache, cache->oldest);
        }
        ttl_rest(cache, e);
        ttl_trace(cache, TTL_SET, ttl_key(cache, e), entry->key_bytes);
    } else {
        ttl_unlink(cache, e);
    }
    pthread_cond_broadcast(&cache->loaded);
    return !stale;
}

bool ttl_load_into(struct ttl_cache *cache, uint32_t e, const char *key, size_t length,
                   uint64_t ttl, ttl_load *load, void *context, struct strategy_value *value)
{
    struct ttl_entry *entry = &cache->entries[e];
    ttl_unrest(cache, e);
    entry->loading = true;
    entry->waiters++; /* ours: the entry stays ours to read after the load */
    pthread_mutex_unlock(&cache->lock);
    uint64_t begun = ttl_now(cache);
    bool ok = load(context, key, length, value);
    pthread_mutex_lock(&cache->lock);
    entry->cost_ns = ttl_now(cache) - begun;
    if (!loaded(cache, e, ok, value, ttl)) {
        cache->statistics.stale++;
        ok = ttl_hand_out(cache, e, value);
    } else if (ok && value->bytes <= THREAD_COPY_BYTES) {
        memmove(thread_copy, value->data, value->bytes);
        value->data = thread_copy;
    }
    entry->waiters--;
    ttl_release(cache, e);
    return ok;
}

bool ttl_fall_back(struct ttl_cache *cache, const char *key, size_t length, ttl_load *load,
                   void *context, struct strategy_value *value)
{
    cache->statistics.fallbacks++;
    pthread_mutex_unlock(&cache->lock);
    bool ok = load(context, key, length, value);
    pthread_mutex_lock(&cache->lock);
    cache->statistics.loads += ok;
    cache->statistics.failures += !ok;
    return ok;
}
