/*
 * clients_test.c - the model of polling clients against the table of the TTL incident (poll every 5
 * s, 200 draws), and against cases that can be worked out by hand.
 */
#include "harness/base/suite.h"
#include "harness/trace/clients.h"

#define SECOND UINT64_C(1000000000)

static struct clients_result model(uint32_t clients, uint64_t ttl, uint64_t poll)
{
    struct clients_result result;
    clients_run(
        &(struct clients){
            .ttl_ns = ttl, .poll_ns = poll, .clients = clients, .draws = 200, .seed = 1},
        &result);
    return result;
}

START_TEST(the_table_of_the_incident)
{
    static const struct {
        uint32_t clients;
        double rates[3]; /* %, TTL 2, 3, 10 s */
    } rows[] = {{1, {0, 0, 50.1}},       {2, {37.6, 49.9, 75.0}}, {3, {50.8, 65.5, 83.3}},
                {4, {57.3, 72.8, 87.5}}, {8, {75.1, 82.7, 93.8}}, {15, {86.3, 90.0, 96.7}}};
    static const uint64_t ttls[] = {2, 3, 10};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t t = 0; t < 3; t++) {
            struct clients_result result = model(rows[i].clients, ttls[t] * SECOND, 5 * SECOND);
            /* Both sides are means of 200 draws; both may be off by their error. */
            double tolerance = 100 * result.hit_rate_error * 1.6 + 0.3;
            ck_assert_msg(100 * result.hit_rate > rows[i].rates[t] - tolerance &&
                              100 * result.hit_rate < rows[i].rates[t] + tolerance,
                          "%u clients, TTL %u s: %.1f, the table says %.1f", rows[i].clients,
                          (unsigned)ttls[t], 100 * result.hit_rate, rows[i].rates[t]);
        }
    }
}
END_TEST

START_TEST(one_client_hits_only_above_its_poll)
{
    ck_assert(model(1, 3 * SECOND, 5 * SECOND).never);
    ck_assert(model(1, 5 * SECOND, 5 * SECOND).never);
    ck_assert_double_eq(model(1, 5 * SECOND, 5 * SECOND).hit_rate, 0);
    ck_assert(!model(1, 5 * SECOND + 1, 5 * SECOND).never);
    ck_assert_double_eq_tol(model(1, 5 * SECOND + 1, 5 * SECOND).hit_rate, 0.5, 0.02);
    ck_assert_double_eq_tol(model(1, 60 * SECOND, 5 * SECOND).hit_rate, 11.0 / 12, 0.01);
    ck_assert(model(7, 0, 5 * SECOND).never);
    ck_assert(!model(2, 1, 5 * SECOND).never);
}
END_TEST

START_TEST(ages_stay_below_the_ttl)
{
    for (uint32_t clients = 1; clients <= 20; clients += 3) {
        struct clients_result result = model(clients, 3 * SECOND, SECOND);
        ck_assert_uint_lt(result.age_max_ns, 3 * SECOND);
        ck_assert_double_lt(result.age_mean_ns, 3e9);
        ck_assert_double_le(result.lowest, result.hit_rate + 1e-9);
        ck_assert_double_ge(result.highest, result.hit_rate - 1e-9);
    }
    struct clients_result one = model(1, 3 * SECOND, SECOND); /* ages 0, 1, 2 s in turn */
    ck_assert_double_eq_tol(one.age_mean_ns, 1e9, 3e7);
    ck_assert_double_eq_tol(one.loads_per_hour, 1200, 20);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_figures)
{
    struct clients_result a = model(4, 3 * SECOND, 5 * SECOND),
                          b = model(4, 3 * SECOND, 5 * SECOND);
    ck_assert_double_eq(a.hit_rate, b.hit_rate);
    ck_assert_double_eq(a.age_mean_ns, b.age_mean_ns);
}
END_TEST

SUITE("clients", &the_table_of_the_incident, &one_client_hits_only_above_its_poll,
      &ages_stay_below_the_ttl, &the_same_seed_gives_the_same_figures)
