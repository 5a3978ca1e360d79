/* libcheck_assert.c - mark points and failing assertions; see libcheck.h. */
#include "harness/boundary/boundary.h"
#include "harness/boundary/child.h"
#include "harness/boundary/libcheck_engine.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct libcheck_state *libcheck_state;
const char *libcheck_current_name;
struct libcheck_jump libcheck_jump;

static void outside_of_tests(const char *file, int line)
{
    fprintf(stderr,
            "%s:%d: an assertion was reached while no test was running; it can only be used "
            "in tests and fixtures\n",
            file, line);
    exit(2);
}

static void location_set(const char *file, int line)
{
    if (libcheck_state->context == CK_CTX_TEST) {
        libcheck_state->test_file = file;
        libcheck_state->test_line = line;
    } else {
        libcheck_state->fixture_file = file;
        libcheck_state->fixture_line = line;
    }
}

void engine__mark_point(const char *file, int line)
{
    if (libcheck_state == NULL) {
        outside_of_tests(file, line);
    }
    location_set(file, line);
}

void engine_tcase_fn_start(const char *name, const char *file, int line)
{
    if (libcheck_state != NULL) {
        libcheck_state->context = CK_CTX_TEST;
        location_set(file, line);
    }
    libcheck_current_name = name;
}

const char *engine_tcase_name(void)
{
    return libcheck_current_name;
}

/* Ends the test from wherever it stands. In a child that the test forked by itself the process
 * ends, and on another thread the thread does: jumping over to the test's stack would destroy both.
 */
static void __attribute__((noreturn)) test_leave(int exit_status)
{
    if (libcheck_jump.forked || getpid() != libcheck_jump.process) {
        child_note();
        syscall(SYS_exit_group, exit_status);
    }
    if ((pid_t)syscall(SYS_gettid) != libcheck_jump.thread) {
        pthread_exit(NULL);
    }
    siglongjmp(libcheck_jump.buffer, 1);
}

void engine__ck_assert_failed(const char *file, int line, const char *expression,
                              const char *message, ...)
{
    if (libcheck_state == NULL || !libcheck_jump.active) {
        outside_of_tests(file, line);
    }
    /* A child that the test forked by itself only ends; its parent decides what that means. */
    bool ours = libcheck_jump.forked || getpid() == libcheck_jump.process;
    if (ours && !libcheck_state->failed) {
        location_set(file, line);
        if (message != NULL) {
            va_list arguments;
            va_start(arguments, message);
            /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is right above */
            vsnprintf(libcheck_state->message, sizeof libcheck_state->message, message, arguments);
            va_end(arguments);
        } else {
            snprintf(libcheck_state->message, sizeof libcheck_state->message, "%s", expression);
        }
        libcheck_state->failed_context = libcheck_state->context;
        libcheck_state->failed = true;
    }
    test_leave(1);
}

pid_t engine_check_fork(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0 && libcheck_jump.forked) {
        setpgid(0, getpgrp());
    }
    return pid;
}

/* libcheck's ends the test's process. In one process for all tests, the test ends. */
void engine_check_waitpid_and_exit(pid_t pid)
{
    int status = 0;
    if (pid > 0) {
        while (waitpid(pid, &status, 0) == -1) {
        }
    }
    bool failed = pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    if (!libcheck_jump.active || libcheck_jump.forked || getpid() != libcheck_jump.process) {
        exit(failed ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    if (failed && !libcheck_state->failed) {
        snprintf(libcheck_state->message, sizeof libcheck_state->message,
                 "Early exit with return value %d", EXIT_FAILURE);
        libcheck_state->failed_context = libcheck_state->context;
        libcheck_state->failed = true;
    }
    test_leave(failed);
}

void engine_check_set_max_msg_size(size_t bytes)
{
    (void)bytes; /* messages here never outgrow libcheck_state */
}
