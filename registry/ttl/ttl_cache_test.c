/* ttl_cache_test.c - which entry of a full ttl cache goes. What services see of it is tested in
 * scenarios/stats-ttl. */
#include "harness/base/suite.h"
#include "registry/ttl/ttl_cache.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1000000000ull

static uint64_t now_ns;
static char gone[64];
static unsigned loads;

static uint64_t clock_now(void *unused)
{
    (void)unused;
    return now_ns;
}

static bool source_load(void *unused, const char *key, size_t length, struct strategy_value *value)
{
    (void)unused;
    (void)length;
    loads++;
    *value = (struct strategy_value){.data = key, .bytes = 1};
    return true;
}

static void note_evicted(void *unused, const char *key, size_t length,
                         const struct strategy_value *value)
{
    (void)unused;
    (void)value;
    snprintf(gone + strlen(gone), sizeof gone - strlen(gone), "%.*s", (int)length, key);
}

/* Four entries, and places for keys under way. */
static struct ttl_cache *cache_make(void)
{
    now_ns = 1000 * SECOND;
    gone[0] = 0;
    loads = 0;
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){.entries = 4,
                                                                  .key_bytes_max = 8,
                                                                  .value_bytes_max = 8,
                                                                  .ttl_ns = 100 * SECOND,
                                                                  .now_ns = clock_now,
                                                                  .evicted = note_evicted});
    ck_assert_ptr_nonnull(cache);
    return cache;
}

/* Each letter is a key. */
static void ask(struct ttl_cache *cache, const char *keys, uint64_t ttl_ns)
{
    for (; *keys; keys++) {
        struct strategy_value value;
        ck_assert(ttl_cache_get(cache, keys, 1, ttl_ns, source_load, NULL, &value));
        now_ns++;
    }
}

START_TEST(the_least_recently_used_goes_first)
{
    struct ttl_cache *cache = cache_make();
    ask(cache, "abcd", 0);
    ask(cache, "ab", 0); /* used: now c and d are the oldest */
    ck_assert_uint_eq(loads, 4);
    ask(cache, "efgh", 0);
    struct ttl_statistics s;
    ttl_cache_statistics(cache, &s);
    ck_assert_uint_eq(s.evictions, strlen(gone));
    ck_assert_uint_ge(strlen(gone), 3);
    ck_assert_msg(strncmp("cdab", gone, strlen(gone)) == 0, "%s went", gone);
    ttl_cache_free(&cache);
}
END_TEST

/* Not the one that would live longest, nor the first that came, and what has expired is not evicted
 * but buried. */
START_TEST(what_has_expired_makes_room_before_anything_is_evicted)
{
    struct ttl_cache *cache = cache_make();
    ask(cache, "ab", 0);
    ask(cache, "cd", SECOND);
    now_ns += 2 * SECOND;
    ask(cache, "ef", 0);
    struct ttl_statistics s;
    ttl_cache_statistics(cache, &s);
    ck_assert_str_eq(gone, "");
    ck_assert_uint_eq(s.expired, 2);
    ck_assert_uint_eq(s.entries, 4);
    loads = 0;
    ask(cache, "abef", 0);
    ck_assert_uint_eq(loads, 0);
    ttl_cache_free(&cache);
}
END_TEST

/* Entries die in the order of their ends, whatever the order in which they came. */
START_TEST(entries_die_in_the_order_of_their_ends)
{
    struct ttl_cache *cache = cache_make();
    struct ttl_statistics s;
    ask(cache, "a", 40 * SECOND);
    ask(cache, "b", 10 * SECOND);
    ask(cache, "c", 30 * SECOND);
    ask(cache, "d", 20 * SECOND);
    for (unsigned dead = 1; dead <= 4; dead++) {
        now_ns = 1000 * SECOND + (dead * 10 + 1) * SECOND;
        loads = 0;
        struct strategy_value value;
        ck_assert(ttl_cache_get(cache, "e", 1, 1, source_load, NULL, &value)); /* buries */
        ttl_cache_statistics(cache, &s);
        ck_assert_uint_ge(s.expired, dead);
        ck_assert_uint_le(s.expired, 2 * dead);
        static const char order[] = "bdca";
        for (const char *left = order + dead; *left; left++) {
            unsigned before = loads;
            ck_assert(ttl_cache_get(cache, left, 1, 0, source_load, NULL, &value));
            ck_assert_msg(loads == before, "%c is gone at %u0 s", *left, dead);
        }
    }
    ttl_cache_free(&cache);
}
END_TEST

SUITE("ttl_cache", &the_least_recently_used_goes_first,
      &what_has_expired_makes_room_before_anything_is_evicted,
      &entries_die_in_the_order_of_their_ends)
