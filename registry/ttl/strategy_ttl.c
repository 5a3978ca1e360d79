/*
 * strategy_ttl.c - the bounded cache whose entries expire (ttl_cache.h) as a strategy. Any thread.
 * The bound in bytes covers everything but the cache's own struct.
 */
#include "registry/ttl/ttl_cache.h"

struct ttl {
    const struct strategy_source *source;
    struct ttl_cache *cache;
};

static bool ttl_init(void *state, const struct strategy_source *source,
                     const struct strategy_options *options)
{
    struct ttl *ttl = state;
    *ttl = (struct ttl){.source = source};
    if (options->weights) {
        return false;
    }
    ttl->cache = ttl_cache_new(&(struct ttl_options){.entries = options->entries,
                                                     .bytes = options->bytes,
                                                     .key_bytes_max = source->key_bytes_max,
                                                     .value_bytes_max = source->value_bytes_max,
                                                     .ttl_ns = options->ttl_ns,
                                                     .now_ns = options->now_ns,
                                                     .clock = options->clock,
                                                     .evicted = options->evicted,
                                                     .context = options->listener});
    return ttl->cache != NULL;
}

static bool ttl_get(void *state, const char *key, size_t length, struct strategy_value *value)
{
    struct ttl *ttl = state;
    return ttl_cache_get(ttl->cache, key, length, 0, ttl->source->load, ttl->source->context,
                         value);
}

static bool ttl_drop(void *state, const char *key, size_t length)
{
    return ttl_cache_drop(((struct ttl *)state)->cache, key, length);
}

static void ttl_reset(void *state)
{
    ttl_cache_clear(((struct ttl *)state)->cache);
}

static void ttl_fini(void *state)
{
    ttl_cache_free(&((struct ttl *)state)->cache);
}

static void ttl_statistics_(const void *state, struct strategy_statistics *statistics)
{
    struct ttl_statistics s;
    ttl_cache_statistics(((const struct ttl *)state)->cache, &s);
    *statistics = (struct strategy_statistics){
        .lookups = s.hits + s.misses,
        .hits = s.hits,
        .misses = s.misses,
        .loads = s.loads,
        .evictions = s.evictions + s.expired,
        .evicted_unused = s.evicted_unused,
        .entries = s.entries,
        .bytes = s.bytes,
    };
}

const struct strategy strategy_ttl = {
    .name = "ttl",
    .about = "bounded cache whose entries expire; one load however many threads miss",
    .traits = STRATEGY_THREADS | STRATEGY_BOUNDED | STRATEGY_CACHES,
    .state_bytes = sizeof(struct ttl),
    .init = ttl_init,
    .get = ttl_get,
    .drop = ttl_drop,
    .reset = ttl_reset,
    .fini = ttl_fini,
    .statistics = ttl_statistics_,
};
