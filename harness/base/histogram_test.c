/* histogram_test.c - buckets cover every value once, and quantiles are as near as promised. */
#include "harness/base/histogram.h"
#include "harness/base/suite.h"

#include <math.h>
#include <string.h>

START_TEST(buckets_follow_each_other_without_gap)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        ck_assert_uint_eq(histogram_bucket(histogram_low(i)), i);
        if (i > 0) {
            ck_assert_uint_eq(histogram_bucket(histogram_low(i) - 1), i - 1);
        }
    }
    ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(a_bucket_is_at_most_a_32nd_wide)
{
    for (unsigned i = 33; i < HISTOGRAM_BUCKETS; i++) {
        double low = (double)histogram_low(i - 1), next = (double)histogram_low(i);
        ck_assert_double_le((next - low) / low, 1.0 / 31.9);
    }
}
END_TEST

START_TEST(quantiles_of_1_to_10000_are_within_two_percent)
{
    static uint64_t count[HISTOGRAM_BUCKETS];
    memset(count, 0, sizeof count);
    for (uint64_t i = 1; i <= 10000; i++) {
        count[histogram_bucket(i)]++;
    }
    static const double quantiles[] = {0.001, 0.5, 0.9, 0.99, 0.999, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        double exact = quantiles[i] * 10000, found = histogram_quantile(count, quantiles[i]);
        ck_assert_double_le(fabs(found - exact) / exact, 0.02);
    }
    ck_assert_double_eq(histogram_quantile(count, 0), 1);
}
END_TEST

START_TEST(an_empty_histogram_has_no_quantile)
{
    static uint64_t count[HISTOGRAM_BUCKETS];
    memset(count, 0, sizeof count);
    ck_assert(isnan(histogram_quantile(count, 0.5)));
}
END_TEST

START_TEST(merging_adds_the_counts)
{
    static uint64_t one[HISTOGRAM_BUCKETS], two[HISTOGRAM_BUCKETS];
    memset(one, 0, sizeof one);
    memset(two, 0, sizeof two);
    one[5] = 3;
    two[5] = 4;
    two[1919] = 1;
    histogram_merge(one, two);
    ck_assert_uint_eq(one[5], 7);
    ck_assert_uint_eq(histogram_total(one), 8);
}
END_TEST

SUITE("histogram", &buckets_follow_each_other_without_gap, &a_bucket_is_at_most_a_32nd_wide,
      &quantiles_of_1_to_10000_are_within_two_percent, &an_empty_histogram_has_no_quantile,
      &merging_adds_the_counts)
