/* adapter_test.c - cmocka, CUnit and GLib programs, each run test by test on command. */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

#define ANY UINT64_MAX /* depends on how the output of a subprocess is cut into reads */

struct row {
    const char *id;
    uint32_t status;
    uint64_t allocs;
    int64_t retained;
    const char *message; /* a part of it */
};

/* Runs each test of `program` with two warm-ups and five repetitions and compares with the rows. */
static void program_agrees(const char *program, const char *framework, const struct row *rows,
                           uint32_t count, int exit_status)
{
    struct session *session = session_start(program);
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_DYNAMIC);
    ck_assert_str_eq(session->hello.framework, framework);
    ck_assert_uint_eq(session->group.count, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_str_eq(session->tests[i].id, rows[i].id);
        ck_assert(session_run(session, i, 2, 5, 0));
        const struct wire_test *result = session_result(session, i);
        ck_assert_msg(result->status == rows[i].status, "%s: %u", rows[i].id, result->status);
        ck_assert_msg(strstr(result->message, rows[i].message) != NULL, "%s: %s", rows[i].id,
                      result->message);
        if (result->status == WIRE_PASS) {
            ck_assert_msg(rows[i].allocs == ANY || result->allocs == rows[i].allocs, "%s: %lu",
                          rows[i].id, (unsigned long)result->allocs);
            ck_assert_msg(result->retained_bytes == rows[i].retained, "%s: %ld", rows[i].id,
                          (long)result->retained_bytes);
            ck_assert_uint_eq(result->repetitions, 5);
            const struct wire_sample *last = &session->samples[session->sample_count - 1];
            const struct wire_sample *first = last - 4;
            ck_assert_int_eq(last->live_bytes - first->live_bytes, 4 * rows[i].retained);
        } else if (result->status == WIRE_FAIL && result->line != 0) {
            ck_assert_ptr_nonnull(strstr(result->file, program));
        }
    }
    ck_assert(session_run(session, 0, 0, 1, WIRE_FORKED));
    ck_assert_uint_eq(session_result(session, 0)->status, WIRE_PASS);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert(session->bye);
    ck_assert_int_eq(WEXITSTATUS(session->status), exit_status);
    session_end(&session);
}

START_TEST(runs_cmocka_tests)
{
    static const struct row rows[] = {
        {"cmocka/things/is_clean", WIRE_PASS, 3, 0, ""}, /* two of them in its fixtures */
        {"cmocka/things/grows", WIRE_PASS, 1, 1000, ""},
        {"cmocka/things/fails", WIRE_FAIL, 0, 0, "0x2a != 0x29"},
        {"cmocka/things/skips", WIRE_SKIP, 0, 0, ""},
        {"cmocka/things/mocks", WIRE_PASS, 4, 0, ""},
    };
    program_agrees("cmocka_program", "cmocka", rows, sizeof rows / sizeof rows[0], 1);
}
END_TEST

START_TEST(sees_what_a_program_imports_that_exports_nothing)
{
    static const struct row rows[] = {{"cmocka/tests/passes", WIRE_PASS, 0, 0, ""}};
    program_agrees("cmocka_quiet", "cmocka", rows, 1, 0);
}
END_TEST

START_TEST(runs_cunit_tests)
{
    static const struct row rows[] = {
        {"CUnit/things/is clean", WIRE_PASS, 1, 0, ""},
        {"CUnit/things/grows", WIRE_PASS, 1, 1000, ""},
        {"CUnit/things/fails", WIRE_FAIL, 0, 0, "6 * 7 == 41"},
        {"CUnit/things/fails for good", WIRE_FAIL, 0, 0, "6 * 7 == 41"},
        {"CUnit/bad/never runs", WIRE_FAIL, 0, 0, "initialization failed"},
    };
    program_agrees("cunit_program", "CUnit", rows, sizeof rows / sizeof rows[0], 1);
}
END_TEST

START_TEST(runs_glib_tests)
{
    static const struct row rows[] = {
        {"glib_program/things/is-clean", WIRE_PASS, 1, 0, ""},
        {"glib_program/things/grows", WIRE_PASS, 1, 1000, ""},
        {"glib_program/things/fails", WIRE_FAIL, 0, 0, "(42 == 41)"},
        {"glib_program/things/fails-and-goes-on", WIRE_FAIL, 0, 0, "g_test_fail"},
        {"glib_program/things/skips", WIRE_SKIP, 0, 0, "not today"},
        {"glib_program/things/has-fixture", WIRE_PASS, 2, 0, ""},
        {"glib_program/things/dies-in-a-subprocess", WIRE_PASS, ANY, 0, ""},
        {"glib_program/things/dies-by-name", WIRE_PASS, ANY, 0, ""},
        {"glib_program/things/names-a-file", WIRE_PASS, ANY, 0, ""},
    };
    program_agrees("glib_program", "GLib", rows, sizeof rows / sizeof rows[0], 1);
}
END_TEST

SUITE("adapter", &runs_cmocka_tests, &sees_what_a_program_imports_that_exports_nothing,
      &runs_cunit_tests, &runs_glib_tests)
