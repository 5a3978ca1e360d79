/*
 * judge.c - see judge.h. Counts are exact, so what varies is the program's structure and not the
 * measurement: no statistics, but floors over doubling spans, which saw-teeth and one-off steps
 * cannot hide from.
 */
#include "harness/judge/judge.h"

#include <math.h>
#include <string.h>

#define RATIO_GROWS   1.5
#define RATIO_SETTLES 0.75
#define AGAIN_GROWS   0.5 /* of what the first pass kept */
#define AGAIN_SETTLES 0.1
#define SUITE_LEAST   3 /* tests that each kept something, before it is a habit */

const unsigned judge_epochs[JUDGE_EPOCHS] = {16, 32, 64, 128, 256};

bool judge_settled(const struct judge_vector *vectors, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct judge_vector *a = &vectors[0], *b = &vectors[i];
        if (a->live_blocks != b->live_blocks || a->live_bytes != b->live_bytes ||
            a->mappings != b->mappings || a->mapped_bytes != b->mapped_bytes || a->fds != b->fds ||
            a->threads != b->threads || a->files != b->files) {
            return false;
        }
    }
    return true;
}

/* Growth of the floor from one epoch to the next, and what its last two ratios say. */
enum judge_next judge_floors(const int64_t *floors, size_t count, struct judge_trend *trend)
{
    double growth[JUDGE_EPOCHS] = {0};
    unsigned grows = 0;
    *trend = (struct judge_trend){.verdict = VERDICT_INCONCLUSIVE, .per_rep = NAN};
    if (count < 2) {
        return JUDGE_MORE;
    }
    for (size_t k = 0; k + 1 < count && k < JUDGE_EPOCHS; k++) {
        growth[k] = (double)(floors[k + 1] - floors[k]);
    }
    size_t last = (count < JUDGE_EPOCHS ? count : JUDGE_EPOCHS) - 2;
    /* What grows has its floor at an epoch's first boundary: the two floors are one epoch `last`
     * apart. */
    trend->per_rep = growth[last] / judge_epochs[last];
    if (growth[last] <= 0) {
        trend->verdict = count < 3 && growth[last] == 0 ? VERDICT_CLEAN : VERDICT_SATURATING;
        return JUDGE_DONE;
    }
    for (size_t k = 1; k <= last; k++) {
        double ratio = growth[k - 1] > 0 ? growth[k] / growth[k - 1] : INFINITY;
        grows = ratio >= RATIO_GROWS ? grows + 1 : 0;
        if (k == last && ratio < RATIO_SETTLES) {
            trend->verdict = VERDICT_SATURATING;
            return JUDGE_DONE;
        }
    }
    if (grows >= 2) {
        trend->verdict = VERDICT_GROWTH;
        return JUDGE_DONE;
    }
    return count < JUDGE_EPOCHS ? JUDGE_MORE : JUDGE_DONE;
}

static int64_t least(const int64_t *values, size_t from, size_t to)
{
    int64_t low = values[from];
    for (size_t i = from + 1; i < to; i++) {
        low = values[i] < low ? values[i] : low;
    }
    return low;
}

/* The floors of the second and fourth quarter and of the eighth before them tell a line from a
 * curve that flattens, and a saw-tooth from both. */
struct judge_trend judge_suite(const int64_t *live_after_test, size_t count)
{
    struct judge_trend trend = {.verdict = VERDICT_NONE, .per_rep = NAN};
    size_t rises = 0, last_rise = 0;
    if (count == 0) {
        return trend;
    }
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        if (live_after_test[i] > before) {
            rises++;
            last_rise = i;
        }
        before = live_after_test[i];
    }
    trend.per_rep = (double)live_after_test[count - 1] / (double)count;
    if (rises == 0) {
        trend.verdict = VERDICT_CLEAN;
        return trend;
    }
    if (count < 8) {
        trend.verdict = rises >= SUITE_LEAST && rises + 1 >= count ? VERDICT_ACCUMULATES
                        : last_rise * 2 < count                    ? VERDICT_SATURATING
                                                                   : VERDICT_INCONCLUSIVE;
        return trend;
    }
    int64_t quarter = least(live_after_test, count / 8, count / 4);
    int64_t half = least(live_after_test, count / 4, count / 2);
    int64_t whole = least(live_after_test, count / 2, count);
    double early = (double)(half - quarter), late = (double)(whole - half);
    size_t span = count / 2 - count / 4;
    trend.per_rep = late / (double)span; /* a floor is where its span begins */
    if (late <= 0) {
        trend.verdict = VERDICT_SATURATING;
    } else if (early <= 0 || late / early >= RATIO_GROWS) {
        trend.verdict = rises >= SUITE_LEAST ? VERDICT_ACCUMULATES : VERDICT_SATURATING;
    } else {
        trend.verdict = late / early < RATIO_SETTLES ? VERDICT_SATURATING : VERDICT_INCONCLUSIVE;
    }
    return trend;
}

enum result_verdict judge_orders(const enum result_verdict *verdicts, size_t count)
{
    size_t of[VERDICT_COUNT] = {0};
    for (size_t i = 0; i < count; i++) {
        if (++of[verdicts[i]] * 2 > count) {
            return verdicts[i];
        }
    }
    return count == 0 ? VERDICT_NONE : VERDICT_INCONCLUSIVE;
}

enum result_verdict judge_again(int64_t first, int64_t second)
{
    double share = first > 0 ? (double)second / (double)first : second > 0 ? 1 : 0;
    return share >= AGAIN_GROWS     ? VERDICT_GROWTH
           : share <= AGAIN_SETTLES ? VERDICT_ACCUMULATES
                                    : VERDICT_INCONCLUSIVE;
}

uint64_t judge_projection(int64_t base, double per_test, uint64_t limit)
{
    if (!(per_test > 0)) {
        return 0;
    }
    double tests = ceil(((double)limit - (double)base) / per_test);
    return tests < 1 ? 1 : tests > 1e18 ? 0 : (uint64_t)tests;
}
