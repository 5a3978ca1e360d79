/* suite_test.c - places over the tests of a pass, votes of passes, and second passes. */
#include "harness/judge/suite.h"

#include "harness/base/suite.h"

#define LENGTH 16

START_TEST(a_pass_accuses_what_grows_with_its_tests)
{
    static const struct {
        const char *name;
        size_t count;
        int64_t held[LENGTH];
        bool grows;
    } rows[] = {
        {"nothing", 0, {0}, false},
        {"two tests: initialisation", 2, {5, 9}, false},
        /* 3 to 7: rises in 60 % of them, in the second half too, and ends at its highest */
        {"three that rise", 3, {1, 2, 3}, true},
        {"two of three", 3, {1, 1, 2}, true},
        {"one of three", 3, {0, 0, 2}, false},
        {"two of three, none in the second half", 3, {1, 2, 2}, true}, /* the middle is in it */
        {"the last of three falls", 3, {1, 3, 2}, false},
        {"three of five", 5, {1, 1, 2, 2, 3}, true},
        {"two of five", 5, {0, 0, 1, 1, 2}, false},
        {"three of five, none in the second half", 5, {1, 2, 2, 2, 2}, false},
        {"three of five, in the first three", 5, {1, 2, 3, 3, 3}, true},
        {"four of six in the first half and one behind", 6, {1, 2, 3, 4, 4, 4}, true},
        {"four of seven", 7, {1, 2, 3, 4, 4, 4, 4}, false},
        {"five of seven", 7, {1, 2, 3, 4, 5, 5, 5}, true},
        {"what was higher before did not rise", 5, {9, 1, 2, 3, 9}, false},
        {"as high as before", 5, {1, 2, 3, 4, 4}, true},
        {"ends below its highest", 5, {1, 2, 3, 5, 4}, false},
        {"all in the first half", 4, {1, 2, 2, 2}, false},
        {"below the start", 5, {-5, -4, -3, -2, -1}, false},
        {"nothing rises above the start", 3, {0, 0, 0}, false},
        /* 8 and more: the last quarter against the second */
        {"line of eight", 8, {1, 2, 3, 4, 5, 6, 7, 8}, true}, /* 7 - 3 of 7 */
        {"0.4 of the end", 8, {1, 2, 6, 6, 6, 6, 10, 10}, true},
        {"less than 0.4", 8, {1, 2, 61, 61, 61, 61, 100, 100}, false},
        {"least of the second quarter", 8, {1, 2, 90, 6, 90, 90, 90, 90}, true},
        {"least of the last quarter", 8, {1, 2, 6, 6, 6, 6, 90, 9}, false},
        {"the third quarter does not count", 8, {1, 2, 3, 3, 1, 1, 9, 9}, true},
        {"only two rises", 8, {0, 0, 5, 5, 5, 5, 9, 9}, false},
        {"three rises", 8, {0, 1, 5, 5, 5, 5, 9, 9}, true},
        {"full cache", 8, {1, 2, 3, 4, 4, 4, 4, 4}, false},
        {"nothing", 8, {0, 0, 0, 0, 0, 0, 0, 0}, false},
        {"below the start", 8, {-9, -8, -7, -6, -5, -4, -3, -2}, false},
        {"from below to nothing", 8, {-9, -8, -7, -6, 1, 2, 3, 0}, false},
        {"eleven: quarters of two and three", 11, {1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5}, true},
        {"twelve: the fourth value is in the second quarter",
         12,
         {1, 2, 3, 4, 6, 6, 6, 6, 6, 6, 6, 6},
         false},
        {"sixteen doubling", 16, {1, 2, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16}, true},
        {"what is behind the series is no rise", 3, {0, 0, 2, 99}, false},
        {"what is behind the series is not its end", 3, {1, 2, 3, 99}, true},
        {"twelve: the third value is not in the second quarter",
         12,
         {1, 2, 3, 3, 6, 6, 6, 6, 6, 6, 6, 6},
         true},
        {"eight: the third quarter is not the second", 8, {1, 2, 8, 8, 1, 1, 9, 9}, false},
        {"eight: the last quarter is two", 8, {1, 2, 3, 3, 3, 3, 3, 9}, false},
        {"twelve: the last quarter is three", 12, {1, 2, 3, 3, 3, 3, 3, 3, 3, 9, 9, 9}, true},
        {"ends with little, but with more than before", 8, {0, 1, 0, 0, 2, 3, 1, 1}, true},
        {"sixteen with one step late", 16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(judge_pass(rows[i].held, rows[i].count) == rows[i].grows, "%zu %s",
                      rows[i].count, rows[i].name);
    }
}
END_TEST

START_TEST(votes_of_passes_make_a_verdict)
{
    static const struct {
        size_t accusing, passes;
        enum result_verdict verdict;
    } rows[] = {
        {0, 0, VERDICT_NONE},
        {0, 1, VERDICT_SATURATING},
        {1, 1, VERDICT_ACCUMULATES},
        {1, 2, VERDICT_INCONCLUSIVE},
        {2, 2, VERDICT_ACCUMULATES},
        {2, 3, VERDICT_INCONCLUSIVE},
        {0, 5, VERDICT_SATURATING},
        {1, 5, VERDICT_SATURATING},
        {2, 5, VERDICT_INCONCLUSIVE},
        {3, 5, VERDICT_INCONCLUSIVE},
        {4, 5, VERDICT_ACCUMULATES},
        {5, 5, VERDICT_ACCUMULATES},
        {20, 100, VERDICT_SATURATING},
        {21, 100, VERDICT_INCONCLUSIVE},
        {79, 100, VERDICT_INCONCLUSIVE},
        {80, 100, VERDICT_ACCUMULATES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(judge_votes(rows[i].accusing, rows[i].passes) == rows[i].verdict,
                      "%zu of %zu", rows[i].accusing, rows[i].passes);
    }
}
END_TEST

START_TEST(a_second_pass_tells_growth_from_accumulation)
{
    static const struct {
        int64_t first, second;
        enum result_verdict verdict;
    } rows[] = {
        {100, 100, VERDICT_GROWTH},      {100, 50, VERDICT_GROWTH},
        {100, 49, VERDICT_INCONCLUSIVE}, {100, 11, VERDICT_INCONCLUSIVE},
        {100, 10, VERDICT_ACCUMULATES},  {100, 0, VERDICT_ACCUMULATES},
        {100, -40, VERDICT_ACCUMULATES}, {0, 0, VERDICT_ACCUMULATES},
        {0, 1, VERDICT_GROWTH},          {-5, 7, VERDICT_GROWTH},
        {-5, 0, VERDICT_ACCUMULATES},    {1, 1, VERDICT_GROWTH},
        {1, 0, VERDICT_ACCUMULATES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(judge_again(rows[i].first, rows[i].second) == rows[i].verdict,
                      "%lld, then %lld", (long long)rows[i].first, (long long)rows[i].second);
    }
}
END_TEST

START_TEST(few_orders_do_not_tell_inputs_from_tests)
{
    static const struct {
        enum result_verdict verdict;
        size_t passes;
        bool others;
        enum result_verdict judged;
    } rows[] = {
        {VERDICT_ACCUMULATES, 2, false, VERDICT_ACCUMULATES},
        {VERDICT_ACCUMULATES, 2, true, VERDICT_INCONCLUSIVE},
        {VERDICT_ACCUMULATES, 4, true, VERDICT_INCONCLUSIVE},
        {VERDICT_ACCUMULATES, 5, true, VERDICT_ACCUMULATES},
        {VERDICT_SATURATING, 2, true, VERDICT_SATURATING},
        {VERDICT_CLEAN, 2, true, VERDICT_CLEAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(judge_orders(rows[i].verdict, rows[i].passes, rows[i].others) ==
                          rows[i].judged,
                      "row %zu", i);
    }
}
END_TEST

#define T true
#define F false

START_TEST(a_pass_becomes_a_series_of_its_touching_tests)
{
    static const struct {
        const char *name;
        struct suite_step steps[10];
        size_t count, length;
        int64_t held[8];
    } rows[] = {
        {"nothing", {{5, T, F}}, 0, 0, {0}},
        {"nobody touches it", {{5, F, F}, {6, F, F}}, 2, 0, {0}},
        {"each touches it", {{5, T, F}, {6, T, F}, {4, T, F}}, 3, 3, {5, 6, 4}},
        {"the least until the next one",
         {{5, T, F}, {3, F, F}, {4, F, F}, {7, T, F}},
         4,
         2,
         {3, 7}},
        {"what is held before the first", {{1, F, F}, {5, T, F}, {9, F, F}}, 3, 1, {5}},
        {"it comes down at two ends",
         {{5, T, F}, {8, T, F}, {2, T, T}, {6, T, F}, {3, T, T}, {9, T, F}},
         6,
         6,
         {5, 8, 2, 6, 3, 2}},
        {"to the least of them, the second",
         {{5, T, F}, {8, T, F}, {3, T, T}, {6, T, F}, {2, T, T}, {9, T, F}},
         6,
         6,
         {5, 8, 3, 6, 2, 2}},
        {"at one end only", {{5, T, F}, {8, T, F}, {2, T, T}, {9, T, F}}, 4, 4, {5, 8, 2, 9}},
        {"at two, and rises at a third",
         {{5, T, F}, {2, T, T}, {6, T, F}, {7, T, T}, {3, T, T}, {9, T, F}},
         6,
         6,
         {5, 2, 6, 7, 3, 9}},
        {"at two, and stays at a third",
         {{5, T, F}, {2, T, T}, {6, T, F}, {6, T, T}, {3, T, T}, {9, T, F}},
         6,
         6,
         {5, 2, 6, 6, 3, 2}},
        {"at two, and there was nothing at a third",
         {{0, F, F}, {5, T, T}, {2, T, T}, {6, T, F}, {3, T, T}, {9, T, F}},
         6,
         5,
         {5, 2, 6, 3, 2}},
        {"from one byte it rises",
         {{1, F, F}, {5, T, T}, {2, T, T}, {6, T, F}, {3, T, T}, {9, T, F}},
         6,
         5,
         {5, 2, 6, 3, 9}},
        {"the last is lower already",
         {{5, T, F}, {3, T, T}, {6, T, F}, {4, T, T}, {1, F, F}},
         5,
         4,
         {5, 3, 6, 1}},
        {"at one end, and stays at another",
         {{5, T, F}, {2, T, T}, {6, T, F}, {6, T, T}, {9, T, F}},
         5,
         5,
         {5, 2, 6, 6, 9}},
        {"nobody touches what comes down", {{5, F, F}, {3, F, T}, {6, F, F}, {4, F, T}}, 4, 0, {0}},
        {"one touches it, and it comes down twice",
         {{9, F, F}, {7, F, T}, {5, F, T}, {6, T, F}},
         4,
         1,
         {5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t held[10] = {0};
        size_t length = suite_series(rows[i].steps, rows[i].count, held);
        ck_assert_msg(length == rows[i].length, "%s: %zu", rows[i].name, length);
        for (size_t k = 0; k < length; k++) {
            ck_assert_msg(held[k] == rows[i].held[k], "%s: %lld at %zu", rows[i].name,
                          (long long)held[k], k);
        }
    }
}
END_TEST

SUITE("judge suite", &a_pass_becomes_a_series_of_its_touching_tests,
      &a_pass_accuses_what_grows_with_its_tests, &votes_of_passes_make_a_verdict,
      &a_second_pass_tells_growth_from_accumulation, &few_orders_do_not_tell_inputs_from_tests)
