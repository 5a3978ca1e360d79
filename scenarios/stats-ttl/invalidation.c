/* invalidation.c - rows 2.8, 2.9, 2.11 to 2.13: keys, patterns, the statistics document, failure.
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_pattern_hits_exactly_the_keys_that_it_means)
{
    static const char *const keys[] = {"stats:total", "stats:engine:1", "old-stats:x", "stats",
                                       "orchestrator:status"};
    void *cache = panel->open(16);
    struct endpoint endpoint = {.state = 1};
    for (size_t i = 0; i < 5; i++) {
        ask(cache, keys[i], 3 * SECOND, &endpoint);
    }
    size_t dropped = panel->drop(cache, "stats:*");
    if (is_ttl()) {
        ck_assert_uint_eq(dropped, 2);
    } else if (is_as_it_was()) {
        ck_assert_uint_eq(dropped, 3); /* and old-stats:x, which nobody meant */
    }
    uint32_t before = endpoint.calls;
    ask(cache, "old-stats:x", 3 * SECOND, &endpoint);
    ck_assert_uint_eq(endpoint.calls - before, is_ttl() ? 0 : 1);
    panel->close(cache);
}
END_TEST

static size_t dropped_by(const char *pattern)
{
    static const char *const keys[] = {"a", "ab", "abc", "xabcx", "a*c", "aXbXc", ""};
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){
        .key_bytes_max = 8, .value_bytes_max = 32, .now_ns = clock_monotonic});
    struct endpoint endpoint = {0};
    struct strategy_value value;
    for (size_t i = 0; i < 7; i++) {
        ck_assert(ttl_cache_get(cache, keys[i], strlen(keys[i]), SECOND, endpoint_load, &endpoint,
                                &value));
    }
    size_t dropped = ttl_cache_drop_matching(cache, pattern);
    ttl_cache_free(&cache);
    return dropped;
}

START_TEST(stars_stand_for_any_bytes)
{
    static const struct {
        const char *pattern;
        size_t drops;
    } rows[] = {{"", 1},      {"a", 1},   {"*", 7},     {"a*", 5}, {"*c", 3},
                {"a*c", 3},   {"*b*", 4}, {"a*b*c", 2}, {"**", 7}, {"abcd", 0},
                {"*abc*", 2}, {"a**", 5}, {"*x", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(dropped_by(rows[i].pattern) == rows[i].drops, "'%s' drops %zu",
                      rows[i].pattern, dropped_by(rows[i].pattern));
    }
}
END_TEST

/* Three look-ups, one of them a hit, and two entries. */
static struct ttl_cache *asked_thrice(void)
{
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){
        .key_bytes_max = 32, .value_bytes_max = 32, .now_ns = clock_monotonic});
    struct endpoint endpoint = {0};
    struct strategy_value value;
    ck_assert_ptr_nonnull(cache);
    ttl_cache_get(cache, "vpn:status", 10, 3 * SECOND, endpoint_load, &endpoint, &value);
    clock_advance(SECOND / 2);
    ttl_cache_get(cache, "stats:\"total\"", 13, 3 * SECOND, endpoint_load, &endpoint, &value);
    clock_advance(3 * SECOND / 2);
    ttl_cache_get(cache, "stats:\"total\"", 13, 3 * SECOND, endpoint_load, &endpoint, &value);
    return cache;
}

/* The document stays in $STATS_FOLDER too, for those who check it by its schema
 * (scenarios/stats_test.sh). */
static void keep(const char *name, const char *text)
{
    const char *folder = getenv("STATS_FOLDER");
    char path[512];
    if (folder) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
    }
}

START_TEST(the_statistics_are_the_document_of_the_report)
{
    char text[512] = "";
    struct ttl_cache *cache = asked_thrice();
    FILE *out = fmemopen(text, sizeof text, "w");
    ttl_cache_json(cache, out);
    fclose(out);
    keep("stats.json", text);
    ck_assert_str_eq(text,
                     "{\"size\":2,\"hits\":1,\"misses\":2,\"hit_rate\":33.33,\"entries\":["
                     "{\"key\":\"stats:\\\"total\\\"\",\"age\":1.500,\"ttl_remaining\":1.500},"
                     "{\"key\":\"vpn:status\",\"age\":2.000,\"ttl_remaining\":1.000}]}\n");
    ttl_cache_free(&cache);
    cache = ttl_cache_new(&(struct ttl_options){
        .key_bytes_max = 32, .value_bytes_max = 32, .now_ns = clock_monotonic});
    out = fmemopen(text, sizeof text, "w");
    ttl_cache_json(cache, out);
    fclose(out);
    keep("stats-empty.json", text);
    ck_assert_str_eq(text, "{\"size\":0,\"hits\":0,\"misses\":0,\"hit_rate\":null,"
                           "\"entries\":[]}\n");
    ttl_cache_free(&cache);
}
END_TEST

START_TEST(the_counters_go_out_to_prometheus_and_as_openmetrics)
{
    static const struct {
        enum ttl_metrics_format format;
        const char *name, *family;
    } rows[] = {{TTL_OPENMETRICS, "stats.om", "# TYPE ttl_cache_hits counter\n"},
                {TTL_PROMETHEUS, "stats.prom", "# TYPE ttl_cache_hits_total counter\n"}};
    static const char *const samples[] = {
        "\nttl_cache_hits_total 1\n",          "\nttl_cache_misses_total 2\n",
        "\nttl_cache_loads_total 2\n",         "\nttl_cache_entries 2\n",
        "\nttl_cache_hit_ratio 0.333333333\n", "\nttl_cache_age_mean_seconds 1.75\n",
        "\nttl_cache_age_most_seconds 2\n"};
    struct ttl_cache *cache = asked_thrice();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[8192] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        ttl_cache_metrics(cache, rows[i].format, out);
        ck_assert_int_eq(fclose(out), 0);
        keep(rows[i].name, text);
        ck_assert_ptr_nonnull(strstr(text, rows[i].family));
        for (size_t j = 0; j < sizeof samples / sizeof samples[0]; j++) {
            ck_assert_msg(strstr(text, samples[j]) != NULL, "%s:%s", rows[i].name, samples[j]);
        }
    }
    clock_advance(3 * SECOND); /* nothing is fresh: no age */
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    ttl_cache_metrics(cache, TTL_OPENMETRICS, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "\nttl_cache_fresh_entries 0\n"));
    ck_assert_ptr_null(strstr(text, "_age_"));
    ttl_cache_free(&cache);
}
END_TEST

static uint32_t fnv1a(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    }
    return hash;
}

/* Two sets of arguments with one 32-bit hash. A key that holds the hash cannot tell them apart; a
 * key that holds the arguments can. */
START_TEST(arguments_of_equal_hash_do_not_share_a_value)
{
    static const char *const arguments[] = {"engine=785f30e3", "engine=aa287013"};
    void *cache = panel->open(16);
    struct endpoint endpoint = {0};
    ck_assert_uint_eq(fnv1a(arguments[0]), fnv1a(arguments[1]));
    for (uint32_t i = 0; i < 2; i++) {
        char key[PANEL_KEY_BYTES];
        if (is_as_it_was()) {
            snprintf(key, sizeof key, "stats:engine:%08x", fnv1a(arguments[i]));
        } else {
            snprintf(key, sizeof key, "stats:engine:%s", arguments[i]);
        }
        endpoint.state = i;
        ck_assert_uint_eq(ask(cache, key, 3 * SECOND, &endpoint), is_as_it_was() ? 0 : i);
    }
    panel->close(cache);
}
END_TEST

START_TEST(a_cache_that_cannot_hold_it_asks_the_source_and_says_so)
{
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){
        .key_bytes_max = 8, .value_bytes_max = 32, .now_ns = clock_monotonic});
    struct endpoint endpoint = {.state = 42};
    struct strategy_value value;
    struct ttl_statistics s;
    for (int i = 0; i < 3; i++) {
        ck_assert(ttl_cache_get(cache, "a key longer than the room", 26, SECOND, endpoint_load,
                                &endpoint, &value));
        ck_assert_uint_eq(*(const uint32_t *)value.data, 42);
    }
    ttl_cache_statistics(cache, &s);
    ck_assert_uint_eq(s.fallbacks, 3);
    ck_assert_uint_eq(endpoint.calls, 3);
    ck_assert_uint_eq(s.entries, 0);
    ttl_cache_free(&cache);
}
END_TEST

struct events {
    uint64_t count[4];
};

static void event_count(void *context, enum ttl_event event, const char *key, size_t length)
{
    struct events *events = context;
    ck_assert_uint_gt(length, 0);
    ck_assert_ptr_nonnull(key);
    events->count[event]++;
}

START_TEST(the_trace_of_events_adds_up_to_the_counters)
{
    struct events events = {{0}};
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){.entries = 50,
                                                                  .key_bytes_max = 32,
                                                                  .value_bytes_max = 32,
                                                                  .now_ns = clock_monotonic,
                                                                  .trace = event_count,
                                                                  .context = &events});
    struct endpoint endpoint = {0};
    struct strategy_value value;
    struct ttl_statistics s;
    uint64_t random = 5;
    for (unsigned i = 0; i < 20000; i++) {
        char key[32];
        random = random * 6364136223846793005u + 1442695040888963407u;
        int length = snprintf(key, sizeof key, "k%u", (unsigned)(random >> 40) % 80);
        if (i % 97 == 0) {
            ttl_cache_drop(cache, key, (size_t)length);
        }
        ttl_cache_get(cache, key, (size_t)length, SECOND, endpoint_load, &endpoint, &value);
        clock_advance(SECOND / 50);
    }
    ttl_cache_statistics(cache, &s);
    ck_assert_uint_eq(events.count[TTL_HIT], s.hits);
    ck_assert_uint_eq(events.count[TTL_MISS], s.misses);
    ck_assert_uint_eq(events.count[TTL_SET], s.loads);
    ck_assert_uint_eq(events.count[TTL_DELETE], s.expired + s.evictions + s.invalidated);
    ck_assert_uint_gt(s.evictions + s.expired, 0);
    ck_assert_uint_gt(s.invalidated, 0);
    ck_assert_uint_eq(s.hits + s.misses, 20000);
    ttl_cache_free(&cache);
}
END_TEST

TCase *rows_invalidation(void)
{
    TCase *tcase = tcase_create("invalidation");
    tcase_add_test(tcase, a_pattern_hits_exactly_the_keys_that_it_means);
    tcase_add_test(tcase, stars_stand_for_any_bytes);
    tcase_add_test(tcase, the_statistics_are_the_document_of_the_report);
    tcase_add_test(tcase, the_counters_go_out_to_prometheus_and_as_openmetrics);
    tcase_add_test(tcase, arguments_of_equal_hash_do_not_share_a_value);
    tcase_add_test(tcase, a_cache_that_cannot_hold_it_asks_the_source_and_says_so);
    tcase_add_test(tcase, the_trace_of_events_adds_up_to_the_counters);
    return tcase;
}
