/* framework_test.c - the framework of the test programs, told from the file alone. */
#include "harness/record/framework.h"

#include "harness/base/memory.h"
#include "harness/base/suite.h"

#include <string.h>
#include <unistd.h>

static void framework_is(const char *program, const char *framework)
{
    const char *build = getenv("B");
    char *path = memory_format("%s/%s", build == NULL ? "build" : build, program);
    if (access(path, X_OK) == 0) { /* else it is not installed: frameworks_test.sh says so */
        const char *found = framework_of(path, NULL);
        ck_assert_msg(framework == NULL ? found == NULL
                                        : found != NULL && strcmp(found, framework) == 0,
                      "%s: %s", program, found == NULL ? "none" : found);
    }
    free(path);
}

START_TEST(tells_the_framework_of_a_program)
{
    static const char *const rows[][2] = {
        {"fixtures/check_basic", "libcheck"},   {"fixtures/check_basic-shared", "libcheck"},
        {"fixtures/check_inside", "libcheck"},  {"fixtures/cmocka_program", "cmocka"},
        {"fixtures/cunit_program", "CUnit"},    {"fixtures/glib_program", "GLib"},
        {"fixtures/header_user", "tidemark.h"}, {"frameworks/gtest", "GoogleTest"},
        {"frameworks/catch2", "Catch2"},        {"frameworks/doctest", "doctest"},
        {"frameworks/boost", "Boost.Test"},     {"frameworks/boost-shared", "Boost.Test"},
        {"frameworks/cpputest", "CppUTest"},    {"frameworks/criterion", "Criterion"},
        {"frameworks/unity", "Unity"},          {"frameworks/munit", "munit"},
        {"frameworks/acutest", "Acutest"},      {"frameworks/utest", "utest.h"},
        {"frameworks/greatest", "greatest"},    {"frameworks/tap", "libtap"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        framework_is(rows[i][0], rows[i][1]);
    }
}
END_TEST

START_TEST(tells_none_where_there_is_none)
{
    framework_is("fixtures/plain_main", NULL);
    framework_is("fixtures/check_basic-stripped", NULL);
    ck_assert_ptr_null(framework_of("/nonexistent", NULL));
    ck_assert_ptr_null(framework_of("/bin/sh", NULL));
    ck_assert_ptr_null(framework_of("Makefile", NULL));
}
END_TEST

SUITE("framework", &tells_the_framework_of_a_program, &tells_none_where_there_is_none)
