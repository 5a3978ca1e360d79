/* boundary_test.c - the library in a real libcheck program, from the supervisor's side of the wire.
 */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

START_TEST(names_every_test_and_runs_them_on_command)
{
    static const char *const ids[] = {"basic/plain/is_clean",
                                      "basic/plain/grows",
                                      "basic/plain/fails",
                                      "basic/plain/fails_with_words",
                                      "basic/plain/loops[1]",
                                      "basic/plain/loops[2]",
                                      "basic/plain/loops[3]",
                                      "basic/fixtures/has_fixtures",
                                      "basic/fixtures/raises_a_signal",
                                      "basic/fixtures/exits_with_three",
                                      "basic/fixtures/forks"};
    static const uint32_t status[] = {WIRE_PASS, WIRE_PASS, WIRE_FAIL, WIRE_FAIL,
                                      WIRE_PASS, WIRE_PASS, WIRE_FAIL, WIRE_PASS,
                                      WIRE_PASS, WIRE_PASS, WIRE_PASS};
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_SYMTAB);
    ck_assert_str_eq(session->hello.framework, "libcheck");
    ck_assert_int_eq(session->hello.pid, session->pid);
    ck_assert_uint_eq(session->group.count, sizeof ids / sizeof ids[0]);
    for (uint32_t i = 0; i < session->group.count; i++) {
        ck_assert_str_eq(session->tests[i].id, ids[i]);
        ck_assert_str_eq(session->tests[i].file, "fixtures/programs/check_basic.c");
        ck_assert_uint_gt(session->tests[i].line, 0);
        ck_assert(session_run(session, i, 1, 3, 0));
        const struct wire_test *result = session_result(session, i);
        ck_assert_ptr_nonnull(result);
        ck_assert_msg(result->status == status[i], "%s: %u %s", ids[i], result->status,
                      result->message);
        ck_assert_uint_eq(result->repetitions, 3);
        ck_assert_uint_eq(result->warmups, 1);
    }
    ck_assert_uint_eq(session->sample_count, 3 * session->group.count);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert(session->bye);
    ck_assert_int_eq(WEXITSTATUS(session->status), 1);
    ck_assert_ptr_nonnull(
        strstr(session_output(session), "72%: Checks: 11, Failures: 3, Errors: 0\n"));
    ck_assert_ptr_nonnull(strstr(session_output(session),
                                 "check_basic.c:59:F:plain:fails_with_words:0: number 42, text "
                                 "words\n"));
    session_end(&session);
}
END_TEST

START_TEST(counts_what_a_repetition_allocates_to_the_byte)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t clean = session_test(session, "/is_clean"), grows = session_test(session, "/grows");
    ck_assert(session_run(session, clean, 3, 10, 0));
    const struct wire_test *result = session_result(session, clean);
    ck_assert_uint_eq(result->allocs, 1);
    ck_assert_uint_eq(result->frees, 1);
    ck_assert_uint_eq(result->bytes, 6);
    ck_assert_int_eq(result->retained_bytes, 0);
    ck_assert_int_eq(session->samples[0].live_bytes, session->samples[9].live_bytes);
    ck_assert(session_run(session, grows, 3, 10, 0));
    result = session_result(session, grows);
    ck_assert_uint_eq(result->allocs, 1);
    ck_assert_int_eq(result->retained_bytes, 1000);
    ck_assert_int_eq(result->retained_blocks, 1);
    ck_assert_int_eq(session->samples[19].live_bytes - session->samples[10].live_bytes, 9000);
    session_end(&session);
}
END_TEST

START_TEST(adds_nothing_over_100000_boundaries)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t fixtures = session_test(session, "/has_fixtures");
    ck_assert(session_run(session, fixtures, 10, 1, 0));
    struct wire_sample first = session->samples[0];
    uint64_t own = atomic_load(&session->wire->progress.own_bytes);
    for (int i = 0; i < 50; i++) {
        session->sample_count = 0;
        session->result_count = 0;
        ck_assert(session_run(session, fixtures, 0, 2000, 0));
    }
    struct wire_sample last = session->samples[1999];
    ck_assert_int_eq(last.live_bytes, first.live_bytes);
    ck_assert_int_eq(last.live_blocks, first.live_blocks);
    ck_assert_uint_eq(last.fds, first.fds);
    ck_assert_uint_eq(last.threads, first.threads);
    ck_assert_int_eq(last.mappings, first.mappings);
    ck_assert_int_eq(last.mapped_bytes, first.mapped_bytes);
    /* Outside of all counts the ledger notes which test each boundary was of: 4 bytes. */
    ck_assert_uint_le(atomic_load(&session->wire->progress.own_bytes), own + (512u << 10));
    session_end(&session);
}
END_TEST

START_TEST(stops_at_the_first_failure_when_asked)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t fails = session_test(session, "/fails");
    ck_assert(session_run(session, fails, 3, 10, WIRE_STOP_ON_FAIL));
    const struct wire_test *result = session_result(session, fails);
    ck_assert_uint_eq(result->warmups, 1);
    ck_assert_uint_eq(result->repetitions, 1);
    ck_assert_uint_eq(result->line, 53);
    ck_assert_str_eq(result->message, "Assertion '6 * 7 == 41' failed: 6 * 7 == 42, 41 == 41");
    session_end(&session);
}
END_TEST

START_TEST(runs_any_test_in_a_child_when_asked)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t grows = session_test(session, "/grows");
    ck_assert(session_run(session, grows, 0, 4, WIRE_FORKED));
    const struct wire_test *result = session_result(session, grows);
    ck_assert_uint_eq(result->status, WIRE_PASS);
    ck_assert_uint_eq(result->allocs, 1);
    ck_assert_uint_eq(result->bytes, 1000);
    ck_assert_int_eq(session->samples[3].live_bytes, session->samples[0].live_bytes);
    session_end(&session);
}
END_TEST

START_TEST(leaves_the_program_alone_without_a_wire)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/fixtures/check_basic", session_build());
    char *arguments[] = {path, NULL};
    char *environment[] = {"TIDEMARK_WIRE=987", NULL};
    struct session *session = session_start_env(arguments, environment);
    ck_assert(session_wait(session, NULL, 20));
    ck_assert_uint_eq(session->hello.way, WIRE_WAY_NONE);
    ck_assert_int_eq(WEXITSTATUS(session->status), 1);
    ck_assert_ptr_nonnull(
        strstr(session_output(session), "72%: Checks: 11, Failures: 3, Errors: 0\n"));
    session_end(&session);
}
END_TEST

START_TEST(passes_through_a_shell_on_the_way)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "true && %s/fixtures/check_basic; exit $?", session_build());
    char *arguments[] = {"sh", "-c", command, NULL};
    struct session *session = session_start_env(arguments, NULL);
    ck_assert(session_ready(session));
    ck_assert_int_ne(session->hello.pid, session->pid);
    ck_assert_uint_eq(session->group.count, 11);
    ck_assert(session_finish(session));
    ck_assert(session_wait(session, NULL, 10));
    ck_assert_int_eq(WEXITSTATUS(session->status), 0);
    session_end(&session);
}
END_TEST

SUITE("boundary", &names_every_test_and_runs_them_on_command,
      &counts_what_a_repetition_allocates_to_the_byte, &adds_nothing_over_100000_boundaries,
      &stops_at_the_first_failure_when_asked, &runs_any_test_in_a_child_when_asked,
      &leaves_the_program_alone_without_a_wire, &passes_through_a_shell_on_the_way)
