/*
 * strategy_per_thread.c - every thread keeps a private, unbounded copy of what it looked up (the
 * process dictionary of incident row 4.8). A thread's copy is freed when the thread ends. In a pool
 * whose threads live on it is not: drop and reset reach the calling thread's copy only, which is
 * what is wrong with this strategy. fini frees all copies; no other thread may be using it then.
 */
#include "registry/cache/key_hash.h"
#include "registry/cache/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct per_thread;

struct private_cache { /* one per thread and strategy */
    struct per_thread *owner;
    struct private_cache *prev, *next;                    /* of the owner's list, under its lock */
    struct table table;                                   /* written by its own thread only */
    _Atomic uint64_t hits, misses, loads, entries, bytes; /* read by anyone */
};

struct per_thread {
    const struct strategy_source *source;
    pthread_key_t key;
    pthread_mutex_t lock;
    struct private_cache *caches;
    _Atomic uint64_t hits, misses, loads; /* of threads that ended or got no cache */
};

static void count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Keeps the counts, frees the rest. The cache is out of the owner's list already, or all of it
 * goes. */
static void private_cache_free(struct private_cache **cache)
{
    struct per_thread *owner = (*cache)->owner;
    count(&owner->hits, counted(&(*cache)->hits));
    count(&owner->misses, counted(&(*cache)->misses));
    count(&owner->loads, counted(&(*cache)->loads));
    table_fini(&(*cache)->table);
    free(*cache);
    *cache = NULL;
}

/* Called by pthread when a thread ends. */
static void private_cache_end(void *value)
{
    struct private_cache *cache = value;
    struct per_thread *owner = cache->owner;
    pthread_mutex_lock(&owner->lock);
    if (cache->prev) {
        cache->prev->next = cache->next;
    } else {
        owner->caches = cache->next;
    }
    if (cache->next) {
        cache->next->prev = cache->prev;
    }
    private_cache_free(&cache);
    pthread_mutex_unlock(&owner->lock);
}

/* The calling thread's cache, made at its first look-up. NULL when memory is out. */
static struct private_cache *private_cache_own(struct per_thread *owner)
{
    struct private_cache *cache = pthread_getspecific(owner->key);
    if (cache) {
        return cache;
    }
    cache = calloc(1, sizeof *cache);
    if (!cache || pthread_setspecific(owner->key, cache) != 0) {
        free(cache);
        return NULL;
    }
    cache->owner = owner;
    pthread_mutex_lock(&owner->lock);
    cache->next = owner->caches;
    if (cache->next) {
        cache->next->prev = cache;
    }
    owner->caches = cache;
    pthread_mutex_unlock(&owner->lock);
    return cache;
}

static void private_cache_publish(struct private_cache *cache)
{
    atomic_store_explicit(&cache->entries, cache->table.entries, memory_order_relaxed);
    atomic_store_explicit(&cache->bytes, cache->table.bytes, memory_order_relaxed);
}

static bool per_thread_init(void *state, const struct strategy_source *source,
                            const struct strategy_options *options)
{
    (void)options;
    struct per_thread *owner = state;
    *owner = (struct per_thread){.source = source};
    if (pthread_mutex_init(&owner->lock, NULL) != 0) {
        return false;
    }
    if (pthread_key_create(&owner->key, private_cache_end) != 0) {
        pthread_mutex_destroy(&owner->lock);
        return false;
    }
    return true;
}

static bool per_thread_get(void *state, const char *key, size_t length,
                           struct strategy_value *value)
{
    struct per_thread *owner = state;
    struct private_cache *cache = private_cache_own(owner);
    uint64_t hash = key_hash(key, length);
    struct table_node *node = cache ? table_find(&cache->table, key, length, hash) : NULL;
    if (node) {
        count(&cache->hits, 1);
        *value = (struct strategy_value){.data = node->value, .bytes = node->value_bytes};
        return true;
    }
    count(cache ? &cache->misses : &owner->misses, 1);
    if (!owner->source->load(owner->source->context, key, length, value)) {
        return false;
    }
    count(cache ? &cache->loads : &owner->loads, 1);
    if (cache && table_put(&cache->table, key, length, hash, value)) {
        private_cache_publish(cache);
    }
    return true;
}

static bool per_thread_drop(void *state, const char *key, size_t length)
{
    struct per_thread *owner = state;
    struct private_cache *cache = pthread_getspecific(owner->key);
    if (!cache || !table_drop(&cache->table, key, length, key_hash(key, length))) {
        return false;
    }
    private_cache_publish(cache);
    return true;
}

static void per_thread_reset(void *state)
{
    struct per_thread *owner = state;
    struct private_cache *cache = pthread_getspecific(owner->key);
    if (cache) {
        table_fini(&cache->table);
        private_cache_publish(cache);
    }
}

static void per_thread_fini(void *state)
{
    struct per_thread *owner = state;
    pthread_key_delete(owner->key); /* before the caches go: no destructor may run any more */
    while (owner->caches) {
        struct private_cache *cache = owner->caches;
        owner->caches = cache->next;
        private_cache_free(&cache);
    }
    pthread_mutex_destroy(&owner->lock);
}

static void per_thread_statistics(const void *state, struct strategy_statistics *statistics)
{
    struct per_thread *owner = (struct per_thread *)state; /* for its lock */
    pthread_mutex_lock(&owner->lock);
    *statistics = (struct strategy_statistics){
        .hits = counted(&owner->hits),
        .misses = counted(&owner->misses),
        .loads = counted(&owner->loads),
    };
    for (const struct private_cache *cache = owner->caches; cache; cache = cache->next) {
        statistics->hits += counted(&cache->hits);
        statistics->misses += counted(&cache->misses);
        statistics->loads += counted(&cache->loads);
        statistics->entries += counted(&cache->entries);
        statistics->bytes += counted(&cache->bytes);
    }
    statistics->lookups = statistics->hits + statistics->misses;
    pthread_mutex_unlock(&owner->lock);
}

const struct strategy strategy_per_thread = {
    .name = "per-thread",
    .about = "an unbounded private cache in every thread, freed when the thread ends",
    .traits = STRATEGY_THREADS | STRATEGY_CACHES,
    .state_bytes = sizeof(struct per_thread),
    .init = per_thread_init,
    .get = per_thread_get,
    .drop = per_thread_drop,
    .reset = per_thread_reset,
    .fini = per_thread_fini,
    .statistics = per_thread_statistics,
};
