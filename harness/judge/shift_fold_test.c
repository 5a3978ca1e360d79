/* shift_fold_test.c - pairs taken together, and the estimate of how many are missing. */
#include "harness/base/suite.h"
#include "harness/judge/shift_fold.h"

#include <math.h>

START_TEST(few_values_stay_as_they_are)
{
    double values[SHIFT_PAIRS_MAX], folded[SHIFT_PAIRS_MAX];
    for (size_t i = 0; i < SHIFT_PAIRS_MAX; i++) {
        values[i] = 1 + (double)i;
    }
    ck_assert_uint_eq(shift_fold(values, SHIFT_PAIRS_MAX, folded), SHIFT_PAIRS_MAX);
    for (size_t i = 0; i < SHIFT_PAIRS_MAX; i++) {
        ck_assert_double_eq_tol(folded[i], values[i], 1e-9);
    }
    ck_assert_uint_eq(shift_fold(values, 0, folded), 0);
}
END_TEST

START_TEST(many_values_are_their_means)
{
    static double values[2 * SHIFT_PAIRS_MAX + 100];
    double folded[SHIFT_PAIRS_MAX];
    size_t count = sizeof values / sizeof values[0];
    for (size_t i = 0; i < count; i++) {
        values[i] = i % 3 == 0 ? 2 : i % 3 == 1 ? 4 : 8;
    }
    ck_assert_uint_eq(shift_fold(values, count, folded), count / 3);
    for (size_t i = 0; i < count / 3; i++) {
        ck_assert_double_eq_tol(folded[i], 4, 1e-9);
    }
}
END_TEST

START_TEST(says_how_many_pairs_are_missing)
{
    static const struct {
        struct shift shift;
        size_t count, least, most;
    } rows[] = {
        {{1.00, 0.995, 1.005, SHIFT_NONE}, 25, 0, 0},
        {{1.05, 1.02, 1.08, SHIFT_MORE}, 25, 0, 0},
        {{1.00, 0.98, 1.02, SHIFT_UNSURE}, 25, 70, 80}, /* half as wide: four times as many */
        {{1.03, 0.99, 1.07, SHIFT_UNSURE}, 25, 70, 80},
        {{0.97, 0.93, 1.01, SHIFT_UNSURE}, 25, 70, 80},
        {{1.01, 0.99, 1.03, SHIFT_UNSURE}, 25, SHIFT_NEVER, SHIFT_NEVER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t more = shift_more_pairs(&rows[i].shift, rows[i].count);
        ck_assert_msg(more >= rows[i].least && more <= rows[i].most, "row %zu: %zu", i, more);
    }
}
END_TEST

SUITE("shift_fold", &few_values_stay_as_they_are, &many_values_are_their_means,
      &says_how_many_pairs_are_missing)
