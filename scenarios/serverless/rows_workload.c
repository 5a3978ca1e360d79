/*
 * rows_workload.c - a day of 1,000 users, each request in a process of its own, through the cache
 * that SERVERLESS_CACHE names; its figures are the variant's. The tiered one has the report's cron
 * besides: every 8 minutes a process warms the key. Figures are those behind the warm-up, which is
 * the first hour.
 */
#include "rows.h"

struct day {
    uint64_t requests, hits, misses, failed, longest_ns, total_ns, first_ns, second_ns;
};

static void one(struct day *day, bool warm)
{
    struct answer answer = request(variant, "openrouter-models");
    day->requests++;
    day->failed += !answer.ok;
    if (day->requests <= 2) {
        *(day->requests == 1 ? &day->first_ns : &day->second_ns) = answer.latency_ns;
    }
    if (warm) {
        day->hits += answer.hit;
        day->misses += !answer.hit;
        day->total_ns += answer.latency_ns;
        tidemark_count("hits", answer.hit); /* also by 0: a rate of 0 is one */
        tidemark_count("misses", !answer.hit);
        tidemark_sample("lookup_ns", answer.latency_ns, 1);
    }
}

static void cron(void)
{
    struct instance instance = instance_start(variant, 0);
    ck_assert(instance_refresh(&instance, "openrouter-models"));
    instance_stop(&instance);
}

static uint64_t table_bytes(void)
{
    static const struct store_limits none = {0};
    uint64_t entries = 0, bytes = 0;
    void *store = store_sqlite.open(world.file, &none);
    ck_assert_int_eq(store_sqlite.usage(store, &entries, &bytes), STORE_YES);
    store_sqlite.close(store);
    return bytes;
}

/* The scenario's `lookups`: so much of the day is played, at the same rate. */
static uint64_t day_length(void)
{
    const char *lookups = getenv("TIDEMARK_SUITE_LOOKUPS");
    uint64_t requests = lookups ? strtoull(lookups, NULL, 10) : 1000 / SHORTER;
    return DAY / 1000 * (requests < 100 ? 100 : requests); /* an hour and a half at least */
}

START_TEST(a_day_of_a_thousand_users_with_a_process_each)
{
    struct day day = {0};
    uint64_t seed = 7, begun = world_now(NULL), next_cron = begun + 480 * SECOND;
    const uint64_t end = begun + day_length();
    world.page->value_bytes = 50000;
    for (uint64_t at = begun; at < end; at += random_gap(&seed, DAY / 1000)) {
        for (; variant == &service_tiered && next_cron <= at; next_cron += 480 * SECOND) {
            world.page->now_ns = next_cron;
            cron();
        }
        world.page->now_ns = at > world_now(NULL) ? at : world_now(NULL);
        one(&day, at > begun + 3600 * SECOND);
    }
    ck_assert_uint_gt(day.hits + day.misses, 0);
    const uint64_t mean_ns = day.total_ns / (day.hits + day.misses);
    tidemark_count("requests", day.requests);
    tidemark_count("lookups", day.hits + day.misses);
    tidemark_count("loads", world.page->calls);
    tidemark_count("failed_requests", day.failed);
    tidemark_count("calls_saved_percent", 100 * (day.requests - world.page->calls) / day.requests);
    tidemark_count("mean_response_ns", mean_ns);
    tidemark_count("faster_percent", 100 - 100 * mean_ns / SOURCE_NS);
    tidemark_count("second_call_percent_of_first", 100 * day.second_ns / day.first_ns);
    tidemark_count("cache_bytes", variant == &service_direct || variant == &service_in_process
                                      ? 0
                                      : table_bytes());
    ck_assert_uint_eq(day.failed, 0);
    if (variant == &service_direct || variant == &service_in_process) {
        ck_assert_uint_eq(world.page->calls, day.requests);
        ck_assert_uint_eq(day.hits, 0);
    } else if (variant == &service_tiered) {
        ck_assert_uint_eq(day.misses, 0);
    } else {
        ck_assert_uint_lt(world.page->calls, day.requests / 5);
    }
}
END_TEST

TCase *rows_workload(void)
{
    TCase *tcase = tcase_create("workload");
    tcase_add_test(tcase, a_day_of_a_thousand_users_with_a_process_each);
    return tcase;
}
