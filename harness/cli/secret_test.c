/* secret_test.c - a secret that is compared: right and wrong, and the instructions it takes,
 * counted one by one in a child that is stepped through. */
#include "harness/base/suite.h"
#include "harness/cli/secret.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "k2-3f9d2a77c1e04b58"

static bool is(const char *sent)
{
    return secret_is(SECRET, strlen(SECRET), sent, strlen(sent));
}

START_TEST(only_the_secret_itself_is_right)
{
    char wrong[sizeof SECRET];
    ck_assert(is(SECRET));
    ck_assert(!is(""));
    ck_assert(!is(SECRET SECRET));
    ck_assert(!is(SECRET "x"));
    for (size_t i = 0; i < strlen(SECRET); i++) {
        memcpy(wrong, SECRET, sizeof wrong);
        wrong[i] ^= 1;
        ck_assert_msg(!is(wrong), "byte %zu", i);
        wrong[i] = 0;
        ck_assert_msg(!secret_is(SECRET, strlen(SECRET), SECRET, i), "the first %zu bytes", i);
    }
    ck_assert_msg(!secret_is("", 0, "", 0), "no secret is none that anybody knows");
}
END_TEST

/* Instructions between two stops of the child. -1: it cannot be traced here. */
static long steps(const char *sent)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        volatile bool answer;
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(9);
        }
        raise(SIGSTOP);
        answer = secret_is(SECRET, strlen(SECRET), sent, strlen(sent));
        (void)answer;
        raise(SIGSTOP);
        _exit(0);
    }
    long count = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return -1;
    }
    for (;;) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid ||
            !WIFSTOPPED(status)) {
            count = -1;
            break;
        }
        if (WSTOPSIG(status) == SIGSTOP) {
            break;
        }
        count++;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return count;
}

START_TEST(a_wrong_first_byte_takes_as_long_as_a_wrong_last_one)
{
    char first[] = SECRET, last[] = SECRET;
    first[0] ^= 1;
    last[sizeof last - 2] ^= 1;
    long right = steps(SECRET);
    if (right < 0) {
        printf("skipped: no child can be traced here\n");
        return;
    }
    ck_assert_int_gt(right, 100);
    ck_assert_int_eq(steps(first), right);
    ck_assert_int_eq(steps(last), right);
}
END_TEST

SUITE("secret", &only_the_secret_itself_is_right,
      &a_wrong_first_byte_takes_as_long_as_a_wrong_last_one)
