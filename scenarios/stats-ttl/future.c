/*
 * future.c - row 2.14 and what goes with it: warming, adaptive TTL, early refresh, grace, negative
 * caching. These are properties of this project's cache, so they do not depend on the variant.
 */
#include "rows.h"

#include "scenarios/environment/environment.h"
#include "tidemark.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME   "stats:total"
#define LENGTH (sizeof NAME - 1)

static struct ttl_cache *make(struct ttl_options options)
{
    options.key_bytes_max = 32;
    options.value_bytes_max = 32;
    options.now_ns = clock_monotonic;
    struct ttl_cache *cache = ttl_cache_new(&options);
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static uint32_t get(struct ttl_cache *cache, uint64_t ttl, struct endpoint *endpoint)
{
    struct strategy_value value;
    ck_assert(ttl_cache_get(cache, NAME, LENGTH, ttl, endpoint_load, endpoint, &value));
    uint32_t state;
    memcpy(&state, value.data, sizeof state);
    return state;
}

static struct ttl_statistics counts(struct ttl_cache *cache)
{
    struct ttl_statistics s;
    ttl_cache_statistics(cache, &s);
    return s;
}

START_TEST(after_warming_the_first_client_hits)
{
    struct ttl_cache *cache = make((struct ttl_options){.ttl_ns = 3 * SECOND});
    struct endpoint endpoint = {0};
    get(cache, 0, &endpoint); /* at start */
    clock_advance(2 * SECOND);
    get(cache, 0, &endpoint);
    ck_assert_uint_eq(counts(cache).hits, 1);
    ttl_cache_free(&cache);
}
END_TEST

START_TEST(the_default_ttl_is_a_parameter)
{
    for (uint64_t ttl = 1; ttl <= 10; ttl += 3) {
        struct ttl_cache *cache = make((struct ttl_options){.ttl_ns = ttl * SECOND});
        struct endpoint endpoint = {0};
        get(cache, 0, &endpoint);
        clock_advance(ttl * SECOND - 1);
        get(cache, 0, &endpoint);
        ck_assert_uint_eq(endpoint.calls, 1);
        clock_advance(1);
        get(cache, 0, &endpoint);
        ck_assert_uint_eq(endpoint.calls, 2);
        ttl_cache_free(&cache);
    }
}
END_TEST

/* Seconds, with a fraction, as an operator writes them; what is no such number is not taken. */
static uint64_t ttl_of_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 0;
    bool good = text && end > text && *end == 0 && seconds > 0 && seconds < 1e9;
    return good ? (uint64_t)(seconds * 1e9) : otherwise;
}

START_TEST(the_ttl_of_an_endpoint_comes_from_the_environment)
{
    static const struct {
        char *text;
        uint64_t ttl;
    } rows[] = {
        {NULL, 3 * SECOND},           {"STATS_TTL=7", 7 * SECOND},  {"STATS_TTL=0.5", SECOND / 2},
        {"STATS_TTL=", 3 * SECOND},   {"STATS_TTL=0", 3 * SECOND},  {"STATS_TTL=-1", 3 * SECOND},
        {"STATS_TTL=3s", 3 * SECOND}, {"STATS_TTL=nan", 3 * SECOND}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ttl_cache *cache = make((struct ttl_options){.ttl_ns = 60 * SECOND});
        struct endpoint endpoint = {0};
        environment_take("STATS_TTL");
        if (rows[i].text) {
            environment_put(rows[i].text);
        }
        uint64_t ttl = ttl_of_environment("STATS_TTL", 3 * SECOND);
        get(cache, ttl, &endpoint);
        clock_advance(rows[i].ttl - 1);
        get(cache, ttl, &endpoint);
        ck_assert_msg(endpoint.calls == 1, "%s", rows[i].text);
        clock_advance(1);
        get(cache, ttl, &endpoint);
        ck_assert_msg(endpoint.calls == 2, "%s", rows[i].text);
        ttl_cache_free(&cache);
    }
    environment_take("STATS_TTL");
}
END_TEST

/* A state that changes every 100 s, polled every second: what does a TTL that learns save? */
static uint32_t adaptive_loads(uint64_t least, uint64_t most, uint64_t *longest_stale)
{
    struct ttl_cache *cache = make((struct ttl_options){.ttl_ns = 3 * SECOND,
                                                        .ttl_least_ns = least * SECOND,
                                                        .ttl_most_ns = most * SECOND,
                                                        .grace_ns = most * SECOND});
    struct endpoint endpoint = {0};
    uint64_t stale = 0;
    *longest_stale = 0;
    for (unsigned second = 0; second < 3600; second++) {
        endpoint.state = second / 100;
        stale = get(cache, 0, &endpoint) == endpoint.state ? 0 : stale + 1;
        *longest_stale = stale > *longest_stale ? stale : *longest_stale;
        clock_advance(SECOND);
    }
    ttl_cache_free(&cache);
    return endpoint.calls;
}

START_TEST(a_ttl_that_adapts_stays_within_its_bounds_and_saves_loads)
{
    uint64_t stale_fixed, stale;
    uint32_t fixed = adaptive_loads(0, 0, &stale_fixed), adaptive = adaptive_loads(2, 12, &stale);
    tidemark_count("adaptive_saves_percent", 100 - 100 * adaptive / fixed);
    ck_assert_uint_eq(fixed, 1200);
    ck_assert_uint_lt(adaptive, fixed / 2);
    ck_assert_uint_ge(adaptive, 3600 / 12); /* never above the bound */
    ck_assert_uint_lt(stale, 12);           /* nor served longer than that */
}
END_TEST

START_TEST(an_early_refresh_leaves_no_gap)
{
    struct ttl_cache *cache =
        make((struct ttl_options){.ttl_ns = 10 * SECOND, .early_ns = 2 * SECOND});
    struct endpoint endpoint = {0};
    for (unsigned second = 0; second < 1000; second++) {
        get(cache, 0, &endpoint);
        clock_advance(SECOND);
    }
    struct ttl_statistics s = counts(cache);
    ck_assert_uint_eq(s.misses, s.early + 1); /* only the first found nothing */
    ck_assert_uint_eq(s.early, 124);          /* every 8 s */
    ttl_cache_free(&cache);
}
END_TEST

static bool slow_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    clock_advance(SECOND / 2);
    return endpoint_load(context, key, length, value);
}

START_TEST(a_random_early_refresh_comes_before_expiry_and_seldom_long_before)
{
    struct ttl_cache *cache =
        make((struct ttl_options){.ttl_ns = 10 * SECOND, .early_beta = 1, .seed = 3});
    struct endpoint endpoint = {0};
    struct strategy_value value;
    for (unsigned i = 0; i < 100000; i++) {
        ck_assert(ttl_cache_get(cache, NAME, LENGTH, 0, slow_load, &endpoint, &value));
        clock_advance(SECOND / 100);
    }
    struct ttl_statistics s = counts(cache);
    ck_assert_uint_gt(s.early * 100, s.loads * 95); /* polled often, nearly all loads are early */
    ck_assert_uint_lt(s.loads, 1000 / 10 * 2);      /* and not twice as many as without */
    ttl_cache_free(&cache);
}
END_TEST

static bool failing_load(void *context, const char *key, size_t length,
                         struct strategy_value *value)
{
    struct endpoint *endpoint = context;
    (void)key;
    (void)length;
    (void)value;
    endpoint->calls++;
    return false;
}

START_TEST(within_its_grace_a_value_outlives_a_source_that_fails)
{
    struct ttl_cache *cache =
        make((struct ttl_options){.ttl_ns = 3 * SECOND, .grace_ns = 60 * SECOND});
    struct endpoint endpoint = {.state = 7};
    struct strategy_value value;
    get(cache, 0, &endpoint);
    clock_advance(30 * SECOND);
    ck_assert(ttl_cache_get(cache, NAME, LENGTH, 0, failing_load, &endpoint, &value));
    ck_assert_uint_eq(*(const uint32_t *)value.data, 7);
    ck_assert_uint_eq(counts(cache).stale, 1);
    clock_advance(40 * SECOND); /* 70 s: beyond */
    ck_assert(!ttl_cache_get(cache, NAME, LENGTH, 0, failing_load, &endpoint, &value));
    ttl_cache_free(&cache);
}
END_TEST

START_TEST(an_absent_key_is_remembered_as_absent)
{
    struct ttl_cache *cache =
        make((struct ttl_options){.ttl_ns = 3 * SECOND, .negative_ns = SECOND});
    struct endpoint endpoint = {0};
    struct strategy_value value;
    for (int i = 0; i < 10; i++) {
        ck_assert(!ttl_cache_get(cache, NAME, LENGTH, 0, failing_load, &endpoint, &value));
    }
    ck_assert_uint_eq(endpoint.calls, 1);
    ck_assert_uint_eq(counts(cache).negative, 9);
    clock_advance(SECOND);
    ck_assert(!ttl_cache_get(cache, NAME, LENGTH, 0, failing_load, &endpoint, &value));
    ck_assert_uint_eq(endpoint.calls, 2);
    ttl_cache_free(&cache);
}
END_TEST

TCase *rows_future(void)
{
    TCase *tcase = tcase_create("future");
    tcase_add_test(tcase, after_warming_the_first_client_hits);
    tcase_add_test(tcase, the_default_ttl_is_a_parameter);
    tcase_add_test(tcase, the_ttl_of_an_endpoint_comes_from_the_environment);
    tcase_add_test(tcase, a_ttl_that_adapts_stays_within_its_bounds_and_saves_loads);
    tcase_add_test(tcase, an_early_refresh_leaves_no_gap);
    tcase_add_test(tcase, a_random_early_refresh_comes_before_expiry_and_seldom_long_before);
    tcase_add_test(tcase, within_its_grace_a_value_outlives_a_source_that_fails);
    tcase_add_test(tcase, an_absent_key_is_remembered_as_absent);
    return tcase;
}
