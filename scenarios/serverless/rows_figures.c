/* rows_figures.c - rows 3.9, 3.10, 3.12, 3.14 and 3.15: metrics, recommendations, costs, sizes. */
#include "cost.h"
#include "registry/cache_advice.h"
#include "registry/tiered/tiered_report.h"
#include "rows.h"

#include <math.h>

static struct tiered_cache *plain_open(uint64_t ttl_ns)
{
    struct tiered_cache *cache = tiered_cache_open(
        &(struct tiered_options){.levels = {{.kind = &store_sqlite, .address = world.file}},
                                 .ttl_ns = ttl_ns,
                                 .now_ns = world_now,
                                 .wait_ns = world_wait,
                                 .load = world_load});
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static char *json_of(const struct tiered_statistics *statistics, uint64_t bytes)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    tiered_report_json(statistics, bytes, out);
    fclose(out);
    return text;
}

static char *openmetrics_of(const struct tiered_statistics *statistics,
                            const struct tiered_alert *alerts, size_t count)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    tiered_report_openmetrics(statistics, 1500000, alerts, count, out);
    fclose(out);
    return text;
}

START_TEST(all_six_metrics_are_in_json_and_in_openmetrics)
{
    struct tiered_statistics s;
    struct tiered_value value;
    struct tiered_cache *cache = plain_open(TTL_NS);
    for (int i = 0; i < 4; i++) {
        ck_assert(tiered_cache_get(cache, "openrouter-models", &value));
    }
    world_advance(TTL_NS);
    tiered_cache_sweep(cache);
    tiered_cache_statistics(cache, &s);
    char *json = json_of(&s, 1500000);
    ck_assert_str_eq(
        json, "{\"hit_rate\":0.75,\"miss_rate\":0.25,\"avg_response_time_cached\":0,"
              "\"avg_response_time_uncached\":3000,\"cache_size_mb\":1.5,\"loads\":1,"
              "\"failures\":0,\"waited\":0,\"direct\":0,\"refreshes\":0,\"stale\":0,\"events\":0,"
              "\"unpublished\":0,\"purged\":0,\"expired_entries_cleaned\":1,\"lookups\":4,"
              "\"levels\":[{\"name\":\"sqlite\",\"hits\":3,\"misses\":2,\"outages\":0,"
              "\"recoveries\":0,\"failures\":0,\"skipped\":0,\"refused\":0,\"trouble\":\"\"}]}\n");
    free(json);
    char *text = openmetrics_of(&s, NULL, 0);
    static const char *const lines[] = {"tidemark_cache_hit_ratio 0.75\n",
                                        "tidemark_cache_miss_ratio 0.25\n",
                                        "tidemark_cache_response_cached_seconds 0\n",
                                        "tidemark_cache_response_uncached_seconds 3\n",
                                        "tidemark_cache_size_bytes 1500000\n",
                                        "tidemark_cache_expired_entries_cleaned_total 1\n",
                                        "# EOF\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(strstr(text, lines[i]) != NULL, "%s", lines[i]);
    }
    free(text);
    json = json_of(&(struct tiered_statistics){0}, UINT64_MAX);
    ck_assert_ptr_nonnull(strstr(json, "\"hit_rate\":null")); /* 0/0 is no rate */
    free(json);
    tiered_cache_close(&cache);
}
END_TEST

/* An afternoon on which the cache stops hitting: events come as often as requests. */
START_TEST(a_low_hit_rate_raises_an_alert_after_five_minutes_and_not_before)
{
    const struct tiered_alert_rule rule = {"hit_rate", 0.8, 300 * SECOND, 20};
    struct tiered_statistics s;
    struct tiered_value value;
    struct tiered_cache *cache = plain_open(TTL_NS);
    tiered_cache_statistics(cache, &s);
    struct tiered_alert alert = tiered_alert_begin(&rule, &s, world_now(NULL));
    uint64_t broken = 0, fired = 0;
    for (unsigned request = 0; request < 400 && !fired; request++) {
        ck_assert(tiered_cache_get(cache, "openrouter-models", &value));
        if (request >= 200) {
            broken = broken ? broken : world_now(NULL);
            ck_assert(tiered_cache_invalidate(cache, "openrouter-models"));
        }
        world_advance(2 * SECOND);
        tiered_cache_statistics(cache, &s);
        tiered_alert_look(&alert, &s, world_now(NULL));
        fired = alert.state == ALERT_FIRING ? world_now(NULL) : 0;
        ck_assert_int_eq(tiered_alert_status(&alert, 1, world_now(NULL), NULL),
                         alert.state == ALERT_UNKNOWN ? 3 : fired != 0);
    }
    ck_assert_msg(fired != 0, "it never fires");
    tidemark_count("alert_after_s", (fired - broken) / SECOND);
    ck_assert_uint_ge(fired - broken, 240 * SECOND);
    ck_assert_uint_le(fired - broken, 420 * SECOND);
    char *text = openmetrics_of(&s, &alert, 1);
    ck_assert_ptr_nonnull(strstr(text, "tidemark_cache_alert{rule=\"hit_rate\","
                                       "tidemark_cache_alert=\"firing\"} 1\n"));
    free(text);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(recommendations_name_the_cause_that_the_figures_show)
{
    static const struct {
        const char *what;
        struct registry_advice_figures figures;
        int first, second; /* -1: none */
    } rows[] = {
        {"the incident",
         {.lookups = 1000, .processes = 1000, .ttl_s = 600, .interval_s = 86},
         REGISTRY_ADVICE_PROCESS_DIES,
         -1},
        {"instances kept warm with probability a half",
         {.lookups = 1000, .hits = 490, .processes = 500, .ttl_s = 600, .interval_s = 86},
         REGISTRY_ADVICE_PROCESS_SHORT,
         -1},
        {"one panel, 5 s, TTL 3 s",
         {.lookups = 100, .processes = 1, .ttl_s = 3, .interval_s = 5},
         REGISTRY_ADVICE_TTL_BELOW_POLL,
         -1},
        {"a shared level, a little short",
         {.lookups = 100,
          .hits = 70,
          .processes = 100,
          .shared = true,
          .ttl_s = 60,
          .interval_s = 26,
          .cached_ms = 20},
         REGISTRY_ADVICE_TTL_LONGER,
         -1},
        {"too small",
         {.lookups = 1000,
          .hits = 300,
          .processes = 1,
          .shared = true,
          .ttl_s = 600,
          .interval_s = 1,
          .evicted = 650},
         REGISTRY_ADVICE_EVICTED,
         -1},
        {"slow hits",
         {.lookups = 100,
          .hits = 90,
          .processes = 9,
          .shared = true,
          .ttl_s = 600,
          .interval_s = 10,
          .cached_ms = 150},
         REGISTRY_ADVICE_FASTER_LEVEL,
         -1},
        {"slow hits with Redis",
         {.lookups = 100,
          .hits = 90,
          .processes = 9,
          .shared = true,
          .ttl_s = 600,
          .interval_s = 10,
          .cached_ms = 150,
          .redis = true,
          .expired_unswept = 4},
         REGISTRY_ADVICE_SLOW_DESPITE,
         REGISTRY_ADVICE_SWEEP},
        {"Redis was away",
         {.lookups = 100,
          .hits = 10,
          .processes = 100,
          .shared = true,
          .ttl_s = 600,
          .interval_s = 10,
          .outages = 1},
         REGISTRY_ADVICE_OUTAGE,
         -1},
        {"nothing yet", {.ttl_s = 600}, -1, -1},
        {"well", {.lookups = 100, .hits = 95, .processes = 100, .shared = true}, -1, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool given[REGISTRY_ADVICES];
        registry_advice_give(&rows[i].figures, given);
        for (int a = 0; a < REGISTRY_ADVICES; a++) {
            bool wanted = a == rows[i].first || a == rows[i].second;
            ck_assert_msg(given[a] == wanted, "%s: %s", rows[i].what, registry_advice_text(a));
        }
    }
    ck_assert_double_eq_tol(registry_advice_ttl_for(86.4, 0.8), 345.6, 1e-9);
    ck_assert_double_eq_tol(registry_advice_ttl_for(86.4, 0.9), 777.6, 1e-9); /* not within 600 s */
}
END_TEST

START_TEST(the_costs_are_those_of_the_right_arithmetic)
{
    double before = cost_gb_hours(3, 2), after = cost_gb_hours(0.2, 2);
    ck_assert_double_eq_tol(before, 0.00166667, 1e-8);
    ck_assert_double_eq_tol(after, 0.00011111, 1e-8);
    ck_assert_double_eq_tol(cost_saved_percent(before, after), 93.333, 0.001); /* report: 85 */
    double broken = cost_day_gb_hours(1000, 1000, 0.1, 3, 2);
    double report = cost_day_gb_hours(1000, 0, 0.1, 3, 2);
    ck_assert_double_eq_tol(report, 0.0556, 0.0001);
    ck_assert_double_eq_tol(broken, 1.6667, 0.0001);
    ck_assert_double_eq_tol(broken / report, 30, 1e-9);
    ck_assert_double_eq_tol(report * COST_PER_GB_HOUR, 0.01, 1e-9);
    ck_assert_double_eq_tol(broken * COST_PER_GB_HOUR, 0.30, 1e-9);
    /* The report's day forgets that its own hundred misses take 3 s each. */
    double hundred = cost_day_gb_hours(1000, 100, 0.1, 3, 2);
    const double misses = 125.9; /* of a thousand requests, as row 3.2 has them */
    double day = cost_day_gb_hours(1000, misses, 0.1, 3, 2);
    ck_assert_double_eq_tol(broken / hundred, 7.69, 0.01);
    ck_assert_double_eq_tol(broken / day, 6.45, 0.01);
    tidemark_count("cost_saved_permille",
                   (uint64_t)llround(10 * cost_saved_percent(before, after)));
    tidemark_count("cost_day_ratio_percent", (uint64_t)llround(100 * broken / day));
    tidemark_count("cost_day_misses", (uint64_t)llround(misses));
    tidemark_count("cost_report_ratio_percent", (uint64_t)llround(100 * broken / report));
    tidemark_count("cost_request_was_nano_gb_h", (uint64_t)llround(1e9 * before));
    tidemark_count("cost_request_now_nano_gb_h", (uint64_t)llround(1e9 * after));
    tidemark_count("cost_day_was_micro_gb_h", (uint64_t)llround(1e6 * broken));
    tidemark_count("cost_day_report_micro_gb_h", (uint64_t)llround(1e6 * report));
}
END_TEST

/* The report's three unit tests, on a clock that is moved and not slept. */
START_TEST(the_unit_tests_of_the_report_hold)
{
    struct tiered_value value;
    struct tiered_cache *cache = plain_open(TTL_NS);
    uint64_t calls = world.page->calls;
    ck_assert(tiered_cache_set(cache, "test-key", "{\"data\":\"test\"}", 15, 0));
    ck_assert(tiered_cache_get(cache, "test-key", &value));
    ck_assert_uint_eq(value.bytes, 15);
    ck_assert_int_eq(memcmp(value.data, "{\"data\":\"test\"}", 15), 0);
    ck_assert_uint_eq(world.page->calls, calls);
    ck_assert(tiered_cache_set(cache, "test-key", "x", 1, 600 * MS)); /* 0.01 minutes */
    world_advance(600 * MS - 1);
    ck_assert(tiered_cache_get(cache, "test-key", &value));
    ck_assert_uint_eq(world.page->calls, calls);
    world_advance(1);
    ck_assert(tiered_cache_get(cache, "test-key", &value));
    ck_assert_uint_eq(world.page->calls, calls + 1); /* expired: the source */
    ck_assert(tiered_cache_invalidate(cache, "test-key"));
    ck_assert(tiered_cache_get(cache, "test-key", &value));
    ck_assert_uint_eq(world.page->calls, calls + 2);
    tiered_cache_close(&cache);
}
END_TEST

#define ROW_OVERHEAD 96u /* key twice (table and index), numbers, heads; measured */

START_TEST(the_bytes_of_the_report_are_accounted_within_five_percent)
{
    static char data[50000];
    struct tiered_cache *cache = plain_open(TTL_NS);
    uint64_t payload = 0, rows = 0, empty, entries, bytes;
    char key[32];
    uint64_t seed = 5; /* what compresses nothing, SQLite would not either */
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)(' ' + (int)(random_unit(&seed) * 90));
    }
    ck_assert(tiered_cache_set(cache, "x", data, 1, 0));
    ck_assert(tiered_cache_usage(cache, 0, &entries, &empty));
    struct {
        const char *form;
        unsigned count, bytes;
    } kinds[] = {{"openrouter-models-%u", 1, 50000},
                 {"user-profile-%04u", 1000, 2000},
                 {"admin-users-list-%u", 1, 10000}};
    for (int k = 0; k < 3; k++) {
        for (unsigned i = 0; i < kinds[k].count; i++, rows++) {
            snprintf(key, sizeof key, kinds[k].form, i);
            ck_assert(tiered_cache_set(cache, key, data, kinds[k].bytes, 0));
            payload += kinds[k].bytes;
        }
    }
    ck_assert(tiered_cache_usage(cache, 0, &entries, &bytes));
    ck_assert_uint_eq(entries, rows + 1);
    double accounted = (double)(payload + rows * ROW_OVERHEAD);
    tidemark_count("payload_bytes", payload);
    tidemark_count("table_bytes", bytes - empty);
    ck_assert_double_eq_tol((double)(bytes - empty) / accounted, 1, 0.05);
    tiered_cache_close(&cache);
}
END_TEST

TCase *rows_figures(void)
{
    TCase *tcase = tcase_create("figures");
    tcase_add_test(tcase, all_six_metrics_are_in_json_and_in_openmetrics);
    tcase_add_test(tcase, a_low_hit_rate_raises_an_alert_after_five_minutes_and_not_before);
    tcase_add_test(tcase, recommendations_name_the_cause_that_the_figures_show);
    tcase_add_test(tcase, the_costs_are_those_of_the_right_arithmetic);
    tcase_add_test(tcase, the_unit_tests_of_the_report_hold);
    tcase_add_test(tcase, the_bytes_of_the_report_are_accounted_within_five_percent);
    return tcase;
}
