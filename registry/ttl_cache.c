/*
 * ttl_cache.c - see ttl_cache.h. One mutex; the source is asked without it. Allocates in
 * ttl_cache_new.
 *
 * An entry is found through its bucket's chain. While it is `loading` it lies in neither heap nor
 * LRU list, so nothing can evict it. An entry taken out while somebody still reads or loads it is
 * `dead`: it can no longer be found, and the last one who has to do with it releases it.
 */
#include "registry/ttl_cache.h"

#include "registry/key_hash.h"
#include "registry/thread_copy.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define NONE            UINT32_MAX
#define ENTRIES_DEFAULT 1024u
#define TTL_DEFAULT     3600000000000u
#define BURIED_AT_ONCE  2

struct entry {
    uint64_t hash, born_ns, expires_ns, dies_ns, ttl_ns, cost_ns;
    uint32_t chain;        /* next in the bucket, or in the list of free ones */
    uint32_t newer, older; /* LRU list */
    uint32_t heap_at;      /* NONE: not in heap and list */
    uint32_t waiters, value_bytes;
    uint16_t key_bytes;
    bool has_value, negative, loading, dead, used, failed;
};

struct ttl_cache {
    struct ttl_options options;
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    struct entry *entries;
    uint32_t *buckets, *heap;
    unsigned char *cells; /* value, then key */
    uint32_t capacity, bucket_count, heap_count, free, newest, oldest, cell_bytes;
    uint64_t random;
    struct ttl_statistics statistics;
};

static uint64_t monotonic_ns(void *clock)
{
    struct timespec now;
    (void)clock;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_of(const struct ttl_cache *cache)
{
    return cache->options.now_ns(cache->options.clock);
}

static unsigned char *value_of(const struct ttl_cache *cache, uint32_t e)
{
    return cache->cells + (size_t)e * cache->cell_bytes;
}

static char *key_of(const struct ttl_cache *cache, uint32_t e)
{
    return (char *)value_of(cache, e) + cache->options.value_bytes_max;
}

static uint64_t entry_bytes(const struct ttl_cache *cache)
{
    return sizeof(struct entry) + cache->cell_bytes + 3 * sizeof(uint32_t);
}

static void trace(const struct ttl_cache *cache, enum ttl_event event, const char *key,
                  size_t length)
{
    if (cache->options.trace) {
        cache->options.trace(cache->options.context, event, key, length);
    }
}

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
    cache->entries[e].heap_at = NONE;
}

/* Heap and LRU list together: an entry at rest is in both. --------------------------------------
 */

static void list_push(struct ttl_cache *cache, uint32_t e)
{
    struct entry *entry = &cache->entries[e];
    entry->newer = NONE;
    entry->older = cache->newest;
    if (cache->newest != NONE) {
        cache->entries[cache->newest].newer = e;
    } else {
        cache->oldest = e;
    }
    cache->newest = e;
}

static void list_remove(struct ttl_cache *cache, uint32_t e)
{
    struct entry *entry = &cache->entries[e];
    *(entry->newer != NONE ? &cache->entries[entry->newer].older : &cache->newest) = entry->older;
    *(entry->older != NONE ? &cache->entries[entry->older].newer : &cache->oldest) = entry->newer;
}

static void rest(struct ttl_cache *cache, uint32_t e)
{
    list_push(cache, e);
    heap_up(cache, cache->heap_count++, e);
    if (cache->heap_count > cache->statistics.entries_peak) {
        cache->statistics.entries_peak = cache->heap_count;
    }
}

static void unrest(struct ttl_cache *cache, uint32_t e)
{
    if (cache->entries[e].heap_at != NONE) {
        list_remove(cache, e);
        heap_remove(cache, e);
    }
}

/* Coming and going. -----------------------------------------------------------------------------
 */

static uint32_t *bucket_of(struct ttl_cache *cache, uint64_t hash)
{
    return &cache->buckets[((hash >> 32) * cache->bucket_count) >> 32];
}

static uint32_t find(struct ttl_cache *cache, const char *key, size_t length, uint64_t hash)
{
    uint32_t e = *bucket_of(cache, hash);
    while (e != NONE && !(cache->entries[e].hash == hash && cache->entries[e].key_bytes == length &&
                          key_equal(key_of(cache, e), key, length))) {
        e = cache->entries[e].chain;
    }
    return e;
}

static void release(struct ttl_cache *cache, uint32_t e)
{
    struct entry *entry = &cache->entries[e];
    if (entry->dead && !entry->loading && entry->waiters == 0) {
        entry->chain = cache->free;
        cache->free = e;
    }
}

/* Takes an entry out: from now on its key is absent. */
static void unlink_entry(struct ttl_cache *cache, uint32_t e)
{
    struct entry *entry = &cache->entries[e];
    uint32_t *at = bucket_of(cache, entry->hash);
    while (*at != e) {
        at = &cache->entries[*at].chain;
    }
    *at = entry->chain;
    unrest(cache, e);
    entry->dead = true;
    trace(cache, TTL_DELETE, key_of(cache, e), entry->key_bytes);
    release(cache, e);
}

static void bury(struct ttl_cache *cache, uint64_t now)
{
    for (int i = 0; i < BURIED_AT_ONCE && cache->heap_count > 0; i++) {
        uint32_t e = cache->heap[0];
        if (cache->entries[e].dies_ns > now) {
            return;
        }
        cache->statistics.expired++;
        unlink_entry(cache, e);
    }
}

static void evict(struct ttl_cache *cache, uint32_t e)
{
    struct entry *entry = &cache->entries[e];
    cache->statistics.evictions++;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an entry there is */
    cache->statistics.evicted_unused += !entry->used;
    if (cache->options.evicted) {
        struct strategy_value value = {.data = value_of(cache, e), .bytes = entry->value_bytes};
        cache->options.evicted(cache->options.context, key_of(cache, e), entry->key_bytes, &value);
    }
    unlink_entry(cache, e);
}

/* A new entry that is loading, or NONE when all are busy or the key is too long. Nothing goes for a
 * key that may turn out to be absent, while there is a place to load into. */
static uint32_t entry_new(struct ttl_cache *cache, const char *key, size_t length, uint64_t hash)
{
    if (length > cache->options.key_bytes_max) {
        return NONE;
    }
    if (cache->free == NONE && cache->oldest != NONE) {
        evict(cache, cache->oldest);
    }
    uint32_t e = cache->free;
    if (e == NONE) {
        return NONE;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as above */
    cache->free = cache->entries[e].chain;
    uint32_t *bucket = bucket_of(cache, hash);
    cache->entries[e] = (struct entry){.hash = hash,
                                       .chain = *bucket,
                                       .heap_at = NONE,
                                       .key_bytes = (uint16_t)length,
                                       .loading = true};
    memcpy(key_of(cache, e), key, length);
    *bucket = e;
    return e;
}

/* Looking up. -----------------------------------------------------------------------------------
 */

static bool hand_out(struct ttl_cache *cache, uint32_t e, struct strategy_value *value)
{
    const struct entry *entry = &cache->entries[e];
    memcpy(thread_copy, value_of(cache, e), entry->value_bytes);
    *value = (struct strategy_value){.data = thread_copy, .bytes = entry->value_bytes};
    return !entry->negative;
}

static double random_unit(struct ttl_cache *cache)
{
    cache->random = cache->random * 6364136223846793005u + 1442695040888963407u;
    return ((double)(cache->random >> 11) + 1) * 0x1p-53;
}

static bool early_due(struct ttl_cache *cache, const struct entry *entry, uint64_t now)
{
    uint64_t left = entry->expires_ns - now;
    if (cache->options.early_ns && left <= cache->options.early_ns) {
        return true;
    }
    return cache->options.early_beta > 0 &&
           (double)entry->cost_ns * cache->options.early_beta * -log(random_unit(cache)) >=
               (double)left;
}

static uint64_t adapted(const struct ttl_cache *cache, const struct entry *entry, bool changed)
{
    uint64_t ttl = changed ? entry->ttl_ns / 2 : entry->ttl_ns + entry->ttl_ns / 2;
    ttl = ttl < cache->options.ttl_least_ns ? cache->options.ttl_least_ns : ttl;
    return ttl > cache->options.ttl_most_ns ? cache->options.ttl_most_ns : ttl;
}

/* What a load brought goes into its entry. */
static void store(struct ttl_cache *cache, uint32_t e, bool ok, const struct strategy_value *value,
                  uint64_t ttl)
{
    struct entry *entry = &cache->entries[e];
    uint64_t now = now_of(cache);
    size_t bytes = ok ? value->bytes : 0;
    if (cache->options.ttl_most_ns && ok && entry->has_value) {
        bool changed =
            entry->value_bytes != bytes || memcmp(value_of(cache, e), value->data, bytes) != 0;
        ttl = adapted(cache, entry, changed);
    }
    memcpy(value_of(cache, e), ok ? value->data : "", bytes);
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
    struct entry *entry = &cache->entries[e];
    bool fits = !ok || value->bytes <= cache->options.value_bytes_max;
    bool stale = !ok && entry->has_value && !entry->negative && now_of(cache) < entry->dies_ns;
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
        release(cache, e);
    } else if (entry->has_value) {
        if (cache->heap_count == cache->capacity) {
            evict(cache, cache->oldest);
        }
        rest(cache, e);
        trace(cache, TTL_SET, key_of(cache, e), entry->key_bytes);
    } else {
        unlink_entry(cache, e);
    }
    pthread_cond_broadcast(&cache->loaded);
    return !stale;
}

static bool load_into(struct ttl_cache *cache, uint32_t e, const char *key, size_t length,
                      uint64_t ttl, ttl_load *load, void *context, struct strategy_value *value)
{
    struct entry *entry = &cache->entries[e];
    unrest(cache, e);
    entry->loading = true;
    entry->waiters++; /* ours: the entry stays ours to read after the load */
    pthread_mutex_unlock(&cache->lock);
    uint64_t begun = now_of(cache);
    bool ok = load(context, key, length, value);
    pthread_mutex_lock(&cache->lock);
    entry->cost_ns = now_of(cache) - begun;
    if (!loaded(cache, e, ok, value, ttl)) {
        cache->statistics.stale++;
        ok = hand_out(cache, e, value);
    } else if (ok && value->bytes <= THREAD_COPY_BYTES) {
        memmove(thread_copy, value->data, value->bytes);
        value->data = thread_copy;
    }
    entry->waiters--;
    release(cache, e);
    return ok;
}

/* Past the cache, which has no place for this key or value. */
static bool fall_back(struct ttl_cache *cache, const char *key, size_t length, ttl_load *load,
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

/* Another thread loads this key. False with *over unset: it came to nothing that could be kept. */
static bool wait_for(struct ttl_cache *cache, uint32_t e, bool *over, struct strategy_value *value)
{
    struct entry *entry = &cache->entries[e];
    cache->statistics.coalesced++;
    entry->waiters++;
    while (entry->loading) {
        pthread_cond_wait(&cache->loaded, &cache->lock);
    }
    bool ok = entry->has_value && hand_out(cache, e, value);
    *over = entry->failed || entry->has_value;
    entry->waiters--;
    release(cache, e);
    return ok;
}

static bool hit(struct ttl_cache *cache, uint32_t e, struct strategy_value *value)
{
    struct entry *entry = &cache->entries[e];
    cache->statistics.hits++;
    cache->statistics.negative += entry->negative;
    entry->used = true;
    trace(cache, TTL_HIT, key_of(cache, e), entry->key_bytes);
    if (entry->heap_at != NONE) {
        list_remove(cache, e);
        list_push(cache, e);
    }
    return hand_out(cache, e, value);
}

static bool get_locked(struct ttl_cache *cache, const char *key, size_t length, uint64_t ttl,
                       ttl_load *load, void *context, struct strategy_value *value)
{
    uint64_t hash = key_hash(key, length), now = now_of(cache);
    bury(cache, now);
    uint32_t e = find(cache, key, length, hash);
    struct entry *entry = e != NONE ? &cache->entries[e] : NULL;
    if (entry && entry->has_value && now < entry->expires_ns) {
        if (entry->loading || !early_due(cache, entry, now)) {
            return hit(cache, e, value);
        }
        cache->statistics.early++;
    } else if (entry && entry->loading && entry->has_value && now < entry->dies_ns) {
        cache->statistics.stale++;
        return hit(cache, e, value);
    }
    cache->statistics.misses++;
    trace(cache, TTL_MISS, key, length);
    if (entry && entry->loading) {
        bool over, ok = wait_for(cache, e, &over, value);
        return over ? ok : fall_back(cache, key, length, load, context, value);
    }
    e = entry ? e : entry_new(cache, key, length, hash);
    if (e == NONE) {
        return fall_back(cache, key, length, load, context, value);
    }
    return load_into(cache, e, key, length, ttl, load, context, value);
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
    unlink_entry(cache, e);
    return held;
}

bool ttl_cache_drop(struct ttl_cache *cache, const char *key, size_t length)
{
    pthread_mutex_lock(&cache->lock);
    uint32_t e = find(cache, key, length, key_hash(key, length));
    bool held = e != NONE && invalidate(cache, e);
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
        for (uint32_t e = cache->buckets[b], next; e != NONE; e = next) {
            next = cache->entries[e].chain;
            if (matches(pattern, key_of(cache, e), cache->entries[e].key_bytes)) {
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
    statistics->bytes = cache->heap_count * entry_bytes(cache);
    pthread_mutex_unlock(&cache->lock);
}

static void json_text(FILE *out, const char *text, size_t length)
{
    fputc('"', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

void ttl_cache_json(struct ttl_cache *cache, FILE *out)
{
    pthread_mutex_lock(&cache->lock);
    const struct ttl_statistics *s = &cache->statistics;
    uint64_t now = now_of(cache), lookups = s->hits + s->misses;
    fprintf(out, "{\"size\":%u,\"hits\":%llu,\"misses\":%llu,\"hit_rate\":", cache->heap_count,
            (unsigned long long)s->hits, (unsigned long long)s->misses);
    if (lookups) {
        fprintf(out, "%.2f", 100.0 * (double)s->hits / (double)lookups);
    } else {
        fputs("null", out);
    }
    fputs(",\"entries\":[", out);
    bool first = true;
    for (uint32_t e = cache->newest; e != NONE; e = cache->entries[e].older) {
        const struct entry *entry = &cache->entries[e];
        if (entry->expires_ns > now) {
            fputs(first ? "{\"key\":" : ",{\"key\":", out);
            json_text(out, key_of(cache, e), entry->key_bytes);
            fprintf(out, ",\"age\":%.3f,\"ttl_remaining\":%.3f}",
                    (double)(now - entry->born_ns) / 1e9, (double)(entry->expires_ns - now) / 1e9);
            first = false;
        }
    }
    fputs("]}\n", out);
    pthread_mutex_unlock(&cache->lock);
}

/* Beginning and end. ----------------------------------------------------------------------------
 */

static bool slab_make(struct ttl_cache *cache)
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
        cache->buckets[i] = NONE;
        cache->entries[i].chain = i + 1 < n ? i + 1 : NONE;
    }
    return true;
}

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
    uint64_t fit = options->bytes ? options->bytes / entry_bytes(cache) : UINT32_MAX;
    uint64_t slots = entries + flights_of(entries);
    if (slots > fit || !options->entries) {
        slots = options->bytes ? fit : slots;
        entries = slots - flights_of(slots);
    }
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->loaded, NULL);
    cache->free = 0;
    cache->newest = cache->oldest = NONE;
    cache->random = options->seed + 88172645463325252u;
    cache->capacity = slots > 1 && slots < 1u << 28 ? (uint32_t)entries : 0;
    cache->bucket_count = (uint32_t)slots;
    if (cache->capacity == 0 || options->value_bytes_max > THREAD_COPY_BYTES ||
        options->key_bytes_max > UINT16_MAX || !slab_make(cache)) {
        ttl_cache_free(&cache);
    }
    return cache;
}

void ttl_cache_free(struct ttl_cache **cache)
{
    if (*cache) {
        free((*cache)->entries);
        free((*cache)->buckets);
        free((*cache)->heap);
        free((*cache)->cells);
        pthread_cond_destroy(&(*cache)->loaded);
        pthread_mutex_destroy(&(*cache)->lock);
        free(*cache);
        *cache = NULL;
    }
}
