/*
 * repeat_hunt.c - session_repeat: the tests of a program one by one, each repeated in one process
 * until its memory is understood; what fails there is run in a process of its own. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/unit.h"
#include "harness/campaign/jobs.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/repeat.h"
#include "harness/campaign/repeat_report.h"
#include "harness/campaign/session.h"
#include "harness/judge/evidence.h"
#include "harness/judge/threshold.h"
#include "harness/worker/pace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define QUICK_CALLS     7           /* three of the warm-up and four */
#define QUICK_MOST      64          /* of what moves */
#define LEAST_CALLS     4           /* of a test that the budget has no time for */
#define HANG_NS         5000000000u /* most of a repetition once a test needed a child not to hang */
#define KEPT_BYTES      64000000 /* that a test may keep while it is judged, if the suite has less */
#define SETTLE_LEAST_NS 5e6      /* waited for threads that never gave anything back */
#define ALONE_RUNS      3        /* processes in which a test has to come to the same */
#define ALONE_NS        2000000000.0 /* that this may take, whatever the budget */

/* A worker in which so much was lost is replaced before the next test. */
#define SPENT_BLOCKS 3000 /* each scan looks through all of them, and a new worker takes 10 ms */
#define SPENT_BYTES  KEPT_BYTES
#define SPENT_PART   4 /* of the limit of descriptors, and of the cap of memory */

#define BRIEF_NS 1e6 /* a test that takes less in the pass in order is not expected to sleep */

struct hunting { /* the tests of one session */
    struct session *session;
    struct spending *spending;
    const struct session *course; /* the pass in order that was made before */
    struct repeat_limits limits;
    unsigned calls;                    /* of the test that is repeated */
    int64_t start_blocks, start_bytes; /* what the worker held before its first test */
    bool started;
    double start_ns;  /* what the last worker took to start */
    double settle_ns; /* that is waited for the threads of the next test ... */
    uint32_t threads; /* ... of which there were so many, when it was in vain */
    bool asked; /* the test was called again for who releases what: sites hold more than was said */
    size_t served;    /* tests that this worker has repeated */
    uint32_t crowded; /* it ran out of memory that tests before it hold, and needs another worker;
                       * or WIRE_NO_TEST */
};

static struct answer hunting_ask(void *self, const struct wire_command *command)
{
    struct hunting *hunting = self;
    if (command->op == WIRE_OP_RUN) {
        phase_calls(hunting->session, hunting->calls,
                    hunting->calls + command->warmups + command->repetitions);
    }
    struct answer answer = session_ask(hunting->session, command);
    hunting->calls += answer.ran ? command->warmups + answer.test.repetitions : 0;
    return answer;
}

static bool hunting_lost(void *self, uint32_t site)
{
    struct session *session = ((struct hunting *)self)->session;
    const struct observed_site *seen = observed_site(&session->seen, site);
    return seen && session_scan(session, &site, 1) && session_site_lost(session, seen);
}

static bool hunting_suppressed(void *self, uint32_t site)
{
    struct session *session = ((struct hunting *)self)->session;
    return observed_site(&session->seen, site) &&
           session_site_suppressed(session, &session->seen.sites[site]);
}

/* How a test ended in a process of its own. */
struct alone {
    bool passed, skipped; /* neither: it failed, or died */
    struct wire_test test;
    int64_t live;
};

/* In a process in which nothing else ran: `calls` calls of the test, or one in a child. */
static struct alone alone_run(struct session *session, uint32_t number, bool forked, unsigned calls)
{
    struct alone alone = {0};
    struct session aside;
    session_init(&aside, session->plan, session->variant, session->options, session->result);
    aside.kind = SESSION_COUNTED;
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = WIRE_COUNT,
                                   .flags =
                                       WIRE_STOP_ON_FAIL | (forked ? WIRE_FORKED : WIRE_PEAK_RSS),
                                   .repetitions = calls};
    bool begun = session_begin(&aside);
    while (begun && link_wait(&aside.link, aside.plan->timeout_ns) == WORKER_READY) {
        const struct wire_ready *group = &aside.link.worker.group;
        if (number - group->first < group->count) {
            struct answer answer = session_ask(&aside, &command);
            if (answer.ran && answer.event == WORKER_DONE) {
                alone.test = answer.test;
                alone.passed = answer.test.status == WIRE_PASS;
                alone.skipped = answer.test.status == WIRE_SKIP;
                alone.live =
                    answer.sample_count ? answer.samples[answer.sample_count - 1].live_bytes : 0;
            }
            break;
        }
        if (!session_tell(&aside, WIRE_OP_FINISH)) {
            break;
        }
    }
    session_over(&aside);
    session->strays += aside.strays;
    session_fini(&aside);
    return alone;
}

/* The result of a test that has no verdict, and why it has none. */
static void result_once(struct session *session, uint32_t number, const struct alone *alone,
                        const char *horizon)
{
    struct result_test *once = session_test_add(session, number);
    session_test_fill(session, once, &alone->test, alone->live);
    once->repetitions = 1;
    result_set(&once->horizon, horizon);
    session->failed += once->status != RESULT_PASS && once->status != RESULT_SKIP;
    session_test_write(session, once);
}

/* ", MESSAGE" or nothing. */
static char *because(const char *message)
{
    return message[0] ? memory_format(", %s", message) : memory_copy("");
}

/* Failed `failed` of `runs` times: neither a pass nor a failure, and no verdict. */
static void flaky_write(struct session *session, uint32_t number, const struct wire_test *failure,
                        unsigned failed, unsigned runs)
{
    struct alone seen = {.test = *failure};
    struct result_test *test = session_test_add(session, number);
    session_test_fill(session, test, &seen.test, 0);
    test->status = RESULT_FLAKY;
    test->repetitions = runs;
    char *why = memory_format("it failed %u of %u times: no verdict", failed, runs);
    result_set(&test->horizon, why);
    free(why);
    session_test_write(session, test);
}

static bool course_passed(const struct session *course, uint32_t number)
{
    bool ran = false;
    for (size_t i = 0; i < course->live_count; i++) {
        ran = ran || course->live_tests[i] == number;
    }
    for (size_t i = 0; i < course->failure_count; i++) {
        ran = ran && course->failures[i].test != number;
    }
    return ran;
}

/* In order it passes, and so it does for whoever runs it plainly; `how` it ends by itself is no
 * result. Returns false when it does not pass in order. */
static bool passes_in_order(struct session *session, const struct session *course, uint32_t number,
                            const struct wire_test *seen, const char *how)
{
    struct alone in_order = {.test = *seen};
    if (!course_passed(course, number)) {
        return false;
    }
    in_order.test.status = WIRE_PASS;
    in_order.test.message[0] = '\0';
    result_once(session, number, &in_order,
                "it passes only after the tests before it: run once, no verdict");
    result_note_add(session->result, "%s passes in order, and %s by itself: run once, no verdict",
                    session->seen.tests[number].id, how);
    return true;
}

/* It passed `passed` times in this process, then it failed. In processes of its own it is called as
 * often: if it fails in each of them, in one at the same call or in all at the first, it cannot be
 * repeated, and is run once; else it is flaky. */
static void failed_later(struct hunting *hunting, uint32_t number, const struct wire_test *failure,
                         unsigned passed, bool affordable)
{
    struct session *session = hunting->session;
    unsigned failed = 1, runs = passed + 1, same = 0, at_once = 0;
    for (int i = 0; i < ALONE_RUNS && affordable; i++) {
        struct alone alone = alone_run(session, number, false, passed + 1);
        bool failing = !alone.passed && !alone.skipped;
        runs += failing ? alone.test.passed_before + 1 : passed + 1;
        failed += failing;
        same += failing && alone.test.passed_before == passed;
        at_once += failing && alone.test.passed_before == 0;
    }
    if (affordable && (failed <= ALONE_RUNS || (same == 0 && at_once < ALONE_RUNS))) {
        flaky_write(session, number, failure, failed, runs);
        return;
    }
    struct alone once = alone_run(session, number, false, 1);
    if (once.passed) {
        memory_grow(&session->once, &session->once_room, session->once_count + 1,
                    sizeof session->once[0]);
        session->once[session->once_count++] = number;
        char *why = because(failure->message);
        result_once(session, number, &once,
                    "it passes only once in a process: run once, no verdict");
        result_note_add(session->result,
                        "%s fails when it is repeated in one process%s: run once, no verdict",
                        session->seen.tests[number].id, why);
        free(why);
        return;
    }
    struct alone child = alone_run(session, number, true, 1), here = {.test = *failure};
    session->forked_count += child.passed;
    if (child.passed || once.skipped ||
        !passes_in_order(session, hunting->course, number, failure, "fails")) {
        result_once(session, number,
                    child.passed   ? &child
                    : once.skipped ? &once
                                   : &here,
                    "it fails when it is repeated in one process: run once, no verdict");
    }
}

/* It failed, hung or died at its first call here, in a process that other tests have used. In a
 * process of its own it may pass; then that is its result, without a verdict. Returns false when it
 * does not pass there either. */
static bool passes_alone(struct session *session, uint32_t number, const char *how,
                         const char *message, bool child_only)
{
    struct alone alone = {0};
    bool forked = child_only;
    if (!child_only) {
        alone = alone_run(session, number, false, 1);
    }
    if (!alone.passed) {
        forked = true;
        alone = alone_run(session, number, true, 1);
    }
    if (!alone.passed) {
        return false;
    }
    session->forked_count += forked;
    char *why = because(message);
    result_once(session, number, &alone,
                forked ? "run once, in a child of its own: no verdict"
                       : "run once, in a process of its own: no verdict");
    result_note_add(session->result,
                    "%s %s in the process of the tests before it%s, and passes in a %s of "
                    "its own: run once so, no verdict",
                    session->seen.tests[number].id, how, why, forked ? "child" : "process");
    free(why);
    return true;
}

/* A call failed. */
static void test_failed(struct hunting *hunting, uint32_t number, const struct repeat *repeat)
{
    struct session *session = hunting->session;
    struct wire_test failure = repeat->last.test;
    unsigned passed = repeat->calls + failure.passed_before;
    bool skipped = failure.status == WIRE_SKIP, forked = session->seen.tests[number].forked;
    struct alone seen = {.test = failure, .live = repeat->now.live_bytes};
    if (skipped || (forked && passed == 0) || session->link.worker.heap_count > 0) {
        result_once(session, number, &seen, "");
    } else if (passed > 0) {
        double again = repeat->call_ns * (passed + 1) * ALONE_RUNS;
        failed_later(hunting, number, &failure, passed,
                     again < hunting->limits.moved_ns + ALONE_NS);
    } else if (!passes_alone(session, number, "fails", failure.message, false) &&
               !passes_in_order(session, hunting->course, number, &failure, "fails")) {
        result_once(session, number, &seen, "");
    }
}

/* It ended its process by exit with status 0 (a system call, another program are no exit).
 * libcheck, which forks, takes that for a pass, and a test that is meant to do so
 * (tcase_add_exit_test with 0) looks like any other. So it passes for whoever runs the program
 * plainly; what it keeps, nobody knows. Returns false where it is no pass. */
static bool exits_well(struct session *session, uint32_t number)
{
    const struct worker *worker = &session->link.worker;
    struct wire_end end;
    if (strcmp(session->seen.hello.framework, "libcheck") != 0 || !WIFEXITED(worker->status) ||
        WEXITSTATUS(worker->status) != 0) {
        return false;
    }
    wire_end_get(worker->wire, &end);
    if (!end.exited) {
        return false;
    }
    struct alone alone = alone_run(session, number, true, 1);
    if (!alone.passed) {
        return false;
    }
    session->forked_count++;
    result_once(session, number, &alone,
                "it ends its process with status 0: run once, in a child of its own, no verdict");
    result_note_add(
        session->result,
        "%s ends its process with status 0, which libcheck takes for a pass, whether it "
        "was meant or not: run once in a child, no verdict",
        session->seen.tests[number].id);
    return true;
}

/* It hung or died. `course`: the pass in order, or NULL when this is it. */
static enum result_status died(struct session *session, const struct session *course,
                               uint32_t number, bool hung)
{
    /* What runs out of memory where it is called again and again does it by itself, or was given a
     * worker of its own; in the pass in order others may have taken what it needs. */
    enum result_status dying = session_dying(session, hung);
    bool memory = dying == RESULT_OOM;
    bool own = memory && (!session->reports || session_accumulated(session));
    const char *how = memory ? "runs out of memory" : hung ? "hangs" : "dies";
    struct wire_test unknown;
    WIRE_INIT(&unknown, WIRE_TEST);
    bool passes =
        dying == RESULT_EXIT
            ? exits_well(session, number)
            : !own && (passes_alone(session, number, how, "", hung) ||
                       (course && passes_in_order(session, course, number, &unknown, how)));
    if (passes) {
        session_death_add(session, number);
    } else {
        session_death(session, number, hung);
    }
    session->hangs = session->hangs || (hung && session->forked_count > 0);
    return dying;
}

enum result_status session_died(struct session *session, uint32_t number, bool hung)
{
    return died(session, NULL, number, hung);
}

/* Once more, for where it allocates. Returns false when the worker is gone. */
static bool test_births(struct session *session, uint32_t number)
{
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = WIRE_TRACE,
                                   .flags = WIRE_BIRTHS | WIRE_STOP_ON_FAIL,
                                   .warmups = 1,
                                   .repetitions = 1};
    return session_ask(session, &command).event == WORKER_DONE && session_births(session, number);
}

/* The limits of the next test. */
static void limits_set(struct hunting *hunting, uint32_t number)
{
    const struct budget budget = spending_budget(hunting->spending);
    const struct budget_test *test = spending_test(hunting->spending, number);
    const struct plan *plan = hunting->session->plan;
    struct rlimit files = {0};
    bool limited = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max != RLIM_INFINITY;
    double peak = (double)(hunting->course->live_peak - hunting->course->live_start);
    uint32_t units = threshold_count(FEW_UNITS);
    hunting->limits = (struct repeat_limits){
        .flags = test->call_ns < BRIEF_NS ? WIRE_NO_QUEUED : 0,
        .settle_ns = hunting->settle_ns,
        .least = plan->repetitions ? threshold_count(WARM_UP) + plan->repetitions : LEAST_CALLS,
        .most = threshold_count(MOST_CALLS),
        .still_ns = budget_still(&budget, test),
        .moved_ns = budget_moved(&budget, test),
        .bytes = peak > KEPT_BYTES ? (int64_t)peak : KEPT_BYTES,
        .units = limited && files.rlim_max / SPENT_PART < units
                     ? (uint32_t)(files.rlim_max / SPENT_PART)
                     : units,
    };
    /* Where a cap is a limit of addresses, what the process and its allocator take counts, too. */
    uint64_t most = plan->memory_cap ? plan->memory_cap / SPENT_PART : plan->memory_guard / 2;
    if (most && (uint64_t)hunting->limits.bytes > most) {
        hunting->limits.bytes = (int64_t)most;
    }
    if (plan->quick) {
        hunting->limits.least = plan->repetitions ? hunting->limits.least : QUICK_CALLS;
        hunting->limits.still_ns = 0;
        hunting->limits.most = hunting->limits.enough = QUICK_MOST;
    }
}

/* Has the worker lost so much that the next test would pay for it? Or did this one wait in vain for
 * threads, longer than a worker takes to start? */
static bool is_spent(struct hunting *hunting, const struct repeat *repeat)
{
    const struct boundary *now = &repeat->now;
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    if (!hunting->started) {
        hunting->start_blocks = repeat->first.live_blocks;
        hunting->start_bytes = repeat->first.live_bytes;
        hunting->started = true;
    }
    int64_t lost = now->live_bytes - hunting->start_bytes;
    int64_t cap = (int64_t)hunting->session->plan->memory_cap;
    return now->live_blocks - hunting->start_blocks > SPENT_BLOCKS || lost > SPENT_BYTES ||
           (cap > 0 && lost > cap / SPENT_PART) || now->fds > threshold_count(FEW_UNITS) ||
           now->files > threshold_count(FEW_UNITS) || now->children > threshold_count(FEW_UNITS) ||
           now->threads > threshold_count(FEW_UNITS) / 4 ||
           (!repeat->gave_back && repeat->whole_ns > hunting->start_ns) ||
           (files.rlim_max != RLIM_INFINITY && now->fds > files.rlim_max / SPENT_PART);
}

/* Threads that a test leaves behind run beside all that follow. Where waiting for them was in vain,
 * the next test waits a quarter as long, unless there are more of them. */
static void settle_learn(struct hunting *hunting, const struct repeat *repeat)
{
    bool vain = repeat->settled_ns >= repeat->settle_ns && !repeat->gave_back;
    if (repeat->gave_back || repeat->now.threads > hunting->threads) {
        hunting->settle_ns = REPEAT_SETTLE_NS;
    } else if (vain) {
        hunting->settle_ns = fmax(hunting->settle_ns / 4, SETTLE_LEAST_NS);
    }
    hunting->threads = repeat->now.threads;
}

/* Axis A for one test. Returns false when the next one needs another worker. */
static bool test_hunt(struct hunting *hunting, uint32_t number)
{
    struct session *session = hunting->session;
    struct repeat repeat;
    struct repeat_ask ask = {.self = hunting,
                             .ask = hunting_ask,
                             .lost = hunting_lost,
                             .suppressed = hunting_suppressed,
                             .seen = &session->seen};
    double begun = pace_now();
    phase_test(session, number, number);
    hunting->calls = 0;
    limits_set(hunting, number);
    if (hunting->asked) {
        session_sites(session);
        hunting->asked = false;
    }
    observed_test_begins(&session->seen);
    session->limit_ns = session->hangs ? HANG_NS : 0;
    repeat_run(&repeat, &ask, number, &hunting->limits);
    session->limit_ns = 0;
    settle_learn(hunting, &repeat);
    bool here = repeat.last.event == WORKER_DONE && repeat.last.ran;
    bool hung = repeat.last.event == WORKER_HUNG;
    bool crowded = !here && hunting->served > 0 && session_dying(session, hung) == RESULT_OOM;
    hunting->crowded = crowded ? number : WIRE_NO_TEST;
    hunting->served++;
    if (crowded) {
        /* nothing is known of it yet */
    } else if (!here) {
        died(session, hunting->course, number, hung);
    } else if (repeat.verdict == CALLS_GO_ON) {
        test_failed(hunting, number, &repeat);
        here = repeat.last.test.status == WIRE_SKIP;
    } else {
        double most_ns = hunting->limits.moved_ns - repeat.spent_ns;
        session_repeat_report(session, number, &repeat, most_ns);
        hunting->asked = repeat.verdict == CALLS_GROWS;
        here = !session->link.worker.ended;
        here = here && (!session->plan->births || test_births(session, number));
        here = here && !is_spent(hunting, &repeat);
    }
    repeat_fini(&repeat);
    spending_take(hunting->spending, number, pace_now() - begun);
    return here;
}

/* Its result is that of the pass in order, and no verdict. */
static void test_leave(struct hunting *hunting, uint32_t number)
{
    struct session *session = hunting->session;
    const struct budget_test *cost = spending_test(hunting->spending, number);
    struct result_test *test = session_result(session, number);
    char took[UNIT_TEXT_BYTES];
    if (!test) {
        return;
    }
    char *why = cost->dear ? memory_format("not repeated: a call takes %s, and the budget has no "
                                           "room for %u",
                                           unit_ns(took, cost->call_ns), LEAST_CALLS)
                           : memory_copy("not repeated: the machine was too busy");
    result_set(&test->horizon, why);
    free(why);
    session->tests++;
    session->failed += test->status != RESULT_PASS && test->status != RESULT_SKIP;
    session_test_write(session, test);
    spending_leave(hunting->spending, number);
}

void session_left_note(struct session *session, const struct spending *spending)
{
    uint32_t number = 0;
    size_t left = spending_left(spending, &number);
    const struct budget_test *dearest = spending_test(spending, number);
    char took[UNIT_TEXT_BYTES];
    if (left > 0) {
        result_note_add(session->result,
                        "%zu test%s not repeated and not judged, %s; the dearest is %s, a call of "
                        "which takes %s: --budget TIME allows more",
                        left, left == 1 ? " was" : "s were",
                        dearest->dear ? "because the budget has no room for them"
                                      : "because the machine was too busy for too long",
                        session->seen.tests[number].id, unit_ns(took, dearest->call_ns));
    }
}

/* It ended a worker in the pass in order already, and has its result. */
static void death_count(struct session *session, uint32_t number)
{
    const struct result_test *test = session_result(session, number);
    session->tests++;
    session->failed += test && test->status != RESULT_PASS && test->status != RESULT_SKIP;
    session_death_add(session, number);
}

/* Is there no time for it? */
static bool is_left(const struct hunting *hunting, uint32_t number)
{
    return spending_test(hunting->spending, number)->dear || spending_is_over(hunting->spending);
}

#define HUNT_DONE WIRE_NO_TEST

/* One worker, started at `begun`, from test `next` on. Returns where the next has to begin, or
 * HUNT_DONE. */
static uint32_t hunt_serve(struct hunting *hunting, uint32_t next, double begun)
{
    struct session *session = hunting->session;
    hunting->started = hunting->asked = false;
    hunting->served = 0;
    hunting->start_ns = 0;
    hunting->settle_ns = REPEAT_SETTLE_NS;
    hunting->threads = 1;
    while (link_wait(&session->link, session->plan->timeout_ns) == WORKER_READY) {
        hunting->start_ns =
            hunting->start_ns > 0 ? hunting->start_ns : (double)monotonic_ns() - begun;
        uint32_t first = session->link.worker.group.first;
        uint32_t past = first + session->link.worker.group.count;
        session_expect(session);
        for (uint32_t test = next > first ? next : first; test < past; test++) {
            if (!session_wants(session, test) ||
                (session->part && test != hunting->crowded && !jobs_takes(session->part, test))) {
                continue;
            }
            if (session_death_in(hunting->course, test)) {
                death_count(session, test);
            } else if (is_left(hunting, test)) {
                test_leave(hunting, test);
            } else if (!test_hunt(hunting, test)) {
                return hunting->crowded == test ? test : test + 1;
            }
            next = test + 1;
        }
        if (!session_tell(session, WIRE_OP_FINISH)) {
            break;
        }
    }
    return HUNT_DONE;
}

void session_repeat(struct session *session, struct spending *spending,
                    const struct session *course)
{
    struct hunting hunting = {
        .session = session, .spending = spending, .course = course, .crowded = WIRE_NO_TEST};
    uint32_t next = 0;
    phase_begin(session, "repeating");
    while (next != HUNT_DONE) {
        uint32_t from = next;
        double begun = (double)monotonic_ns();
        if (!session_begin(session)) {
            return;
        }
        next = hunt_serve(&hunting, next, begun);
        session_over(session);
        if (next != HUNT_DONE && (next > course->seen.test_count || next <= from)) {
            break;
        }
    }
}
