/* tiered_cache.c - see tiered_cache.h. Runs in each process of the service. */
#include "registry/tiered/tiered_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define KEEP_NS (3600 * SECOND)

static uint64_t real_now(void *unused)
{
    struct timespec now;
    (void)unused;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void real_wait(void *unused, uint64_t ns)
{
    struct timespec pause = {.tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND)};
    (void)unused;
    nanosleep(&pause, NULL);
}

static void request_init(const struct tiered_cache *cache, struct request *request,
                         const char *text)
{
    const struct tiered_options *options = &cache->options;
    request->key = (struct store_key){text, strlen(text)};
    key_name_init(&request->named, request->key);
    const struct tiered_endpoint *rule = tiered_endpoint_find(&options->endpoints, request->key);
    request->rule = rule ? (size_t)(rule - options->endpoints.rules) : options->endpoints.count;
    request->ttl_ns = rule && rule->ttl_ns ? rule->ttl_ns : options->ttl_ns;
    request->refresh_ns = rule ? rule->refresh_ns : options->refresh_ns;
    request->stale_ns = rule ? rule->stale_ns : options->stale_ns;
}

/* Found in one level: those above it get it too. */
static bool levels_get(struct tiered_cache *cache, const struct request *request,
                       struct store_entry *entry)
{
    for (unsigned i = 0; i < cache->count; i++) {
        if (level_get(cache, &cache->levels[i], request, entry) == STORE_YES) {
            levels_put(cache, i, request, entry);
            return true;
        }
    }
    return false;
}

/* An entry that is old, or will soon be: of all callers one gets the claim to load it. */
static bool refresh_due(struct tiered_cache *cache, const struct request *request,
                        const struct store_entry *entry)
{
    return (request->refresh_ns || request->stale_ns) &&
           entry->expires_ns <= now_of(cache) + request->refresh_ns &&
           key_claim(cache, request->named.name, cache->options.claim_ns) == STORE_YES;
}

static struct store_totals totals_of(const struct tiered_cache *cache)
{
    const struct tiered_statistics *s = &cache->statistics;
    struct store_totals totals = {
        .processes = 1,
        .lookups = s->lookups,
        .hits = s->hits,
        .loads = s->loads,
        .failures = s->failures,
        .cached_ns = s->cached_ns,
        .uncached_ns = s->uncached_ns,
    };
    for (unsigned i = 0; i < cache->count; i++) {
        totals.outages += s->levels[i].outages;
        if (i + 1 < cache->count && cache->levels[i].kind->shared) {
            totals.nearer = 1;
        }
    }
    return totals;
}

/* What is lost when the log does not take it is a figure: no outage, no second attempt but the
 * next one. */
static void totals_add(struct tiered_cache *cache)
{
    struct level *log = log_of(cache);
    struct store_totals all = totals_of(cache), part = all, sum;
    store_totals_subtract(&part, &cache->added);
    cache->added_ns = now_of(cache);
    if (part.lookups > 0 && !level_is_away(cache, log) &&
        log->kind->totals(log->store, &part, &sum) == STORE_YES) {
        cache->added = all;
    }
}

bool tiered_cache_get(struct tiered_cache *cache, const char *text, struct tiered_value *value)
{
    struct request request;
    struct store_entry entry = {0};
    uint64_t begun = now_of(cache);
    request_init(cache, &request, text);
    bool hit = levels_get(cache, &request, &entry);
    bool ok = hit || value_load_once(cache, &request, &entry);
    bool stale = hit && entry.expires_ns <= now_of(cache);
    cache->statistics.lookups++;
    cache->statistics.hits += hit;
    cache->statistics.misses += !hit;
    cache->statistics.stale += stale;
    *value = (struct tiered_value){0};
    if (ok && cache->options.usage) {
        usage_lookup(cache->options.usage, request.rule, request.named.name, entry.bytes, begun);
    }
    if (ok) {
        *value = (struct tiered_value){.data = entry.data,
                                       .bytes = entry.bytes,
                                       .loaded_ns = entry.loaded_ns,
                                       .expires_ns = entry.expires_ns,
                                       .stale = stale,
                                       .refresh = hit && refresh_due(cache, &request, &entry)};
    }
    *(hit ? &cache->statistics.cached_ns : &cache->statistics.uncached_ns) += now_of(cache) - begun;
    if (cache->options.totals && begun - cache->added_ns >= cache->options.sweep_ns) {
        totals_add(cache);
    }
    return ok;
}

bool tiered_cache_refresh(struct tiered_cache *cache, const char *text)
{
    struct request request;
    struct store_entry entry;
    request_init(cache, &request, text);
    cache->statistics.refreshes++;
    bool ok = value_load(cache, &request, &entry);
    key_release(cache, request.named.name);
    return ok;
}

bool tiered_cache_set(struct tiered_cache *cache, const char *text, const void *data, size_t bytes,
                      uint64_t ttl_ns)
{
    struct request request;
    struct level *log = log_of(cache);
    struct store_entry entry = {.data = data, .bytes = bytes, .loaded_ns = now_of(cache)};
    request_init(cache, &request, text);
    entry.expires_ns = entry.until_ns = entry.loaded_ns + (ttl_ns ? ttl_ns : request.ttl_ns);
    return !level_is_away(cache, log) &&
           level_heed(cache, log, log->kind->generation(log->store, &entry.as_of)) == STORE_YES &&
           value_hold(cache, &entry) && value_spread(cache, &request, &entry);
}

bool tiered_cache_invalidate(struct tiered_cache *cache, const char *text)
{
    struct request request;
    struct level *log = log_of(cache);
    request_init(cache, &request, text);
    /* Also to a log that is away: an event that is lost costs more than an attempt. */
    if (level_heed(cache, log, log->kind->publish(log->store, request.named.name, now_of(cache))) !=
        STORE_YES) {
        cache->statistics.unpublished++;
        return false;
    }
    uint64_t generation;
    cache->statistics.events++;
    if (cache->options.usage) {
        usage_event(cache->options.usage, request.rule, request.named.name, now_of(cache));
    }
    /* From here on this process does not believe a level that has not heard of it. */
    if (level_heed(cache, log, log->kind->generation(log->store, &generation)) == STORE_YES &&
        generation > cache->heard) {
        cache->heard = generation;
    }
    for (unsigned i = 0; i + 1 < cache->count; i++) { /* the rest hears of it within poll_ns */
        struct level *level = &cache->levels[i];
        if (!level_is_away(cache, level)) {
            struct store_entry entry;
            level_ask(cache, level, &request, &entry); /* for the state: others have moved it */
            level_confirm(cache, level);
        }
    }
    return true;
}

struct event {
    struct tiered_cache *cache;
    bool ok;
};

static void event_key(void *context, const char *key)
{
    struct event *event = context;
    event->ok = tiered_cache_invalidate(event->cache, key) && event->ok;
}

bool tiered_cache_event(struct tiered_cache *cache, const char *event,
                        const struct tiered_field *fields, size_t field_count, size_t *keys)
{
    struct event one = {.cache = cache, .ok = true};
    *keys = tiered_endpoint_keys(&cache->options.endpoints, event, fields, field_count, event_key,
                                 &one);
    return one.ok;
}

/* In the log's level a row expires with its value; those that may still be served are kept. */
uint64_t tiered_cache_sweep(struct tiered_cache *cache)
{
    uint64_t all = 0, now = now_of(cache);
    uint64_t keep = cache->options.ttl_ns > KEEP_NS ? cache->options.ttl_ns : KEEP_NS;
    for (unsigned i = 0; i < cache->count; i++) {
        struct level *level = &cache->levels[i];
        uint64_t removed = 0, stale = level->kind->has_log ? cache->stale_max_ns : 0;
        if (!level_is_away(cache, level)) {
            level_heed(
                cache, level,
                level->kind->sweep(level->store, now > stale ? now - stale : 0, keep, &removed));
        }
        all += removed;
    }
    cache->statistics.expired_cleaned += all;
    return all;
}

/* Beginning and end. ----------------------------------------------------------------------------
 */

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

static void options_fill(struct tiered_options *options)
{
    options->ttl_ns = or_default(options->ttl_ns, 600 * SECOND);
    options->poll_ns = or_default(options->poll_ns, 400000000u);
    options->deaf_ns = or_default(options->deaf_ns, options->poll_ns);
    options->retry_ns = or_default(options->retry_ns, SECOND);
    options->retry_max_ns = or_default(options->retry_max_ns, 8 * options->retry_ns);
    options->claim_ns = or_default(options->claim_ns, 30 * SECOND);
    options->patience_ns = or_default(options->patience_ns, options->claim_ns);
    options->sweep_ns = or_default(options->sweep_ns, 60 * SECOND);
    options->now_ns = options->now_ns ? options->now_ns : real_now;
    options->wait_ns = options->wait_ns ? options->wait_ns : real_wait;
}

static uint64_t stale_max(const struct tiered_options *options)
{
    uint64_t most = options->stale_ns;
    for (size_t i = 0; i < options->endpoints.count; i++) {
        uint64_t one = options->endpoints.rules[i].stale_ns;
        most = one > most ? one : most;
    }
    return most;
}

static bool levels_open(struct tiered_cache *cache)
{
    for (; cache->count < TIERED_LEVELS && cache->options.levels[cache->count].kind;
         cache->count++) {
        const struct tiered_level *wanted = &cache->options.levels[cache->count];
        void *store = wanted->kind->open(wanted->address, &wanted->limits);
        if (!store) {
            return false;
        }
        cache->levels[cache->count] = (struct level){
            .kind = wanted->kind,
            .store = store,
            .ttl_ns = wanted->ttl_ns,
        };
        cache->statistics.levels[cache->count].name = wanted->kind->name;
    }
    return cache->count > 0 && log_of(cache)->kind->has_log;
}

struct tiered_cache *tiered_cache_open(const struct tiered_options *options)
{
    struct tiered_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return NULL;
    }
    cache->options = *options;
    options_fill(&cache->options);
    cache->stale_max_ns = stale_max(&cache->options);
    /* Unlike any other's, in this process or another, also after a fork. Databases have signed
     * integers. */
    if (getrandom(&cache->owner, sizeof cache->owner, GRND_NONBLOCK) != sizeof cache->owner) {
        cache->owner = real_now(NULL) ^ (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)cache;
    }
    cache->owner &= INT64_MAX;
    if (!levels_open(cache)) {
        tiered_cache_close(&cache);
        return NULL;
    }
    cache->statistics.level_count = cache->count;
    cache->added_ns = now_of(cache);
    return cache;
}

void tiered_cache_close(struct tiered_cache **cache)
{
    if (*cache) {
        if ((*cache)->options.totals && (*cache)->count > 0) {
            totals_add(*cache);
        }
        for (unsigned i = 0; i < (*cache)->count; i++) {
            (*cache)->levels[i].kind->close((*cache)->levels[i].store);
        }
        free((*cache)->held.data);
        free(*cache);
        *cache = NULL;
    }
}

void tiered_cache_statistics(const struct tiered_cache *cache, struct tiered_statistics *statistics)
{
    *statistics = cache->statistics;
}

bool tiered_cache_usage(struct tiered_cache *cache, unsigned level, uint64_t *entries,
                        uint64_t *bytes)
{
    assert(level < cache->count);
    return cache->levels[level].kind->usage(cache->levels[level].store, entries, bytes) ==
           STORE_YES;
}
