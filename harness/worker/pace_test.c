/* pace_test.c - what the clock of budgets counts.
 */
#include "harness/worker/pace.h"

#include "harness/base/suite.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void work(double ns)
{
    double begun = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begun < ns) {
    }
}

START_TEST(work_of_this_process_and_what_workers_spent_count)
{
    double begun = pace_now();
    usleep(50000);
    ck_assert_double_le(pace_now() - begun, 40e6);
    work(50e6);
    double worked = pace_now() - begun;
    ck_assert_double_ge(worked, 50e6);
    pace_spend(1e9);
    ck_assert_double_ge(pace_now() - begun, 1e9 + worked);
}
END_TEST

/* Three processes on one processor: each waits for two thirds of the time. */
START_TEST(the_kernel_tells_what_a_process_waited_for_a_processor)
{
    cpu_set_t one;
    pid_t others[2];
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    for (int i = 0; i < 2; i++) {
        others[i] = fork();
        if (others[i] == 0) {
            for (;;) {
                alarm(20);
            }
        }
    }
    double wall = clock_ns(CLOCK_MONOTONIC), waited = (double)pace_waited_ns(getpid());
    work(200e6);
    waited = (double)pace_waited_ns(getpid()) - waited;
    wall = clock_ns(CLOCK_MONOTONIC) - wall;
    for (int i = 0; i < 2; i++) {
        kill(others[i], SIGKILL);
        waitpid(others[i], NULL, 0);
    }
    ck_assert_double_ge(wall, 300e6);
    ck_assert_double_ge(waited, 0.8 * (wall - 200e6));
    ck_assert_double_le(waited, wall - 190e6);
    ck_assert_uint_eq(pace_waited_ns(others[0]), 0); /* it is gone */
}
END_TEST

SUITE("pace", &work_of_this_process_and_what_workers_spent_count,
      &the_kernel_tells_what_a_process_waited_for_a_processor)
