/* rows_load.c - rows 3.4, 3.8, 3.13 and 3.16: early refresh, warming, load, stampede. */
#include "endpoints.h"
#include "rows.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* An hour, a request every 10 s over four instances in turn; the refresh is made behind the answer.
 * p99 of the foreground behind the first request. */
static uint64_t foreground_p99(const struct service_kind *kind, uint64_t *refreshes)
{
    enum { REQUESTS = 360 };
    static uint64_t latencies[REQUESTS];
    struct instance instances[4];
    uint64_t begun = world_now(NULL);
    *refreshes = 0;
    for (int i = 0; i < 4; i++) {
        instances[i] = instance_start(kind, 120 * SECOND);
    }
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct instance *instance = &instances[i % 4];
        world.page->now_ns = begun + i * 10 * SECOND;
        struct answer answer = instance_get(instance, "openrouter-models");
        ck_assert(answer.ok);
        latencies[i] = answer.latency_ns;
        if (answer.refresh) {
            /* The others ask meanwhile, and are not told. */
            for (unsigned j = 1; j < 4; j++) {
                ck_assert(!instance_get(&instances[(i + j) % 4], "openrouter-models").refresh);
            }
            ck_assert(instance_refresh(instance, "openrouter-models"));
            ++*refreshes;
        }
    }
    for (int i = 0; i < 4; i++) {
        instance_stop(&instances[i]);
    }
    qsort(latencies + 1, REQUESTS - 1, sizeof latencies[0], by_size);
    return latencies[1 + (REQUESTS - 1) * 99 / 100];
}

START_TEST(a_refresh_before_expiry_keeps_the_foreground_fast_and_a_line_in_a_log_does_not)
{
    uint64_t refreshes, none;
    uint64_t now = foreground_p99(&service_tiered, &refreshes);
    uint64_t calls = world.page->calls;
    world_other_file();
    uint64_t was = foreground_p99(&service_database, &none);
    tidemark_count("refresh_p99_ms", now / MS);
    tidemark_count("refresh_p99_as_it_was_ms", was / MS);
    tidemark_count("refreshes", refreshes);
    ck_assert_uint_lt(now, 100 * MS);
    ck_assert_uint_ge(was, SOURCE_NS);
    ck_assert_uint_eq(calls, refreshes + 1); /* one a period, whoever asks */
    ck_assert_uint_eq(refreshes, 7);         /* 3,600 s, each 480 to 490 s old */
    ck_assert_uint_eq(none, 0);
}
END_TEST

START_TEST(warming_goes_on_when_a_task_fails_and_the_first_user_hits)
{
    static const char *const tasks[] = {"openrouter-models", "broken", "user-profile-1",
                                        "admin-dashboard"};
    unsigned settled = 0;
    struct instance cron = instance_start(&service_tiered, 0);
    for (size_t i = 0; i < 4; i++) {
        settled += instance_refresh(&cron, tasks[i]);
    }
    instance_stop(&cron);
    tidemark_count("warmed", settled);
    ck_assert_uint_eq(settled, 3);
    for (size_t i = 0; i < 4; i++) {
        struct answer answer = request(&service_tiered, tasks[i]);
        ck_assert(answer.hit == (i != 1));
        ck_assert(answer.ok == (i != 1));
    }
}
END_TEST

START_TEST(six_hundred_requests_in_a_minute_make_one_call)
{
    struct instance instances[10];
    unsigned hits = 0, errors = 0;
    uint64_t begun = world_now(NULL);
    for (int i = 0; i < 10; i++) {
        instances[i] = instance_start(&service_tiered, 0);
    }
    for (unsigned i = 0; i < 600; i++) {
        world.page->now_ns = begun + i * 100 * MS;
        struct answer answer = instance_get(&instances[i % 10], "openrouter-models");
        hits += answer.hit;
        errors += !answer.ok;
    }
    for (int i = 0; i < 10; i++) {
        instance_stop(&instances[i]);
    }
    tidemark_count("load_calls", world.page->calls);
    tidemark_count("load_hits", hits);
    ck_assert_uint_eq(errors, 0);
    ck_assert_uint_eq(world.page->calls, 1);
    ck_assert_uint_eq(hits, 599);
}
END_TEST

#define HERD 50

/* All have asked before the source answers the first. */
static uint64_t herd(const struct service_kind *kind)
{
    struct instance instances[HERD];
    uint64_t before = world.page->calls;
    world.page->begun = world.page->inside = 0;
    for (int i = 0; i < HERD; i++) {
        instances[i] = instance_start(kind, 0);
        instance_get_begin(&instances[i], "openrouter-models");
    }
    for (int i = 0; i < HERD; i++) {
        struct answer answer = instance_get_end(&instances[i]);
        ck_assert(answer.ok);
        instance_stop(&instances[i]);
    }
    return world.page->calls - before;
}

START_TEST(fifty_cold_requests_make_one_call)
{
    world.page->gate_begun = HERD;
    uint64_t now = herd(&service_tiered);
    world_other_file();
    world.page->gate_inside = HERD;
    uint64_t was = herd(&service_database);
    tidemark_count("herd_calls", now);
    tidemark_count("herd_calls_as_it_was", was);
    ck_assert_uint_eq(now, 1);
    ck_assert_uint_eq(was, HERD);
}
END_TEST

/* A day of the report's five endpoints: a user every 86 s asks for the models, each of 20 users for
 * their data every 10 minutes, administrators every 40 s for the list, which every fifth time an
 * event has made old, and the costs and the health are polled. How often the source was asked. */
static uint64_t day_of_endpoints(const struct tiered_endpoints *endpoints,
                                 struct tiered_usage *usage, uint64_t seed)
{
    static const struct {
        const char *key;
        unsigned every_s, users, event_of;
    } streams[] = {{"openrouter-models", 86, 1, 0},
                   {"user-profile-%u", 30, 20, 40},
                   {"admin-users-list", 40, 1, 5},
                   {"usage-costs", 300, 1, 0},
                   {"health-cache", 15, 1, 0}};
    enum { STREAMS = sizeof streams / sizeof streams[0] };
    uint64_t next[STREAMS], begun = world_now(NULL), calls = world.page->calls;
    struct tiered_cache *cache = tiered_cache_open(&(struct tiered_options){
        .levels = {{.kind = &store_memory}, {.kind = &store_sqlite, .address = world.file}},
        .endpoints = *endpoints,
        .usage = usage,
        .sweep_ns = DAY,
        .now_ns = world_now,
        .wait_ns = world_wait,
        .load = world_load});
    ck_assert_ptr_nonnull(cache);
    for (size_t i = 0; i < STREAMS; i++) {
        next[i] = begun + random_gap(&seed, streams[i].every_s * SECOND);
    }
    for (;;) {
        struct tiered_value value;
        char key[40];
        size_t i = 0;
        for (size_t j = 1; j < STREAMS; j++) {
            i = next[j] < next[i] ? j : i;
        }
        if (next[i] >= begun + DAY / (SHORTER > 1 ? 3 : 1)) {
            break;
        }
        world.page->now_ns = next[i] > world.page->now_ns ? next[i] : world.page->now_ns;
        next[i] += random_gap(&seed, streams[i].every_s * SECOND);
        snprintf(key, sizeof key, streams[i].key,
                 (unsigned)(random_unit(&seed) * streams[i].users));
        ck_assert(tiered_cache_get(cache, key, &value));
        if (streams[i].event_of && random_unit(&seed) * streams[i].event_of < 1) {
            ck_assert(tiered_cache_invalidate(cache, key));
        }
    }
    tiered_cache_close(&cache);
    return world.page->calls - calls;
}

/* The TTLs of the table may be doubled, and halved; the trace of one day says where that pays. */
START_TEST(times_tuned_by_a_day_of_use_spare_loads_the_day_after)
{
    struct tiered_endpoint tuned[16];
    struct usage_bounds bounds[16];
    struct tiered_endpoints rules = serverless_endpoints;
    uint64_t loads_now, loads;
    ck_assert_uint_le(rules.count, 16);
    for (size_t i = 0; i < rules.count; i++) {
        bounds[i] = (struct usage_bounds){rules.rules[i].ttl_ns / 2, rules.rules[i].ttl_ns * 2};
    }
    struct tiered_usage *usage = usage_new(40000);
    uint64_t first = day_of_endpoints(&rules, usage, 1);
    ck_assert(usage_tune(usage, &rules, bounds, tuned, &loads_now, &loads));
    for (size_t i = 0; i < rules.count; i++) {
        ck_assert(tuned[i].ttl_ns >= bounds[i].ttl_least_ns &&
                  tuned[i].ttl_ns <= bounds[i].ttl_most_ns);
    }
    ck_assert_uint_eq(tuned[5].ttl_ns, rules.rules[5].ttl_ns); /* nobody asked for it */
    world_other_file();
    uint64_t untuned = day_of_endpoints(&rules, NULL, 2);
    snprintf(world.file, sizeof world.file, "%s/third.db", world.folder);
    uint64_t after = day_of_endpoints(&(struct tiered_endpoints){tuned, rules.count}, NULL, 2);
    /* What was played is what was measured, and what was promised is what came. */
    ck_assert_msg(loads_now * 100 >= first * 95 && loads_now * 100 <= first * 105, "%llu of %llu",
                  (unsigned long long)loads_now, (unsigned long long)first);
    ck_assert_msg(after * 100 >= loads * 93 && after * 100 <= loads * 107, "%llu of %llu",
                  (unsigned long long)after, (unsigned long long)loads);
    tidemark_count("tuned_loads_before", untuned);
    tidemark_count("tuned_loads_after", after);
    tidemark_count("tuned_saves_percent", 100 - after * 100 / untuned);
    ck_assert_uint_ge(100 - after * 100 / untuned, 25);
    usage_free(&usage);
}
END_TEST

TCase *rows_load(void)
{
    TCase *tcase = tcase_create("load");
    tcase_add_test(tcase,
                   a_refresh_before_expiry_keeps_the_foreground_fast_and_a_line_in_a_log_does_not);
    tcase_add_test(tcase, warming_goes_on_when_a_task_fails_and_the_first_user_hits);
    tcase_add_test(tcase, six_hundred_requests_in_a_minute_make_one_call);
    tcase_add_test(tcase, fifty_cold_requests_make_one_call);
    tcase_add_test(tcase, times_tuned_by_a_day_of_use_spare_loads_the_day_after);
    return tcase;
}
