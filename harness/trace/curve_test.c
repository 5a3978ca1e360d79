/*
 * curve_test.c - curves: reuse distances against simulation, samples against the exact figures, the
 * smallest size; and the policies' simulators against the keyed strategies they also drive.
 */
#include "harness/base/suite.h"
#include "harness/trace/curve.h"
#include "registry/cache/strategy_fake.h"
#include "registry/strategy.h"

#include <math.h>

/* Requests of `keys` keys, about Zipf .9, with a scan now and then. */
static void zipf_trace(struct trace *trace, uint32_t keys, uint32_t requests, uint64_t seed,
                       bool sizes)
{
    double *sums = calloc(keys, sizeof *sums), sum = 0;
    for (uint32_t i = 0; i < keys; i++) {
        sums[i] = sum += pow(i + 1, -0.9);
    }
    trace_init(trace);
    for (uint32_t i = 0, scan = 0; i < requests; i++) {
        double at = (double)(fake_random(&seed) >> 11) / 9007199254740992.0 * sum;
        uint32_t low = 0, high = keys - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        uint32_t key = i / 500 % 7 == 3 ? keys + scan++ % (keys / 2) : low;
        ck_assert(trace_add(trace, key, sizes ? 1 + key * 2654435761u % 1000 : 1));
    }
    trace_finish(trace);
    free(sums);
}

START_TEST(reuse_distances_give_the_misses_of_every_lru)
{
    struct trace trace;
    zipf_trace(&trace, 300, 20000, 5, false);
    uint64_t *misses = reuse_misses(&trace);
    ck_assert_uint_eq(misses[0], trace.requests);
    ck_assert_uint_eq(misses[trace.unique], trace.unique);
    for (uint64_t size = 1; size <= trace.unique; size += 3) {
        struct simulation result;
        simulate(simulator_find("lru"), &trace, NULL, size, false, &result);
        ck_assert_uint_eq(result.misses, misses[size]);
    }
    free(misses);
    trace_fini(&trace);
}
END_TEST

START_TEST(nothing_beats_the_optimum_and_all_meet_at_full_size)
{
    struct trace trace;
    zipf_trace(&trace, 1000, 50000, 6, false);
    uint64_t *next = trace_next(&trace);
    for (uint64_t size = 10; size < 1500; size *= 3) {
        struct simulation best, result;
        simulate(simulator_find("optimal"), &trace, next, size, false, &best);
        for (const struct simulator *at = simulators; at->name; at++) {
            simulate(at, &trace, next, size, false, &result);
            ck_assert_uint_ge(result.misses, best.misses);
            ck_assert_uint_le(result.evicted_unused, result.evictions);
            ck_assert_uint_ge(result.evictions + size, result.misses);
            simulate(at, &trace, next, trace.unique, false, &result);
            ck_assert_uint_eq(result.misses, trace.unique);
        }
    }
    free(next);
    trace_fini(&trace);
}
END_TEST

START_TEST(samples_come_near_the_exact_figures)
{
    struct trace trace;
    struct curve exact, sampled;
    zipf_trace(&trace, 40000, 400000, 7, false);
    curve_init(&exact, &trace, false, 1);
    curve_init(&sampled, &trace, false, 0.05);
    unsigned points = 0, outside = 0;
    for (const struct simulator *at = simulators; at->name; at++) {
        for (uint64_t size = 1000; size <= 32000; size *= 2) {
            struct curve_point a, b;
            curve_at(&exact, at, size, &a);
            curve_at(&sampled, at, size, &b);
            ck_assert_double_eq(a.error, 0);
            ck_assert_double_gt(b.error, 0);
            ck_assert_double_eq_tol(a.hit_rate, b.hit_rate, 0.05);
            points++;
            outside += fabs(a.hit_rate - b.hit_rate) > b.error;
        }
    }
    ck_assert_msg(outside * 5 <= points, "%u of %u points off by more than their error", outside,
                  points);
    curve_fini(&exact);
    curve_fini(&sampled);
    trace_fini(&trace);
}
END_TEST

START_TEST(the_smallest_size_reaches_and_the_next_smaller_does_not)
{
    struct trace trace;
    struct curve curve;
    struct curve_point point;
    zipf_trace(&trace, 1000, 30000, 8, false);
    curve_init(&curve, &trace, false, 1);
    for (const struct simulator *at = simulators; at->name; at++) {
        uint64_t size = curve_smallest(&curve, at, 0.6);
        ck_assert_uint_gt(size, 0);
        curve_at(&curve, at, size, &point);
        ck_assert_double_ge(point.hit_rate, 0.6);
        if (strcmp(at->name, "lru") == 0) { /* a stack policy: exact */
            curve_at(&curve, at, size - 1, &point);
            ck_assert_double_lt(point.hit_rate, 0.6);
        }
        ck_assert_uint_eq(curve_smallest(&curve, at, 0.999), 0); /* first requests always miss */
    }
    curve_fini(&curve);
    trace_fini(&trace);
}
END_TEST

static bool key_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    (void)key;
    (void)length;
    *value = (struct strategy_value){.data = context, .bytes = 4};
    return true;
}

/* Every policy misses as often in its keyed strategy as in the simulator. */
START_TEST(strategies_miss_as_their_simulators_do)
{
    static const char *const names[] = {"lru", "fifo", "clock", "sieve", "s3-fifo", "arc"};
    uint32_t four = 4;
    struct strategy_source source = {.name = "four",
                                     .load = key_load,
                                     .context = &four,
                                     .value_bytes_max = 4,
                                     .key_bytes_max = 40};
    struct trace trace;
    zipf_trace(&trace, 2000, 100000, 9, false);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (uint64_t size = 20; size < 2000; size *= 4) {
            const struct strategy *strategy = strategy_find(names[i]);
            struct made made;
            struct simulation result;
            if (!strategy) {
                continue; /* compiled out */
            }
            ck_assert(
                made_init(&made, strategy, &source, &(struct strategy_options){.entries = size}));
            for (uint64_t r = 0; r < trace.requests; r++) {
                char key[40];
                struct strategy_value value;
                int length = snprintf(key, sizeof key, "provider:model-%u", trace.keys[r]);
                ck_assert(strategy->get(made.state, key, (size_t)length, &value));
            }
            simulate(simulator_find(names[i]), &trace, NULL, size, false, &result);
            struct strategy_statistics statistics = made_statistics(&made);
            ck_assert_msg(statistics.misses == result.misses, "%s of %lu: %lu, simulated %lu",
                          names[i], (unsigned long)size, (unsigned long)statistics.misses,
                          (unsigned long)result.misses);
            ck_assert_uint_eq(statistics.evictions, result.evictions);
            ck_assert_uint_eq(statistics.evicted_unused, result.evicted_unused);
            made_fini(&made);
        }
    }
    trace_fini(&trace);
}
END_TEST

START_TEST(bytes_are_bounded_for_every_policy)
{
    struct trace trace;
    zipf_trace(&trace, 2000, 60000, 10, true);
    uint64_t *next = trace_next(&trace);
    for (const struct simulator *at = simulators; at->name; at++) {
        uint64_t before = UINT64_MAX;
        for (uint64_t size = 500; size < 3000000; size *= 8) { /* the first: some never fit */
            struct simulation result;
            simulate(at, &trace, next, size, true, &result);
            ck_assert_uint_le(result.misses, before);
            ck_assert_uint_ge(result.misses, trace.unique);
            before = result.misses;
        }
    }
    free(next);
    trace_fini(&trace);
}
END_TEST

/* A key that comes back with another size than it left with: a policy that remembers it as a ghost
 * takes off what it had put on, or runs for ever. */
START_TEST(keys_may_change_their_size)
{
    struct trace trace;
    uint64_t random = 11;
    trace_init(&trace);
    for (int i = 0; i < 20000; i++) {
        uint64_t dice = fake_random(&random);
        ck_assert(trace_add(&trace, dice % 1000 * (dice >> 20 & 511) / 1000,
                            1 + (uint32_t)(dice >> 40) % 5000));
    }
    trace_finish(&trace);
    uint64_t *next = trace_next(&trace);
    for (const struct simulator *at = simulators; at->name; at++) {
        for (uint64_t size = 5000; size < 1000000; size *= 5) {
            struct simulation result;
            simulate(at, &trace, next, size, true, &result);
            ck_assert_uint_le(result.misses, trace.requests);
            ck_assert_uint_ge(result.misses, trace.unique);
        }
    }
    free(next);
    trace_fini(&trace);
}
END_TEST

SUITE("curve", &reuse_distances_give_the_misses_of_every_lru,
      &nothing_beats_the_optimum_and_all_meet_at_full_size, &samples_come_near_the_exact_figures,
      &the_smallest_size_reaches_and_the_next_smaller_does_not,
      &strategies_miss_as_their_simulators_do, &bytes_are_bounded_for_every_policy,
      &keys_may_change_their_size)
