/* libcheck_run.c - runs one test with its fixtures, here or in a child; see libcheck.h. */
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/child.h"
#include "harness/boundary/libcheck_engine.h"
#include "harness/ledger/given.h"
#include "harness/meter/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tests run slower when every allocation is traced. */
#define TIMEOUT_FACTOR 4

static void state_reset(void)
{
    struct libcheck_state *state = libcheck_state;
    state->failed = false;
    state->context = state->failed_context = CK_CTX_SETUP;
    state->test_file = state->fixture_file = NULL;
    state->test_line = state->fixture_line = -1;
}

/* Calls a fixture or a test; an assertion that fails comes back here. */
static void call(void (*body)(const void *), const void *argument)
{
    if (sigsetjmp(libcheck_jump.buffer, 0) == 0) {
        libcheck_jump.active = true;
        body(argument);
    }
    libcheck_jump.active = false;
}

static void call_fixture(const void *fixture)
{
    ((SFun)(uintptr_t)fixture)();
}

static void call_test(const void *argument)
{
    const struct libcheck_test *test = argument;
    libcheck_state->context = CK_CTX_TEST;
    if (!test->tf->announces) {
        engine_tcase_fn_start(test->tf->name, test->tf->file, test->tf->line);
    }
    test->tf->function(test->iteration);
}

/* Runs the fixtures up to the first that fails. */
static bool fixtures_run(const struct libcheck_list *fixtures, enum ck_result_ctx context)
{
    LIBCHECK_EACH(link, fixtures)
    {
        bool failed_before = libcheck_state->failed;
        libcheck_state->failed = false;
        libcheck_state->context = context;
        call(call_fixture, link->item);
        bool failed = libcheck_state->failed;
        libcheck_state->failed |= failed_before;
        if (failed) {
            return false;
        }
    }
    return true;
}

static void jump_here(bool forked)
{
    libcheck_jump.forked = forked;
    libcheck_jump.process = getpid();
    libcheck_jump.thread = (pid_t)syscall(SYS_gettid);
}

static void test_run(struct libcheck_test *test)
{
    bool timed = test->result.duration < 0; /* the first time, for the program's own report */
    if (!fixtures_run(&test->tcase->checked_setups, CK_CTX_SETUP)) {
        return;
    }
    uint64_t begun = timed ? meter_now_ns() : 0;
    call(call_test, test);
    if (timed) {
        test->result.duration = (int)((meter_now_ns() - begun) / 1000);
    }
    fixtures_run(&test->tcase->checked_teardowns, CK_CTX_TEARDOWN);
    if (boundary_forked && !libcheck_jump.forked) {
        exit(EXIT_SUCCESS); /* a child that the test forked and that fell out of it */
    }
}

static void test_run_in_child(void *test)
{
    jump_here(true);
    test_run(test);
    if (libcheck_state->failed) {
        child_note();
        syscall(SYS_exit_group, 1);
    }
}

static void result_locate(struct TestResult *result, enum ck_result_ctx context)
{
    bool in_test = context == CK_CTX_TEST;
    const char *file = in_test ? libcheck_state->test_file : libcheck_state->fixture_file;
    result->ctx = context;
    result->file = (char *)(uintptr_t)file;
    result->line = in_test ? libcheck_state->test_line : libcheck_state->fixture_line;
}

/* What the repetition in this process came to. */
static void result_here(struct TestResult *result)
{
    bool failed = libcheck_state->failed;
    result_locate(result, failed ? libcheck_state->failed_context : CK_CTX_TEST);
    result->rtype = failed ? CK_FAILURE : CK_PASS;
    result->msg = failed ? libcheck_state->message : "Passed";
}

static void message_signal(const struct child_end *end, int received, int expected)
{
    char *message = libcheck_state->message;
    size_t room = sizeof libcheck_state->message;
    if (end->timed_out && expected != 0) {
        snprintf(message, room, "Test timeout expired, expected signal %d (%s)", expected,
                 strsignal(expected));
    } else if (end->timed_out) {
        snprintf(message, room, "Test timeout expired");
    } else {
        int used =
            snprintf(message, room, "Received signal %d (%s)", received, strsignal(received));
        if (expected != 0 && used > 0) {
            snprintf(message + used, room - (size_t)used, ", expected %d (%s)", expected,
                     strsignal(expected));
        }
    }
}

/* What the child came to, by libcheck's rules. */
static void result_of_child(struct TestResult *result, const TF *tf, const struct child_end *end)
{
    struct libcheck_state *state = libcheck_state;
    bool failed = state->failed;
    signed char exited = (signed char)WEXITSTATUS(end->status);
    result_locate(result, failed ? state->failed_context : state->context);
    result->msg = state->message;
    if (end->failed) {
        result->rtype = CK_ERROR;
        snprintf(state->message, sizeof state->message, "fork failed");
    } else if (WIFSIGNALED(end->status)) {
        bool expected = WTERMSIG(end->status) == tf->signal && !end->timed_out;
        result->rtype = expected ? CK_PASS : CK_ERROR;
        message_signal(end, WTERMSIG(end->status), tf->signal);
    } else if (tf->signal != 0 || (exited != tf->exit_value && !failed)) {
        result->rtype = tf->signal != 0 ? CK_FAILURE : CK_ERROR;
        snprintf(state->message, sizeof state->message, "Early exit with return value %d", exited);
    } else {
        result->rtype = exited == tf->exit_value ? CK_PASS : CK_FAILURE;
    }
    if (result->rtype == CK_PASS) {
        result_locate(result, CK_CTX_TEST);
        result->msg = "Passed";
    }
}

static void outcome_from(struct outcome *outcome, const struct TestResult *result)
{
    outcome->status = result->rtype == CK_PASS ? WIRE_PASS : WIRE_FAIL;
    outcome->line = result->line > 0 ? (uint32_t)result->line : 0;
    outcome->file = result->file == NULL ? "" : result->file;
    outcome->message = result->rtype == CK_PASS ? "" : result->msg;
}

/* Keeps the first failure, else the last pass, for the program's own report. */
static void result_keep(struct libcheck_test *test, struct TestResult *result)
{
    if (test->result.rtype == CK_FAILURE || test->result.rtype == CK_ERROR) {
        return;
    }
    if (result->rtype != CK_PASS) {
        result->msg = arena_dup(result->msg);
    }
    test->result = *result;
}

static struct TestResult result_begin(const struct libcheck_test *test)
{
    return (struct TestResult){.iter = test->iteration,
                               .duration = -1,
                               .tcname = test->tcase->name,
                               .tname = test->tf->name,
                               .line = -1};
}

static bool tf_needs_child(const TF *tf)
{
    return tf->signal != 0 || tf->exit_value != 0;
}

static void run_test(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    struct libcheck_run *run = self;
    struct libcheck_test *test = &run->tests[index];
    struct TestResult result = result_begin(test);
    state_reset();
    if (forked || tf_needs_child(test->tf)) {
        struct child_end end;
        child_run(test_run_in_child, test,
                  test->tcase->timeout_ns * (boundary_wire == NULL ? 1 : TIMEOUT_FACTOR), &end);
        result_of_child(&result, test->tf, &end);
        outcome->forked = true;
        outcome->signal = WIFSIGNALED(end.status) ? WTERMSIG(end.status) : 0;
        outcome->allocs = end.allocs;
        outcome->frees = end.frees;
        outcome->bytes = end.bytes;
        outcome_from(outcome, &result);
        if (end.timed_out) {
            outcome->status = WIRE_TIMEOUT;
        } else if (result.rtype == CK_ERROR) {
            outcome->status = outcome->signal != 0 ? WIRE_CRASH : WIRE_EXIT;
        }
    } else {
        test_run(test);
        result.duration = test->result.duration;
        result_here(&result);
        outcome_from(outcome, &result);
    }
    if (!given_wanted()) {
        result_keep(test, &result);
    }
}

static void current_leave(struct libcheck_run *run)
{
    if (run->current != NULL && !run->current_failed) {
        state_reset();
        jump_here(false);
        fixtures_run(&run->current->unchecked_teardowns, CK_CTX_TEARDOWN);
    }
    run->current = NULL;
}

static bool current_enter(struct libcheck_run *run, TCase *tcase)
{
    run->current = tcase;
    state_reset();
    jump_here(false);
    run->current_failed = !fixtures_run(&tcase->unchecked_setups, CK_CTX_SETUP);
    if (run->current_failed) {
        struct TestResult *result = arena_get(sizeof *result);
        result->tcname = tcase->name;
        result->tname = "unchecked_setup";
        result->duration = -1;
        result_here(result);
        result->msg = arena_dup(result->msg);
        libcheck_list_add(&run->setup_results, result);
        run->setup_result = *result;
    }
    return !run->current_failed;
}

static bool run_prepare(void *self, uint32_t index, struct outcome *outcome)
{
    struct libcheck_run *run = self;
    TCase *tcase = run->tests[index].tcase;
    jump_here(false);
    if (run->current != tcase) {
        current_leave(run);
        current_enter(run, tcase);
    }
    if (run->current_failed) {
        outcome_from(outcome, &run->setup_result);
    }
    return !run->current_failed;
}

static void run_finish(void *self)
{
    current_leave(self);
}

static void run_describe(void *self, uint32_t index, struct wire_test_name *name)
{
    static char id[3 * WIRE_ID_MAX];
    const struct libcheck_run *run = self;
    const struct libcheck_test *test = &run->tests[index];
    const TF *tf = test->tf;
    int used =
        snprintf(id, sizeof id - 16, "%s/%s/%s", test->suite->name, test->tcase->name, tf->name);
    if (tf->start != 0 || tf->end != 1) {
        size_t at = (size_t)used < sizeof id - 16 ? (size_t)used : sizeof id - 17;
        snprintf(id + at, sizeof id - at, "[%d]", test->iteration);
    }
    serve_id_set(name, id);
    snprintf(name->file, sizeof name->file, "%s", tf->file == NULL ? "" : tf->file);
    name->line = tf->line > 0 ? (uint32_t)tf->line : 0;
    name->flags = tf_needs_child(tf) ? WIRE_TEST_FORKED : 0;
    name->group = name->test;
    if (test->tcase->unchecked_setups.count + test->tcase->unchecked_teardowns.count > 0) {
        for (uint32_t i = index; i > 0 && run->tests[i - 1].tcase == test->tcase; i--) {
            name->group--;
        }
    }
}

/* A runner inside of a test, or in a child of the worker: as libcheck would run it. */
static void run_unserved(struct libcheck_run *run, bool forked)
{
    struct libcheck_state *outer_state = libcheck_state;
    struct libcheck_jump outer_jump = libcheck_jump;
    libcheck_state = arena_shared_get(sizeof *libcheck_state);
    for (uint32_t i = 0; i < run->count; i++) {
        struct outcome outcome = {.status = WIRE_PASS};
        if (run_prepare(run, i, &outcome)) {
            run_test(run, i, forked, &outcome);
        }
    }
    run_finish(run);
    libcheck_state = outer_state;
    libcheck_jump = outer_jump;
}

void engine_srunner_run_tagged(SRunner *runner, const char *suite, const char *tcase,
                               const char *include_tags, const char *exclude_tags,
                               enum print_output mode)
{
    if (runner == NULL) {
        return;
    }
    struct libcheck_run *run = arena_get(sizeof *run);
    run->runner = runner;
    libcheck_select(run, suite != NULL ? suite : getenv("CK_RUN_SUITE"),
                    tcase != NULL ? tcase : getenv("CK_RUN_CASE"),
                    include_tags != NULL ? include_tags : getenv("CK_INCLUDE_TAGS"),
                    exclude_tags != NULL ? exclude_tags : getenv("CK_EXCLUDE_TAGS"));
    libcheck_list_add(&runner->runs, run);
    libcheck_report_start(run, mode);
    if (boundary_wire == NULL || !boundary_is_worker() || libcheck_jump.active) {
        run_unserved(run, engine_srunner_fork_status(runner) == CK_FORK);
    } else {
        if (libcheck_state == NULL) {
            libcheck_state = arena_shared_get(sizeof *libcheck_state);
        }
        struct test_group group = {.framework = "libcheck",
                                   .way = boundary_way,
                                   .count = run->count,
                                   .self = run,
                                   .describe = run_describe,
                                   .prepare = run_prepare,
                                   .run = run_test,
                                   .finish = run_finish};
        serve_group(&group);
    }
    libcheck_report_end(run, mode);
}

void engine_srunner_run(SRunner *runner, const char *suite, const char *tcase,
                        enum print_output mode)
{
    engine_srunner_run_tagged(runner, suite, tcase, NULL, NULL, mode);
}

void engine_srunner_run_all(SRunner *runner, enum print_output mode)
{
    engine_srunner_run_tagged(runner, NULL, NULL, NULL, NULL, mode);
}
