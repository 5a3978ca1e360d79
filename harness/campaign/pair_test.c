/* pair_test.c - commands that are started for real: the order, the figures, and what is refused. */
#include "harness/base/suite.h"
#include "harness/campaign/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAIRS 5

static char error[256];
static struct pair_run a[PAIRS], b[PAIRS];

static size_t pairs;

static bool three_are_enough(const struct pair_run *x, const struct pair_run *y, size_t count)
{
    return x == a && y == b && count >= 3;
}

static struct pair_limits times(size_t count)
{
    return (struct pair_limits){.least = count, .most = count, .enough = three_are_enough};
}

static char *shell(const char *script)
{
    return (char *)script;
}

#define SHELL(name, script) char *const name[] = {"/bin/sh", "-c", shell(script), NULL}

START_TEST(runs_a_b_b_a_after_a_warm_up_of_each)
{
    char path[] = "/tmp/tidemark-pair.XXXXXX", first[128], second[128], order[64];
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    snprintf(first, sizeof first, "printf A >>%s", path);
    snprintf(second, sizeof second, "printf B >>%s", path);
    SHELL(command_a, first);
    SHELL(command_b, second);
    bool ran = pair_measure(command_a, command_b, times(PAIRS), a, b, &pairs, error, sizeof error);
    ssize_t length = read(descriptor, order, sizeof order - 1);
    close(descriptor);
    unlink(path);
    ck_assert_msg(ran, "%s", error);
    order[length > 0 ? length : 0] = '\0';
    ck_assert_str_eq(order, "AB"
                            "ABBAABBAAB");
}
END_TEST

START_TEST(each_measure_is_above_zero_and_the_larger_program_is_the_larger)
{
    SHELL(small, ":");
    SHELL(large, "x=$(head -c 60000000 /dev/zero | tr '\\0' x); :");
    /* A child begins with what its parent had: under valgrind 50 MB. */
    ck_assert_msg(pair_measure(small, large, times(PAIRS), a, b, &pairs, error, sizeof error), "%s",
                  error);
    for (size_t i = 0; i < PAIRS; i++) {
        for (int m = 0; m < PAIR_MEASURES; m++) {
            ck_assert_double_gt(a[i].value[m], 0);
        }
        ck_assert_double_gt(b[i].value[PAIR_RSS], a[i].value[PAIR_RSS] + 10e6);
    }
}
END_TEST

START_TEST(the_commands_are_silent_and_have_no_input)
{
    SHELL(command, "read line && exit 3; echo loud; echo louder >&2; exit 1");
    int out = dup(1), pipes[2];
    char said[16];
    ck_assert_int_eq(pipe(pipes), 0);
    dup2(pipes[1], 1);
    bool ran = pair_measure(command, command, times(1), a, b, &pairs, error, sizeof error);
    dup2(out, 1);
    close(out);
    close(pipes[1]);
    ck_assert_int_eq(read(pipes[0], said, sizeof said), 0);
    close(pipes[0]);
    ck_assert(ran && WIFEXITED(a[0].status) && WEXITSTATUS(a[0].status) == 1);
}
END_TEST

START_TEST(a_command_that_ends_differently_is_refused_by_name)
{
    char path[] = "/tmp/tidemark-pair.XXXXXX", script[128];
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    snprintf(script, sizeof script, "printf x >>%s; [ $(wc -c <%s) -lt 3 ]", path, path);
    SHELL(turns, script);
    char *const steady[] = {"/bin/true", NULL};
    bool ran = pair_measure(steady, turns, times(PAIRS), a, b, &pairs, error, sizeof error);
    unlink(path);
    ck_assert(!ran);
    ck_assert_str_eq(error,
                     "/bin/sh does not end the same way every time; its runs cannot be compared");
}
END_TEST

START_TEST(a_command_that_is_none_is_refused_by_name)
{
    char *const none[] = {"/no/such/program", NULL}, *const steady[] = {"/bin/true", NULL};
    ck_assert(!pair_measure(steady, none, times(1), a, b, &pairs, error, sizeof error));
    ck_assert_str_eq(error, "/no/such/program: cannot be started");
}
END_TEST

START_TEST(goes_on_until_it_is_enough_or_the_most)
{
    char *const command[] = {"/bin/true", NULL};
    static struct pair_run many_a[20], many_b[20];
    struct pair_limits limits = {.least = 2, .most = 20, .enough = three_are_enough};
    ck_assert(pair_measure(command, command, limits, many_a, many_b, &pairs, error, sizeof error));
    ck_assert_uint_eq(pairs, 20); /* asked about other runs than these: never enough */
    limits = (struct pair_limits){.least = 3, .most = PAIRS, .enough = three_are_enough};
    ck_assert(pair_measure(command, command, limits, a, b, &pairs, error, sizeof error));
    ck_assert_uint_eq(pairs, 3);
    limits = (struct pair_limits){
        .least = 2, .most = 20, .most_ns = 1, .enough = three_are_enough}; /* no time for more */
    ck_assert(pair_measure(command, command, limits, many_a, many_b, &pairs, error, sizeof error));
    ck_assert_uint_eq(pairs, 2);
}
END_TEST

START_TEST(a_crash_that_always_comes_is_an_end_like_any_other)
{
    SHELL(crash, "kill -SEGV $$");
    ck_assert_msg(pair_measure(crash, crash, times(1), a, b, &pairs, error, sizeof error), "%s",
                  error);
    ck_assert(WIFSIGNALED(a[0].status));
}
END_TEST

SUITE("pair", &runs_a_b_b_a_after_a_warm_up_of_each,
      &each_measure_is_above_zero_and_the_larger_program_is_the_larger,
      &the_commands_are_silent_and_have_no_input,
      &a_command_that_ends_differently_is_refused_by_name,
      &a_command_that_is_none_is_refused_by_name, &goes_on_until_it_is_enough_or_the_most,
      &a_crash_that_always_comes_is_an_end_like_any_other)
