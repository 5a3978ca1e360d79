/*
 * ttl_cache.c - what callers see of the ttl cache, see ttl_cache.h: asking, invalidating, beginning
 * and end. One mutex; the source is asked without it. Allocates in ttl_cache_new.
 */
#include "registry/ttl/ttl_store.h"

#include "registry/cache/key_hash.h"
#include "registry/cache/thread_copy.h"

#include <stdlib.h>
#include <time.h>

#define ENTRIES_DEFAULT 1024u
#define TTL_DEFAULT     3600000000000u

static uint64_t monotonic_ns(void *clock)
{
    struct timespec now;
    (void)clock;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Another thread loads this key. False with *over unset: it came to nothing that could be kept. */
static bool wait_for(struct ttl_cache *cache, uint32_t e, bool *over, struct strategy_value *value)
{
    struct ttl_entry *entry = &cache->entries[e];
    cache->statistics.coalesced++;
    entry->waiters++;
    while (entry->loading) {
        pthread_cond_wait(&cache->loaded, &cache->lock);
    }
    bool ok = entry->has_value && ttl_hand_out(cache, e, value);
    *over = entry->failed || entry->has_value;
    entry->waiters--;
    ttl_release(cache, e);
    return ok;
}

static bool hit(struct ttl_cache *cache, uint32_t e, struct strategy_value *value)
{
    struct ttl_entry *entry = &cache->entries[e];
    cache->statistics.hits++;
    cache->statistics.negative += entry->negative;
    entry->used = true;
    ttl_trace(cache, TTL_HIT, ttl_key(cache, e), entry->key_bytes);
    ttl_touch(cache, e);
    return ttl_hand_out(cache, e, value);
}

/* Before its end, and not before its beginning: a clock that a time namespace has set back must not
 * make what was held immortal. */
static bool lives(const struct ttl_entry *entry, uint64_t now, uint64_t until)
{
    return now - entry->born_ns < until - entry->born_ns;
}

static bool get_locked(struct ttl_cache *cache, const char *key, size_t length, uint64_t ttl,
                       ttl_load *load, void *context, struct strategy_value *value)
{
    uint64_t hash = key_hash(key, length), now = ttl_now(cache);
    ttl_bury(cache, now);
    uint32_t e = ttl_find(cache, key, length, hash);
    struct ttl_entry *entry = e != TTL_NONE ? &cache->entries[e] : NULL;
    if (entry && entry->has_value && lives(entry, now, entry->expires_ns)) {
        if (entry->loading || !ttl_early_due(cache, entry, now)) {
            return hit(cache, e, value);
        }
        cache->statistics.early++;
    } else if (entry && entry->loading && entry->has_value && lives(entry, now, entry->dies_ns)) {
        cache->statistics.stale++;
        return hit(cache, e, value);
    }
    cache->statistics.misses++;
    ttl_trace(cache, TTL_MISS, key, length);
    if (entry && entry->loading) {
        bool over, ok = wait_for(cache, e, &over, value);
        return over ? ok : ttl_fall_back(cache, key, length, load, context, value);
    }
    e = entry ? e : ttl_entry_new(cache, key, length, hash);
    if (e == TTL_NONE) {
        return ttl_fall_back(cache, key, length, load, context, value);
    }
    return ttl_load_into(cache, e, key, length, ttl, load, context, value);
}

bool ttl_cache_get(struct ttl_cache *cache, const char *key, size_t length, uint64_t ttl_ns,
                   ttl_load *load, void *context, struct strategy_value *value)
{
    pthread_mutex_lock(&cache->lock);
    bool ok = get_locked(cache, key, length, ttl_ns ? ttl_ns : cache->options.ttl_ns, load, context,
                         value);
    pthread_mutex_unlock(&cache->lock);
    return ok;
}

/* Invalidation. ---------------------------------------------------------------------------------
 */

static bool invalidate(struct ttl_cache *cache, uint32_t e)
{
    bool held = cache->entries[e].has_value;
    cache->statistics.invalidated += held;
    ttl_unlink(cache, e);
    return held;
}

bool ttl_cache_drop(struct ttl_cache *cache, const char *key, size_t length)
{
    pthread_mutex_lock(&cache->lock);
    uint32_t e = ttl_find(cache, key, length, key_hash(key, length));
    bool held = e != TTL_NONE && invalidate(cache, e);
    pthread_mutex_unlock(&cache->lock);
    return held;
}

/* Greedy, with one point to come back to: the last '*'. */
static bool matches(const char *pattern, const char *text, size_t length)
{
    const char *star = NULL;
    size_t at = 0, mark = 0;
    while (at < length) {
        if (*pattern == '*') {
            star = ++pattern;
            mark = at;
        } else if (*pattern && *pattern == text[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

size_t ttl_cache_drop_matching(struct ttl_cache *cache, const char *pattern)
{
    size_t held = 0;
    pthread_mutex_lock(&cache->lock);
    for (uint32_t b = 0; b < cache->bucket_count; b++) {
        for (uint32_t e = cache->buckets[b], next; e != TTL_NONE; e = next) {
            next = cache->entries[e].chain;
            if (matches(pattern, ttl_key(cache, e), cache->entries[e].key_bytes)) {
                held += invalidate(cache, e);
            }
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return held;
}

void ttl_cache_clear(struct ttl_cache *cache)
{
    ttl_cache_drop_matching(cache, "*");
}

/* Reading out. ----------------------------------------------------------------------------------
 */

void ttl_cache_statistics(struct ttl_cache *cache, struct ttl_statistics *statistics)
{
    pthread_mutex_lock(&cache->lock);
    *statistics = cache->statistics;
    statistics->entries = cache->heap_count;
    statistics->bytes = cache->heap_count * ttl_entry_bytes(cache);
    pthread_mutex_unlock(&cache->lock);
}

/* Beginning and end. ----------------------------------------------------------------------------
 */

/* Places beyond the capacity for keys that are being loaded. */
static uint64_t flights_of(uint64_t entries)
{
    return entries / 8 < 1 ? 1 : entries / 8 > 64 ? 64 : entries / 8;
}

struct ttl_cache *ttl_cache_new(const struct ttl_options *options)
{
    struct ttl_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return NULL;
    }
    cache->options = *options;
    cache->options.ttl_ns = options->ttl_ns ? options->ttl_ns : TTL_DEFAULT;
    cache->options.now_ns = options->now_ns ? options->now_ns : monotonic_ns;
    cache->cell_bytes = (options->value_bytes_max + options->key_bytes_max + 7) & ~7u;
    uint64_t entries = options->entries ? options->entries : ENTRIES_DEFAULT;
    uint64_t fit = options->bytes ? options->bytes / ttl_entry_bytes(cache) : UINT32_MAX;
    uint64_t slots = entries + flights_of(entries);
    if (slots > fit || !options->entries) {
        slots = options->bytes ? fit : slots;
        entries = slots - flights_of(slots);
    }
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->loaded, NULL);
    cache->free = 0;
    cache->newest = cache->oldest = TTL_NONE;
    cache->random = options->seed + 88172645463325252u;
    cache->capacity = slots > 1 && slots < 1u << 28 ? (uint32_t)entries : 0;
    cache->bucket_count = (uint32_t)slots;
    if (cache->capacity == 0 || options->value_bytes_max > THREAD_COPY_BYTES ||
        options->key_bytes_max > UINT16_MAX || !ttl_store_make(cache)) {
        ttl_cache_free(&cache);
    }
    return cache;
}

void ttl_cache_free(struct ttl_cache **cache)
{
    if (*cache) {
        ttl_store_free(*cache);
        pthread_cond_destroy(&(*cache)->loaded);
        pthread_mutex_destroy(&(*cache)->lock);
        free(*cache);
        *cache = NULL;
    }
}
