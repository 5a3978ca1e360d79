/* key_index_test.c - keys keep the first number that they were given. */
#include "harness/base/key_index.h"

#include "harness/base/suite.h"

#define MANY 20000u

START_TEST(an_empty_index_knows_no_key)
{
    struct key_index index = {0};
    ck_assert_uint_eq(key_index_get(&index, 0), 0);
    ck_assert_uint_eq(key_index_get(&index, UINT64_MAX), 0);
    key_index_fini(&index);
}
END_TEST

START_TEST(a_key_keeps_its_first_number)
{
    struct key_index index = {0};
    ck_assert_uint_eq(key_index_add(&index, 77, 1), 1);
    ck_assert_uint_eq(key_index_add(&index, 77, 2), 1);
    ck_assert_uint_eq(key_index_get(&index, 77), 1);
    ck_assert_uint_eq(key_index_get(&index, 78), 0);
    ck_assert_uint_eq(key_index_add(&index, 0, 5), 5); /* 0 is a key like any other */
    ck_assert_uint_eq(key_index_get(&index, 0), 5);
    ck_assert_uint_eq(index.count, 2);
    key_index_fini(&index);
    ck_assert_uint_eq(key_index_get(&index, 77), 0);
    ck_assert_uint_eq(key_index_add(&index, 77, 3), 3);
    key_index_fini(&index);
}
END_TEST

/* Keys that count, and keys that differ in their upper bits only. */
START_TEST(thousands_of_keys_are_kept_apart)
{
    for (unsigned shift = 0; shift <= 48; shift += 16) {
        struct key_index index = {0};
        for (uint32_t i = 1; i <= MANY; i++) {
            ck_assert_uint_eq(key_index_add(&index, (uint64_t)i << shift, i), i);
        }
        ck_assert_uint_eq(index.count, MANY);
        ck_assert_uint_ge(index.room, 2 * MANY);
        ck_assert_uint_lt(index.room, 4 * MANY);
        for (uint32_t i = 1; i <= MANY; i++) {
            ck_assert_uint_eq(key_index_get(&index, (uint64_t)i << shift), i);
        }
        ck_assert_uint_eq(key_index_get(&index, 1 + (uint64_t)MANY * 2), 0);
        key_index_fini(&index);
    }
}
END_TEST

START_TEST(a_key_of_two_depends_on_both_and_on_their_order)
{
    struct key_index index = {0};
    uint32_t number = 0;
    for (uint64_t a = 0; a < 100; a++) {
        for (uint64_t b = 0; b < 100; b++) {
            number++;
            ck_assert_uint_eq(key_index_add(&index, key_index_mix(key_index_mix(a, 0), b), number),
                              number);
        }
    }
    key_index_fini(&index);
}
END_TEST

SUITE("key_index", &an_empty_index_knows_no_key, &a_key_keeps_its_first_number,
      &thousands_of_keys_are_kept_apart, &a_key_of_two_depends_on_both_and_on_their_order)
