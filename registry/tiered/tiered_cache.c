/* tiered_cache.c - see tiered_cache.h. Runs in each process of the service. */
#include "registry/tiered/tiered_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define SECOND  1000000000ull
#define WAIT_NS 5000000ull /* between two looks whether another process has loaded */
#define KEEP_NS (3600 * SECOND)
static const struct store_key sweep_key = {"#sweep", 6};

struct level {
    const struct store_kind *kind;
    void *store;
    uint64_t ttl_ns;
    uint64_t away_until_ns;   /* 0: it answers */
    struct store_state state; /* as last seen */
};

struct tiered_cache {
    struct tiered_options options;
    struct level levels[TIERED_LEVELS];
    unsigned count;
    uint64_t owner;           /* a number of this cache's, for claims */
    uint64_t heard;           /* the generation up to which this process knows the log */
    struct store_buffer held; /* a value from the source */
    struct tiered_statistics statistics;
};

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

static uint64_t now_of(const struct tiered_cache *cache)
{
    return cache->options.now_ns(cache->options.clock);
}

static struct level *log_of(struct tiered_cache *cache)
{
    return &cache->levels[cache->count - 1];
}

static struct tiered_level_statistics *figures(struct tiered_cache *cache,
                                               const struct level *level)
{
    return &cache->statistics.levels[level - cache->levels];
}

/* Levels that go and come. ----------------------------------------------------------------------
 */

static bool is_away(struct tiered_cache *cache, const struct level *level)
{
    uint64_t now = now_of(cache);
    /* Longer than any pause: the clock was set back. */
    return now < level->away_until_ns && level->away_until_ns - now <= cache->options.retry_ns;
}

/* Every answer of a level passes here. */
static enum store_answer heed(struct tiered_cache *cache, struct level *level,
                              enum store_answer answer)
{
    struct tiered_level_statistics *figure = figures(cache, level);
    if (answer == STORE_DOWN) {
        figure->outages += level->away_until_ns == 0;
        level->away_until_ns = now_of(cache) + cache->options.retry_ns;
    } else if (level->away_until_ns != 0) {
        figure->recoveries++;
        level->away_until_ns = 0;
    }
    return answer;
}

/* Events. ---------------------------------------------------------------------------------------
 */

struct purge {
    struct tiered_cache *cache;
    struct level *level;
    enum store_answer worst;
};

static void purge_key(void *context, struct store_key key)
{
    struct purge *purge = context;
    enum store_answer answer = purge->level->kind->drop(purge->level->store, key);
    if (answer == STORE_DOWN) {
        purge->worst = STORE_DOWN;
    }
    purge->cache->statistics.purged += answer == STORE_YES;
}

/* Brings a level above the log to what the log knows. False: one of the two does not answer. */
static bool level_confirm(struct tiered_cache *cache, struct level *level)
{
    struct level *log = log_of(cache);
    struct purge purge = {.cache = cache, .level = level, .worst = STORE_YES};
    struct store_state state = level->state;
    uint64_t upto, asked_ns = now_of(cache);
    enum store_answer answer = STORE_DOWN;
    if (!is_away(cache, log)) {
        answer = state.known
                     ? log->kind->events(log->store, state.applied, purge_key, &purge, &upto)
                     : log->kind->generation(log->store, &upto);
        heed(cache, log, answer);
    }
    if (answer == STORE_DOWN) {
        return false;
    }
    if (heed(cache, level, purge.worst) == STORE_DOWN) {
        return false;
    }
    if (!state.known || answer == STORE_NO) {
        state.floor = upto;
    }
    state.known = true;
    state.applied = upto;
    state.confirmed_ns = asked_ns;
    answer = heed(cache, level, level->kind->commit(level->store, &state));
    if (answer == STORE_YES) {
        level->state = state;
    }
    cache->heard = upto > cache->heard ? upto : cache->heard;
    return answer == STORE_YES;
}

static bool within(uint64_t now, uint64_t since, uint64_t limit)
{
    return since <= now && now - since < limit;
}

/* May what a level above the log says be believed? True at once, or after it has been confirmed
 * (*changed: it is to be asked again), or because nobody can know better for a while. */
static bool level_trusted(struct tiered_cache *cache, struct level *level, bool *changed)
{
    const struct store_state *state = &level->state;
    uint64_t now = now_of(cache);
    bool level_with_us = state->known && state->applied >= cache->heard;
    *changed = false;
    if (level_with_us && within(now, state->confirmed_ns, cache->options.poll_ns)) {
        return true;
    }
    *changed = true; /* also when it fails half-way: what was read may be gone */
    if (level_confirm(cache, level)) {
        return true;
    }
    return level_with_us && level->away_until_ns == 0 &&
           within(now, state->confirmed_ns, cache->options.deaf_ns);
}

/* Look-up. --------------------------------------------------------------------------------------
 */

static bool entry_counts(const struct tiered_cache *cache, const struct level *level,
                         const struct store_entry *entry)
{
    uint64_t now = now_of(cache);
    return entry->until_ns > now && entry->loaded_ns <= now + SECOND &&
           entry->as_of >= level->state.floor;
}

static enum store_answer level_ask(struct tiered_cache *cache, struct level *level,
                                   struct store_key key, struct store_entry *entry)
{
    struct store_state state;
    enum store_answer answer = level->kind->get(level->store, key, entry, &state);
    heed(cache, level, answer);
    if (answer != STORE_DOWN && !level->kind->has_log) {
        level->state = state;
    }
    return answer == STORE_YES && !entry_counts(cache, level, entry) ? STORE_NO : answer;
}

/* A level above the log answers with what is good as of what was applied to it. */
static enum store_answer level_get(struct tiered_cache *cache, struct level *level,
                                   struct store_key key, struct store_entry *entry)
{
    struct tiered_level_statistics *figure = figures(cache, level);
    bool changed = false;
    enum store_answer answer = STORE_DOWN;
    if (!is_away(cache, level)) {
        answer = level_ask(cache, level, key, entry);
        if (answer != STORE_DOWN && !level->kind->has_log) {
            bool trusted = level_trusted(cache, level, &changed);
            answer = !trusted ? STORE_DOWN : changed ? level_ask(cache, level, key, entry) : answer;
            entry->as_of = level->state.applied;
        }
    }
    figure->hits += answer == STORE_YES;
    figure->misses += answer == STORE_NO;
    figure->skipped += answer == STORE_DOWN;
    return answer;
}

static void level_put(struct tiered_cache *cache, struct level *level, struct store_key key,
                      const struct store_entry *entry)
{
    struct store_entry mine = *entry;
    uint64_t now = now_of(cache);
    bool changed;
    if (is_away(cache, level) || (!level->state.known && !level_trusted(cache, level, &changed))) {
        return;
    }
    if (level->ttl_ns && now + level->ttl_ns < mine.expires_ns) {
        mine.until_ns = now + level->ttl_ns;
    } else {
        mine.until_ns = mine.expires_ns;
    }
    figures(cache, level)->refused +=
        heed(cache, level, level->kind->put(level->store, key, &mine, now)) == STORE_NO;
}

/* Found in level `from`: those above it get it too. */
static void promote(struct tiered_cache *cache, unsigned from, struct store_key key,
                    const struct store_entry *entry)
{
    for (unsigned i = 0; i < from; i++) {
        level_put(cache, &cache->levels[i], key, entry);
    }
}

static bool levels_get(struct tiered_cache *cache, struct store_key key, struct store_entry *entry)
{
    for (unsigned i = 0; i < cache->count; i++) {
        if (level_get(cache, &cache->levels[i], key, entry) == STORE_YES) {
            promote(cache, i, key, entry);
            return true;
        }
    }
    return false;
}

/* Loading. --------------------------------------------------------------------------------------
 */

static enum store_answer claim(struct tiered_cache *cache, struct store_key key, uint64_t ns)
{
    struct level *log = log_of(cache);
    uint64_t now = now_of(cache);
    return is_away(cache, log)
               ? STORE_DOWN
               : heed(cache, log, log->kind->claim(log->store, key, cache->owner, now, now + ns));
}

static void release(struct tiered_cache *cache, struct store_key key)
{
    struct level *log = log_of(cache);
    if (!is_away(cache, log)) {
        heed(cache, log, log->kind->release(log->store, key, cache->owner));
    }
}

/* A value as of a generation, into the log's level first: what an event has forbidden there goes
 * nowhere else. */
static void spread(struct tiered_cache *cache, struct store_key key,
                   const struct store_entry *entry)
{
    struct level *log = log_of(cache);
    enum store_answer answer = STORE_DOWN;
    if (!is_away(cache, log)) {
        answer = heed(cache, log, log->kind->put(log->store, key, entry, now_of(cache)));
        figures(cache, log)->refused += answer == STORE_NO;
    }
    if (answer != STORE_NO) {
        promote(cache, cache->count - 1, key, entry);
    }
}

static bool hold(struct tiered_cache *cache, struct store_entry *entry)
{
    if (!store_buffer_fit(&cache->held, entry->bytes + 1)) {
        return false;
    }
    if (entry->bytes > 0) {
        memmove(cache->held.data, entry->data, entry->bytes);
    }
    entry->data = cache->held.data;
    return true;
}

static void sweep_in_turn(struct tiered_cache *cache)
{
    if (claim(cache, sweep_key, cache->options.sweep_ns) == STORE_YES) {
        tiered_cache_sweep(cache);
    }
}

static bool load(struct tiered_cache *cache, struct store_key key, struct store_entry *entry)
{
    struct level *log = log_of(cache);
    uint64_t generation = cache->heard;
    if (!is_away(cache, log)) {
        uint64_t now_at;
        if (heed(cache, log, log->kind->generation(log->store, &now_at)) == STORE_YES) {
            generation = now_at;
        }
    }
    *entry = (struct store_entry){.loaded_ns = now_of(cache), .as_of = generation};
    cache->statistics.loads++;
    if (!cache->options.load(cache->options.context, key, &entry->data, &entry->bytes)) {
        cache->statistics.failures++;
        return false;
    }
    entry->expires_ns = entry->until_ns = entry->loaded_ns + cache->options.ttl_ns;
    if (hold(cache, entry)) { /* else the value is right and is not kept */
        spread(cache, key, entry);
        sweep_in_turn(cache);
    }
    return true;
}

/* Nobody has the key: loads it, or waits for the process that does. */
static bool load_once(struct tiered_cache *cache, struct store_key key, struct store_entry *entry)
{
    struct level *log = log_of(cache);
    uint64_t waited = 0;
    for (;;) {
        enum store_answer answer = claim(cache, key, cache->options.claim_ns);
        bool ours = answer == STORE_YES;
        /* Also the one who got the claim looks again: another may have loaded before. */
        if (answer != STORE_DOWN && level_get(cache, log, key, entry) == STORE_YES) {
            promote(cache, cache->count - 1, key, entry);
            cache->statistics.waited++;
            if (ours) {
                release(cache, key);
            }
            return true;
        }
        if (ours) {
            bool ok = load(cache, key, entry);
            release(cache, key);
            return ok;
        }
        if (answer == STORE_DOWN || waited >= cache->options.patience_ns) {
            cache->statistics.direct++;
            return load(cache, key, entry);
        }
        cache->options.wait_ns(cache->options.clock, WAIT_NS);
        waited += WAIT_NS;
    }
}

static bool refresh_due(struct tiered_cache *cache, struct store_key key,
                        const struct store_entry *entry)
{
    return cache->options.refresh_ns &&
           entry->expires_ns < now_of(cache) + cache->options.refresh_ns &&
           claim(cache, key, cache->options.claim_ns) == STORE_YES;
}

bool tiered_cache_get(struct tiered_cache *cache, const char *text, struct tiered_value *value)
{
    struct store_key key = {text, strlen(text)};
    struct store_entry entry = {0};
    uint64_t begun = now_of(cache);
    bool hit = levels_get(cache, key, &entry);
    bool ok = hit || load_once(cache, key, &entry);
    cache->statistics.lookups++;
    cache->statistics.hits += hit;
    cache->statistics.misses += !hit;
    *value = (struct tiered_value){0};
    if (ok) {
        *value = (struct tiered_value){.data = entry.data,
                                       .bytes = entry.bytes,
                                       .loaded_ns = entry.loaded_ns,
                                       .expires_ns = entry.expires_ns,
                                       .refresh = hit && refresh_due(cache, key, &entry)};
    }
    *(hit ? &cache->statistics.cached_ns : &cache->statistics.uncached_ns) += now_of(cache) - begun;
    return ok;
}

bool tiered_cache_refresh(struct tiered_cache *cache, const char *text)
{
    struct store_key key = {text, strlen(text)};
    struct store_entry entry;
    cache->statistics.refreshes++;
    bool ok = load(cache, key, &entry);
    release(cache, key);
    return ok;
}

bool tiered_cache_set(struct tiered_cache *cache, const char *text, const void *data, size_t bytes,
                      uint64_t ttl_ns)
{
    struct store_key key = {text, strlen(text)};
    struct level *log = log_of(cache);
    struct store_entry entry = {.data = data, .bytes = bytes, .loaded_ns = now_of(cache)};
    entry.expires_ns = entry.until_ns = entry.loaded_ns + (ttl_ns ? ttl_ns : cache->options.ttl_ns);
    if (is_away(cache, log) ||
        heed(cache, log, log->kind->generation(log->store, &entry.as_of)) != STORE_YES) {
        return false;
    }
    if (!hold(cache, &entry)) {
        return false;
    }
    uint64_t refused = figures(cache, log)->refused;
    spread(cache, key, &entry);
    return figures(cache, log)->refused == refused && log->away_until_ns == 0;
}

bool tiered_cache_invalidate(struct tiered_cache *cache, const char *text)
{
    struct store_key key = {text, strlen(text)};
    struct level *log = log_of(cache);
    if (is_away(cache, log) ||
        heed(cache, log, log->kind->publish(log->store, key, now_of(cache))) != STORE_YES) {
        cache->statistics.unpublished++;
        return false;
    }
    uint64_t generation;
    cache->statistics.events++;
    /* From here on this process does not believe a level that has not heard of it. */
    if (heed(cache, log, log->kind->generation(log->store, &generation)) == STORE_YES &&
        generation > cache->heard) {
        cache->heard = generation;
    }
    for (unsigned i = 0; i + 1 < cache->count; i++) { /* the rest hears of it within poll_ns */
        struct level *level = &cache->levels[i];
        if (!is_away(cache, level)) {
            struct store_entry entry;
            level_ask(cache, level, key, &entry); /* for the state: others have moved it */
            level_confirm(cache, level);
        }
    }
    return true;
}

uint64_t tiered_cache_sweep(struct tiered_cache *cache)
{
    uint64_t all = 0;
    uint64_t keep = cache->options.ttl_ns > KEEP_NS ? cache->options.ttl_ns : KEEP_NS;
    for (unsigned i = 0; i < cache->count; i++) {
        struct level *level = &cache->levels[i];
        uint64_t removed = 0;
        if (!is_away(cache, level)) {
            heed(cache, level, level->kind->sweep(level->store, now_of(cache), keep, &removed));
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
    options->claim_ns = or_default(options->claim_ns, 30 * SECOND);
    options->patience_ns = or_default(options->patience_ns, options->claim_ns);
    options->sweep_ns = or_default(options->sweep_ns, 60 * SECOND);
    options->now_ns = options->now_ns ? options->now_ns : real_now;
    options->wait_ns = options->wait_ns ? options->wait_ns : real_wait;
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
    return cache;
}

void tiered_cache_close(struct tiered_cache **cache)
{
    if (*cache) {
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
