/* ttl_store.c - where the entries of the ttl cache lie, see ttl_store.h. Allocates in
 * ttl_store_make only. */
#include "registry/ttl/ttl_store.h"

#include <stdlib.h>

#define BURIED_AT_ONCE 2

/* The heap: the next to die first. ------------------------------------------------------------- */

static void heap_set(struct ttl_cache *cache, uint32_t at, uint32_t e)
{
    cache->heap[at] = e;
    cache->entries[e].heap_at = at;
}

static bool dies_before(const struct ttl_cache *cache, uint32_t a, uint32_t b)
{
    return cache->entries[a].dies_ns < cache->entries[b].dies_ns;
}

static void heap_up(struct ttl_cache *cache, uint32_t at, uint32_t e)
{
    while (at > 0 && dies_before(cache, e, cache->heap[(at - 1) / 2])) {
        heap_set(cache, at, cache->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(cache, at, e);
}

static void heap_down(struct ttl_cache *cache, uint32_t at, uint32_t e)
{
    for (uint32_t child; (child = 2 * at + 1) < cache->heap_count; at = child) {
        if (child + 1 < cache->heap_count &&
            dies_before(cache, cache->heap[child + 1], cache->heap[child])) {
            child++;
        }
        if (!dies_before(cache, cache->heap[child], e)) {
            break;
        }
        heap_set(cache, at, cache->heap[child]);
    }
    heap_set(cache, at, e);
}

static void heap_remove(struct ttl_cache *cache, uint32_t e)
{
    uint32_t at = cache->entries[e].heap_at, last = cache->heap[--cache->heap_count];
    if (last != e) {
        heap_up(cache, at, last);
        heap_down(cache, cache->entries[last].heap_at, last);
    }
    cache->entries[e].heap_at = TTL_NONE;
}

/* Heap and LRU list together: an entry at rest is in both. --------------------------------------
 */

static void list_push(struct ttl_cache *cache, uint32_t e)
{
    struct ttl_entry *entry = &cache->entries[e];
    entry->newer = TTL_NONE;
    entry->older = cache->newest;
    if (cache->newest != TTL_NONE) {
        cache->entries[cache->newest].newer = e;
    } else {
        cache->oldest = e;
    }
    cache->newest = e;
}

static void list_remove(struct ttl_cache *cache, uint32_t e)
{
    struct ttl_entry *entry = &cache->entries[e];
    *(entry->newer != TTL_NONE ? &cache->entries[entry->newer].older : &cache->newest) =
        entry->older;
    *(entry->older != TTL_NONE ? &cache->entries[entry->older].newer : &cache->oldest) =
        entry->newer;
}

void ttl_rest(struct ttl_cache *cache, uint32_t e)
{
    list_push(cache, e);
    heap_up(cache, cache->heap_count++, e);
    if (cache->heap_count > cache->statistics.entries_peak) {
        cache->statistics.entries_peak = cache->heap_count;
    }
}

void ttl_unrest(struct ttl_cache *cache, uint32_t e)
{
    if (cache->entries[e].heap_at != TTL_NONE) {
        list_remove(cache, e);
        heap_remove(cache, e);
    }
}

void ttl_touch(struct ttl_cache *cache, uint32_t e)
{
    if (cache->entries[e].heap_at != TTL_NONE) {
        list_remove(cache, e);
        list_push(cache, e);
    }
}

/* Coming and going. -----------------------------------------------------------------------------
 */

void ttl_release(struct ttl_cache *cache, uint32_t e)
{
    struct ttl_entry *entry = &cache->entries[e];
    if (entry->dead && !entry->loading && entry->waiters == 0) {
        entry->chain = cache->free;
        cache->free = e;
    }
}

void ttl_unlink(struct ttl_cache *cache, uint32_t e)
{
    struct ttl_entry *entry = &cache->entries[e];
    uint32_t *at = ttl_bucket(cache, entry->hash);
    while (*at != e) {
        at = &cache->entries[*at].chain;
    }
    *at = entry->chain;
    ttl_unrest(cache, e);
    entry->dead = true;
    ttl_trace(cache, TTL_DELETE, ttl_key(cache, e), entry->key_bytes);
    ttl_release(cache, e);
}

void ttl_bury(struct ttl_cache *cache, uint64_t now)
{
    for (int i = 0; i < BURIED_AT_ONCE && cache->heap_count > 0; i++) {
        uint32_t e = cache->heap[0];
        if (cache->entries[e].dies_ns > now) {
            return;
        }
        cache->statistics.expired++;
        ttl_unlink(cache, e);
    }
}

void ttl_evict(struct ttl_cache *cache, uint32_t e)
{
    struct ttl_entry *entry = &cache->entries[e];
    cache->statistics.evictions++;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an entry there is */
    cache->statistics.evicted_unused += !entry->used;
    if (cache->options.evicted) {
        struct strategy_value value = {.data = ttl_value(cache, e), .bytes = entry->value_bytes};
        cache->options.evicted(cache->options.context, ttl_key(cache, e), entry->key_bytes, &value);
    }
    ttl_unlink(cache, e);
}

uint32_t ttl_entry_new(struct ttl_cache *cache, const char *key, size_t length, uint64_t hash)
{
    if (length > cache->options.key_bytes_max) {
        return TTL_NONE;
    }
    if (cache->free == TTL_NONE && cache->oldest != TTL_NONE) {
        ttl_evict(cache, cache->oldest);
    }
    uint32_t e = cache->free;
    if (e == TTL_NONE) {
        return TTL_NONE;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as above */
    cache->free = cache->entries[e].chain;
    uint32_t *bucket = ttl_bucket(cache, hash);
    cache->entries[e] = (struct ttl_entry){.hash = hash,
                                           .chain = *bucket,
                                           .heap_at = TTL_NONE,
                                           .key_bytes = (uint16_t)length,
                                           .loading = true};
    memcpy(ttl_key(cache, e), key, length);
    *bucket = e;
    return e;
}

bool ttl_store_make(struct ttl_cache *cache)
{
    size_t n = cache->bucket_count;
    cache->entries = calloc(n, sizeof cache->entries[0]);
    cache->buckets = malloc(n * sizeof cache->buckets[0]);
    cache->heap = malloc(n * sizeof cache->heap[0]);
    cache->cells = malloc(n * cache->cell_bytes);
    if (!cache->entries || !cache->buckets || !cache->heap || !cache->cells) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        cache->buckets[i] = TTL_NONE;
        cache->entries[i].chain = i + 1 < n ? i + 1 : TTL_NONE;
    }
    return true;
}

void ttl_store_free(struct ttl_cache *cache)
{
    free(cache->entries);
    free(cache->buckets);
    free(cache->heap);
    free(cache->cells);
}
