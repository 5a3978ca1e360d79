/* shift_test.c - the interval against published critical values, and against simulated runs whose
 * true difference is known. */
#include "harness/base/suite.h"
#include "harness/judge/shift.h"

#include <math.h>
#include <stdint.h>

/* A random source that is the same everywhere. */
static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Run times: a base, a tail to the right as interrupts make it, a drift that both of a pair share.
 */
static double run_time(uint64_t *state, double base, double drift)
{
    double noise = 0.01 * (uniform(state) + uniform(state) + uniform(state) - 1.5);
    double tail = uniform(state) < 0.1 ? 0.2 * uniform(state) : 0;
    return base * (1 + drift + noise + tail);
}

static unsigned found_in_100(double ratio, size_t pairs, uint64_t seed)
{
    unsigned found = 0;
    for (unsigned run = 0; run < 100; run++) {
        double a[SHIFT_PAIRS_MAX], b[SHIFT_PAIRS_MAX];
        for (size_t i = 0; i < pairs; i++) {
            double drift = 0.3 * uniform(&seed);
            a[i] = run_time(&seed, 1000, drift);
            b[i] = run_time(&seed, 1000 * ratio, drift);
        }
        found += shift_of_pairs(a, b, pairs, 0.05).verdict == (ratio < 1 ? SHIFT_LESS : SHIFT_MORE);
    }
    return found;
}

START_TEST(an_a_a_comparison_finds_nothing)
{
    for (size_t pairs = 9; pairs <= 41; pairs += 16) {
        ck_assert_uint_le(found_in_100(1, pairs, 7 + pairs), 5);
    }
}
END_TEST

START_TEST(a_planted_slowdown_of_3_percent_is_found)
{
    ck_assert_uint_ge(found_in_100(1.03, 31, 3), 95);
    ck_assert_uint_ge(found_in_100(0.97, 31, 4), 95);
}
END_TEST

START_TEST(a_difference_within_1_percent_does_not_count)
{
    double a[20], b[20];
    for (size_t i = 0; i < 20; i++) {
        a[i] = 1000 + (double)i;
        b[i] = a[i] * 1.009;
    }
    struct shift shift = shift_of_pairs(a, b, 20, 0.05);
    ck_assert_int_eq(shift.verdict, SHIFT_NONE);
    ck_assert(fabs(shift.ratio - 1.009) < 1e-9 && fabs(shift.low - 1.009) < 1e-9);
}
END_TEST

/* Wilcoxon's table, two-sided 5 %: T at most 5 for 9 pairs, 8 for 10, 52 for 20, 137 for 30; 1 %
 * likewise. The interval then runs from the (T+1)-th average; with distinct powers of two each
 * average is known.
 */
START_TEST(the_interval_has_the_published_critical_values)
{
    static const struct {
        size_t pairs, critical;
        double missed;
    } rows[] = {{9, 5, 0.05}, {10, 8, 0.05}, {20, 52, 0.05}, {30, 137, 0.05},
                {9, 1, 0.01}, {10, 3, 0.01}, {20, 37, 0.01}, {30, 109, 0.01}};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        double a[30], b[30], averages[465];
        size_t count = rows[r].pairs, filled = 0;
        for (size_t i = 0; i < count; i++) {
            a[i] = 1;
            b[i] = exp(sin((double)i * 1.7) * 0.1);
        }
        for (size_t i = 0; i < count; i++) {
            for (size_t j = i; j < count; j++) {
                averages[filled++] = (log(b[i]) + log(b[j])) / 2;
            }
        }
        struct shift shift = shift_of_pairs(a, b, count, rows[r].missed);
        size_t below = 0;
        for (size_t i = 0; i < filled; i++) {
            below += averages[i] < log(shift.low) - 1e-12;
        }
        ck_assert_uint_eq(below, rows[r].critical);
    }
}
END_TEST

SUITE("shift", &an_a_a_comparison_finds_nothing, &a_planted_slowdown_of_3_percent_is_found,
      &a_difference_within_1_percent_does_not_count,
      &the_interval_has_the_published_critical_values)
