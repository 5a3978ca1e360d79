/*
 * strategy_unbounded.c - a cache that keeps every value it ever saw: the shape of the 60 GB
 * incident. One thread. When memory is out it answers without keeping.
 */
#include "registry/cache/key_hash.h"
#include "registry/cache/table.h"

struct unbounded {
    const struct strategy_source *source;
    struct table table;
    uint64_t hits, misses, loads;
};

static bool unbounded_init(void *state, const struct strategy_source *source,
                           const struct strategy_options *options)
{
    (void)options;
    struct unbounded *cache = state;
    *cache = (struct unbounded){.source = source};
    return true;
}

static bool unbounded_get(void *state, const char *key, size_t length, struct strategy_value *value)
{
    struct unbounded *cache = state;
    uint64_t hash = key_hash(key, length);
    struct table_node *node = table_find(&cache->table, key, length, hash);
    if (node) {
        cache->hits++;
        *value = (struct strategy_value){.data = node->value, .bytes = node->value_bytes};
        return true;
    }
    cache->misses++;
    if (!cache->source->load(cache->source->context, key, length, value)) {
        return false;
    }
    cache->loads++;
    table_put(&cache->table, key, length, hash, value); /* else the source's own value is as good */
    return true;
}

static bool unbounded_drop(void *state, const char *key, size_t length)
{
    struct unbounded *cache = state;
    return table_drop(&cache->table, key, length, key_hash(key, length));
}

static void unbounded_empty(void *state)
{
    struct unbounded *cache = state;
    table_fini(&cache->table);
}

static void unbounded_statistics(const void *state, struct strategy_statistics *statistics)
{
    const struct unbounded *cache = state;
    *statistics = (struct strategy_statistics){
        .lookups = cache->hits + cache->misses,
        .hits = cache->hits,
        .misses = cache->misses,
        .loads = cache->loads,
        .entries = cache->table.entries,
        .bytes = cache->table.bytes,
    };
}

const struct strategy strategy_unbounded = {
    .name = "unbounded",
    .about = "a cache that keeps everything it ever saw",
    .traits = STRATEGY_CACHES,
    .state_bytes = sizeof(struct unbounded),
    .init = unbounded_init,
    .get = unbounded_get,
    .drop = unbounded_drop,
    .reset = unbounded_empty,
    .fini = unbounded_empty,
    .statistics = unbounded_statistics,
};
