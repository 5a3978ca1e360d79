/* place_judge.c - see place_judge.h. */
#include "harness/campaign/place_judge.h"

#include "harness/base/memory.h"
#include "harness/judge/suite.h"
#include "harness/judge/threshold.h"

#include <stdlib.h>

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

/* Does the pass accuse the place? `steps` and `held` have room for all of its tests. */
static bool pass_accuses(const struct places *places, const struct place *place, size_t pass,
                         struct suite_step *steps, int64_t *held)
{
    struct walk walk = {.places = places, .place = place, .pass = pass};
    const uint32_t *groups = places->passes[pass].groups;
    size_t count = places->passes[pass].first_pass;
    for (uint32_t position = 0; position < count; position++) {
        uint32_t test = places->passes[pass].tests[position];
        walk_step(&walk, position);
        steps[position] =
            (struct suite_step){.held = observed_worth(walk.held.blocks, walk.held.bytes),
                                .touches = test < places->test_count && touches(place, test),
                                .begins = position > 0 && groups[position] != groups[position - 1]};
    }
    return judge_pass(held, suite_series(steps, count, held));
}

static size_t touching(const struct places *places, const struct place *place)
{
    size_t count = 0;
    for (uint32_t test = 0; test < places->test_count; test++) {
        count += touches(place, test);
    }
    return count;
}

/* Do other tests allocate there in another order? Then it is not each test that leaves something of
 * its own, but whichever comes first. */
static bool touched_by_others(const struct places *places, const struct place *place, size_t tests)
{
    bool others = false;
    for (size_t pass = 0; pass < places->pass_count; pass++) {
        others = others || place->passes[pass].touched < tests;
    }
    return others;
}

static enum result_verdict worse(enum result_verdict a, enum result_verdict b)
{
    static const int rank[VERDICT_COUNT] = {[VERDICT_CLEAN] = 1,
                                            [VERDICT_SATURATING] = 2,
                                            [VERDICT_INCONCLUSIVE] = 3,
                                            [VERDICT_ACCUMULATES] = 4};
    return rank[a] > rank[b] ? a : b;
}

/* Of nested places that are accused, the finest are shown. The coarser ones stand before them. */
static void shown_choose(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        struct place *up = &places->all[i];
        bool accused = up->verdict == VERDICT_ACCUMULATES;
        up->shown = accused;
        while (accused && up->level > 1) {
            up = &places->all[up->parent];
            up->shown = false;
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
    int64_t *held = memory_new(most, sizeof *held);
    struct suite_step *steps = memory_new(most, sizeof *steps);
    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->all[i];
        struct place_event end = place_end(places, place);
        place->accusing = 0;
        place->verdict = VERDICT_CLEAN;
        size_t tests = touching(places, place);
        if (tests < threshold_count(TOUCHED_BY)) {
            continue; /* initialisation, whatever it keeps */
        }
        for (size_t pass = 0; pass < places->pass_count; pass++) {
            place->accusing += pass_accuses(places, place, pass, steps, held);
        }
        place->verdict = judge_orders(judge_votes(place->accusing, places->pass_count),
                                      places->pass_count, touched_by_others(places, place, tests));
        if (place->verdict == VERDICT_SATURATING && end.bytes + end.blocks <= 0) {
            place->verdict = VERDICT_CLEAN;
        }
        answer.accusing = place->accusing > answer.accusing ? place->accusing : answer.accusing;
        answer.verdict = worse(answer.verdict, place->verdict);
    }
    free(held);
    free(steps);
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
