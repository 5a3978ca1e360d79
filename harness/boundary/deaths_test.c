/* deaths_test.c - tests that die, hang, leave or wreck their surroundings; see check_deaths.c. */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

#include <signal.h>

static struct session *deaths_start(const char *test, uint32_t *index)
{
    struct session *session = session_start("check_deaths");
    ck_assert(session_ready(session));
    *index = session_test(session, test);
    ck_assert_msg(*index != WIRE_NO_TEST, "%s", test);
    return session;
}

START_TEST(writes_down_the_signal_of_a_crash)
{
    static const struct {
        const char *test;
        int signal;
    } rows[] = {{"/segfaults", SIGSEGV},
                {"/overflows_its_stack", SIGSEGV},
                {"/overflows_a_threads_stack", SIGSEGV},
                {"/aborts", SIGABRT},
                {"/divides_by_zero", SIGFPE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t index;
        struct session *session = deaths_start(rows[i].test, &index);
        ck_assert(!session_run(session, index, 0, 1, 0));
        ck_assert(session->ended);
        ck_assert_msg(WIFSIGNALED(session->status) && WTERMSIG(session->status) == rows[i].signal,
                      "%s ended with %x", rows[i].test, session->status);
        const struct wire *wire = session->wire;
        ck_assert_msg(atomic_load(&wire->crash.signal) == (uint32_t)rows[i].signal, "%s noted %u",
                      rows[i].test, wire->crash.signal);
        ck_assert_uint_eq(atomic_load(&wire->progress.test), index);
        ck_assert_uint_gt(wire->crash.frame_count, 0);
        ck_assert_int_ne(wire->crash.thread, 0);
        ck_assert(!session->bye);
        session_end(&session);
    }
}
END_TEST

START_TEST(tells_the_stack_of_a_hanging_test)
{
    uint32_t index;
    struct session *session = deaths_start("/hangs", &index);
    struct wire_command command = {
        .op = WIRE_OP_RUN, .test = index, .depth = WIRE_COUNT, .repetitions = 1};
    wire_command_send(session->wire, &command);
    while (atomic_load(&session->wire->progress.started_ns) == 0) {
        usleep(1000);
    }
    usleep(20000);
    kill(session->pid, WIRE_STACK_SIGNAL);
    for (int i = 0; i < 2000 && atomic_load(&session->wire->crash.signal) == 0; i++) {
        usleep(1000);
    }
    ck_assert_uint_eq(atomic_load(&session->wire->crash.signal), (uint32_t)WIRE_STACK_SIGNAL);
    ck_assert_uint_gt(session->wire->crash.frame_count, 0);
    ck_assert_uint_eq(atomic_load(&session->wire->progress.test), index);
    session_end(&session);
}
END_TEST

START_TEST(kills_a_child_after_the_time_that_the_command_allows)
{
    uint32_t index;
    struct session *session = deaths_start("/hangs", &index);
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = index,
                                   .depth = WIRE_COUNT,
                                   .flags = WIRE_FORKED,
                                   .repetitions = 1,
                                   .child_ns = 200000000};
    time_t begun = time(NULL);
    ck_assert(session_command(session, &command));
    ck_assert_uint_eq(session_result(session, index)->status, WIRE_TIMEOUT);
    ck_assert_int_le(time(NULL) - begun, 3); /* the framework allows more than that */
    session_end(&session);
}
END_TEST

START_TEST(notes_an_exit_in_the_middle_of_a_test)
{
    static const char *const tests[] = {"/exits_with_zero", "/exits_at_once"};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        uint32_t index;
        struct session *session = deaths_start(tests[i], &index);
        ck_assert(!session_run(session, index, 0, 1, 0));
        ck_assert(session->ended);
        ck_assert_int_eq(session->status, 0);
        ck_assert_uint_eq(atomic_load(&session->wire->crash.exited), 1);
        ck_assert_uint_gt(session->wire->crash.frame_count, 0);
        ck_assert_uint_eq(atomic_load(&session->wire->progress.test), index);
        ck_assert(!session->bye);
        session_end(&session);
    }
}
END_TEST

START_TEST(lives_on_after_tests_that_wreck_the_process)
{
    static const char *const tests[] = {"/closes_every_descriptor", "/limits_itself",
                                        "/replaces_handlers_and_leaves",
                                        "/forks_and_forgets_to_leave", "/fails_in_a_child"};
    uint32_t index;
    struct session *session = deaths_start("/is_as_it_was_before", &index);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        uint32_t wreck = session_test(session, tests[i]);
        ck_assert_msg(session_run(session, wreck, 1, 3, 0), "%s", tests[i]);
        ck_assert_msg(session_result(session, wreck)->status == WIRE_PASS, "%s", tests[i]);
        ck_assert_msg(session_run(session, index, 0, 2, 0), "after %s", tests[i]);
        ck_assert_msg(session_result(session, index)->status == WIRE_PASS, "after %s: %s", tests[i],
                      session_result(session, index)->message);
    }
    /* The crash handler is in its place again, though a test took it away. */
    ck_assert(!session_run(session, session_test(session, "/segfaults"), 0, 1, 0));
    ck_assert_uint_eq(atomic_load(&session->wire->crash.signal), SIGSEGV);
    session_end(&session);
}
END_TEST

START_TEST(gives_each_test_the_standard_streams_that_the_program_had)
{
    static const char *const tests[] = {
        "/closes_standard_output", "/leaves_standard_output_in_a_pipe", "/reads_what_it_prints"};
    uint32_t index;
    struct session *session = deaths_start("/reads_what_it_prints", &index);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        ck_assert_msg(session_run(session, session_test(session, tests[i]), 0, 3, 0), "%s",
                      tests[i]);
        ck_assert_msg(session_run(session, index, 0, 2, 0), "after %s", tests[i]);
        ck_assert_msg(session_result(session, index)->status == WIRE_PASS, "after %s: %s", tests[i],
                      session_result(session, index)->message);
    }
    session_end(&session);
}
END_TEST

START_TEST(fails_a_test_whose_assertion_fails_on_another_thread)
{
    uint32_t index;
    struct session *session = deaths_start("/fails_on_another_thread", &index);
    ck_assert(session_run(session, index, 0, 3, 0));
    ck_assert_uint_eq(session_result(session, index)->status, WIRE_FAIL);
    ck_assert_str_eq(session_result(session, index)->message, "on another thread");
    ck_assert(session_run(session, session_test(session, "/last"), 0, 1, 0));
    session_end(&session);
}
END_TEST

START_TEST(survives_every_death_in_a_child)
{
    static const struct {
        const char *test;
        uint32_t status;
        int signal;
    } rows[] = {{"/segfaults", WIRE_CRASH, SIGSEGV},
                {"/aborts", WIRE_CRASH, SIGABRT},
                {"/overflows_its_stack", WIRE_CRASH, SIGSEGV},
                {"/exits_with_zero", WIRE_PASS, 0},
                {"/first", WIRE_PASS, 0}};
    uint32_t index;
    struct session *session = deaths_start("/first", &index);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        index = session_test(session, rows[i].test);
        ck_assert(session_run(session, index, 0, 1, WIRE_FORKED));
        ck_assert_msg(session_result(session, index)->status == rows[i].status, "%s: %u",
                      rows[i].test, session_result(session, index)->status);
        ck_assert_int_eq(session_result(session, index)->signal, rows[i].signal);
        ck_assert_uint_eq(atomic_load(&session->wire->crash.signal), 0);
    }
    session_end(&session);
}
END_TEST

START_TEST(notes_an_allocation_that_was_refused)
{
    uint32_t index;
    struct session *session = deaths_start("/is_refused_memory", &index);
    ck_assert(session_run(session, index, 0, 1, 0));
    ck_assert_uint_eq(atomic_load(&session->wire->crash.refused), (uint64_t)1 << 62);
    ck_assert(session_run(session, session_test(session, "/first"), 0, 1, 0));
    ck_assert_uint_eq(atomic_load(&session->wire->crash.refused), 0);
    session_end(&session);
}
END_TEST

SUITE("deaths", &writes_down_the_signal_of_a_crash, &tells_the_stack_of_a_hanging_test,
      &kills_a_child_after_the_time_that_the_command_allows, &notes_an_exit_in_the_middle_of_a_test,
      &lives_on_after_tests_that_wreck_the_process,
      &gives_each_test_the_standard_streams_that_the_program_had,
      &fails_a_test_whose_assertion_fails_on_another_thread, &survives_every_death_in_a_child,
      &notes_an_allocation_that_was_refused)
