/* place.c - see place.h. */
#include "harness/campaign/place.h"

#include "harness/base/memory.h"

#include <stdlib.h>

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
    key_index_fini(&places->index);
}

static uint32_t place_get(struct places *places, uint64_t key, uint32_t level, uint32_t kind,
                          uint32_t parent)
{
    uint32_t number = key_index_add(&places->index, key, (uint32_t)places->count + 1);
    if (number > places->count) {
        memory_grow(&places->all, &places->room, places->count + 1, sizeof places->all[0]);
        places->all[places->count] = (struct place){
            .key = key,
            .level = level,
            .kind = kind,
            .parent = parent,
            .touched = memory_new(places->test_count / 8 + 1, 1),
        };
        places->count++;
    }
    return number - 1;
}

/* The keys of a site at each level. Frames of the system's libraries and headers say nothing of the
 * program. */
static void keys_of(const struct observed *seen, uint32_t number, uint64_t keys[PLACE_LEVELS])
{
    const struct observed_site *site = &seen->sites[number];
    uint32_t own = 0;
    uint64_t key = key_index_mix(site->kind, 0);
    for (uint32_t i = 0; i < site->frame_count && own < PLACE_LEVELS; i++) {
        bool elsewhere = symbols_system(seen->symbols, site->frames[i] - 1);
        uint64_t line = elsewhere ? 0 : symbols_own_line(seen->symbols, site->frames[i]);
        if (line != 0) {
            key = key_index_mix(key, line);
            keys[own++] = key;
        }
    }
    if (own == 0) {
        keys[own++] = key_index_mix(
            key, site->frame_count > 0 ? symbols_line(seen->symbols, site->frames[0]) : 0);
    }
    for (; own < PLACE_LEVELS; own++) {
        keys[own] = key_index_mix(keys[own - 1], own);
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

/* Changes come in the order of their positions. */
static void touch_count(struct place_history *history, uint32_t position, size_t first_pass)
{
    if (position < first_pass && history->touched_by != position + 1) {
        history->touched_by = position + 1;
        history->touched++;
    }
}

void places_add(struct places *places, const struct pass_log *log, struct observed *seen,
                bool (*skip)(void *context, uint32_t site), void *context)
{
    if (places->pass_count == PLACE_PASSES) {
        return;
    }
    size_t pass = places->pass_count++;
    struct site_state *states = memory_new(seen->site_count, sizeof *states);
    places->passes[pass].tests = memory_new(log->count, sizeof places->passes[pass].tests[0]);
    places->passes[pass].groups = memory_new(log->count, sizeof places->passes[pass].groups[0]);
    for (size_t i = 0; i < log->count; i++) {
        uint32_t test = log->tests[i];
        places->passes[pass].tests[i] = test;
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
                touch_count(&place->passes[pass], change->position, log->first_pass);
            }
        }
        state->held = held;
    }
    free(states);
}

struct place *places_find_shown(const struct places *places, const struct observed *seen,
                                uint32_t site)
{
    uint64_t keys[PLACE_LEVELS];
    if (!observed_site(seen, site)) {
        return NULL;
    }
    keys_of(seen, site, keys);
    for (size_t level = PLACE_LEVELS; level > 0; level--) {
        uint32_t number = key_index_get(&places->index, keys[level - 1]);
        if (number > 0 && places->all[number - 1].shown) {
            return &places->all[number - 1];
        }
    }
    return NULL;
}
