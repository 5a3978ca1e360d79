/*
 * strategy_sharded_lru.c - the thread-safe LRU: up to 64 shards, each a bounded LRU of its own with
 * a lock of its own; a key's hash chooses the shard. Bounds and recency hold within a shard, so the
 * whole is never above its bounds, and evicts a little earlier than one list would.
 *
 * The source is asked without the lock; two threads that miss the same key at once both load it,
 * and the second finds the first one's entry. Values are copied to the calling thread
 * (thread_copy.h).
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_lru.h"
#include "registry/cache/spinlock.h"
#include "registry/cache/thread_copy.h"

#include <stdlib.h>

#define SHARDS_DEFAULT 16u
#define SHARDS_MAX     64u

struct shard {
    _Alignas(64) struct spinlock lock; /* on a line of its own, with what every hit touches */
    struct bounded cache;
};

struct sharded_lru {
    struct shard *shards;
    uint32_t count;
};

static struct shard *sharded_lru_shard(const struct sharded_lru *lru, uint64_t hash)
{
    /* Not the bits that place an entry within the shard. */
    return &lru->shards[((hash >> 32 & 0xffff) * lru->count) >> 16];
}

static void sharded_lru_fini(void *state)
{
    struct sharded_lru *lru = state;
    for (uint32_t i = 0; i < lru->count; i++) {
        bounded_fini(&lru->shards[i].cache);
    }
    free(lru->shards);
    *lru = (struct sharded_lru){0};
}

/* Fewer shards where the bounds leave less than eight entries to each. */
static uint32_t sharded_lru_count(const struct strategy_options *options, uint64_t entries)
{
    uint32_t count = options->shards ? options->shards : SHARDS_DEFAULT;
    if (count > SHARDS_MAX) {
        count = SHARDS_MAX;
    }
    while (count > 1 && !options->shards && entries / count < 8) {
        count /= 2;
    }
    return entries && count > entries ? (uint32_t)entries : count;
}

static bool sharded_lru_init(void *state, const struct strategy_source *source,
                             const struct strategy_options *options)
{
    struct sharded_lru *lru = state;
    *lru = (struct sharded_lru){0};
    uint64_t entries = options->entries;
    if (!entries) {
        entries =
            options->bytes && !options->weights
                ? options->bytes / ((uint64_t)source->value_bytes_max + source->key_bytes_max + 32)
                : BOUNDED_ENTRIES;
    }
    if (source->value_bytes_max > THREAD_COPY_BYTES || options->weights || entries == 0) {
        return false;
    }
    uint32_t count = sharded_lru_count(options, entries);
    lru->shards = aligned_alloc(64, sizeof(struct shard) * count);
    if (!lru->shards) {
        return false;
    }
    struct strategy_options share = *options;
    share.entries = entries / count;
    share.bytes = options->bytes / count;
    for (; lru->count < count; lru->count++) {
        struct shard *shard = &lru->shards[lru->count];
        shard->lock = (struct spinlock){0};
        if (!bounded_init(&shard->cache, &policy_lru, source, &share)) {
            sharded_lru_fini(lru);
            return false;
        }
    }
    return true;
}

static bool sharded_lru_get(void *state, const char *key, size_t length,
                            struct strategy_value *value)
{
    struct sharded_lru *lru = state;
    struct key_blocks blocks;
    bool usual = key_usual(length);
    if (usual) {
        key_blocks_load(&blocks, key, length);
    }
    uint64_t hash = usual ? key_blocks_hash(&blocks, length) : key_hash(key, length);
    struct shard *shard = sharded_lru_shard(lru, hash);
    struct bounded *cache = &shard->cache;
    spinlock_lock(&shard->lock);
    uint32_t n = usual ? bounded_find_usual(cache, &policy_lru, &blocks, length, hash)
                       : bounded_find(cache, &policy_lru, key, length, hash);
    if (n) {
        bounded_take(cache, &policy_lru, n, value);
        key_copy(thread_copy, value->data, value->bytes);
        spinlock_unlock(&shard->lock);
        value->data = thread_copy;
        return true;
    }
    cache->misses++;
    spinlock_unlock(&shard->lock);
    if (!cache->source->load(cache->source->context, key, length, value)) {
        return false;
    }
    spinlock_lock(&shard->lock);
    cache->loads++;
    if (!bounded_find(cache, &policy_lru, key, length, hash)) {
        struct strategy_value held = *value;
        bounded_put(cache, &policy_lru, key, length, hash, &held);
    }
    spinlock_unlock(&shard->lock);
    return true; /* still the source's own value, which no other thread can touch */
}

static bool sharded_lru_drop(void *state, const char *key, size_t length)
{
    struct sharded_lru *lru = state;
    struct shard *shard = sharded_lru_shard(lru, key_hash(key, length));
    spinlock_lock(&shard->lock);
    bool held = bounded_drop(&shard->cache, &policy_lru, key, length);
    spinlock_unlock(&shard->lock);
    return held;
}

static void sharded_lru_reset(void *state)
{
    struct sharded_lru *lru = state;
    for (uint32_t i = 0; i < lru->count; i++) {
        spinlock_lock(&lru->shards[i].lock);
        bounded_reset(&lru->shards[i].cache, &policy_lru);
        spinlock_unlock(&lru->shards[i].lock);
    }
}

static void sharded_lru_statistics(const void *state, struct strategy_statistics *statistics)
{
    const struct sharded_lru *lru = state;
    *statistics = (struct strategy_statistics){0};
    for (uint32_t i = 0; i < lru->count; i++) {
        struct strategy_statistics of_shard;
        spinlock_lock(&lru->shards[i].lock);
        bounded_statistics(&lru->shards[i].cache, &of_shard);
        spinlock_unlock(&lru->shards[i].lock);
        strategy_statistics_add(statistics, &of_shard);
    }
}

const struct strategy strategy_sharded_lru = {
    .name = "sharded-lru",
    .about = "bounded LRU for many threads: shards with a lock each",
    .traits = STRATEGY_THREADS | STRATEGY_BOUNDED | STRATEGY_CACHES,
    .state_bytes = sizeof(struct sharded_lru),
    .init = sharded_lru_init,
    .get = sharded_lru_get,
    .drop = sharded_lru_drop,
    .reset = sharded_lru_reset,
    .fini = sharded_lru_fini,
    .statistics = sharded_lru_statistics,
};
