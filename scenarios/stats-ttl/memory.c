/* memory.c - rows 2.5 and 2.6: what is held between sweeps, and for how long. */
#include "rows.h"

#include "tidemark.h"

#include <stdio.h>

/* `rate` new keys a second for `seconds` of virtual time. */
static void *flood(uint64_t entries, unsigned rate, unsigned seconds)
{
    void *cache = panel->open(entries);
    struct endpoint endpoint = {0};
    for (uint64_t i = 0; i < (uint64_t)rate * seconds; i++) {
        char key[PANEL_KEY_BYTES];
        snprintf(key, sizeof key, "stats:engine:%llu", (unsigned long long)i);
        ask(cache, key, 3 * SECOND, &endpoint);
        clock_advance(SECOND / rate);
    }
    return cache;
}

START_TEST(what_is_held_is_what_arrives_within_a_ttl_and_not_within_a_sweep)
{
    void *cache = flood(4096, 50, 600);
    struct panel_statistics s = statistics_of(cache);
    tidemark_count("held_at_50_per_second", s.entries_peak);
    if (is_ttl()) {
        ck_assert_uint_ge(s.entries_peak, 135); /* 50/s x 3 s, within 10 % */
        ck_assert_uint_le(s.entries_peak, 165);
    } else if (is_as_it_was()) {
        ck_assert_uint_ge(s.entries_peak, 2950); /* 50/s x (60 + 3) s is 3,150 */
        ck_assert_uint_le(s.entries_peak, 3200);
    }
    panel->close(cache);
}
END_TEST

START_TEST(an_hour_of_a_thousand_new_keys_a_second_stays_within_its_bound)
{
    void *cache = flood(2000, 1000, 3600 / SHORTER);
    struct panel_statistics s = statistics_of(cache);
    tidemark_count("held_at_1000_per_second", s.entries_peak);
    if (is_ttl()) {
        ck_assert_uint_le(s.entries_peak, 2000); /* 3,000 would fit the TTL, the bound is tighter */
    } else if (is_as_it_was()) {
        ck_assert_uint_ge(s.entries_peak, 59000);
    }
    panel->close(cache);
}
END_TEST

/* Bounded by bytes as well: whichever is tighter. */
START_TEST(a_bound_in_bytes_covers_keys_values_and_links)
{
    struct ttl_cache *cache =
        ttl_cache_new(&(struct ttl_options){.bytes = 64 << 10,
                                            .key_bytes_max = PANEL_KEY_BYTES,
                                            .value_bytes_max = PANEL_VALUE_BYTES,
                                            .now_ns = clock_monotonic});
    struct endpoint endpoint = {0};
    struct strategy_value value;
    for (unsigned i = 0; i < 5000; i++) {
        char key[32];
        int length = snprintf(key, sizeof key, "key:%u", i);
        ck_assert(
            ttl_cache_get(cache, key, (size_t)length, SECOND, endpoint_load, &endpoint, &value));
    }
    struct ttl_statistics s;
    ttl_cache_statistics(cache, &s);
    ck_assert_uint_le(s.bytes, 64 << 10);
    ck_assert_uint_gt(s.bytes, 54 << 10); /* a ninth of the places is for keys being loaded */
    ttl_cache_free(&cache);
}
END_TEST

TCase *rows_memory(void)
{
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, what_is_held_is_what_arrives_within_a_ttl_and_not_within_a_sweep);
    tcase_add_test(tcase, an_hour_of_a_thousand_new_keys_a_second_stays_within_its_bound);
    tcase_add_test(tcase, a_bound_in_bytes_covers_keys_values_and_links);
    return tcase;
}
