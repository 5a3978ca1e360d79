/*
 * file_cache.c - see file_cache.h: the look-up by memory and file, refreshing in the background,
 * and what an administrator does: refresh, roll back, clear. Runs in the program that caches.
 */
#include "registry/file/file_cache.h"

#include "registry/file/file_cache_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void clock_now(void *clock, struct file_stamp *now)
{
    (void)clock;
    file_stamp_now(now);
}

static void clock_pause(void *clock, uint64_t ns)
{
    struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
    (void)clock;
    nanosleep(&pause, NULL);
}

static bool not_empty(void *context, const void *data, uint64_t bytes)
{
    (void)context;
    (void)data;
    return bytes > 0;
}

#define DEFAULT(field, value) options->field = options->field ? options->field : (value)

static void options_complete(struct file_options *options)
{
    DEFAULT(ttl_ns, 3600000000000u);
    DEFAULT(wait_ns, 1000000000u);
    DEFAULT(patience_ns, 30000000000u);
    DEFAULT(retry_ns, 1000000000u);
    DEFAULT(bytes_max, 64u << 20);
    DEFAULT(piece_bytes, 1u << 20);
    DEFAULT(mode, 0644);
    DEFAULT(valid, not_empty);
    DEFAULT(now, clock_now);
    DEFAULT(pause, clock_pause);
    DEFAULT(allocate, malloc);
}

struct file_cache *file_cache_new(const struct file_options *options)
{
    if (!options->path || !*options->path || !options->fetch ||
        options->versions > FILE_VERSIONS_MAX || (options->fallback_bytes && !options->fallback)) {
        return NULL;
    }
    void *(*allocate)(size_t bytes) = options->allocate ? options->allocate : malloc;
    struct file_cache *cache = allocate(sizeof *cache);
    char *path = allocate(strlen(options->path) + 1);
    if (!cache || !path) {
        free(cache);
        free(path);
        return NULL;
    }
    memcpy(path, options->path, strlen(options->path) + 1);
    *cache = (struct file_cache){.path = path};
    cache->options = *options;
    options_complete(&cache->options);
    options = &cache->options;
    cache->store = (struct file_store){.path = path,
                                       .versions = options->versions,
                                       .bytes_max = options->bytes_max,
                                       .piece_bytes = options->piece_bytes,
                                       .mode = options->mode,
                                       .foreign = options->foreign,
                                       .allocate = options->allocate,
                                       .point = options->point,
                                       .context = options->point_context};
    cache->compiled_in = (struct file_snapshot){
        .references = 1, .head.bytes = options->fallback_bytes, .data = options->fallback};
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void file_cache_free(struct file_cache **pointer)
{
    struct file_cache *cache = *pointer;
    if (!cache) {
        return;
    }
    if (cache->refresher_made) {
        pthread_join(cache->refresher, NULL);
    }
    file_cache_flush(cache, NULL);
    file_snapshot_release(&cache->memory);
    pthread_mutex_destroy(&cache->lock);
    free(cache->path);
    free(cache);
    *pointer = NULL;
}

enum file_read file_cache_read(const struct file_cache *cache, unsigned version,
                               struct file_snapshot **snapshot, struct file_identity *identity)
{
    const struct file_options *options = &cache->options;
    enum file_read result = file_store_read(&cache->store, version, snapshot, identity);
    if (result == FILE_READ_OK &&
        !options->valid(options->context, (*snapshot)->data, (*snapshot)->head.bytes)) {
        file_snapshot_release(snapshot);
        return FILE_READ_CORRUPT;
    }
    return result;
}

bool file_cache_is_fresh(const struct file_cache *cache, const struct file_snapshot *snapshot,
                         uint64_t grace_ns)
{
    struct file_stamp now;
    cache->options.now(cache->options.clock, &now);
    uint64_t age = file_stamp_age(&snapshot->head.begun, &now);
    return age < cache->options.ttl_ns || age - cache->options.ttl_ns < grace_ns;
}

void file_cache_remember(struct file_cache *cache, struct file_snapshot *snapshot,
                         const struct file_identity *identity, bool is_file)
{
    if (cache->options.no_memory) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    struct file_snapshot *last = cache->memory;
    cache->memory = file_snapshot_hold(snapshot);
    cache->identity = *identity;
    cache->memory_is_file = is_file;
    pthread_mutex_unlock(&cache->lock);
    file_snapshot_release(&last);
}

struct file_snapshot *file_cache_recall(struct file_cache *cache,
                                        const struct file_identity *identity, bool is_file)
{
    struct file_snapshot *found = NULL;
    pthread_mutex_lock(&cache->lock);
    if (cache->memory && (cache->memory_is_file || !is_file) &&
        file_identity_equal(identity, &cache->identity)) {
        found = file_snapshot_hold(cache->memory);
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void file_cache_count(struct file_cache *cache, const struct file_statistics *part)
{
    pthread_mutex_lock(&cache->lock);
    file_statistics_add(&cache->statistics, part);
    file_statistics_add(&cache->unwritten, part);
    pthread_mutex_unlock(&cache->lock);
}

void file_cache_flush(struct file_cache *cache, const struct file_stamp *failed)
{
    static const struct file_statistics nothing;
    pthread_mutex_lock(&cache->lock);
    struct file_statistics part = cache->unwritten;
    cache->unwritten = nothing;
    pthread_mutex_unlock(&cache->lock);
    if (!failed && memcmp(&part, &nothing, sizeof part) == 0) {
        return;
    }
    if (!file_state_add(&cache->store, &part, failed)) {
        pthread_mutex_lock(&cache->lock);
        file_statistics_add(&cache->unwritten, &part);
        pthread_mutex_unlock(&cache->lock);
    }
}

/* Look-up. --------------------------------------------------------------------------------------
 */

static struct file_snapshot *memory_find(struct file_cache *cache)
{
    struct file_identity identity;
    if (cache->options.no_memory) {
        return NULL;
    }
    file_identity_of(cache->path, &identity);
    struct file_snapshot *found = file_cache_recall(cache, &identity, false);
    if (found && !file_cache_is_fresh(cache, found, 0)) {
        file_snapshot_release(&found);
    }
    return found;
}

static void *refresher_run(void *context)
{
    struct file_cache *cache = context;
    struct file_search search;
    struct file_answer answer;
    file_search_init(&search, cache);
    search.unattended = true;
    (void)file_search_locked(&search, &answer);
    file_answer_release(&answer);
    /* Not a look-up: only what it did to the file and the source counts. */
    search.counted.hits = search.counted.fetched = search.counted.stale = 0;
    search.counted.fallbacks = search.counted.failed = 0;
    file_search_fini(&search);
    pthread_mutex_lock(&cache->lock);
    cache->refreshing = false;
    pthread_mutex_unlock(&cache->lock);
    return NULL;
}

/* False: it could not be started. One at a time. */
static bool refresher_start(struct file_cache *cache)
{
    bool ok = true;
    pthread_mutex_lock(&cache->lock);
    if (!cache->refreshing) {
        if (cache->refresher_made) {
            pthread_join(cache->refresher, NULL); /* it has nothing left to do but to end */
        }
        ok = pthread_create(&cache->refresher, NULL, refresher_run, cache) == 0;
        cache->refreshing = cache->refresher_made = ok;
        cache->statistics.background += ok;
        cache->unwritten.background += ok;
    }
    pthread_mutex_unlock(&cache->lock);
    return ok;
}

bool file_cache_get(struct file_cache *cache, struct file_answer *answer)
{
    const struct file_options *options = &cache->options;
    struct file_search search;
    bool ok;
    file_search_init(&search, cache);
    search.counted.lookups++;
    struct file_snapshot *memory = memory_find(cache);
    if (memory) {
        ok = file_search_answer(&search, answer, memory, FILE_MEMORY_HIT, FILE_FINE, 0);
        file_snapshot_release(&memory);
    } else if (file_search_file(&search)) {
        ok = file_search_answer(&search, answer, search.found, FILE_HIT, FILE_FINE, 0);
    } else if (options->background && search.status == FILE_READ_OK &&
               file_cache_is_fresh(cache, search.found, options->grace_ns) &&
               refresher_start(cache)) {
        ok = file_search_answer(&search, answer, search.found, FILE_STALE, FILE_REFRESHING, 0);
    } else {
        ok = file_search_locked(&search, answer);
    }
    file_search_fini(&search);
    return ok;
}

void file_answer_release(struct file_answer *answer)
{
    file_snapshot_release(&answer->snapshot);
}

/* Administration. -------------------------------------------------------------------------------
 */

bool file_cache_refresh(struct file_cache *cache, struct file_answer *answer)
{
    struct file_search search;
    file_search_init(&search, cache);
    search.refresh = true;
    search.counted.lookups++;
    (void)file_search_locked(&search, answer);
    file_search_fini(&search);
    return answer->outcome == FILE_FETCHED || answer->outcome == FILE_HIT;
}

static bool lock_wait(struct file_cache *cache, struct file_search *search, struct file_lock *lock)
{
    const struct file_options *options = &cache->options;
    enum file_lock_result result;
    while ((result = file_lock_try(lock, &search->store)) == FILE_LOCK_BUSY) {
        struct file_stamp now;
        options->now(options->clock, &now);
        if (file_stamp_age(&search->begun, &now) >= options->wait_ns) {
            return false;
        }
        options->pause(options->clock, 5000000);
    }
    return result == FILE_LOCK_TAKEN;
}

static void memory_forget(struct file_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    struct file_snapshot *last = cache->memory;
    cache->memory = NULL;
    pthread_mutex_unlock(&cache->lock);
    file_snapshot_release(&last);
}

/* Under the lock. */
static bool version_restore(struct file_cache *cache, struct file_search *search)
{
    struct file_snapshot *old = NULL, *again = NULL;
    bool ok = false;
    (void)file_search_file(search);
    uint64_t generation = search->found ? search->found->head.generation : 0;
    unsigned version = 0;
    while (!old && version < cache->options.versions) {
        (void)file_cache_read(cache, ++version, &old, NULL);
    }
    if (old) {
        struct file_head head = old->head;
        head.generation = (generation > head.generation ? generation : head.generation) + 1;
        cache->options.now(cache->options.clock, &head.begun);
        again = file_snapshot_new(&search->store, &head, old->data);
        ok = again && file_store_publish(&search->store, again, false);
    }
    if (ok) {
        search->counted.published++;
        for (unsigned v = 0; v < version; v++) { /* damaged ones before it go too */
            file_store_forget(&cache->store);
        }
    }
    file_snapshot_release(&old);
    file_snapshot_release(&again);
    return ok;
}

bool file_cache_rollback(struct file_cache *cache)
{
    struct file_search search;
    struct file_lock lock = FILE_LOCK_NONE;
    file_search_init(&search, cache);
    bool ok = lock_wait(cache, &search, &lock) && version_restore(cache, &search);
    memory_forget(cache);
    file_lock_fini(&lock, &search.store);
    file_search_fini(&search);
    return ok;
}

/* Under the lock. An instant of no boot, at the beginning of time, is old for everybody. */
static bool present_age(struct file_search *search)
{
    struct file_snapshot *again = NULL;
    bool ok = false;
    (void)file_search_file(search);
    if (search->status == FILE_READ_OK) {
        struct file_head head = search->found->head;
        head.generation++;
        head.begun = (struct file_stamp){.boot = "-"};
        head.etag[0] = 0;
        again = file_snapshot_new(&search->store, &head, search->found->data);
        ok = again && file_store_publish(&search->store, again, false);
        search->counted.published += ok;
    }
    file_snapshot_release(&again);
    return ok;
}

bool file_cache_invalidate(struct file_cache *cache)
{
    struct file_search search;
    struct file_lock lock = FILE_LOCK_NONE;
    file_search_init(&search, cache);
    bool ok = lock_wait(cache, &search, &lock) && present_age(&search);
    memory_forget(cache);
    file_lock_fini(&lock, &search.store);
    file_search_fini(&search);
    return ok;
}

enum file_read file_cache_peek(struct file_cache *cache, unsigned version,
                               struct file_snapshot **snapshot)
{
    *snapshot = NULL;
    return file_cache_read(cache, version, snapshot, NULL);
}

void file_cache_age(const struct file_cache *cache, const struct file_snapshot *snapshot,
                    uint64_t *age_ns, uint64_t *left_ns)
{
    struct file_stamp now;
    cache->options.now(cache->options.clock, &now);
    *age_ns = file_stamp_age(&snapshot->head.begun, &now);
    *left_ns = *age_ns < cache->options.ttl_ns ? cache->options.ttl_ns - *age_ns : 0;
}

bool file_cache_clear(struct file_cache *cache)
{
    struct file_search search;
    struct file_lock lock = FILE_LOCK_NONE;
    file_search_init(&search, cache);
    bool ok = lock_wait(cache, &search, &lock) && file_store_clear(&search.store);
    memory_forget(cache);
    file_lock_fini(&lock, &search.store);
    file_search_fini(&search);
    return ok;
}

void file_cache_statistics(struct file_cache *cache, struct file_statistics *statistics)
{
    pthread_mutex_lock(&cache->lock);
    *statistics = cache->statistics;
    pthread_mutex_unlock(&cache->lock);
}

void file_cache_totals(struct file_cache *cache, struct file_statistics *statistics)
{
    struct file_state state;
    (void)file_state_read(&cache->store, &state);
    pthread_mutex_lock(&cache->lock);
    *statistics = cache->unwritten;
    pthread_mutex_unlock(&cache->lock);
    file_statistics_add(statistics, &state.totals);
}
