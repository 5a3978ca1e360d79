/* repeat_alone_test.c - what a test comes to that fails, hangs or dies when it is repeated. */
#include "harness/campaign/repeat_hunt_fixture.h"

START_TEST(what_fails_later_is_flaky_or_passes_once)
{
#define SAME(n)                                                                                    \
    {FAIL, n}, {FAIL, n},                                                                          \
    {                                                                                              \
        FAIL, n                                                                                    \
    }
#define ONCE     "(it passes only once in a process: run once, no verdict)"
#define REPEATED "(it fails when it is repeated in one process: run once, no verdict)"
    static const struct {
        const char *name;
        struct script test;
        const char *log, *note;
        size_t once, forked, failed, strays;
        bool live;
    } rows[] = {
        {"at the same call of each process, and passes once",
         {.here = FAIL, .passed = 6, .says = "n", .alone = {SAME(6), {PASS, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; 0 pass*1 live; " ONCE,
         "0 fails when it is repeated in one process, n: run once, no verdict",
         1,
         0,
         0,
         8,
         false},
        {"without a message",
         {.here = FAIL, .passed = 1, .alone = {SAME(1), {PASS, 0}}},
         "alone 0*2; alone 0*2; alone 0*2; alone 0*1; 0 pass*1 live; " ONCE,
         "0 fails when it is repeated in one process: run once, no verdict",
         1,
         0,
         0,
         8,
         false},
        {"and fails once, but for a child",
         {.here = FAIL, .passed = 6, .alone = {SAME(6), {FAIL, 0}, {PASS, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; child 0*1; 0 pass*1 live; " REPEATED,
         "",
         0,
         1,
         0,
         10,
         false},
        {"and fails once, in a child too",
         {.here = FAIL, .passed = 6, .alone = {SAME(6), {FAIL, 0}, {FAIL, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; child 0*1; 0 fail*1; " REPEATED,
         "",
         0,
         0,
         1,
         10,
         false},
        {"twice at the same call, once at another",
         {.here = FAIL, .passed = 6, .alone = {{FAIL, 6}, {FAIL, 2}, {FAIL, 6}, {PASS, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; 0 pass*1 live; " ONCE,
         "0 fails when it is repeated in one process: run once, no verdict",
         1,
         0,
         0,
         8,
         false},
        {"never at the same call",
         {.here = FAIL, .passed = 6, .says = "n", .alone = {{FAIL, 5}, {FAIL, 2}, {FAIL, 4}}},
         "alone 0*7; alone 0*7; alone 0*7; 0 flaky*21; (it failed 4 of 21 times: no verdict)",
         "",
         0,
         0,
         0,
         6,
         false},
        {"never again",
         {.here = FAIL, .passed = 6},
         "alone 0*7; alone 0*7; alone 0*7; 0 flaky*28; (it failed 1 of 28 times: no verdict)",
         "",
         0,
         0,
         0,
         6,
         false},
        {"twice at the same call, and once not",
         {.here = FAIL, .passed = 6, .alone = {{FAIL, 6}, {FAIL, 6}, {PASS, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; 0 flaky*28; (it failed 3 of 28 times: no verdict)",
         "",
         0,
         0,
         0,
         6,
         false},
        {"a skip is no failure",
         {.here = FAIL, .passed = 6, .alone = {{FAIL, 6}, {SKIP, 6}, {FAIL, 6}}},
         "alone 0*7; alone 0*7; alone 0*7; 0 flaky*28; (it failed 3 of 28 times: no verdict)",
         "",
         0,
         0,
         0,
         6,
         false},
        {"a death is one",
         {.here = FAIL, .passed = 6, .alone = {{DIE, 6}, {HANG, 6}, {FAIL, 5}}},
         "alone 0*7; alone 0*7; alone 0*7; 0 flaky*15; (it failed 4 of 15 times: no verdict)",
         "",
         0,
         0,
         0,
         6,
         false},
        {"three processes of two calls, almost as long as the budget of the test and 2 s",
         {.here = FAIL,
          .passed = 1,
          .call_ns = (62.004e9 - 0.6) / 6,
          .alone = {SAME(1), {PASS, 0}}},
         "alone 0*2; alone 0*2; alone 0*2; alone 0*1; 0 pass*1 live; " ONCE,
         "0 fails when it is repeated in one process: run once, no verdict",
         1,
         0,
         0,
         8,
         false},
        {"and longer than that",
         {.here = FAIL, .passed = 1, .call_ns = (62.004e9 + 0.4) / 6, .alone = {{PASS, 0}}},
         "alone 0*1; 0 pass*1 live; " ONCE,
         "0 fails when it is repeated in one process: run once, no verdict",
         1,
         0,
         0,
         2,
         false},
        {"at once by itself, and in order it passes",
         {.here = FAIL, .passed = 6, .alone = {SAME(0), {FAIL, 0}, {FAIL, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; child 0*1; 0 pass*1; (it passes only after "
         "the "
         "tests before it: run once, no verdict)",
         "0 passes in order, and fails by itself: run once, no verdict",
         0,
         0,
         0,
         10,
         true},
        {"at once by itself, and in order too",
         {.here = FAIL, .passed = 6, .alone = {SAME(0), {FAIL, 0}, {FAIL, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; child 0*1; 0 fail*1; " REPEATED,
         "",
         0,
         0,
         1,
         10,
         false},
        {"at once in two processes, later in the third",
         {.here = FAIL, .passed = 6, .alone = {{FAIL, 0}, {FAIL, 0}, {FAIL, 1}}},
         "alone 0*7; alone 0*7; alone 0*7; 0 flaky*11; (it failed 4 of 11 times: no verdict)",
         "",
         0,
         0,
         0,
         6,
         true},
        {"and dies by itself, which is no pass",
         {.here = FAIL, .passed = 6, .alone = {SAME(6), {DIE, 0}, {DIE, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; child 0*1; 0 fail*1; " REPEATED,
         "",
         0,
         0,
         1,
         10,
         false},
        {"and is skipped by itself",
         {.here = FAIL, .passed = 6, .alone = {SAME(6), {SKIP, 0}, {FAIL, 0}}},
         "alone 0*7; alone 0*7; alone 0*7; alone 0*1; child 0*1; 0 skip*1; " REPEATED,
         "",
         0,
         0,
         0,
         10,
         true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char log[1024];
        world_begin(1);
        static uint32_t live[] = {0};
        course.live_tests = live;
        course.live_count = rows[i].live;
        spending.plan.tests = 1;
        atomic_store(&spending.left->tests, 1);
        world.tests[0] = rows[i].test;
        hunt();
        snprintf(log, sizeof log, "start; 0; %s; over; start; over", rows[i].log);
        ck_assert_msg(strcmp(world.log, log) == 0, "%s:\n%s\n%s", rows[i].name, world.log, log);
        ck_assert_msg(strcmp(note(), rows[i].note) == 0, "%s: %s", rows[i].name, note());
        ck_assert_msg(session.once_count == rows[i].once, "%s", rows[i].name);
        ck_assert_msg(session.forked_count == rows[i].forked, "%s", rows[i].name);
        ck_assert_msg(session.failed == rows[i].failed, "%s", rows[i].name);
        ck_assert_msg(session.strays == rows[i].strays, "%s: %zu", rows[i].name, session.strays);
        world_end();
    }
}
END_TEST

START_TEST(what_fails_or_dies_at_once_may_pass_by_itself)
{
    static const struct {
        const char *name;
        struct script test;
        const char *log, *note;
        size_t forked, failed;
        bool stays; /* the same worker goes on */
        bool live, hangs, heap;
        bool framework, exited, passing; /* libcheck; by exit; in the pass in order */
        int status;                      /* of waitpid */
        bool accumulated;
    } rows[] = {
        {"it fails, and passes alone",
         {.here = FAIL, .says = "n", .alone = {{PASS, 0}}},
         "alone 0*1; 0 pass*1 live; (run once, in a process of its own: no verdict)",
         "0 fails in the process of the tests before it, n, and passes in a process of its own: "
         "run once so, no verdict",
         .forked = 0},
        {"it fails, and passes in a child",
         {.here = FAIL, .alone = {{FAIL, 0}, {PASS, 0}}},
         "alone 0*1; child 0*1; 0 pass*1 live; (run once, in a child of its own: no verdict)",
         "0 fails in the process of the tests before it, and passes in a child of its own: run "
         "once so, no verdict",
         .forked = 1},
        {"it fails everywhere",
         {.here = FAIL, .alone = {{FAIL, 0}, {FAIL, 0}}},
         "alone 0*1; child 0*1; 0 fail*1",
         "",
         .failed = 1},
        {"it fails everywhere but in order",
         {.here = FAIL, .says = "n", .alone = {{FAIL, 0}, {FAIL, 0}}},
         "alone 0*1; child 0*1; 0 pass*1; (it passes only after the tests before it: run once, no "
         "verdict)",
         "0 passes in order, and fails by itself: run once, no verdict",
         .live = true},
        {"it is skipped", {.here = SKIP}, "0 skip*1", "", .stays = true},
        {"it is skipped after a pass", {.here = SKIP, .passed = 5}, "0 skip*1", "", .stays = true},
        {"it fails in a child", {.here = FAIL, .forked = true}, "0 fail*1", "", .failed = 1},
        {"it fails in a child later",
         {.here = FAIL, .forked = true, .passed = 1},
         "alone 0*2; alone 0*2; alone 0*2; 0 flaky*8; (it failed 1 of 8 times: no verdict)",
         "",
         .forked = 0},
        {"it fails and does to the heap what it must not",
         {.here = FAIL, .passed = 3},
         "0 fail*1",
         "",
         .failed = 1,
         .heap = true},
        {"it dies, and passes alone",
         {.here = DIE, .alone = {{PASS, 0}}},
         "alone 0*1; 0 pass*1 live; (run once, in a process of its own: no verdict); dead 0",
         "0 dies in the process of the tests before it, and passes in a process of its own: run "
         "once so, no verdict",
         .forked = 0},
        {"it dies everywhere",
         {.here = DIE, .alone = {{DIE, 0}, {DIE, 0}}},
         "alone 0*1; child 0*1; died 0",
         "",
         .forked = 0},
        {"it hangs, and passes in a child",
         {.here = HANG, .alone = {{PASS, 0}}},
         "child 0*1; 0 pass*1 live; (run once, in a child of its own: no verdict); dead 0",
         "0 hangs in the process of the tests before it, and passes in a child of its own: run "
         "once so, no verdict",
         .forked = 1,
         .hangs = true},
        {"it hangs everywhere",
         {.here = HANG, .alone = {{HANG, 0}}},
         "child 0*1; died 0 hung",
         "",
         .forked = 0},
        {"it dies everywhere but in order",
         {.here = DIE, .alone = {{DIE, 0}, {FAIL, 0}}},
         "alone 0*1; child 0*1; 0 pass*1; (it passes only after the tests before it: run once, no "
         "verdict); dead 0",
         "0 passes in order, and dies by itself: run once, no verdict",
         .live = true},
        {"it hangs everywhere but in order",
         {.here = HANG, .alone = {{HANG, 0}}},
         "child 0*1; 0 pass*1; (it passes only after the tests before it: run once, no verdict); "
         "dead 0",
         "0 passes in order, and hangs by itself: run once, no verdict",
         .live = true},
        {"it ends the program, though not in order",
         {.here = EXIT, .alone = {{PASS, 0}}},
         "died 0",
         "",
         .live = true},
        {"it ends the program", {.here = EXIT, .alone = {{PASS, 0}}}, "died 0", "", .forked = 0},
#define WELL                                                                                       \
    "child 0*1; 0 pass*1 live; (it ends its process with status 0: run once, in a child of its "   \
    "own, no verdict); dead 0"
        {"it ends the program well, which is libcheck's",
         {.here = EXIT, .alone = {{PASS, 0}}},
         WELL,
         "0 ends its process with status 0, which libcheck takes for a pass, whether it was meant "
         "or not: run once in a child, no verdict",
         .forked = 1,
         .framework = true,
         .exited = true},
        {"but not in a child",
         {.here = EXIT, .alone = {{FAIL, 0}}},
         "child 0*1; died 0",
         "",
         .framework = true,
         .exited = true},
        {"with another status",
         {.here = EXIT, .alone = {{PASS, 0}}},
         "died 0",
         "",
         .framework = true,
         .exited = true,
         .status = 256},
        {"by a signal",
         {.here = EXIT, .alone = {{PASS, 0}}},
         "died 0",
         "",
         .framework = true,
         .exited = true,
         .status = 9},
        {"not by exit", {.here = EXIT, .alone = {{PASS, 0}}}, "died 0", "", .framework = true},
        {"it runs out of memory by itself",
         {.here = MEMORY, .alone = {{PASS, 0}}},
         "died 0",
         "",
         .forked = 0},
        {"it runs out of memory in the pass in order",
         {.here = MEMORY, .alone = {{PASS, 0}}},
         "alone 0*1; 0 pass*1 live; (run once, in a process of its own: no verdict); dead 0",
         "0 runs out of memory in the process of the tests before it, and passes in a process of "
         "its own: run once so, no verdict",
         .passing = true},
        {"and others before it hold what it needs",
         {.here = MEMORY, .alone = {{PASS, 0}}},
         "died 0",
         "",
         .passing = true,
         .accumulated = true},
        {"it is not run",
         {.here = UNRUN, .alone = {{UNRUN, 0}, {UNRUN, 0}}},
         "alone 0*1; child 0*1; died 0",
         "",
         .forked = 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char log[1024];
        static uint32_t live[] = {1, 0};
        world_begin(2);
        world.tests[0] = rows[i].test;
        course.live_tests = live;
        course.live_count = rows[i].live ? 2 : 1;
        session.link.worker.heap_count = rows[i].heap;
        session.link.worker.status = rows[i].status;
        session.reports = rows[i].passing;
        world.exited = rows[i].exited;
        world.accumulated = rows[i].accumulated;
        snprintf(session.seen.hello.framework, sizeof session.seen.hello.framework, "%s",
                 rows[i].framework ? "libcheck" : "check");
        hunt();
        snprintf(log, sizeof log, "start; 0; %s; %s1; report 1; over", rows[i].log,
                 rows[i].stays ? "" : "over; start; ");
        ck_assert_msg(strcmp(world.log, log) == 0, "%s:\n%s\n%s", rows[i].name, world.log, log);
        ck_assert_msg(strcmp(note(), rows[i].note) == 0, "%s: %s", rows[i].name, note());
        ck_assert_msg(session.forked_count == rows[i].forked, "%s", rows[i].name);
        ck_assert_msg(session.failed == rows[i].failed, "%s", rows[i].name);
        ck_assert_msg(session.hangs == rows[i].hangs, "%s", rows[i].name);
        ck_assert_msg(session.strays == 2 * world.processes[0], "%s", rows[i].name);
        ck_assert_uint_eq(session.limit_ns, 0);
        world_end();
    }
}
END_TEST

/* It passed in order only where it ran and did not fail there. */
START_TEST(a_failure_in_order_is_one)
{
    static uint32_t live[] = {0, 1};
    static struct session_failure failures[][2] = {{{.test = 1}, {.test = 0}},
                                                   {{.test = 0}, {.test = 1}}};
    for (size_t i = 0; i < 6; i++) {
        size_t count = i % 3, order = i / 3;
        world_begin(1);
        world.tests[0] =
            (struct script){.here = FAIL, .says = "no", .alone = {{FAIL, 0}, {FAIL, 0}}};
        course.live_tests = live;
        course.live_count = 2;
        course.failures = failures[order];
        course.failure_count = count;
        hunt();
        bool failed = count == 2 || (count == 1 && order == 1);
        ck_assert_int_eq(world.written.status, failed ? RESULT_FAIL : RESULT_PASS);
        ck_assert_str_eq(world.written.message, failed ? "no" : "");
        world_end();
    }
}
END_TEST

/* The process of its own has groups, too, and is asked only for the test's. */
START_TEST(the_test_is_looked_for_in_each_group)
{
    world_begin(4);
    world.groups[0] = world.groups[1] = 1;
    world.groups[2] = 2;
    world.tests[2] = (struct script){.here = FAIL, .alone = {{PASS, 0}}};
    hunt();
    ck_assert_str_eq(world.log, "start; 0; report 0; 1; report 1; 2; alone 2*1; "
                                "2 pass*1 live; (run once, in a process of its own: no verdict); "
                                "over; start; 3; report 3; over");
    world_end();
    world_begin(1); /* it cannot be started */
    world.tests[0] = (struct script){.here = FAIL};
    world.starts_least = 1;
    hunt();
    ck_assert_str_eq(world.log, "start; 0; 0 fail*1; over; start");
    world_end();
}
END_TEST

SUITE("repeat_alone", &what_fails_later_is_flaky_or_passes_once,
      &what_fails_or_dies_at_once_may_pass_by_itself, &a_failure_in_order_is_one,
      &the_test_is_looked_for_in_each_group)
