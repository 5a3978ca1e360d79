/*
 * file_cache_search.c - see file_cache.h: the part of a look-up behind a file that is absent, old
 * or damaged: the lock, the second look, the source, publishing, and what is given out when one of
 * them is not to be had. Runs in the program that caches.
 */
#include "registry/file/file_cache_inside.h"

#include <errno.h>
#include <string.h>

#define PAUSE_FIRST_NS 1000000u
#define PAUSE_MOST_NS  50000000u
#define BUSY_NS        5000000u

static uint64_t age_of(const struct file_search *search, const struct file_stamp *then)
{
    struct file_stamp now;
    search->cache->options.now(search->cache->options.clock, &now);
    return file_stamp_age(then, &now);
}

/* Is this instant later than the beginning of the look-up? Both ages at one moment: between two of
 * them a process can be put aside for as long as you like. */
static bool is_later(const struct file_search *search, const struct file_stamp *stamp)
{
    struct file_stamp now;
    search->cache->options.now(search->cache->options.clock, &now);
    return file_stamp_age(stamp, &now) < file_stamp_age(&search->begun, &now);
}

void file_search_init(struct file_search *search, struct file_cache *cache)
{
    *search = (struct file_search){.cache = cache, .store = cache->store};
    cache->options.now(cache->options.clock, &search->begun);
}

void file_search_fini(struct file_search *search)
{
    search->counted.swept += search->store.swept;
    file_cache_count(search->cache, &search->counted);
    search->counted = (struct file_statistics){0};
    search->store.swept = 0;
    file_snapshot_release(&search->found);
}

/* From memory when it is what stands in the file, else from the file, which goes to memory. */
static void search_read(struct file_search *search, const struct file_identity *identity)
{
    struct file_cache *cache = search->cache;
    struct file_snapshot *snapshot = file_cache_recall(cache, identity, true);
    search->was_read = true;
    search->identity = *identity;
    search->status = FILE_READ_OK;
    if (!snapshot) {
        search->status = file_cache_read(cache, 0, &snapshot, &search->identity);
        search->counted.corrupt += search->status == FILE_READ_CORRUPT;
        search->counted.foreign += search->status == FILE_READ_FOREIGN;
        if (snapshot) {
            file_cache_remember(cache, snapshot, &search->identity, true);
        }
    }
    if (snapshot) {
        file_snapshot_release(&search->found);
        search->found = snapshot;
    }
}

bool file_search_file(struct file_search *search)
{
    struct file_identity identity;
    file_identity_of(search->cache->path, &identity);
    if (!search->was_read || !file_identity_equal(&identity, &search->identity)) {
        search_read(search, &identity);
    }
    if (search->status != FILE_READ_OK) {
        return false;
    }
    if (search->refresh) {
        return is_later(search, &search->found->head.begun);
    }
    return file_cache_is_fresh(search->cache, search->found, 0);
}

bool file_search_answer(struct file_search *search, struct file_answer *answer,
                        struct file_snapshot *snapshot, enum file_outcome outcome,
                        enum file_trouble trouble, int error)
{
    *answer = (struct file_answer){.snapshot = snapshot ? file_snapshot_hold(snapshot) : NULL,
                                   .outcome = outcome,
                                   .trouble = trouble,
                                   .error = error};
    switch (outcome) {
    case FILE_FAILED:
        search->counted.failed++;
        break;
    case FILE_MEMORY_HIT:
        search->counted.memory_hits++;
        break;
    case FILE_HIT:
        search->counted.hits++;
        break;
    case FILE_FETCHED:
        search->counted.fetched++;
        break;
    case FILE_STALE:
        search->counted.stale++;
        break;
    case FILE_FALLBACK:
        search->counted.fallbacks++;
        break;
    }
    return outcome != FILE_FAILED;
}

static struct file_snapshot *memory_hold(struct file_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    struct file_snapshot *memory = cache->memory ? file_snapshot_hold(cache->memory) : NULL;
    pthread_mutex_unlock(&cache->lock);
    return memory;
}

static struct file_snapshot *older_version(struct file_search *search)
{
    struct file_snapshot *snapshot = NULL;
    for (unsigned v = 1; v <= search->store.versions && !snapshot; v++) {
        (void)file_cache_read(search->cache, v, &snapshot, NULL);
    }
    return snapshot;
}

bool file_search_old(struct file_search *search, struct file_answer *answer,
                     enum file_trouble trouble, int error)
{
    struct file_cache *cache = search->cache;
    struct file_snapshot *old = search->found ? file_snapshot_hold(search->found) : NULL;
    if (!old) {
        old = memory_hold(cache);
    }
    if (!old && (old = older_version(search)) != NULL) {
        search->counted.rolled_back++;
    }
    bool ok;
    if (old) {
        ok = file_search_answer(search, answer, old, FILE_STALE, trouble, error);
    } else if (cache->options.fallback) {
        ok = file_search_answer(search, answer, &cache->compiled_in, FILE_FALLBACK, trouble, error);
    } else {
        ok = file_search_answer(search, answer, NULL, FILE_FAILED, trouble, error);
    }
    file_snapshot_release(&old);
    return ok;
}

/* The source. -----------------------------------------------------------------------------------
 */

static uint64_t generation_next(struct file_search *search)
{
    struct file_snapshot *last = search->found ? file_snapshot_hold(search->found) : NULL;
    if (!last && search->status == FILE_READ_CORRUPT) {
        last = older_version(search);
    }
    uint64_t next = last ? last->head.generation + 1 : 1;
    file_snapshot_release(&last);
    return next;
}

static struct file_snapshot *answer_check(struct file_search *search,
                                          const struct file_answer_of_source *source,
                                          struct file_head *head, enum file_trouble *trouble)
{
    const struct file_options *options = &search->cache->options;
    const void *data = source->data;
    head->bytes = source->bytes;
    if (source->not_modified && search->found) {
        search->counted.not_modified++;
        data = search->found->data;
        head->bytes = search->found->head.bytes;
        memcpy(head->etag, search->found->head.etag, sizeof head->etag);
    } else {
        if (source->not_modified || head->bytes > options->bytes_max ||
            !options->valid(options->context, data, head->bytes)) {
            search->counted.rejected++;
            *trouble = FILE_SOURCE_REJECTED;
            return NULL;
        }
        if (source->etag && strlen(source->etag) < sizeof head->etag) {
            memcpy(head->etag, source->etag, strlen(source->etag) + 1);
        }
    }
    struct file_snapshot *snapshot = file_snapshot_new(&search->store, head, data);
    *trouble = snapshot ? FILE_FINE : FILE_NO_MEMORY;
    return snapshot;
}

/* NULL: no answer, for the reason in *trouble and *error. */
static struct file_snapshot *source_ask(struct file_search *search, enum file_trouble *trouble,
                                        int *error)
{
    const struct file_options *options = &search->cache->options;
    struct file_answer_of_source source = {0};
    struct file_head head = {.generation = generation_next(search)};
    const char *etag =
        search->found && search->found->head.etag[0] ? search->found->head.etag : NULL;
    options->now(options->clock, &head.begun);
    errno = 0;
    bool ok = file_point(&search->store, FILE_POINT_FETCH);
    if (ok) {
        search->counted.fetches++;
        ok = options->fetch(options->context, etag, &source);
    }
    ok = ok && file_point(&search->store, FILE_POINT_FETCHED);
    if (!ok) {
        *error = errno;
        *trouble = FILE_SOURCE_FAILED;
        search->counted.fetch_failures++;
        return NULL;
    }
    return answer_check(search, &source, &head, trouble);
}

/* For oneself: there is no lock, or somebody sits on it. */
static bool fetch_alone(struct file_search *search, struct file_answer *answer,
                        enum file_trouble why)
{
    enum file_trouble trouble;
    struct file_identity identity;
    int error = 0;
    struct file_snapshot *snapshot = source_ask(search, &trouble, &error);
    if (!snapshot) {
        return file_search_old(search, answer, trouble, error);
    }
    file_identity_of(search->cache->path, &identity);
    file_cache_remember(search->cache, snapshot, &identity, false);
    bool ok = file_search_answer(search, answer, snapshot, FILE_FETCHED, why, 0);
    file_snapshot_release(&snapshot);
    return ok;
}

static bool same_document(const struct file_snapshot *a, const struct file_snapshot *b)
{
    return a->head.bytes == b->head.bytes && memcmp(a->data, b->data, a->head.bytes) == 0;
}

/* Under the lock. */
static bool fetch_and_publish(struct file_search *search, struct file_answer *answer)
{
    static const struct file_stamp never;
    struct file_cache *cache = search->cache;
    struct file_identity identity;
    enum file_trouble trouble;
    int error = 0;
    struct file_snapshot *snapshot = source_ask(search, &trouble, &error);
    if (!snapshot) {
        struct file_stamp now;
        cache->options.now(cache->options.clock, &now);
        bool ok = file_search_old(search, answer, trouble, error);
        file_search_fini(search);
        file_cache_flush(cache, &now);
        return ok;
    }
    bool keep = search->status == FILE_READ_OK && !same_document(search->found, snapshot);
    bool published = file_store_publish(&search->store, snapshot, keep);
    search->counted.published += published;
    if (!published) {
        error = errno;
        trouble = FILE_NOT_PUBLISHED;
        search->counted.publish_failures++;
    }
    file_identity_of(cache->path, &identity);
    file_cache_remember(cache, snapshot, &identity, published);
    bool ok = file_search_answer(search, answer, snapshot, FILE_FETCHED, trouble, error);
    file_snapshot_release(&snapshot);
    if (file_point(&search->store, FILE_POINT_STATE)) {
        file_search_fini(search);
        file_cache_flush(cache, &never);
    }
    return ok;
}

/* Has the source failed since this look-up began, or a moment before? Then it is not asked again:
 * those who waited for the one that asked would ask one after the other, each for its deadline. */
static bool is_held_off(struct file_search *search)
{
    struct file_state state;
    if (search->refresh || !file_state_read(&search->store, &state) || state.failed.boot[0] == 0) {
        return false;
    }
    return age_of(search, &state.failed) < search->cache->options.retry_ns ||
           is_later(search, &state.failed);
}

static bool with_lock(struct file_search *search, struct file_answer *answer)
{
    (void)file_point(&search->store, FILE_POINT_LOCK_TAKEN);
    if (file_search_file(search)) {
        return file_search_answer(search, answer, search->found, FILE_HIT, FILE_FINE, 0);
    }
    if (is_held_off(search)) {
        search->counted.held_off++;
        return file_search_old(search, answer, FILE_HELD_OFF, 0);
    }
    return fetch_and_publish(search, answer);
}

/* Waiting. --------------------------------------------------------------------------------------
 */

enum wait_end { WAIT_ON, WAIT_ANSWERED, WAIT_ANSWERED_NOT, WAIT_ALONE };

static enum wait_end answered(bool ok)
{
    return ok ? WAIT_ANSWERED : WAIT_ANSWERED_NOT;
}

static void busy_note(struct file_search *search)
{
    struct file_cache *cache = search->cache;
    pthread_mutex_lock(&cache->lock);
    cache->was_busy = true;
    cache->options.now(cache->options.clock, &cache->busy);
    pthread_mutex_unlock(&cache->lock);
}

/* Was the lock held a moment ago? Then readers within the grace are served without looking at it
 * again: opening and asking for it costs each of them more than all the rest of a look-up. */
static bool busy_recently(struct file_search *search)
{
    struct file_cache *cache = search->cache;
    struct file_stamp now;
    pthread_mutex_lock(&cache->lock);
    bool busy = cache->was_busy;
    if (busy) {
        cache->options.now(cache->options.clock, &now);
        busy = file_stamp_age(&cache->busy, &now) < BUSY_NS;
    }
    pthread_mutex_unlock(&cache->lock);
    return busy;
}

/* The lock is held by another. What now? */
static enum wait_end wait_look(struct file_search *search, struct file_answer *answer,
                               uint64_t *limit_ns)
{
    const struct file_options *options = &search->cache->options;
    (void)file_point(&search->store, FILE_POINT_LOCK_BUSY);
    busy_note(search);
    if (file_search_file(search)) {
        return answered(file_search_answer(search, answer, search->found, FILE_HIT, FILE_FINE, 0));
    }
    if (!search->refresh && search->found &&
        (search->unattended ||
         file_cache_is_fresh(search->cache, search->found, options->grace_ns))) {
        return answered(
            file_search_answer(search, answer, search->found, FILE_STALE, FILE_REFRESHING, 0));
    }
    if (age_of(search, &search->begun) < *limit_ns) {
        return WAIT_ON;
    }
    search->counted.lock_timeouts += *limit_ns != options->patience_ns;
    if (options->on_timeout == FILE_ON_TIMEOUT_FAIL) {
        return answered(
            file_search_answer(search, answer, NULL, FILE_FAILED, FILE_LOCK_TIMEOUT, ETIMEDOUT));
    }
    if (options->on_timeout == FILE_ON_TIMEOUT_STALE && *limit_ns != options->patience_ns) {
        struct file_statistics before = search->counted;
        if (file_search_old(search, answer, FILE_LOCK_TIMEOUT, ETIMEDOUT)) {
            return WAIT_ANSWERED;
        }
        search->counted = before; /* there was nothing, and it is not over */
        *limit_ns = options->patience_ns;
        return WAIT_ON;
    }
    return WAIT_ALONE;
}

bool file_search_locked(struct file_search *search, struct file_answer *answer)
{
    const struct file_options *options = &search->cache->options;
    struct file_lock lock = FILE_LOCK_NONE;
    uint64_t pause_ns = PAUSE_FIRST_NS;
    uint64_t limit_ns = search->refresh || options->on_timeout == FILE_ON_TIMEOUT_WAIT
                            ? options->patience_ns
                            : options->wait_ns;
    enum file_lock_result result;
    enum wait_end end = WAIT_ON;
    bool waited = false;
    if (!search->refresh && search->found && search->status == FILE_READ_OK && options->grace_ns &&
        file_cache_is_fresh(search->cache, search->found, options->grace_ns) &&
        busy_recently(search)) {
        return file_search_answer(search, answer, search->found, FILE_STALE, FILE_REFRESHING, 0);
    }
    while ((result = file_lock_try(&lock, &search->store)) == FILE_LOCK_BUSY &&
           (end = wait_look(search, answer, &limit_ns)) == WAIT_ON) {
        search->counted.lock_waits += !waited;
        waited = true;
        options->pause(options->clock, pause_ns);
        pause_ns = pause_ns * 2 < PAUSE_MOST_NS ? pause_ns * 2 : PAUSE_MOST_NS;
    }
    bool ok;
    if (result == FILE_LOCK_TAKEN) {
        ok = with_lock(search, answer);
    } else if (result == FILE_LOCK_IMPOSSIBLE) {
        search->counted.lock_impossible++;
        ok = fetch_alone(search, answer, FILE_NO_LOCK);
    } else {
        ok = end == WAIT_ALONE ? fetch_alone(search, answer, FILE_LOCK_TIMEOUT)
                               : end == WAIT_ANSWERED;
    }
    file_lock_fini(&lock, &search->store);
    return ok;
}
