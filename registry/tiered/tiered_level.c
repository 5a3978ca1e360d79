/*
 * tiered_level.c - see tiered_inside.h: levels that go and come, and what may be believed of them.
 * Runs in each process of the service.
 */
#include "registry/tiered/tiered_inside.h"

#include <stdio.h>

uint64_t now_of(const struct tiered_cache *cache)
{
    return cache->options.now_ns(cache->options.clock);
}

struct level *log_of(struct tiered_cache *cache)
{
    return &cache->levels[cache->count - 1];
}

struct tiered_level_statistics *figures(struct tiered_cache *cache, const struct level *level)
{
    return &cache->statistics.levels[level - cache->levels];
}

bool level_is_away(const struct tiered_cache *cache, const struct level *level)
{
    uint64_t now = now_of(cache);
    /* Longer than its pause: the clock was set back. */
    return now < level->away_until_ns && level->away_until_ns - now <= level->pause_ns;
}

/* Twice as long as the last time, and of each cache a little different: from 3/4 to 5/4. */
static uint64_t pause_after(const struct tiered_cache *cache, const struct level *level)
{
    uint64_t pause = level->away_until_ns == 0 ? cache->options.retry_ns : 2 * level->pause_ns;
    if (pause > cache->options.retry_max_ns) {
        pause = cache->options.retry_max_ns;
    }
    return pause;
}

static uint64_t varied(const struct tiered_cache *cache, uint64_t pause_ns)
{
    uint64_t part = (cache->owner ^ pause_ns) * 0x9e3779b97f4a7c15u >> 56;
    return pause_ns / 4 * 3 + pause_ns / 512 * part;
}

enum store_answer level_heed(struct tiered_cache *cache, struct level *level,
                             enum store_answer answer)
{
    struct tiered_level_statistics *figure = figures(cache, level);
    if (answer != STORE_YES) {
        const char *trouble = level->kind->trouble(level->store);
        if (*trouble) {
            snprintf(figure->trouble, sizeof figure->trouble, "%s", trouble);
        }
    }
    if (answer == STORE_DOWN) {
        figure->failures++;
        figure->outages += level->away_until_ns == 0;
        if (!level_is_away(cache, level)) { /* who asks one that is away does not prolong it */
            level->pause_ns = varied(cache, pause_after(cache, level));
            level->away_until_ns = now_of(cache) + level->pause_ns;
        }
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

bool level_confirm(struct tiered_cache *cache, struct level *level)
{
    struct level *log = log_of(cache);
    struct purge purge = {.cache = cache, .level = level, .worst = STORE_YES};
    struct store_state state = level->state;
    uint64_t upto, asked_ns = now_of(cache);
    enum store_answer answer = STORE_DOWN;
    if (!level_is_away(cache, log)) {
        answer = state.known
                     ? log->kind->events(log->store, state.applied, purge_key, &purge, &upto)
                     : log->kind->generation(log->store, &upto);
        level_heed(cache, log, answer);
    }
    if (answer == STORE_DOWN) {
        return false;
    }
    if (level_heed(cache, level, purge.worst) == STORE_DOWN) {
        return false;
    }
    if (!state.known || answer == STORE_NO) {
        state.floor = upto;
    }
    state.known = true;
    state.applied = upto;
    state.confirmed_ns = asked_ns;
    answer = level_heed(cache, level, level->kind->commit(level->store, &state));
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

enum store_answer level_ask(struct tiered_cache *cache, struct level *level,
                            const struct request *request, struct store_entry *entry)
{
    struct store_state state;
    enum store_answer answer = level->kind->get(level->store, request->named.name, entry, &state);
    level_heed(cache, level, answer);
    if (answer != STORE_DOWN && !level->kind->has_log) {
        level->state = state;
    }
    if (answer == STORE_YES && level->kind->has_log) {
        entry->until_ns = entry->expires_ns + request->stale_ns;
    }
    return answer == STORE_YES && !entry_counts(cache, level, entry) ? STORE_NO : answer;
}

enum store_answer level_get(struct tiered_cache *cache, struct level *level,
                            const struct request *request, struct store_entry *entry)
{
    struct tiered_level_statistics *figure = figures(cache, level);
    bool changed = false;
    enum store_answer answer = STORE_DOWN;
    if (!level_is_away(cache, level)) {
        answer = level_ask(cache, level, request, entry);
        if (answer != STORE_DOWN && !level->kind->has_log) {
            bool trusted = level_trusted(cache, level, &changed);
            answer = !trusted  ? STORE_DOWN
                     : changed ? level_ask(cache, level, request, entry)
                               : answer;
            entry->as_of = level->state.applied;
        }
    }
    figure->hits += answer == STORE_YES;
    figure->misses += answer == STORE_NO;
    figure->skipped += answer == STORE_DOWN;
    return answer;
}

static void level_put(struct tiered_cache *cache, struct level *level,
                      const struct request *request, const struct store_entry *entry)
{
    struct store_entry mine = *entry;
    uint64_t now = now_of(cache);
    bool changed;
    if (level_is_away(cache, level) ||
        (!level->state.known && !level_trusted(cache, level, &changed))) {
        return;
    }
    mine.until_ns = mine.expires_ns + request->stale_ns;
    if (level->ttl_ns && now + level->ttl_ns < mine.until_ns) {
        mine.until_ns = now + level->ttl_ns;
    }
    figures(cache, level)->refused +=
        level_heed(cache, level, level->kind->put(level->store, request->named.name, &mine, now)) ==
        STORE_NO;
}

void levels_put(struct tiered_cache *cache, unsigned below, const struct request *request,
                const struct store_entry *entry)
{
    for (unsigned i = 0; i < below; i++) {
        level_put(cache, &cache->levels[i], request, entry);
    }
}
