/* judge_test.c - the rules with scripted numbers. */
#include "harness/judge/judge.h"

#include "harness/base/suite.h"

#include <math.h>

START_TEST(equal_boundaries_are_settled)
{
    struct judge_vector vectors[8] = {{0}};
    for (int i = 0; i < 8; i++) {
        vectors[i] =
            (struct judge_vector){.live_blocks = 3, .live_bytes = 100, .fds = 4, .threads = 1};
    }
    ck_assert(judge_settled(vectors, 8));
    ck_assert(judge_settled(vectors, 1));
    ck_assert(judge_settled(vectors, 0));
}
END_TEST

START_TEST(any_part_of_a_boundary_unsettles_it)
{
    for (int part = 0; part < 7; part++) {
        struct judge_vector vectors[8] = {{0}};
        struct judge_vector *last = &vectors[7];
        *(part == 0   ? &last->live_blocks
          : part == 1 ? &last->live_bytes
          : part == 2 ? &last->mappings
                      : &last->mapped_bytes) += part < 4;
        *(part == 4 ? &last->fds : part == 5 ? &last->threads : &last->files) += part >= 4;
        ck_assert_msg(!judge_settled(vectors, 8), "part %d", part);
    }
}
END_TEST

/* Live bytes at boundary n of a made-up test; the floor of an epoch is the least of its boundaries.
 */
static struct judge_trend trend_of(int64_t (*live)(unsigned n), size_t epochs,
                                   enum judge_next *next)
{
    int64_t floors[JUDGE_EPOCHS];
    unsigned n = 0;
    struct judge_trend trend;
    for (size_t k = 0; k < epochs; k++) {
        floors[k] = INT64_MAX;
        for (unsigned i = 0; i < judge_epochs[k]; i++, n++) {
            floors[k] = live(n) < floors[k] ? live(n) : floors[k];
        }
    }
    *next = judge_floors(floors, epochs, &trend);
    return trend;
}

static int64_t live_line(unsigned n)
{
    return 64 * (int64_t)n;
}

static int64_t live_flat(unsigned n)
{
    (void)n;
    return 4096;
}

static int64_t live_ring(unsigned n)
{
    return n < 40 ? 64 * (int64_t)n : 64 * 40;
}

static int64_t live_saw(unsigned n)
{
    return 1000 * (int64_t)(n % 7);
}

static int64_t live_doubling(unsigned n)
{
    int64_t room = 16;
    while (room < (int64_t)n + 1) {
        room *= 2;
    }
    return room * 8;
}

START_TEST(floors_tell_growth_from_what_levels_off)
{
    static const struct {
        const char *name;
        int64_t (*live)(unsigned n);
        enum result_verdict verdict;
    } rows[] = {{"a line", live_line, VERDICT_GROWTH},
                {"a doubling container", live_doubling, VERDICT_GROWTH},
                {"nothing new", live_flat, VERDICT_SATURATING},
                {"a ring that is full", live_ring, VERDICT_SATURATING},
                {"a saw-tooth", live_saw, VERDICT_SATURATING}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum judge_next next;
        struct judge_trend trend = trend_of(rows[i].live, JUDGE_EPOCHS, &next);
        ck_assert_int_eq(next, JUDGE_DONE);
        ck_assert_msg(trend.verdict == rows[i].verdict, "%s: %d", rows[i].name, trend.verdict);
    }
}
END_TEST

START_TEST(a_line_is_known_by_its_slope)
{
    enum judge_next next;
    struct judge_trend trend = trend_of(live_line, 4, &next);
    ck_assert_int_eq(trend.verdict, VERDICT_GROWTH);
    ck_assert_double_eq_tol(trend.per_rep, 64, 0.01);
}
END_TEST

START_TEST(one_floor_is_not_enough)
{
    struct judge_trend trend;
    int64_t floor = 100;
    ck_assert_int_eq(judge_floors(&floor, 1, &trend), JUDGE_MORE);
    ck_assert_int_eq(judge_floors(&floor, 0, &trend), JUDGE_MORE);
}
END_TEST

static enum result_verdict suite_of(int64_t (*live)(unsigned n), size_t tests)
{
    int64_t series[512];
    for (size_t i = 0; i < tests; i++) {
        series[i] = live((unsigned)i + 1);
    }
    return judge_suite(series, tests).verdict;
}

static int64_t live_none(unsigned n)
{
    (void)n;
    return 0;
}

static int64_t live_first(unsigned n)
{
    return n >= 1 ? 4096 : 0;
}

static int64_t live_modules(unsigned n)
{
    return 500 * (int64_t)(1 + n % 30);
}

START_TEST(a_suite_is_judged_by_the_floors_of_its_halves)
{
    static const struct {
        const char *name;
        int64_t (*live)(unsigned n);
        size_t tests;
        enum result_verdict verdict;
    } rows[] = {{"nothing stays", live_none, 450, VERDICT_CLEAN},
                {"a slab of the first test", live_first, 450, VERDICT_SATURATING},
                {"every test adds", live_line, 450, VERDICT_ACCUMULATES},
                {"three tests and a kill", live_line, 3, VERDICT_ACCUMULATES},
                {"a clean-up per module", live_modules, 450, VERDICT_SATURATING},
                {"a slab, four tests", live_first, 4, VERDICT_SATURATING},
                {"no test", live_none, 0, VERDICT_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum result_verdict verdict = suite_of(rows[i].live, rows[i].tests);
        ck_assert_msg(verdict == rows[i].verdict, "%s: %d", rows[i].name, verdict);
    }
}
END_TEST

START_TEST(a_suite_that_adds_is_known_by_its_slope)
{
    int64_t series[450];
    for (int i = 0; i < 450; i++) {
        series[i] = 133376689LL * (i + 1);
    }
    struct judge_trend trend = judge_suite(series, 450);
    ck_assert_double_eq_tol(trend.per_rep, 133376689.0, 1);
    trend = judge_suite(series, 3);
    ck_assert_double_eq_tol(trend.per_rep, 133376689.0, 1);
}
END_TEST

START_TEST(sixty_gigabytes_at_test_450)
{
    ck_assert_uint_eq(judge_projection(0, 133376689.0, 60000000000u), 450);
    ck_assert_uint_eq(judge_projection(0, 0, 60000000000u), 0);
    ck_assert_uint_eq(judge_projection(0, -5, 60000000000u), 0);
    ck_assert_uint_eq(judge_projection(100, 1, 50), 1);
}
END_TEST

START_TEST(orders_are_outvoted)
{
    static const struct {
        enum result_verdict verdicts[3];
        size_t count;
        enum result_verdict expected;
    } rows[] = {
        {{VERDICT_SATURATING, VERDICT_ACCUMULATES, VERDICT_ACCUMULATES}, 3, VERDICT_ACCUMULATES},
        {{VERDICT_ACCUMULATES, VERDICT_SATURATING, VERDICT_SATURATING}, 3, VERDICT_SATURATING},
        {{VERDICT_ACCUMULATES, VERDICT_SATURATING, VERDICT_CLEAN}, 3, VERDICT_INCONCLUSIVE},
        {{VERDICT_ACCUMULATES, VERDICT_SATURATING}, 2, VERDICT_INCONCLUSIVE},
        {{VERDICT_ACCUMULATES}, 1, VERDICT_ACCUMULATES},
        {{VERDICT_CLEAN}, 0, VERDICT_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(judge_orders(rows[i].verdicts, rows[i].count), rows[i].expected);
    }
}
END_TEST

START_TEST(a_second_pass_tells_growth_from_distinct_inputs)
{
    ck_assert_int_eq(judge_again(200000, 0), VERDICT_ACCUMULATES);
    ck_assert_int_eq(judge_again(200000, -5000), VERDICT_ACCUMULATES);
    ck_assert_int_eq(judge_again(200000, 5000), VERDICT_ACCUMULATES);
    ck_assert_int_eq(judge_again(200000, 200000), VERDICT_GROWTH);
    ck_assert_int_eq(judge_again(200000, 400000), VERDICT_GROWTH);
    ck_assert_int_eq(judge_again(200000, 60000), VERDICT_INCONCLUSIVE);
}
END_TEST

SUITE("judge", &orders_are_outvoted, &a_second_pass_tells_growth_from_distinct_inputs,
      &equal_boundaries_are_settled, &any_part_of_a_boundary_unsettles_it,
      &floors_tell_growth_from_what_levels_off, &a_line_is_known_by_its_slope,
      &one_floor_is_not_enough, &a_suite_is_judged_by_the_floors_of_its_halves,
      &a_suite_that_adds_is_known_by_its_slope, &sixty_gigabytes_at_test_450)
