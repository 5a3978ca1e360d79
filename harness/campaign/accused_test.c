/* accused_test.c - pairs of test and place are found again, and no others. */
#include "harness/campaign/accused.h"

#include "harness/base/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(nothing_is_left_out_of_an_empty_set)
{
    struct accused accused = {0};
    ck_assert(!accused_has(&accused, 0, 0));
    ck_assert(!accused_has(&accused, 1, 77));
    accused_fini(&accused);
}
END_TEST

START_TEST(a_place_is_left_out_for_its_test_only)
{
    struct accused accused = {0};
    accused_add(&accused, 3, 77);
    accused_add(&accused, 3, 77);
    ck_assert_uint_eq(accused.count, 1);
    ck_assert(accused_has(&accused, 3, 77));
    ck_assert(!accused_has(&accused, 3, 78));
    ck_assert(!accused_has(&accused, 4, 77));
    accused_fini(&accused);
    ck_assert_uint_eq(accused.count, 0);
    ck_assert(!accused_has(&accused, 3, 77));
    accused_fini(&accused);
}
END_TEST

START_TEST(a_whole_test_is_left_out_at_every_place)
{
    struct accused accused = {0};
    accused_add(&accused, 5, ACCUSED_WHOLE);
    ck_assert(accused_has(&accused, 5, 77));
    ck_assert(accused_has(&accused, 5, ACCUSED_WHOLE));
    ck_assert(!accused_has(&accused, 6, 77));
    accused_fini(&accused);
}
END_TEST

START_TEST(thousands_of_pairs_are_kept_apart)
{
    struct accused accused = {0};
    for (uint32_t test = 0; test < 100; test++) {
        for (uint64_t place = 1; place <= 50; place++) {
            accused_add(&accused, test, place * 2 << (test % 40));
        }
    }
    ck_assert_uint_eq(accused.count, 5000);
    for (uint32_t test = 0; test < 100; test++) {
        for (uint64_t place = 1; place <= 50; place++) {
            ck_assert(accused_has(&accused, test, place * 2 << (test % 40)));
            ck_assert(!accused_has(&accused, test, (place * 2 << (test % 40)) + 1));
        }
    }
    accused_fini(&accused);
}
END_TEST

START_TEST(a_set_goes_by_a_file_into_another)
{
    char path[] = "/tmp/accused-XXXXXX";
    struct accused one = {0}, two = {0};
    close(mkstemp(path));
    accused_add(&one, 1, 11);
    accused_add(&one, 2, UINT64_MAX);
    accused_add(&one, 3, ACCUSED_WHOLE);
    accused_add(&two, 4, 44);
    ck_assert(accused_save(&one, 1, path));
    ck_assert(accused_load(&two, path));
    ck_assert_uint_eq(two.count, 3);
    ck_assert(!accused_has(&two, 1, 11));
    ck_assert(accused_has(&two, 2, UINT64_MAX));
    ck_assert(accused_has(&two, 3, 5));
    ck_assert(accused_has(&two, 4, 44));
    ck_assert(accused_save(&one, 3, path));
    ck_assert(accused_load(&two, path));
    ck_assert_uint_eq(two.count, 3);
    unlink(path);
    ck_assert(!accused_load(&two, path));
    ck_assert(!accused_save(&two, 0, "/nowhere/at/all"));
    ck_assert(!accused_save(&two, 0, "/dev/full")); /* it is seen when the file is closed */
    for (uint64_t place = 100; place < 10000; place++) {
        accused_add(&two, 9, place);
    }
    ck_assert(!accused_save(&two, 0, "/dev/full")); /* and before */
    FILE *broken = fopen(path, "we");
    fputs("5 55\n6 no number\n", broken);
    fclose(broken);
    ck_assert(!accused_load(&two, path));
    unlink(path);
    accused_fini(&one);
    accused_fini(&two);
}
END_TEST

SUITE("accused", &nothing_is_left_out_of_an_empty_set, &a_place_is_left_out_for_its_test_only,
      &a_whole_test_is_left_out_at_every_place, &thousands_of_pairs_are_kept_apart,
      &a_set_goes_by_a_file_into_another)
