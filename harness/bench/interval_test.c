/* interval_test.c - medians, their intervals and what a ratio's interval says, with scripted
 * numbers. */
#include "harness/base/suite.h"
#include "harness/bench/interval.h"
#include "harness/bench/workload.h"

#include <math.h>

START_TEST(ranks_are_those_of_the_binomial_distribution)
{
    /* Tables of the sign test: n and the rank k of the lower bound at 95 %. */
    static const struct {
        size_t n, k;
    } rows[] = {{6, 1},  {8, 1},  {9, 2},  {11, 2},  {12, 3},
                {15, 4}, {20, 6}, {25, 8}, {50, 18}, {100, 40}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double values[100];
        struct interval interval;
        for (size_t j = 0; j < rows[i].n; j++) {
            values[j] = (double)(rows[i].n - j); /* n .. 1, unsorted */
        }
        ck_assert(interval_median(values, rows[i].n, &interval));
        ck_assert_double_eq(interval.low, (double)rows[i].k);
        ck_assert_double_eq(interval.high, (double)(rows[i].n + 1 - rows[i].k));
        ck_assert_double_eq(interval.median, (double)(rows[i].n + 1) / 2);
    }
}
END_TEST

START_TEST(few_values_have_a_median_and_no_interval)
{
    double values[] = {3, 1, 2, 9, 4};
    struct interval interval;
    ck_assert(!interval_median(values, 5, &interval));
    ck_assert_double_eq(interval.median, 3);
    ck_assert(isnan(interval.low) && isnan(interval.high));
    ck_assert(!interval_median(values, 0, &interval));
    ck_assert(isnan(interval.median));
    ck_assert_int_eq(interval_difference(&interval, 0.01), DIFFERENCE_UNSURE);
}
END_TEST

START_TEST(the_interval_holds_the_true_median_19_times_of_20)
{
    uint64_t state = 7;
    unsigned held = 0;
    for (unsigned run = 0; run < 2000; run++) {
        double values[25];
        struct interval interval;
        for (size_t i = 0; i < 25; i++) { /* skewed, as times are: the median of x^4 is 1/16 */
            double x = (double)(workload_random(&state) >> 11) * 0x1p-53;
            values[i] = x * x * x * x;
        }
        interval_median(values, 25, &interval);
        held += interval.low <= 0.0625 && interval.high >= 0.0625;
    }
    ck_assert_uint_ge(held, 1880); /* 95.7 % by the distribution: 1914 of 2000, sd 9 */
}
END_TEST

/* Times as a busy machine has them: never below 1, mostly near it, now and then far above. */
static double skewed_time(uint64_t *state)
{
    double x = (double)(workload_random(state) >> 11) * 0x1p-53;
    return 1 + x * x * x * x * (workload_random(state) % 10 < 7 ? 0.1 : 0.3);
}

START_TEST(pairs_hold_the_true_ratio_19_times_of_20_however_skewed)
{
    static const size_t pairs[] = {6, 11, 25, 100};
    uint64_t state = 11;
    for (size_t row = 0; row < sizeof pairs / sizeof pairs[0]; row++) {
        unsigned held = 0;
        double sum = 0;
        for (unsigned run = 0; run < 1000; run++) {
            double values[200];
            struct interval interval;
            for (size_t i = 0; i < pairs[row]; i++) {
                double own = 1.02 * skewed_time(&state);
                values[2 * i] = own / skewed_time(&state);
                values[2 * i + 1] = own / skewed_time(&state);
            }
            ck_assert(interval_pairs(values, pairs[row], &interval));
            ck_assert(interval.low <= interval.median && interval.median <= interval.high);
            held += interval.low <= 1.02 && interval.high >= 1.02;
            sum += interval.median;
        }
        ck_assert_msg(held >= 935, "%u of 1000 with %zu pairs", held, pairs[row]); /* sd 7 */
        ck_assert_double_eq_tol(sum / 1000, 1.02, pairs[row] < 25 ? 0.01 : 0.0015);
    }
}
END_TEST

START_TEST(few_pairs_have_a_median_and_no_interval)
{
    double values[] = {3, 1, 2, 9};
    struct interval interval;
    ck_assert(!interval_pairs(values, 2, &interval));
    ck_assert_double_eq(interval.median, 2.5);
    ck_assert(isnan(interval.low) && isnan(interval.high));
    ck_assert(!interval_pairs(values, 0, &interval));
    ck_assert(isnan(interval.median));
}
END_TEST

START_TEST(a_difference_counts_only_beyond_its_threshold)
{
    static const struct {
        struct interval ratio;
        enum difference difference;
    } rows[] = {
        {{1.011, 1.02, 1.03}, DIFFERENCE_SLOWER}, {{1.009, 1.02, 1.03}, DIFFERENCE_UNSURE},
        {{0.95, 0.97, 0.989}, DIFFERENCE_FASTER}, {{0.95, 0.97, 0.991}, DIFFERENCE_UNSURE},
        {{0.995, 1, 1.005}, DIFFERENCE_NONE},     {{0.98, 1, 1.02}, DIFFERENCE_UNSURE},
        {{1.002, 1.005, 1.008}, DIFFERENCE_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(interval_difference(&rows[i].ratio, 0.01), rows[i].difference);
    }
}
END_TEST

START_TEST(quantiles_are_by_nearest_rank)
{
    double values[] = {5, 1, 4, 2, 3};
    interval_sort(values, 5);
    ck_assert_double_eq(interval_quantile(values, 5, 0), 1);
    ck_assert_double_eq(interval_quantile(values, 5, 0.5), 3);
    ck_assert_double_eq(interval_quantile(values, 5, 0.99), 5);
    ck_assert(isnan(interval_quantile(values, 0, 0.5)));
}
END_TEST

SUITE("interval", &ranks_are_those_of_the_binomial_distribution,
      &few_values_have_a_median_and_no_interval, &the_interval_holds_the_true_median_19_times_of_20,
      &pairs_hold_the_true_ratio_19_times_of_20_however_skewed,
      &few_pairs_have_a_median_and_no_interval, &a_difference_counts_only_beyond_its_threshold,
      &quantiles_are_by_nearest_rank)
