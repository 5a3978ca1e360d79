/* ids_test.c - test ids are unique and fit, whatever the program names its tests. */
#include "harness/base/suite.h"
#include "harness/boundary/serve.h"

#include <stdio.h>
#include <string.h>

START_TEST(numbers_ids_that_come_again)
{
    struct wire_test_name name;
    static const char *const wanted[] = {"s/c/t", "s/c/t#2", "s/c/t#3"};
    for (int i = 0; i < 3; i++) {
        serve_id_set(&name, "s/c/t");
        ck_assert_str_eq(name.id, wanted[i]);
    }
    serve_id_set(&name, "s/c/u");
    ck_assert_str_eq(name.id, "s/c/u");
}
END_TEST

START_TEST(cuts_long_ids_and_keeps_them_apart)
{
    static char one[5000], two[5000];
    struct wire_test_name first, second, again;
    memset(one, 'x', sizeof one - 1);
    memset(two, 'x', sizeof two - 1);
    two[sizeof two - 2] = 'y';
    serve_id_set(&first, one);
    serve_id_set(&second, two);
    serve_id_set(&again, one);
    ck_assert_uint_lt(strlen(first.id), sizeof first.id);
    ck_assert_str_ne(first.id, second.id);
    ck_assert_int_eq(memcmp(first.id, again.id, strlen(first.id)), 0);
    ck_assert_str_eq(again.id + strlen(first.id), "#2");
}
END_TEST

START_TEST(stays_unique_over_many_ids)
{
    struct wire_test_name name;
    char id[32], last[WIRE_ID_MAX] = "";
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "many/%d", i / 2);
        serve_id_set(&name, id);
        ck_assert_str_ne(name.id, last);
        ck_assert_int_eq(strchr(name.id, '#') != NULL, i % 2);
        snprintf(last, sizeof last, "%s", name.id);
    }
}
END_TEST

SUITE("ids", &numbers_ids_that_come_again, &cuts_long_ids_and_keeps_them_apart,
      &stays_unique_over_many_ids)
