/* rows_cold.c - rows 3.1 to 3.3: a process for each request, a shared table, instances kept warm.
 */
#include "rows.h"

#include <math.h>

START_TEST(with_a_process_for_each_request_a_cache_in_memory_never_hits)
{
    const unsigned requests = 1000 / SHORTER;
    unsigned hits = 0;
    for (unsigned i = 0; i < requests; i++) {
        hits += request(&service_in_process, "openrouter-models").hit;
        world_advance(10 * SECOND);
    }
    tidemark_count("cold_calls", world.page->calls);
    tidemark_count("cold_hits", hits);
    ck_assert_uint_eq(hits, 0);
    ck_assert_uint_eq(world.page->calls, requests);
}
END_TEST

/* "Works in dev": the same cache, the same requests, one process that lives on. */
START_TEST(the_same_cache_in_one_long_lived_process_hits)
{
    struct instance dev = instance_start(&service_in_process, 0);
    unsigned hits = 0;
    for (unsigned i = 0; i < 1000; i++) {
        hits += instance_get(&dev, "openrouter-models").hit;
        world_advance(10 * SECOND);
    }
    instance_stop(&dev);
    tidemark_count("dev_calls", world.page->calls);
    tidemark_count("dev_hits", hits);
    ck_assert_uint_eq(hits + world.page->calls, 1000);
    ck_assert_uint_le(world.page->calls, 17); /* 10,000 s at 600 s each */
}
END_TEST

/* A thousand requests in so long, by Poisson arrivals: a call, then silence until the first request
 * behind its TTL; so rate x time / (1 + rate x TTL) calls. A new cache for each request. */
static uint64_t fetches_within(uint64_t period_ns, uint64_t seed)
{
    uint64_t before = world.page->calls, end = world_now(NULL) + period_ns;
    for (uint64_t at = world_now(NULL); at < end; at += random_gap(&seed, period_ns / 1000)) {
        struct answer answer = {0};
        world.page->now_ns = at;
        void *service = service_database.open(0);
        ck_assert(service_database.get(service, "openrouter-models", &answer));
        service_database.close(service);
    }
    uint64_t calls = world.page->calls - before, removed;
    static const struct store_limits none = {0};
    world_advance(2 * TTL_NS);
    void *store = store_sqlite.open(world.file, &none);
    ck_assert_int_eq(store_sqlite.sweep(store, world_now(NULL), TTL_NS, &removed), STORE_YES);
    ck_assert_uint_eq(removed, 1); /* the report's cleanup function, and its count */
    store_sqlite.close(store);
    return calls;
}

START_TEST(a_shared_table_makes_126_calls_a_day_and_46_in_8_hours)
{
    uint64_t day = fetches_within(DAY, 1), shift = fetches_within(DAY / 3, 2);
    tidemark_count("table_calls_24_h", day);
    tidemark_count("table_calls_8_h", shift);
    ck_assert_double_eq_tol((double)day, 125.9, 6.3);
    ck_assert_double_eq_tol((double)shift, 45.8, 2.3);
}
END_TEST

/* An instance serves the next request with probability p, else that gets a new one. A load starts a
 * cycle, which ends with the first request that gets a new instance or comes behind the TTL. Hits
 * arrive at rate p x rate while it lasts: p / (1 - p) x (1 - exp(-rate x (1 - p) x TTL)) of them.
 */
static double hits_per_load(double p)
{
    double requests = (double)TTL_NS / ((double)DAY / 1000);
    return p == 1 ? requests : p / (1 - p) * (1 - exp(-requests * (1 - p)));
}

static double simulated_hit_rate(double p, unsigned requests, uint64_t seed)
{
    unsigned hits = 0;
    void *service = NULL;
    for (unsigned i = 0; i < requests; i++) {
        struct answer answer = {0};
        uint64_t at = world_now(NULL) + random_gap(&seed, DAY / 1000);
        if (service && random_unit(&seed) >= p) {
            service_in_process.close(service);
            service = NULL;
        }
        service = service ? service : service_in_process.open(0);
        world.page->now_ns = at;
        ck_assert(service_in_process.get(service, "openrouter-models", &answer));
        world.page->now_ns = at; /* arrivals do not wait for answers */
        hits += answer.hit;
    }
    service_in_process.close(service);
    return (double)hits / requests;
}

START_TEST(the_hit_rate_of_instances_kept_warm_is_that_of_the_formula)
{
    static const struct {
        double p;
        const char *counter;
    } rows[] = {{0, "reuse_0_permille"},    {0.25, "reuse_25_permille"},
                {0.5, "reuse_50_permille"}, {0.75, "reuse_75_permille"},
                {0.9, "reuse_90_permille"}, {0.99, "reuse_99_permille"},
                {1, "reuse_100_permille"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double right = hits_per_load(rows[i].p) / (hits_per_load(rows[i].p) + 1);
        double seen = simulated_hit_rate(rows[i].p, 30000, i + 1);
        tidemark_count(rows[i].counter, (uint64_t)llround(seen * 1000));
        ck_assert_double_eq_tol(seen, right, 0.01);
    }
}
END_TEST

START_TEST(real_instances_kept_warm_hit_as_often_as_simulated_ones)
{
    const unsigned requests = 200 / SHORTER;
    double simulated = simulated_hit_rate(0.75, requests, 11);
    struct instance instance = {0};
    uint64_t seed = 11;
    unsigned hits = 0, started = 0;
    for (unsigned i = 0; i < requests; i++) {
        uint64_t at = world_now(NULL) + random_gap(&seed, DAY / 1000);
        if (instance.pid && random_unit(&seed) >= 0.75) {
            instance_stop(&instance);
        }
        if (!instance.pid) {
            instance = instance_start(&service_in_process, 0);
            started++;
        }
        world.page->now_ns = at;
        hits += instance_get(&instance, "openrouter-models").hit;
        world.page->now_ns = at;
    }
    instance_stop(&instance);
    tidemark_count("reuse_instances_started", started);
    ck_assert_uint_gt(started, requests / 8);
    ck_assert_double_eq_tol((double)hits / requests, simulated, 1e-9);
}
END_TEST

TCase *rows_cold(void)
{
    TCase *tcase = tcase_create("cold");
    tcase_add_test(tcase, with_a_process_for_each_request_a_cache_in_memory_never_hits);
    tcase_add_test(tcase, the_same_cache_in_one_long_lived_process_hits);
    tcase_add_test(tcase, a_shared_table_makes_126_calls_a_day_and_46_in_8_hours);
    tcase_add_test(tcase, the_hit_rate_of_instances_kept_warm_is_that_of_the_formula);
    tcase_add_test(tcase, real_instances_kept_warm_hit_as_often_as_simulated_ones);
    return tcase;
}
