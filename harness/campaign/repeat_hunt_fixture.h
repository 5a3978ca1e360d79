/*
 * repeat_hunt_fixture.h - the tests of a program one by one, by a script: what repeating a test
 * came to, how it ends in processes of its own, what it keeps. What is asked of a session, a worker
 * and a judge is played here, so that nothing of them is linked, and written down as it is asked.
 * For tests only.
 *
 *   start, over              a worker begins, and is ended
 *   N                        test N is repeated
 *   report N                 it was repeated to its end
 *   alone N*C, child N*C     C calls of it in a process of its own, C in a child there
 *   N STATUS*R (EVIDENCE)    a result without a verdict
 *   dead N, died N           a worker ended in it, and it is its result
 */
#ifndef CAMPAIGN_REPEAT_HUNT_FIXTURE_H
#define CAMPAIGN_REPEAT_HUNT_FIXTURE_H

#include "harness/campaign/jobs.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/repeat.h"
#include "harness/campaign/repeat_report.h"
#include "harness/campaign/session.h"

#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/suite.h"
#include "harness/judge/threshold.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { TESTS = 6, PROCESSES = 6 };

enum end { PASS, FAIL, SKIP, DIE, HANG, EXIT, UNRUN, MEMORY };

struct script { /* a test */
    enum end here;
    unsigned passed;  /* calls before the one that did not */
    const char *says; /* its message */
    struct {          /* processes of its own, in turn: how it ends, after so many calls */
        enum end end;
        unsigned passed;
    } alone[PROCESSES];
    bool forked, unwanted, died_before;
    struct boundary first, now; /* of what it keeps, where it passes */
    double settled_ns, whole_ns, call_ns, spent_ns;
    bool gave_back, grows, ends; /* ends: the worker is gone after the report */
};

static struct world { /* a program, and the hunt of it */
    struct script tests[TESTS];
    uint32_t groups[TESTS]; /* how many tests each has */
    uint32_t at_group, tells, starts;
    uint32_t starts_least; /* so many workers can be started; 0: all */
    size_t processes[TESTS];
    struct session *session;
    struct plan plan;
    struct result result;
    struct result_test written, in_order[TESTS];
    struct repeat_limits limits[TESTS];
    double report_ns[TESTS];
    bool births_fail, births_unasked, busy, unscanned, hangs, exited, accumulated;
    uint32_t now;                                 /* the test that is repeated */
    void (*asking)(const struct repeat_ask *ask); /* what the judge of a test does beside */
    unsigned births, sites;
    char log[4096];
} world;

static void said(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void said(const char *format, ...)
{
    size_t length = strlen(world.log);
    va_list list;
    va_start(list, format);
    length += (size_t)snprintf(world.log + length, sizeof world.log - length, "%s",
                               length > 0 ? "; " : "");
    vsnprintf(world.log + length, sizeof world.log - length, format, list);
    va_end(list);
}

/* What is played. ------------------------------------------------------------------------------ */

void session_init(struct session *session, const struct plan *plan,
                  const struct plan_variant *variant, const struct runner_options *options,
                  struct result *result)
{
    (void)variant, (void)options;
    *session = (struct session){.plan = plan, .result = result};
}

void session_fini(struct session *session)
{
    (void)session;
}

bool session_begin(struct session *session)
{
    if (session == world.session) {
        said("start");
    } else {
        ck_assert_int_eq(session->kind, SESSION_COUNTED);
    }
    world.at_group = 0;
    return ++world.starts <= world.starts_least || world.starts_least == 0;
}

void session_over(struct session *session)
{
    if (session == world.session) {
        said("over");
    } else {
        session->strays = 2;
    }
}

enum worker_event link_wait(struct link *link, uint64_t timeout_ns)
{
    uint32_t first = 0;
    ck_assert_uint_eq(timeout_ns, world.plan.timeout_ns);
    for (uint32_t i = 0; i < world.at_group; i++) {
        first += world.groups[i];
    }
    if (world.at_group == TESTS || world.groups[world.at_group] == 0) {
        return WORKER_BYE;
    }
    link->worker.group.first = first;
    link->worker.group.count = world.groups[world.at_group];
    return WORKER_READY;
}

bool session_tell(struct session *session, uint32_t op)
{
    (void)session;
    ck_assert_uint_eq(op, WIRE_OP_FINISH);
    world.at_group++;
    return world.tells == 0 || --world.tells > 0;
}

void session_expect(struct session *session)
{
    (void)session;
}

bool session_wants(const struct session *session, uint32_t test)
{
    (void)session;
    return !world.tests[test].unwanted;
}

bool jobs_takes(struct jobs_part *part, uint32_t test)
{
    (void)part;
    return test % 2 == 1;
}

bool session_death_in(const struct session *session, uint32_t test)
{
    ck_assert_ptr_ne(session, world.session);
    return world.tests[test].died_before;
}

static inline struct answer session_ask_here(const struct wire_command *command)
{
    struct answer answer = {.event = WORKER_DONE, .ran = command->test != WIRE_NO_TEST};
    WIRE_INIT(&answer.test, WIRE_TEST);
    answer.test.repetitions = command->repetitions / 2; /* it stopped where something moved */
    if ((command->flags & WIRE_BIRTHS) != 0) {
        ck_assert_uint_eq(command->depth, WIRE_TRACE);
        ck_assert_uint_eq(command->warmups + command->repetitions, 2);
        answer.event = world.births_unasked ? WORKER_GONE : WORKER_DONE;
    }
    return answer;
}

/* A process of the test's own. */
struct answer session_ask(struct session *session, const struct wire_command *command)
{
    static struct wire_sample samples[3];
    struct answer answer = {.event = WORKER_DONE, .ran = true, .samples = samples};
    bool child = (command->flags & WIRE_FORKED) != 0;
    if (session == world.session) {
        return session_ask_here(command);
    }
    struct script *test = &world.tests[command->test];
    const struct wire_ready *group = &session->link.worker.group;
    ck_assert_uint_lt(command->test - group->first, group->count); /* offered, and not left */
    ck_assert_uint_eq(command->op, WIRE_OP_RUN);
    ck_assert_uint_eq(command->flags, WIRE_STOP_ON_FAIL | (child ? WIRE_FORKED : WIRE_PEAK_RSS));
    said("%s %u*%u", child ? "child" : "alone", command->test, command->repetitions);
    size_t at = world.processes[command->test]++;
    ck_assert_uint_lt(at, PROCESSES);
    enum end end = test->alone[at].end;
    WIRE_INIT(&answer.test, WIRE_TEST);
    answer.test.status = end == FAIL ? WIRE_FAIL : end == SKIP ? WIRE_SKIP : WIRE_PASS;
    answer.test.passed_before = test->alone[at].passed;
    samples[0].live_bytes = 1;
    samples[1].live_bytes = 700;
    samples[2].live_bytes = 2; /* not one of them */
    answer.sample_count = end == PASS ? 2 : 0;
    if (end >= DIE) {
        answer.event = end == HANG ? WORKER_HUNG : WORKER_GONE;
        answer.ran = end == UNRUN;
    }
    return answer;
}

enum result_status session_dying(const struct session *session, bool hung)
{
    enum end end = world.tests[world.now].here;
    ck_assert_ptr_eq(session, world.session);
    return hung            ? RESULT_TIMEOUT
           : end == EXIT   ? RESULT_EXIT
           : end == MEMORY ? RESULT_OOM
                           : RESULT_CRASH;
}

void wire_end_get(const struct wire *wire, struct wire_end *end)
{
    (void)wire;
    *end = (struct wire_end){.exited = world.exited};
}

enum result_status session_death(struct session *session, uint32_t test, bool hung)
{
    (void)session;
    said("died %u%s", test, hung ? " hung" : "");
    return RESULT_CRASH;
}

bool session_accumulated(const struct session *session)
{
    (void)session;
    return world.accumulated;
}

void session_death_add(struct session *session, uint32_t test)
{
    (void)session;
    said("dead %u", test);
}

struct result_test *session_test_add(struct session *session, uint32_t test)
{
    ck_assert_ptr_eq(session, world.session);
    result_test_start(&world.written);
    result_set(&world.written.id, session->seen.tests[test].id);
    return &world.written;
}

void session_test_fill(struct session *session, struct result_test *test,
                       const struct wire_test *seen, int64_t live)
{
    (void)session;
    test->status = (enum result_status)seen->status;
    test->live_bytes = live;
    result_set(&test->message, seen->message);
}

void session_test_write(struct session *session, struct result_test *test)
{
    static const char *const names[] = {[RESULT_PASS] = "pass",
                                        [RESULT_FAIL] = "fail",
                                        [RESULT_SKIP] = "skip",
                                        [RESULT_FLAKY] = "flaky"};
    (void)session;
    said("%s %s*%lld%s", test->id, names[test->status], (long long)test->repetitions,
         test->live_bytes == 700 ? " live"
         : test->live_bytes > 0  ? " wrong"
                                 : "");
    if (test->horizon[0]) {
        said("(%s)", test->horizon);
    }
}

struct result_test *session_result(const struct session *session, uint32_t test)
{
    (void)session;
    return world.in_order[test].id ? &world.in_order[test] : NULL;
}

bool session_births(struct session *session, uint32_t test)
{
    (void)session, (void)test;
    world.births++;
    return !world.births_fail;
}

bool session_sites(struct session *session)
{
    (void)session;
    world.sites++;
    return true;
}

bool session_scan(struct session *session, const uint32_t *sites, uint32_t count)
{
    (void)session;
    ck_assert(count == 1 && sites[0] > 0);
    return !world.unscanned;
}

bool session_site_lost(const struct session *session, const struct observed_site *site)
{
    (void)session;
    return site->number == 1;
}

bool session_site_suppressed(struct session *session, struct observed_site *seen)
{
    (void)session;
    return seen->number == 2;
}

void phase_begin(const struct session *session, const char *format, ...)
{
    (void)session, (void)format;
}

void phase_test(const struct session *session, uint32_t test, size_t done)
{
    (void)session;
    ck_assert_uint_eq(test, done);
    said("%u", test);
}

static unsigned calls_before, calls_to;

void phase_calls(const struct session *session, unsigned before, unsigned calls)
{
    (void)session;
    calls_before = before;
    calls_to = calls;
}

void repeat_run(struct repeat *repeat, const struct repeat_ask *ask, uint32_t test,
                const struct repeat_limits *limits)
{
    const struct script *script = &world.tests[test];
    if (world.asking) {
        world.asking(ask);
    }
    world.limits[test] = *limits;
    world.now = test;
    *repeat = (struct repeat){.verdict = script->grows ? CALLS_GROWS : CALLS_CLEAN,
                              .first = script->first,
                              .now = script->now,
                              .settle_ns = limits->settle_ns,
                              .settled_ns = script->settled_ns,
                              .whole_ns = script->whole_ns,
                              .gave_back = script->gave_back,
                              .call_ns = script->call_ns,
                              .spent_ns = script->spent_ns};
    repeat->last = (struct answer){.event = WORKER_DONE, .ran = script->here < DIE};
    WIRE_INIT(&repeat->last.test, WIRE_TEST);
    if (script->here != PASS) {
        unsigned spans = script->passed / 4 * 4; /* the rest is of the last answer */
        repeat->verdict = CALLS_GO_ON;
        repeat->calls = spans;
        repeat->last.test.passed_before = script->passed - spans;
        repeat->last.test.status = script->here == SKIP ? WIRE_SKIP : WIRE_FAIL;
        snprintf(repeat->last.test.message, sizeof repeat->last.test.message, "%s",
                 script->says ? script->says : "");
    }
    if (script->here >= DIE) {
        repeat->last.event = script->here == HANG    ? WORKER_HUNG
                             : script->here == UNRUN ? WORKER_DONE
                                                     : WORKER_GONE;
    }
}

void repeat_fini(struct repeat *repeat)
{
    (void)repeat;
}

void session_repeat_report(struct session *session, uint32_t number, const struct repeat *repeat,
                           double most_ns)
{
    (void)repeat;
    said("report %u", number);
    world.report_ns[number] = most_ns;
    session->link.worker.ended = world.tests[number].ends;
}

/* Programs. ------------------------------------------------------------------------------------ */

static struct session session, course;
static struct spending spending;
static struct budget_test costs[TESTS];

/* A program of so many tests in one group, all of which pass. */
static inline void world_begin(uint32_t tests)
{
    world = (struct world){.groups = {tests}, .session = &session, .plan = {.timeout_ns = 77}};
    result_init(&world.result);
    session = (struct session){.plan = &world.plan, .result = &world.result};
    course = (struct session){.plan = &world.plan};
    observed_init(&session.seen);
    observed_worker_begins(&session.seen);
    static const struct budget plan = {
        .total = 100e9, .most = 800e9, .repeats = 60e9, .tests = TESTS, .floors = 1};
    for (uint32_t i = 0; i < TESTS; i++) {
        costs[i] = (struct budget_test){.call_ns = 1e6 * (i + 1), .repeated = true};
    }
    spending_init(&spending, &plan, costs, tests, (double)monotonic_ns());
}

static inline void hunt(void)
{
    for (uint32_t i = 0; i < spending.test_count; i++) {
        struct wire_test_name name;
        WIRE_INIT(&name, WIRE_TEST_NAME);
        name.test = i;
        snprintf(name.id, sizeof name.id, "%u", i);
        name.flags = world.tests[i].forked ? WIRE_TEST_FORKED : 0;
        ck_assert(observed_take(&session.seen, &name.head));
    }
    course.seen.test_count = session.seen.test_count;
    if (world.busy) {
        spending.begun_wall = (double)monotonic_ns() - 2 * spending.plan.most;
    }
    session_repeat(&session, &spending, &course);
}

/* The only note, or "" when there is none. */
static inline const char *note(void)
{
    ck_assert_uint_le(world.result.note_count, 1);
    return world.result.note_count > 0 ? world.result.notes[0] : "";
}

static inline void world_end(void)
{
    spending_fini(&spending);
    result_test_fini(&world.written);
    for (uint32_t i = 0; i < TESTS; i++) {
        result_test_fini(&world.in_order[i]);
    }
    observed_fini(&session.seen);
    free(session.once);
    result_fini(&world.result);
}

#endif
