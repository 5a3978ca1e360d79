/* frameworks_test.c - the programs of fixtures/frameworks, test by test on command. A framework
 * that is not installed has no program: frameworks_test.sh says so. */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

enum { KEPT = 104 }; /* bytes of one session */

struct row {
    const char *id;
    uint32_t status;
    int64_t retained;    /* after a repetition, of a test that passes */
    const char *message; /* a part of it */
};

/* NULL: the framework is not installed. */
static struct session *program_start(const char *program)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/frameworks/%s", session_build(), program);
    char *arguments[] = {path, NULL};
    return access(path, X_OK) == 0 ? session_start_env(arguments, NULL) : NULL;
}

static void row_agrees(struct session *session, uint32_t test, const struct row *row)
{
    ck_assert_msg(session_run(session, test, 2, 5, 0), "%s\n%s", row->id, session_output(session));
    const struct wire_test *result = session_result(session, test);
    ck_assert_msg(result->status == row->status, "%s: %u (%s)", row->id, result->status,
                  result->message);
    ck_assert_msg(strstr(result->message, row->message) != NULL, "%s: %s", row->id,
                  result->message);
    if (row->status == WIRE_PASS) {
        const struct wire_sample *last = &session->samples[session->sample_count - 1];
        /* doctest keeps its notes on subcases until the next test. */
        ck_assert_msg(result->retained_bytes >= row->retained, "%s: %ld", row->id,
                      (long)result->retained_bytes);
        ck_assert_int_eq(last->live_bytes - (last - 4)->live_bytes, 4 * row->retained);
        bool opens = strstr(row->id, "pens") != NULL;
        ck_assert_uint_eq(last->fds - (last - 4)->fds, opens ? 4 : 0);
    }
}

/* The row of the program's test i. Frameworks whose tests stand in a section of the linker's have
 * them in whatever order the compiler wrote. */
static const struct row *row_of(const struct session *session, uint32_t i, const struct row *rows,
                                uint32_t count)
{
    for (uint32_t j = 0; j < count; j++) {
        if (strcmp(session->tests[i].id, rows[j].id) == 0) {
            return &rows[j];
        }
    }
    ck_abort_msg("%s is in no row", session->tests[i].id);
}

/* Each test of `program`, first to last and last to first: with whatever it shares with others. */
static void program_agrees(const char *program, const char *framework, const struct row *rows,
                           uint32_t count, bool ordered)
{
    struct session *session = program_start(program);
    if (session == NULL) {
        return;
    }
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_SYMTAB);
    ck_assert_str_eq(session->hello.framework, framework);
    for (uint32_t i = 0; i < session->group.count && i < count; i++) {
        const struct row *row = row_of(session, i, rows, count);
        ck_assert_msg(!ordered || row == &rows[i], "%s comes as test %u", row->id, i);
    }
    ck_assert_uint_eq(session->group.count, count);
    for (uint32_t i = 0; i < 2 * count; i++) {
        uint32_t test = i < count ? i : 2 * count - 1 - i;
        row_agrees(session, test, row_of(session, test, rows, count));
    }
    ck_assert(session_run(session, 0, 0, 1, WIRE_FORKED));
    ck_assert_uint_eq(session_result(session, 0)->status, row_of(session, 0, rows, count)->status);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert_msg(session->bye, "%s", session_output(session));
    ck_assert(WIFEXITED(session->status));
    session_end(&session);
}

#define AGREES(program, framework, rows)                                                           \
    program_agrees(program, framework, rows, sizeof rows / sizeof rows[0], true)

START_TEST(runs_googletest_tests)
{
    static const struct row rows[] = {
        {"GoogleTest/Session/IsClean", WIRE_PASS, 0, ""},
        {"GoogleTest/Session/Leaks", WIRE_PASS, KEPT, ""},
        {"GoogleTest/Session/Grows", WIRE_PASS, KEPT, ""},
        {"GoogleTest/Session/Opens", WIRE_PASS, 0, ""},
        {"GoogleTest/Session/Fails", WIRE_FAIL, 0, "6 * 7"},
        {"GoogleTest/Session/Throws", WIRE_FAIL, 0, "thrown in the test"},
        {"GoogleTest/Session/Skips", WIRE_SKIP, 0, "not today"},
        {"GoogleTest/Session/DiesInAChild", WIRE_PASS, 0, ""},
        {"GoogleTest/Shared/HasFixtures", WIRE_PASS, 0, ""},
        {"GoogleTest/Shared/HasThemAgain", WIRE_PASS, 0, ""},
        {"GoogleTest/Broken/CannotRun", WIRE_FAIL, 0, "no suite today"},
        {"GoogleTest/Few/Numbered/IsSmall/0", WIRE_PASS, 0, ""},
        {"GoogleTest/Few/Numbered/IsSmall/1", WIRE_PASS, 0, ""},
    };
    AGREES("gtest", "GoogleTest", rows);
    setenv("GTEST_PROGRAM_PRINTS_ITSELF", "1", 1);
    AGREES("gtest", "GoogleTest", rows);
    unsetenv("GTEST_PROGRAM_PRINTS_ITSELF");
}
END_TEST

START_TEST(runs_catch2_tests)
{
    static const struct row rows[] = {
        {"Catch2/catch2/is clean", WIRE_PASS, 0, ""},
        {"Catch2/catch2/leaks", WIRE_PASS, KEPT, ""},
        {"Catch2/catch2/grows", WIRE_PASS, KEPT, ""},
        {"Catch2/catch2/opens", WIRE_PASS, 0, ""},
        {"Catch2/catch2/fails", WIRE_FAIL, 0, "REQUIRE( 6 * 7 == 41 )"},
        {"Catch2/catch2/throws", WIRE_FAIL, 0, ""},
        {"Catch2/catch2/may fail", WIRE_PASS, 0, ""},
        {"Catch2/catch2/has sections", WIRE_PASS, 2 * KEPT, ""},
    };
    AGREES("catch2", "Catch2", rows);
}
END_TEST

START_TEST(runs_doctest_tests)
{
    static const struct row rows[] = {
        {"doctest/doctest/is clean", WIRE_PASS, 0, ""},
        {"doctest/doctest/leaks", WIRE_PASS, KEPT, ""},
        {"doctest/doctest/grows", WIRE_PASS, KEPT, ""},
        {"doctest/doctest/opens", WIRE_PASS, 0, ""},
        {"doctest/doctest/fails", WIRE_FAIL, 0, "6 * 7 == 41"},
        {"doctest/doctest/throws", WIRE_FAIL, 0, "thrown in the test"},
        {"doctest/suite/has subcases", WIRE_PASS, 2 * KEPT, ""},
    };
    AGREES("doctest", "doctest", rows);
}
END_TEST

START_TEST(runs_boost_tests)
{
    static const struct row rows[] = {
        {"Boost.Test/-/is_clean", WIRE_PASS, 0, ""},
        {"Boost.Test/-/leaks", WIRE_PASS, KEPT, ""},
        {"Boost.Test/-/grows", WIRE_PASS, KEPT, ""},
        {"Boost.Test/-/opens", WIRE_PASS, 0, ""},
        {"Boost.Test/-/fails", WIRE_FAIL, 0, ""},
        {"Boost.Test/-/throws", WIRE_FAIL, 0, ""},
        {"Boost.Test/-/fails_as_expected", WIRE_PASS, 0, ""},
        {"Boost.Test/suite/has_a_fixture", WIRE_PASS, 0, ""},
        {"Boost.Test/suite/knows_its_name", WIRE_PASS, 0, ""},
    };
    AGREES("boost", "Boost.Test", rows);
    AGREES("boost-shared", "Boost.Test", rows);
    AGREES("boost-decorated", "Boost.Test", rows);
}
END_TEST

START_TEST(runs_cpputest_tests)
{
    static const struct row rows[] = {
        {"CppUTest/Session/Fails", WIRE_FAIL, 0, "expected"},
        {"CppUTest/Session/Opens", WIRE_PASS, 0, ""},
        {"CppUTest/Session/Grows", WIRE_PASS, KEPT, ""},
        {"CppUTest/Session/LeaksByNew", WIRE_PASS, KEPT, ""},
        {"CppUTest/Session/Leaks", WIRE_PASS, KEPT, ""},
        {"CppUTest/Session/IsClean", WIRE_PASS, 0, ""},
    };
    AGREES("cpputest", "CppUTest", rows);
}
END_TEST

START_TEST(runs_unity_tests)
{
    static const struct row rows[] = {
        {"Unity/unity_program.c/is_clean", WIRE_PASS, 0, ""},
        {"Unity/unity_program.c/leaks", WIRE_PASS, KEPT, ""},
        {"Unity/unity_program.c/grows", WIRE_PASS, KEPT, ""},
        {"Unity/unity_program.c/opens", WIRE_PASS, 0, ""},
        {"Unity/unity_program.c/fails", WIRE_FAIL, 0, "an assertion failed"},
        {"Unity/unity_program.c/skips", WIRE_SKIP, 0, ""},
    };
    AGREES("unity", "Unity", rows);
}
END_TEST

START_TEST(runs_munit_tests)
{
    static const struct row rows[] = {
        {"munit/session/is-clean", WIRE_PASS, 0, ""},
        {"munit/session/leaks", WIRE_PASS, KEPT, ""},
        {"munit/session/grows", WIRE_PASS, KEPT, ""},
        {"munit/session/opens", WIRE_PASS, 0, ""},
        {"munit/session/inner/fails", WIRE_FAIL, 0, "6 * 7 == 41"},
        {"munit/session/inner/skips", WIRE_SKIP, 0, ""},
    };
    AGREES("munit", "munit", rows);
}
END_TEST

/* Without the function that runs its tests, munit would run them in children: unseen, and green. */
START_TEST(sees_into_all_of_main_where_a_framework_is_dissolved)
{
    struct session *session = program_start("munit-dissolved");
    if (session == NULL) {
        return;
    }
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_PROGRAM);
    ck_assert_uint_eq(session->group.count, 1);
    ck_assert_ptr_nonnull(strstr(session->notes[0], "munit was found in the program, but not all"));
    ck_assert(session_run(session, 0, 1, 3, 0));
    const struct wire_sample *last = &session->samples[session->sample_count - 1];
    ck_assert_int_eq(last->live_bytes - (last - 2)->live_bytes, 2 * 2 * KEPT);
    session_end(&session);
}
END_TEST

START_TEST(runs_acutest_tests)
{
    static const struct row rows[] = {
        {"Acutest/acutest/is-clean", WIRE_PASS, 0, ""},
        {"Acutest/acutest/leaks", WIRE_PASS, KEPT, ""},
        {"Acutest/acutest/grows", WIRE_PASS, KEPT, ""},
        {"Acutest/acutest/opens", WIRE_PASS, 0, ""},
        {"Acutest/acutest/fails", WIRE_FAIL, 0, "a check failed"},
    };
    AGREES("acutest", "Acutest", rows);
}
END_TEST

START_TEST(runs_utest_tests)
{
    static const struct row rows[] = {
        {"utest.h/session/is_clean", WIRE_PASS, 0, ""},
        {"utest.h/session/leaks", WIRE_PASS, KEPT, ""},
        {"utest.h/session/grows", WIRE_PASS, KEPT, ""},
        {"utest.h/session/opens", WIRE_PASS, 0, ""},
        {"utest.h/session/fails", WIRE_FAIL, 0, "an assertion failed"},
        {"utest.h/session/skips", WIRE_SKIP, 0, ""},
    };
    AGREES("utest", "utest.h", rows);
}
END_TEST

START_TEST(runs_greatest_tests)
{
    static const struct row rows[] = {
        {"greatest/greatest/is_clean", WIRE_PASS, 0, ""},
        {"greatest/greatest/leaks", WIRE_PASS, KEPT, ""},
        {"greatest/greatest/grows", WIRE_PASS, KEPT, ""},
        {"greatest/greatest/opens", WIRE_PASS, 0, ""},
        {"greatest/greatest/fails", WIRE_FAIL, 0, "an assertion failed"},
        {"greatest/greatest/skips", WIRE_SKIP, 0, ""},
    };
    AGREES("greatest", "greatest", rows);
}
END_TEST

START_TEST(runs_criterion_tests)
{
    static const struct row rows[] = {
        {"Criterion/session/has_parameters", WIRE_PASS, 2 * KEPT, ""},
        {"Criterion/session/dies", WIRE_PASS, 0, ""},
        {"Criterion/session/skips", WIRE_SKIP, 0, "not today"},
        {"Criterion/session/fails", WIRE_FAIL, 0, "six times seven"},
        {"Criterion/session/opens", WIRE_PASS, 0, ""},
        {"Criterion/session/grows", WIRE_PASS, KEPT, ""},
        {"Criterion/session/leaks", WIRE_PASS, KEPT, ""},
        {"Criterion/fixed/is_clean", WIRE_PASS, 0, ""},
    };
    program_agrees("criterion", "Criterion", rows, sizeof rows / sizeof rows[0], false);
}
END_TEST

START_TEST(runs_the_whole_of_a_libtap_program)
{
    static const struct row rows[] = {{"libtap/main/tap", WIRE_PASS, 2 * KEPT, ""}};
    AGREES("tap", "libtap", rows);
}
END_TEST

SUITE("frameworks", &runs_googletest_tests, &runs_catch2_tests, &runs_doctest_tests,
      &runs_boost_tests, &runs_cpputest_tests, &runs_unity_tests, &runs_munit_tests,
      &sees_into_all_of_main_where_a_framework_is_dissolved, &runs_acutest_tests, &runs_utest_tests,
      &runs_greatest_tests, &runs_criterion_tests, &runs_the_whole_of_a_libtap_program)
