/*
 * cache.c - how the strategy in use behaves: bounds, statistics, contents. What is expected follows
 * from its traits, so that the same tests hold for every strategy. Runs in the test program.
 */
#include "module.h"
#include "options.h"
#include "session.h"

#include <check.h>
#include <string.h>

static bool caches(void)
{
    return suite_options.strategy->traits & STRATEGY_CACHES;
}

static void statistics_add_up(void)
{
    struct strategy_statistics s;
    session_statistics(&s);
    ck_assert_uint_eq(s.lookups, s.hits + s.misses);
    ck_assert_uint_le(s.loads, s.misses);
    ck_assert_uint_le(s.evictions, s.loads);
    ck_assert_uint_le(s.evicted_unused, s.evictions);
}

static void bounds_hold(void)
{
    struct strategy_statistics s;
    session_statistics(&s);
    if (suite_options.strategy->traits & STRATEGY_BOUNDED) {
        ck_assert(suite_options.bounds.entries == 0 || s.entries <= suite_options.bounds.entries);
        ck_assert(suite_options.bounds.bytes == 0 || s.bytes <= suite_options.bounds.bytes);
    }
    if (!caches()) {
        ck_assert_uint_eq(s.entries, 0);
        ck_assert_uint_eq(s.bytes, 0);
    }
}

static void asked_twice_at_once(registry_index index)
{
    struct strategy_statistics before, after;
    session_find_model(index);
    session_statistics(&before);
    session_find_model(index);
    session_statistics(&after);
    ck_assert_uint_eq(after.lookups, before.lookups + 1);
    ck_assert_uint_eq(after.hits, before.hits + caches());
    ck_assert_uint_eq(after.loads, before.loads + !caches());
}

static void the_second_look_up_needs_no_source_for(unsigned provider)
{
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i += count / 64 + 1) {
        asked_twice_at_once(first + i);
    }
    bounds_hold();
}

static void a_dropped_entry_is_loaded_again_of(unsigned provider)
{
    registry_index first;
    uint32_t count;
    struct strategy_statistics before, after;
    registry_provider_models(provider, &first, &count);
    struct registry_text key = registry_key(first);
    session_find_model(first);
    ck_assert_int_eq(session_drop(key.data, key.length), caches());
    ck_assert(!session_drop(key.data, key.length));
    session_statistics(&before);
    session_find_model(first);
    session_statistics(&after);
    ck_assert_uint_eq(after.loads, before.loads + 1);
}

static void an_absent_key_is_not_kept(void)
{
    struct strategy_statistics before, after;
    session_statistics(&before);
    ck_assert(!session_get("nobody:nothing", 14, NULL));
    ck_assert(!session_get("nobody:nothing", 14, NULL));
    session_statistics(&after);
    ck_assert_uint_eq(after.entries, before.entries);
    ck_assert_uint_eq(after.loads, before.loads);
    ck_assert_uint_eq(after.hits, before.hits);
    ck_assert_uint_eq(after.misses, before.misses + 2);
}

static void dropping_what_is_not_held_says_so(void)
{
    ck_assert(!session_drop("nobody:nothing", 14));
}

static void a_reset_empties_and_leaves_it_usable(void)
{
    struct strategy_statistics s;
    session_find_model(0);
    session_reset();
    session_statistics(&s);
    ck_assert_uint_eq(s.entries, 0);
    session_find_model(0);
    session_statistics(&s);
    ck_assert_uint_eq(s.entries, caches());
    asked_twice_at_once(1);
}

static void values_are_equal_from_the_source_and_from_the_cache(void)
{
    struct strategy_value value;
    static unsigned char first[8192];
    struct registry_text key = registry_key(registry_count() / 3);
    session_drop(key.data, key.length);
    ck_assert(session_get(key.data, key.length, &value));
    ck_assert_uint_le(value.bytes, sizeof first);
    memcpy(first, value.data, value.bytes);
    size_t bytes = value.bytes;
    ck_assert(session_get(key.data, key.length, &value));
    ck_assert_uint_eq(value.bytes, bytes);
    ck_assert_int_eq(memcmp(first, value.data, bytes), 0);
}

static void a_full_bounded_cache_evicts(void)
{
    struct strategy_statistics s;
    for (registry_index i = 0; i < registry_count(); i++) {
        session_find_model(i);
    }
    session_statistics(&s);
    if (caches() && suite_options.strategy->traits & STRATEGY_BOUNDED &&
        s.entries < registry_count()) {
        ck_assert_uint_gt(s.evictions, 0);
    }
    bounds_hold();
}

static const struct suite_single singles[] = {
    SINGLE(statistics_add_up),
    SINGLE(bounds_hold),
    SINGLE(an_absent_key_is_not_kept),
    SINGLE(dropping_what_is_not_held_says_so),
    SINGLE(a_reset_empties_and_leaves_it_usable),
    SINGLE(values_are_equal_from_the_source_and_from_the_cache),
    SINGLE(a_full_bounded_cache_evicts),
};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(the_second_look_up_needs_no_source_for, subject_providers, label_provider),
    FAMILY(a_dropped_entry_is_loaded_again_of, subject_providers, label_provider),
};

MODULE(module_cache, "cache", families);
