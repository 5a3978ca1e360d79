/* repeat_hunt_test.c - which tests are repeated, with which limits, by which worker. */
#include "harness/campaign/repeat_hunt_fixture.h"

START_TEST(tests_are_repeated_in_order_by_one_worker)
{
    world_begin(5);
    world.groups[0] = 2;
    world.groups[1] = 3;
    world.tests[3].unwanted = true;
    hunt();
    ck_assert_str_eq(world.log, "start; 0; report 0; 1; report 1; 2; report 2; 4; report 4; over");
    ck_assert_uint_eq(spending_left(&spending, &(uint32_t){0}), 0);
    world_end();
    world_begin(4); /* in a job, those of its part */
    session.part = (struct jobs_part *)&world;
    hunt();
    ck_assert_str_eq(world.log, "start; 1; report 1; 3; report 3; over");
    world_end();
    world_begin(4); /* the worker is gone after the first group */
    world.groups[0] = world.groups[1] = 2;
    world.tells = 1;
    hunt();
    ck_assert_str_eq(world.log, "start; 0; report 0; 1; report 1; over");
    world_end();
    world_begin(1);
    world.starts_least = 1;
    world.starts = 1;
    hunt();
    ck_assert_str_eq(world.log, "start"); /* no worker, no hunt */
    world_end();
}
END_TEST

/* A program that offers another test than the one that a new worker is for would be started for
 * ever. */
START_TEST(a_worker_that_comes_no_further_is_the_last)
{
    world_begin(2);
    world.tests[0].here = world.tests[1].here = DIE;
    world.tests[0].alone[0].end = world.tests[0].alone[1].end = FAIL;
    world.tests[1].alone[0].end = world.tests[1].alone[1].end = FAIL;
    hunt();
    ck_assert_str_eq(world.log, "start; 0; alone 0*1; child 0*1; died 0; over; "
                                "start; 1; alone 1*1; child 1*1; died 1; over; start; over");
    world_end();
}
END_TEST

/* It may have run out of what tests before it hold: it is tried once more, as the first. */
START_TEST(what_runs_out_of_memory_gets_a_worker_of_its_own)
{
    world_begin(3);
    world.tests[1].here = MEMORY;
    hunt();
    ck_assert_str_eq(world.log, "start; 0; report 0; 1; over; start; 1; died 1; over; "
                                "start; 2; report 2; over");
    world_end();
    world_begin(4); /* in a job, too, where tests are taken once */
    session.part = (struct jobs_part *)&world;
    world.tests[3].here = MEMORY;
    hunt();
    ck_assert_str_eq(world.log, "start; 1; report 1; 3; over; start; 3; died 3; over; start; over");
    world_end();
}
END_TEST

START_TEST(limits_come_from_the_plan_and_the_suite)
{
    static const struct {
        const char *name;
        struct plan plan;
        int64_t start, peak;
        rlim_t files;
        struct repeat_limits limits;
    } rows[] = {
        {"a small suite",
         {0},
         0,
         1000,
         0,
         {.least = 4, .most = 16384, .bytes = 64000000, .units = 256}},
        {"a suite that takes more",
         {0},
         1000,
         64001001,
         0,
         {.least = 4, .most = 16384, .bytes = 64000001, .units = 256}},
        {"a cap of memory",
         {.memory_cap = 256000000},
         0,
         64000001,
         0,
         {.least = 4, .most = 16384, .bytes = 64000000, .units = 256}},
        {"a guard of memory",
         {.memory_guard = 128000000},
         0,
         64000001,
         0,
         {.least = 4, .most = 16384, .bytes = 64000000, .units = 256}},
        {"a cap, which counts more",
         {.memory_cap = 256000004, .memory_guard = 1000},
         0,
         64000001,
         0,
         {.least = 4, .most = 16384, .bytes = 64000001, .units = 256}},
        {"a cap of four times that",
         {.memory_cap = 256000004},
         0,
         64000001,
         0,
         {.least = 4, .most = 16384, .bytes = 64000001, .units = 256}},
        {"enough descriptors",
         {0},
         0,
         0,
         1024,
         {.least = 4, .most = 16384, .bytes = 64000000, .units = 256}},
        {"few descriptors",
         {0},
         0,
         0,
         1023,
         {.least = 4, .most = 16384, .bytes = 64000000, .units = 255}},
        {"so many repetitions",
         {.repetitions = 20},
         0,
         0,
         0,
         {.least = 23, .most = 16384, .bytes = 64000000, .units = 256}},
        {"quick",
         {.quick = true},
         0,
         0,
         0,
         {.least = 7, .most = 64, .enough = 64, .bytes = 64000000, .units = 256, .still_ns = -1}},
        {"quick, and so many repetitions",
         {.quick = true, .repetitions = 2},
         0,
         0,
         0,
         {.least = 5, .most = 64, .enough = 64, .bytes = 64000000, .units = 256, .still_ns = -1}},
    };
    struct rlimit was, files;
    getrlimit(RLIMIT_NOFILE, &was);
    ck_assert(was.rlim_max > 1024);
    for (int pass = 0; pass < 2;
         pass++) { /* limits can only be lowered: those with one come last */
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            if ((rows[i].files > 0) != (pass == 1)) {
                continue;
            }
            world_begin(1);
            world.plan.quick = rows[i].plan.quick;
            world.plan.repetitions = rows[i].plan.repetitions;
            world.plan.memory_cap = rows[i].plan.memory_cap;
            world.plan.memory_guard = rows[i].plan.memory_guard;
            course.live_start = rows[i].start;
            course.live_peak = rows[i].peak;
            files = (struct rlimit){.rlim_cur = 64, .rlim_max = rows[i].files};
            ck_assert(rows[i].files == 0 || setrlimit(RLIMIT_NOFILE, &files) == 0);
            hunt();
            const struct repeat_limits *got = &world.limits[0], *want = &rows[i].limits;
            ck_assert_msg(got->least == want->least && got->most == want->most &&
                              got->enough == want->enough && got->bytes == want->bytes &&
                              got->units == want->units && got->flags == 0,
                          "%s: least %u, most %u, enough %u, %lld B, %u units", rows[i].name,
                          got->least, got->most, got->enough, (long long)got->bytes, got->units);
            ck_assert_double_eq(got->still_ns, want->still_ns < 0 ? 0 : 4e6 + 1e10);
            ck_assert_double_eq(got->moved_ns, 4e6 + 4e10);
            ck_assert_double_eq(got->settle_ns, REPEAT_SETTLE_NS);
            ck_assert_double_eq(world.report_ns[0], 4e6 + 4e10);
            world_end();
        }
    }
}
END_TEST

/* What a test keeps decides whether the next one gets a worker of its own. */
START_TEST(a_worker_that_lost_too_much_is_replaced)
{
    static const struct {
        const char *name;
        struct script tests[2];
        bool replaced;
    } rows[] = {
        {"nothing", {{0}}, false},
        {"3,000 blocks", {{.now = {.live_blocks = 3000}}}, false},
        {"3,001 blocks", {{.now = {.live_blocks = 3001}}}, true},
        {"64 MB", {{.now = {.live_bytes = 64000000}}}, false},
        {"a byte more", {{.now = {.live_bytes = 64000001}}}, true},
        {"more, that it held before",
         {{.first = {.live_blocks = 1, .live_bytes = 1},
           .now = {.live_blocks = 3001, .live_bytes = 64000001}}},
         false},
        {"256 descriptors", {{.now = {.fds = 256}}}, false},
        {"257 descriptors", {{.now = {.fds = 257}}}, true},
        {"256 files", {{.now = {.files = 256}}}, false},
        {"257 files", {{.now = {.files = 257}}}, true},
        {"256 children", {{.now = {.children = 256}}}, false},
        {"257 children", {{.now = {.children = 257}}}, true},
        {"64 threads", {{.now = {.threads = 64}}}, false},
        {"65 threads", {{.now = {.threads = 65}}}, true},
        {"threads were waited for in vain", {{.whole_ns = 1e12}}, true},
        {"for less than a worker takes to start", {{.whole_ns = 1}}, false},
        {"and gave back", {{.whole_ns = 1e12, .gave_back = true}}, false},
        {"two that lose half of it each",
         {{.now = {.live_blocks = 2000}},
          {.first = {.live_blocks = 2000}, .now = {.live_blocks = 4000}}},
         true},
        {"the second holds what the first began with",
         {{.first = {.live_blocks = 2900}, .now = {.live_blocks = 2900}},
          {.first = {.live_blocks = 2900}, .now = {.live_blocks = 5800}}},
         false},
        {"the worker ended in the report", {{.ends = true}}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_begin(3);
        memcpy(world.tests, rows[i].tests, sizeof rows[i].tests);
        hunt();
        ck_assert_msg((strstr(world.log, "over; start") != NULL) == rows[i].replaced, "%s: %s",
                      rows[i].name, world.log);
        world_end();
    }
    for (int64_t bytes = 100; bytes <= 101; bytes++) { /* a quarter of the cap */
        world_begin(2);
        world.plan.memory_cap = 400;
        world.tests[0].now.live_bytes = bytes;
        hunt();
        ck_assert_int_eq(strstr(world.log, "over; start") != NULL, bytes > 100);
        world_end();
    }
    struct rlimit files = {.rlim_cur = 64, .rlim_max = 400};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    for (uint32_t fds = 100; fds <= 101; fds++) { /* a quarter of them */
        world_begin(2);
        world.tests[0].now.fds = fds;
        hunt();
        ck_assert_int_eq(strstr(world.log, "over; start") != NULL, fds > 100);
        world_end();
    }
}
END_TEST

START_TEST(threads_that_give_nothing_back_are_waited_for_ever_less)
{
    static const struct script tests[] = {
        {.settled_ns = 1e8, .now = {.threads = 2}},  /* there are more than before */
        {.settled_ns = 1e8, .now = {.threads = 2}},  /* in vain: a quarter */
        {.settled_ns = 24e6, .now = {.threads = 2}}, /* not all of it */
        {.settled_ns = 25e6, .now = {.threads = 2}},
        {.settled_ns = 1e7, .now = {.threads = 2}},
        {.now = {.threads = 2}},
    };
    static const double waited[] = {1e8, 1e8, 25e6, 25e6, 6.25e6, 5e6};
    world_begin(TESTS);
    memcpy(world.tests, tests, sizeof tests);
    hunt();
    for (size_t i = 0; i < TESTS; i++) {
        ck_assert_msg(fabs(world.limits[i].settle_ns - waited[i]) < 1, "test %zu: %g", i,
                      world.limits[i].settle_ns);
    }
    world_end();
    world_begin(4);
    memcpy(world.tests, tests, 4 * sizeof tests[0]);
    world.tests[2].gave_back = true; /* then the next is given all of it */
    hunt();
    ck_assert_double_eq(world.limits[2].settle_ns, 25e6);
    ck_assert_double_eq(world.limits[3].settle_ns, 1e8);
    world_end();
    world_begin(4); /* one thread is the test's own */
    world.tests[0] = (struct script){.settled_ns = 1e8, .now = {.threads = 1}};
    world.tests[1] = (struct script){.settled_ns = 25e6, .now = {.threads = 3}};
    world.tests[2] = (struct script){.settled_ns = 1e8, .now = {.threads = 3}, .ends = true};
    hunt();
    ck_assert_double_eq(world.limits[1].settle_ns, 25e6);
    ck_assert_double_eq(world.limits[2].settle_ns, 1e8);
    ck_assert_double_eq(world.limits[3].settle_ns, 1e8); /* a worker of its own */
    world_end();
}
END_TEST

START_TEST(a_test_that_grows_is_asked_what_it_holds_before_the_next)
{
    world_begin(3);
    world.tests[1].grows = true;
    hunt();
    ck_assert_uint_eq(world.sites, 1);
    world_end();
    world_begin(3); /* of a new worker nothing is asked */
    world.tests[1].grows = world.tests[1].ends = true;
    hunt();
    ck_assert_uint_eq(world.sites, 0);
    world_end();
}
END_TEST

START_TEST(births_are_asked_for_where_the_plan_wants_them)
{
    static const struct {
        bool wanted, unasked, fail, ends;
        unsigned births;
        const char *log;
    } rows[] = {
        {.log = "start; 0; report 0; 1; report 1; over"},
        {.wanted = true, .births = 2, .log = "start; 0; report 0; 1; report 1; over"},
        {.wanted = true,
         .fail = true,
         .births = 2,
         .log = "start; 0; report 0; over; start; 1; report 1; over; start; over"},
        {.wanted = true,
         .unasked = true,
         .log = "start; 0; report 0; over; start; 1; report 1; over; start; over"},
        {.wanted = true, /* nobody is there to be asked */
         .ends = true,
         .births = 1,
         .log = "start; 0; report 0; over; start; 1; report 1; over"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_begin(2);
        world.plan.births = rows[i].wanted;
        world.births_unasked = rows[i].unasked;
        world.births_fail = rows[i].fail;
        world.tests[0].ends = rows[i].ends;
        hunt();
        ck_assert_msg(world.births == rows[i].births, "row %zu: %u", i, world.births);
        ck_assert_msg(strcmp(world.log, rows[i].log) == 0, "row %zu: %s", i, world.log);
        world_end();
    }
}
END_TEST

/* As harness/campaign/repeat.c does: three calls, then up to ten more, of which five are made. */
static void ask_for_calls(const struct repeat_ask *ask)
{
    struct wire_command command = {.op = WIRE_OP_RUN, .warmups = 2, .repetitions = 2};
    ask->ask(ask->self, &command);
    ck_assert_uint_eq(calls_before, 0);
    ck_assert_uint_eq(calls_to, 4);
    command = (struct wire_command){.op = WIRE_OP_RUN, .repetitions = 10};
    ask->ask(ask->self, &command);
    ck_assert_uint_eq(calls_before, 3);
    ck_assert_uint_eq(calls_to, 13);
    command.test = WIRE_NO_TEST; /* not run */
    ask->ask(ask->self, &command);
    ck_assert_uint_eq(calls_before, 8);
    ask->ask(ask->self, &command);
    ck_assert_uint_eq(calls_before, 8);
    command.op = WIRE_OP_SITES;
    command.repetitions = 50;
    ask->ask(ask->self, &command); /* no call */
    ck_assert_uint_eq(calls_to, 18);
}

static void ask_for_sites(const struct repeat_ask *ask)
{
    for (uint32_t number = 1; number <= 3; number++) {
        ck_assert_int_eq(ask->lost(ask->self, number), !world.unscanned && number == 1);
        ck_assert_int_eq(ask->suppressed(ask->self, number), number == 2);
    }
    ck_assert(!ask->lost(ask->self, 99)); /* there is no such site */
    ck_assert(!ask->suppressed(ask->self, 99));
    ck_assert_uint_eq(session.limit_ns, world.hangs ? 5000000000u : 0);
}

START_TEST(questions_about_a_test_go_to_its_worker)
{
    world_begin(2);
    world.asking = ask_for_calls; /* for each test from 0 */
    hunt();
    world_end();
    for (int i = 0; i < 4; i++) {
        world_begin(1);
        for (uint32_t number = 1; number <= 3; number++) {
            struct wire_site site;
            WIRE_INIT(&site, WIRE_SITE);
            site.site = site.family = number;
            site.frame_count = 1;
            ck_assert(observed_take(&session.seen, &site.head));
        }
        world.unscanned = i % 2 == 1;
        session.hangs = world.hangs = i / 2 == 1;
        world.asking = ask_for_sites;
        hunt();
        ck_assert_uint_eq(session.limit_ns, 0);
        world_end();
    }
}
END_TEST

START_TEST(tests_that_are_not_repeated_keep_their_result)
{
    static const struct {
        const char *name;
        bool dear, busy;
        const char *log, *note;
    } rows[] = {
        {"too dear", true, false,
         "start; 0 pass*1; (not repeated: a call takes 1 ms, and the budget has no room for 4); "
         "1 fail*1; (not repeated: a call takes 2 ms, and the budget has no room for 4); 2 skip*1; "
         "(not repeated: a call takes 3 ms, and the budget has no room for 4); 4; report 4; over",
         "3 tests were not repeated and not judged, because the budget has no room for them; the "
         "dearest is 2, a call of which takes 3 ms: --budget TIME allows more"},
        {"too busy", false, true,
         "start; 0 pass*1; (not repeated: the machine was too busy); 1 fail*1; (not repeated: the "
         "machine was too busy); 2 skip*1; (not repeated: the machine was too busy); over",
         "3 tests were not repeated and not judged, because the machine was too busy for too long; "
         "the dearest is 2, a call of which takes 3 ms: --budget TIME allows more"},
    };
    static const enum result_status statuses[] = {RESULT_PASS, RESULT_FAIL, RESULT_SKIP};
    for (size_t i = 0; i < 2; i++) {
        world_begin(5);
        for (uint32_t k = 0; k < 3; k++) { /* the fourth has no result */
            char id[2] = {(char)('0' + k), '\0'};
            result_test_start(&world.in_order[k]);
            result_set(&world.in_order[k].id, id);
            world.in_order[k].status = statuses[k];
            world.in_order[k].repetitions = 1;
        }
        for (uint32_t k = 0; k < 4; k++) {
            costs[k].dear = rows[i].dear;
        }
        world.busy = rows[i].busy;
        hunt();
        ck_assert_msg(strcmp(world.log, rows[i].log) == 0, "%s: %s", rows[i].name, world.log);
        ck_assert_uint_eq(session.tests, 3);
        ck_assert_uint_eq(session.failed, 1);
        session_left_note(&session, &spending);
        ck_assert_msg(strcmp(note(), rows[i].note) == 0, "%s: %s", rows[i].name, note());
        world_end();
    }
    world_begin(2);
    hunt();
    session_left_note(&session, &spending);
    ck_assert_str_eq(note(), "");
    world_end();
    world_begin(2);
    costs[1].dear = true;
    result_test_start(&world.in_order[1]);
    result_set(&world.in_order[1].id, "1");
    hunt();
    session_left_note(&session, &spending);
    ck_assert_str_eq(note(), "1 test was not repeated and not judged, because the budget has no "
                             "room for them; the dearest is 1, a call of which takes 2 ms: "
                             "--budget TIME allows more");
    world_end();
}
END_TEST

START_TEST(a_test_that_ended_a_worker_in_order_is_counted)
{
    static const enum result_status statuses[] = {RESULT_CRASH, RESULT_PASS, RESULT_SKIP};
    world_begin(5);
    for (uint32_t i = 0; i < 4; i++) { /* the fourth has no result */
        world.tests[i].died_before = true;
    }
    for (uint32_t i = 0; i < 3; i++) {
        result_test_start(&world.in_order[i]);
        result_set(&world.in_order[i].id, "");
        world.in_order[i].status = statuses[i];
    }
    hunt();
    ck_assert_str_eq(world.log, "start; dead 0; dead 1; dead 2; dead 3; 4; report 4; over");
    ck_assert_uint_eq(session.tests, 4);
    ck_assert_uint_eq(session.failed, 1);
    world_end();
}
END_TEST

SUITE("repeat_hunt", &tests_are_repeated_in_order_by_one_worker,
      &a_worker_that_comes_no_further_is_the_last,
      &what_runs_out_of_memory_gets_a_worker_of_its_own, &limits_come_from_the_plan_and_the_suite,
      &a_worker_that_lost_too_much_is_replaced,
      &threads_that_give_nothing_back_are_waited_for_ever_less,
      &a_test_that_grows_is_asked_what_it_holds_before_the_next,
      &births_are_asked_for_where_the_plan_wants_them, &questions_about_a_test_go_to_its_worker,
      &tests_that_are_not_repeated_keep_their_result,
      &a_test_that_ended_a_worker_in_order_is_counted)
