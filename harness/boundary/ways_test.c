/* ways_test.c - each way into a program (DESIGN 3), on one program built in each way. */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

START_TEST(finds_static_libcheck_however_it_was_linked)
{
    static const char *const programs[] = {"check_basic", "check_basic-nopie",
                                           "check_basic-noalign"};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        struct session *session = session_start(programs[i]);
        ck_assert_msg(session_ready(session), "%s", programs[i]);
        ck_assert_uint_eq(session->hello.way, WIRE_WAY_SYMTAB);
        ck_assert_uint_eq(session->group.count, 11);
        ck_assert_uint_eq(session->note_count, 0);
        ck_assert(session_run(session, session_test(session, "/has_fixtures"), 1, 4, 0));
        ck_assert_uint_eq(session_result(session, session_test(session, "/has_fixtures"))->status,
                          WIRE_PASS);
        ck_assert(session_finish(session));
        ck_assert(session_wait(session, &session->bye, 10));
        session_end(&session);
    }
}
END_TEST

START_TEST(stands_before_a_shared_libcheck)
{
    struct session *session = session_start("check_basic-shared");
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_DYNAMIC);
    ck_assert_uint_eq(session->group.count, 11);
    for (uint32_t i = 0; i < session->group.count; i++) {
        ck_assert(session_run(session, i, 0, 2, 0));
    }
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert_ptr_nonnull(
        strstr(session_output(session), "72%: Checks: 11, Failures: 3, Errors: 0\n"));
    session_end(&session);
}
END_TEST

START_TEST(finds_libcheck_inside_a_library_of_the_program)
{
    struct session *session = session_start("check_inside");
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_DYNAMIC);
    ck_assert_uint_eq(session->group.count, 2);
    ck_assert(session_run(session, 1, 1, 3, 0));
    ck_assert_int_eq(session_result(session, 1)->retained_bytes, 1000);
    ck_assert(session_run(session, 0, 1, 3, 0));
    ck_assert_int_eq(session_result(session, 0)->retained_bytes, 0);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, &session->bye, 10));
    session_end(&session);
}
END_TEST

START_TEST(is_libcheck_itself_to_a_program_that_was_relinked)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/fixtures/check_basic-relinked", session_build());
    char *arguments[] = {path, NULL};
    char *environment[] = {"TIDEMARK_WIRE=987", NULL}; /* no supervisor: it runs by itself */
    struct session *session = session_start_env(arguments, environment);
    ck_assert(session_wait(session, NULL, 20));
    ck_assert_int_eq(WEXITSTATUS(session->status), 1);
    ck_assert_ptr_nonnull(
        strstr(session_output(session), "72%: Checks: 11, Failures: 3, Errors: 0\n"));
    session_end(&session);
    session = session_start("check_basic-relinked"); /* stripped, and each test on command */
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_DYNAMIC);
    ck_assert_uint_eq(session->group.count, 11);
    ck_assert(session_run(session, session_test(session, "/grows"), 1, 3, 0));
    ck_assert_int_eq(session_result(session, session_test(session, "/grows"))->retained_bytes,
                     1000);
    session_end(&session);
}
END_TEST

/* Answers the READY that opens a passive way: `passes` through main. */
static void passive_open(struct session *session, uint32_t passes)
{
    struct wire_command command = {
        .op = WIRE_OP_RUN, .test = WIRE_NO_TEST, .depth = WIRE_COUNT, .repetitions = passes};
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->group.count, 0);
    ck_assert(session_command(session, &command));
    ck_assert(session_finish(session));
}

START_TEST(sees_the_tests_of_a_stripped_program_through_libc)
{
    static const char *const ids[] = {"-/plain/is_clean", "-/plain/grows", "-/plain/fails"};
    static const uint32_t status[] = {WIRE_PASS, WIRE_PASS, WIRE_FAIL};
    static const int64_t retained[] = {0, 1000, 0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/fixtures/check_basic-stripped", session_build());
    char *arguments[] = {path, NULL};
    char *environment[] = {"CK_RUN_CASE=plain", NULL};
    struct session *session = session_start_env(arguments, environment);
    passive_open(session, 2);
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_LIBC);
    ck_assert_uint_ge(session->note_count, 1);
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->group.count, 7);
    ck_assert_uint_eq(session->test_count, 7);
    ck_assert_uint_eq(session->sample_count, 14);
    for (uint32_t i = 0; i < 3; i++) {
        const struct wire_test *result = session_result(session, i);
        ck_assert_str_eq(session->tests[i].id, ids[i]);
        ck_assert_uint_eq(session->tests[i].flags, WIRE_TEST_PASSIVE);
        ck_assert_uint_eq(result->status, status[i]);
        ck_assert_uint_eq(result->repetitions, 2);
        ck_assert_int_eq(result->retained_bytes, retained[i]);
    }
    ck_assert_str_eq(session_result(session, 2)->message,
                     "Assertion '6 * 7 == 41' failed: 6 * 7 == 42, 41 == 41");
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert(session->bye);
    ck_assert_int_eq(WEXITSTATUS(session->status), 1);
    session_end(&session);
}
END_TEST

START_TEST(takes_a_program_at_its_word_by_the_header)
{
    struct session *session = session_start("header_user");
    passive_open(session, 3);
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_HEADER);
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->group.count, 3);
    ck_assert_str_eq(session->tests[1].id, "mine/all/keeps");
    ck_assert_uint_eq(session_result(session, 0)->repetitions, 3);
    ck_assert_int_eq(session_result(session, 0)->retained_bytes, 0);
    ck_assert_uint_eq(session_result(session, 0)->allocs, 1);
    ck_assert_int_eq(session_result(session, 1)->retained_bytes, 11);
    ck_assert_uint_eq(session_result(session, 2)->status, WIRE_FAIL);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert(session->bye);
    ck_assert_int_eq(WEXITSTATUS(session->status), 3);
    session_end(&session);
}
END_TEST

START_TEST(repeats_the_main_of_a_program_without_tests)
{
    struct session *session = session_start("plain_main");
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_PROGRAM);
    ck_assert_str_eq(session->tests[0].id, "program/main/plain_main");
    ck_assert(session_run(session, 0, 3, 20, 0));
    ck_assert_uint_eq(session_result(session, 0)->status, WIRE_PASS);
    ck_assert_uint_eq(session_result(session, 0)->repetitions, 20);
    ck_assert_int_eq(session_result(session, 0)->retained_bytes, 100);
    ck_assert(session_run(session, 0, 0, 2, WIRE_FORKED));
    ck_assert_uint_eq(session_result(session, 0)->allocs, 1);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert(session->bye);
    ck_assert_int_eq(session->status, 0);
    session_end(&session);
}
END_TEST

START_TEST(cannot_enter_a_static_program)
{
    struct session *session = session_start("check_basic-static");
    ck_assert(session_wait(session, NULL, 20));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_NONE);
    ck_assert_int_eq(atomic_load(&session->wire->claimed), 0);
    session_end(&session);
}
END_TEST

SUITE("ways", &finds_static_libcheck_however_it_was_linked, &stands_before_a_shared_libcheck,
      &finds_libcheck_inside_a_library_of_the_program,
      &is_libcheck_itself_to_a_program_that_was_relinked,
      &sees_the_tests_of_a_stripped_program_through_libc,
      &takes_a_program_at_its_word_by_the_header, &repeats_the_main_of_a_program_without_tests,
      &cannot_enter_a_static_program)
