/* place.c - see place.h. */
#include "harness/campaign/place.h"

#include "harness/base/memory.h"
#include "harness/judge/suite.h"
#include "harness/judge/threshold.h"

#include <stdlib.h>
#include <string.h>

void places_init(struct places *places, size_t test_count, const struct accused *left_out)
{
    *places = (struct places){.test_count = test_count, .left_out = left_out};
}

void places_fini(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        for (size_t pass = 0; pass < PLACE_PASSES; pass++) {
            free(places->all[i].passes[pass].events);
        }
        free(places->all[i].touched);
    }
    for (size_t pass = 0; pass < PLACE_PASSES; pass++) {
        free(places->passes[pass].tests);
        free(places->passes[pass].groups);
    }
    free(places->all);
    free(places->slots);
}

/* Where the key is, or the free slot where it would be. */
static uint32_t *slot_of(const struct places *places, uint64_t key)
{
    size_t at = (size_t)(key >> 7);
    for (;; at++) {
        uint32_t *slot = &places->slots[at & (places->slot_count - 1)];
        if (*slot == 0 || places->all[*slot - 1].key == key) {
            return slot;
        }
    }
}

static void slots_grow(struct places *places)
{
    if (places->count * 2 < places->slot_count) {
        return;
    }
    free(places->slots);
    places->slot_count = places->slot_count ? places->slot_count * 2 : 1024;
    places->slots = memory_new(places->slot_count, sizeof places->slots[0]);
    for (size_t i = 0; i < places->count; i++) {
        *slot_of(places, places->all[i].key) = (uint32_t)i + 1;
    }
}

static uint32_t place_get(struct places *places, uint64_t key, uint32_t level, uint32_t kind,
                          uint32_t parent)
{
    slots_grow(places);
    uint32_t *slot = slot_of(places, key);
    if (*slot == 0) {
        memory_grow(&places->all, &places->room, places->count + 1, sizeof places->all[0]);
        places->all[places->count] = (struct place){
            .key = key,
            .level = level,
            .kind = kind,
            .parent = level == 1 ? (uint32_t)places->count : parent,
            .touched = memory_new(places->test_count / 8 + 1, 1),
        };
        *slot = (uint32_t)++places->count;
    }
    return *slot - 1;
}

static uint64_t key_mix(uint64_t key, uint64_t with)
{
    key = (key ^ with) * 0x9e3779b97f4a7c15u;
    return key ^ key >> 29;
}

/* The keys of a site at each level. Frames of the system's libraries say nothing of the program. */
static void keys_of(const struct observed *seen, uint32_t number, uint64_t keys[PLACE_LEVELS])
{
    const struct observed_site *site = &seen->sites[number];
    uint32_t own = 0;
    uint64_t key = key_mix(site->kind + 1u, 0);
    for (uint32_t i = 0; i < site->frame_count && own < PLACE_LEVELS; i++) {
        if (!symbols_system(seen->symbols, site->frames[i] - 1)) {
            key = key_mix(key, symbols_line(seen->symbols, site->frames[i]));
            keys[own++] = key;
        }
    }
    if (own == 0) {
        keys[own++] =
            key_mix(key, site->frame_count > 0 ? symbols_line(seen->symbols, site->frames[0]) : 0);
    }
    for (; own < PLACE_LEVELS; own++) {
        keys[own] = key_mix(keys[own - 1], own);
    }
}

static void event_add(struct place_history *history, uint32_t position, int64_t blocks,
                      int64_t bytes)
{
    struct place_event last = {0};
    if (history->count > 0) {
        last = history->events[history->count - 1];
    }
    if (history->count == 0 || last.position != position) {
        memory_grow(&history->events, &history->room, history->count + 1,
                    sizeof history->events[0]);
        history->events[history->count++] =
            (struct place_event){.position = position, .blocks = last.blocks, .bytes = last.bytes};
    }
    struct place_event *now = &history->events[history->count - 1];
    now->blocks += blocks;
    now->bytes += bytes;
}

uint64_t place_key(const struct observed *seen, uint32_t site)
{
    uint64_t keys[PLACE_LEVELS];
    keys_of(seen, site, keys);
    return keys[PLACE_LEVELS - 1];
}

struct amount {
    int64_t blocks, bytes;
};

struct site_state { /* of one site, while a log is read */
    bool known, skip;
    uint32_t place[PLACE_LEVELS];
    uint64_t key;                 /* of the finest of them */
    struct amount raw, out, held; /* alive; of it left out; the rest, which its places have */
};

static struct site_state *state_get(struct places *places, struct site_state *states,
                                    struct observed *seen, uint32_t site,
                                    bool (*skip)(void *context, uint32_t site), void *context)
{
    struct site_state *state = &states[site];
    if (!state->known) {
        uint64_t keys[PLACE_LEVELS];
        state->known = true;
        state->skip = skip && skip(context, site);
        keys_of(seen, site, keys);
        state->key = keys[PLACE_LEVELS - 1];
        for (uint32_t level = 0; level < PLACE_LEVELS && !state->skip; level++) {
            state->place[level] = place_get(places, keys[level], level + 1, seen->sites[site].kind,
                                            level > 0 ? state->place[level - 1] : 0);
        }
    }
    return state;
}

/* What an accused test added is left out until it is gone; what it took away is gone. */
static void state_change(struct site_state *state, const struct pass_change *change, bool left_out)
{
    int64_t more = change->blocks + change->bytes - state->raw.blocks - state->raw.bytes;
    if (left_out && more > 0) {
        state->out.blocks += change->blocks - state->raw.blocks;
        state->out.bytes += change->bytes - state->raw.bytes;
    }
    state->raw = (struct amount){.blocks = change->blocks, .bytes = change->bytes};
    state->out.blocks =
        state->out.blocks < state->raw.blocks ? state->out.blocks : state->raw.blocks;
    state->out.bytes = state->out.bytes < state->raw.bytes ? state->out.bytes : state->raw.bytes;
}

void places_add(struct places *places, const struct pass_log *log, struct observed *seen,
                bool (*skip)(void *context, uint32_t site), void *context)
{
    if (places->pass_count == PLACE_PASSES) {
        return;
    }
    size_t pass = places->pass_count++;
    struct site_state *states = memory_new(seen->site_count + 1, sizeof *states);
    places->passes[pass].tests = memory_new(log->count + 1, sizeof places->passes[pass].tests[0]);
    if (log->count > 0) {
        memcpy(places->passes[pass].tests, log->tests, log->count * sizeof log->tests[0]);
    }
    places->passes[pass].groups = memory_new(log->count + 1, sizeof places->passes[pass].groups[0]);
    for (size_t i = 0; i < log->count; i++) {
        uint32_t test = log->tests[i];
        places->passes[pass].groups[i] = test < seen->test_count ? seen->tests[test].group : test;
    }
    places->passes[pass].count = log->count;
    places->passes[pass].first_pass = log->first_pass;
    for (size_t i = 0; i < log->change_count; i++) {
        const struct pass_change *change = &log->changes[i];
        struct site_state *state = state_get(places, states, seen, change->site, skip, context);
        uint32_t test = log->tests[change->position];
        bool left_out = accused_has(places->left_out, test, state->key);
        state_change(state, change, left_out);
        struct amount held = {.blocks = state->raw.blocks - state->out.blocks,
                              .bytes = state->raw.bytes - state->out.bytes};
        for (size_t level = 0; level < PLACE_LEVELS && !state->skip; level++) {
            struct place *place = &places->all[state->place[level]];
            event_add(&place->passes[pass], change->position, held.blocks - state->held.blocks,
                      held.bytes - state->held.bytes);
            if (change->allocated && !left_out && test < places->test_count) {
                place->touched[test / 8] |= (unsigned char)(1u << test % 8);
            }
        }
        state->held = held;
    }
    free(states);
}

static bool touches(const struct place *place, uint32_t test)
{
    return (place->touched[test / 8] >> test % 8 & 1) != 0;
}

/* A walk over the boundaries of a pass: what the place holds. */
struct walk {
    const struct places *places;
    const struct place *place;
    size_t pass, at; /* the next event */
    struct place_event held;
};

static void walk_step(struct walk *walk, uint32_t position)
{
    const struct place_history *history = &walk->place->passes[walk->pass];
    if (walk->at < history->count && history->events[walk->at].position == position) {
        walk->held = history->events[walk->at++];
    }
    walk->held.position = position;
}

/* What a place comes down to where tests of one fixture end and those of the next begin. After the
 * last of them nobody looks, so that what the last fixture will give back is not held against it.
 */
struct ends {
    unsigned down, up;
    int64_t low;
};

static void ends_add(struct ends *ends, int64_t before, int64_t after)
{
    if (before <= 0) {
        return; /* there was nothing to give back */
    }
    ends->low = ends->down == 0 || after < ends->low ? after : ends->low;
    ends->down += after < before;
    ends->up += after > before;
}

/* Does the pass accuse the place? `held` has room for all of its tests. */
static bool pass_accuses(const struct places *places, const struct place *place, size_t pass,
                         int64_t *held)
{
    struct walk walk = {.places = places, .place = place, .pass = pass};
    struct ends ends = {0};
    const uint32_t *groups = places->passes[pass].groups;
    size_t count = 0;
    int64_t now = 0, before;
    for (uint32_t position = 0; position < places->passes[pass].first_pass; position++) {
        uint32_t test = places->passes[pass].tests[position];
        walk_step(&walk, position);
        before = now;
        now = observed_worth(walk.held.blocks, walk.held.bytes);
        if (position > 0 && groups[position] != groups[position - 1]) {
            ends_add(&ends, before, now);
        }
        if (test < places->test_count && touches(place, test)) {
            held[count++] = now;
        } else if (count > 0 && now < held[count - 1]) {
            held[count - 1] = now;
        }
    }
    if (count > 0 && ends.up == 0 && ends.down >= threshold_count(ENDS_DOWN)) {
        held[count - 1] = ends.low < held[count - 1] ? ends.low : held[count - 1];
    }
    return judge_pass(held, count);
}

static size_t touching(const struct places *places, const struct place *place)
{
    size_t count = 0;
    for (uint32_t test = 0; test < places->test_count; test++) {
        count += touches(place, test);
    }
    return count;
}

static enum result_verdict worse(enum result_verdict a, enum result_verdict b)
{
    static const int rank[VERDICT_COUNT] = {[VERDICT_CLEAN] = 1,
                                            [VERDICT_SATURATING] = 2,
                                            [VERDICT_INCONCLUSIVE] = 3,
                                            [VERDICT_ACCUMULATES] = 4};
    return rank[a] > rank[b] ? a : b;
}

/* Of nested places that are accused, the finest are shown. */
static void shown_choose(struct places *places)
{
    for (size_t i = places->count; i > 0; i--) { /* a parent stands before its children */
        places->all[i - 1].shown = places->all[i - 1].verdict == VERDICT_ACCUMULATES;
    }
    for (size_t i = places->count; i > 0; i--) {
        struct place *place = &places->all[i - 1];
        if (place->verdict == VERDICT_ACCUMULATES && place->level > 1) {
            places->all[place->parent].shown = false;
            places->all[places->all[place->parent].parent].shown =
                place->level > 2 ? false : places->all[places->all[place->parent].parent].shown;
        }
    }
}

struct places_verdict places_judge(struct places *places)
{
    struct places_verdict answer = {.verdict = places->pass_count ? VERDICT_CLEAN : VERDICT_NONE};
    size_t most = 0;
    for (size_t pass = 0; pass < places->pass_count; pass++) {
        most = places->passes[pass].count > most ? places->passes[pass].count : most;
    }
    int64_t *held = memory_new(most + 1, sizeof *held);
    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->all[i];
        struct place_event end = place_end(places, place);
        place->accusing = 0;
        place->verdict = VERDICT_CLEAN;
        if (touching(places, place) < threshold_count(TOUCHED_BY)) {
            continue; /* initialisation, whatever it keeps */
        }
        for (size_t pass = 0; pass < places->pass_count; pass++) {
            place->accusing += pass_accuses(places, place, pass, held);
        }
        place->verdict = judge_votes(place->accusing, places->pass_count);
        if (place->verdict == VERDICT_SATURATING && end.bytes + end.blocks <= 0) {
            place->verdict = VERDICT_CLEAN;
        }
        answer.accusing = place->accusing > answer.accusing ? place->accusing : answer.accusing;
        answer.verdict = worse(answer.verdict, place->verdict);
    }
    free(held);
    shown_choose(places);
    return answer;
}

static struct place_event end_after(const struct places *places, const struct place *place,
                                    size_t positions)
{
    struct walk walk = {.places = places, .place = place};
    for (uint32_t position = 0; position < positions; position++) {
        walk_step(&walk, position);
    }
    return walk.held;
}

struct place_event place_end(const struct places *places, const struct place *place)
{
    return end_after(places, place, places->passes[0].first_pass);
}

struct place_event place_end_again(const struct places *places, const struct place *place)
{
    return end_after(places, place, places->passes[0].count);
}

int64_t place_again_get(const struct places *places, struct place *place)
{
    struct place_event end = place_end(places, place), second = place_end_again(places, place);
    place->first = observed_worth(end.blocks, end.bytes);
    place->added = observed_worth(second.blocks, second.bytes) - place->first;
    return second.bytes - end.bytes;
}

enum result_verdict places_judge_again(struct places *places)
{
    bool any[VERDICT_COUNT] = {false};
    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->all[i];
        if (place->shown) {
            place->verdict = judge_again(place->first, place->added);
            any[place->verdict] = true;
        }
    }
    return any[VERDICT_GROWTH]        ? VERDICT_GROWTH
           : any[VERDICT_ACCUMULATES] ? VERDICT_ACCUMULATES
                                      : VERDICT_INCONCLUSIVE;
}

void places_show_all(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->all[i];
        struct place_event end = place_end(places, place);
        place->shown = place->level == PLACE_LEVELS && observed_worth(end.blocks, end.bytes) > 0;
        place->verdict = place->shown ? VERDICT_ACCUMULATES : place->verdict;
    }
}

void place_left(const struct places *places, const struct place *place, int64_t *bytes)
{
    struct walk walk = {.places = places, .place = place};
    int64_t before = 0;
    for (uint32_t position = 0; position < places->passes[0].first_pass; position++) {
        uint32_t test = places->passes[0].tests[position];
        walk_step(&walk, position);
        if (test < places->test_count) {
            bytes[test] += walk.held.bytes - before;
        }
        before = walk.held.bytes;
    }
}

struct place *places_find_shown(const struct places *places, const struct observed *seen,
                                uint32_t site)
{
    uint64_t keys[PLACE_LEVELS];
    if (places->slot_count == 0 || !observed_site(seen, site)) {
        return NULL;
    }
    keys_of(seen, site, keys);
    for (size_t level = PLACE_LEVELS; level > 0; level--) {
        uint32_t slot = *slot_of(places, keys[level - 1]);
        if (slot > 0 && places->all[slot - 1].shown) {
            return &places->all[slot - 1];
        }
    }
    return NULL;
}
