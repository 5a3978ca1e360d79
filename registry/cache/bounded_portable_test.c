/*
 * bounded_portable_test.c - the short way of a hit without SIMD, as a machine without SSE2 takes
 * it, beside the other: keys whose hash has a top byte of 0 have no tag of their own, and what a
 * first look at their group finds must send them the long way.
 */
#define REGISTRY_PORTABLE 1
#include "registry/cache/bounded.h"
#include "registry/cache/policy_lru.h"
#include "registry/cache/strategy_fake.h"

#include "harness/base/suite.h"

_Static_assert(!REGISTRY_SSE2, "this suite is about the other form");

#define ENTRIES 20u /* three groups */
#define TRIED   4000000u
#define ROOM    9000u

BOUNDED_STRATEGY(portable_lru, "portable-lru", "for this test", policy_lru);

/* The portable one, then those of the library that hold as much as they are told to. */
static const struct strategy *form_at(size_t number)
{
    for (const struct strategy *const *at = strategies; number > 0 && *at; at++) {
        number -= ((*at)->traits & STRATEGY_BOUNDED) && !((*at)->traits & STRATEGY_THREADS);
        if (number == 0) {
            return *at;
        }
    }
    return number == 0 ? &portable_lru : NULL;
}

/* Keys at home in the first group, INDEX_SLOTS of them; the first one's hash begins with a byte of
 * 0, the others' do not. */
static void crowd_find(uint32_t crowd[INDEX_SLOTS])
{
    struct entry_index index;
    index_measure(&index, ENTRIES, ENTRIES + POLICY_LISTS);
    uint32_t have = 0;
    for (uint32_t i = 0; have < INDEX_SLOTS; i++) {
        char key[FAKE_KEY_BYTES_MAX];
        size_t length = fake_key(i, key);
        uint64_t hash = key_hash(key, length);
        ck_assert_uint_lt(i, TRIED);
        if (key_usual(length) && index_home(&index, index_place(hash)) == 0 &&
            (have == 0) == (hash >> 56 == 0)) {
            crowd[have++] = i;
        }
    }
}

static void crowd_check(const struct strategy *strategy)
{
    struct fake fake = {.keys = TRIED};
    struct strategy_source source = fake_source(&fake);
    struct made made;
    uint32_t crowd[INDEX_SLOTS];
    crowd_find(crowd);
    ck_assert(made_init(&made, strategy, &source, &(struct strategy_options){.entries = ENTRIES}));
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < INDEX_SLOTS; i++) {
            ck_assert_int_eq(made_get(&made, crowd[i]), 1);
        }
    }
    ck_assert_msg(fake.loads == INDEX_SLOTS, "%s: %lu loads", strategy->name,
                  (unsigned long)fake.loads);
    ck_assert(made_drop(&made, crowd[0]));
    ck_assert_msg(!made_drop(&made, crowd[0]), "%s: it was there twice", strategy->name);
    ck_assert_int_eq(made_get(&made, crowd[0]), 1);
    ck_assert_uint_eq(fake.loads, INDEX_SLOTS + 1);
    made_fini(&made);
}

static void each_form(void (*check)(const struct strategy *strategy))
{
    const struct strategy *strategy;
    for (size_t i = 0; (strategy = form_at(i)) != NULL; i++) {
        check(strategy);
    }
}

START_TEST(a_key_without_a_tag_of_its_own_is_found_in_a_full_group)
{
    each_form(crowd_check);
}
END_TEST

static void room_check(const struct strategy *strategy)
{
    struct fake fake = {.keys = ROOM};
    struct strategy_source source = fake_source(&fake);
    struct made made;
    ck_assert(made_init(&made, strategy, &source, &(struct strategy_options){.entries = ROOM}));
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < ROOM; i++) {
            ck_assert_int_eq(made_get(&made, i), 1);
        }
        ck_assert_msg(fake.loads == ROOM, "%s: %lu loads", strategy->name,
                      (unsigned long)fake.loads);
    }
    made_fini(&made);
}

START_TEST(what_fits_is_loaded_once)
{
    each_form(room_check);
}
END_TEST

SUITE("bounded caches, portable", &a_key_without_a_tag_of_its_own_is_found_in_a_full_group,
      &what_fits_is_loaded_once)
