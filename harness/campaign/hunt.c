/*
 * hunt.c - session_hunt: does running a test again grow it (axis A)? suite.c asks whether more
 * different tests do. docs/verdicts.md has the rules, harness/judge their arithmetic. Supervisor
 * only.
 */
#include "harness/base/memory.h"
#include "harness/campaign/session.h"

#include <stdlib.h>
#include <string.h>

#define QUICK_LEAST 4
#define MOST        64
#define HANG_NS     5000000000u /* most of a repetition once a test needed a child not to hang */
#define CHEAP_NS    5000000u    /* so long a settled test is repeated beyond the least */

static void horizon_fill(struct result_test *test)
{
    static const char *const texts[VERDICT_COUNT] = {
        [VERDICT_CLEAN] = "equal at each of %u boundaries",
        [VERDICT_LEAK] = "grew through %u repetitions, and nothing points at what is left",
        [VERDICT_GROWTH] =
            "grew through %u repetitions; a cache with more free slots than that looks the same",
        [VERDICT_SATURATING] = "stopped growing within %u repetitions",
        [VERDICT_INCONCLUSIVE] = "neither levelled off nor doubled in %u repetitions",
    };
    bool counted = test->verdict == VERDICT_LEAK && test->growth_bytes_per_rep == 0;
    /* No pointer leads to descriptors, threads and files, and none is missing. */
    const char *text = counted ? "grew through %u repetitions" : texts[test->verdict];
    char *horizon = session_horizon(text, test->repetitions);
    if (horizon) {
        result_set(&test->horizon, horizon);
    }
    free(horizon);
}

/* Once more, for where it allocates. False: the worker is gone. */
static bool test_births(struct session *session, uint32_t number)
{
    enum worker_event event;
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = WIRE_TRACE,
                                   .flags = WIRE_BIRTHS | WIRE_STOP_ON_FAIL,
                                   .warmups = 1,
                                   .repetitions_min = 1,
                                   .repetitions_max = 1};
    return session_command(session, &command, &event) && session_births(session, number);
}

/* It failed in a process that others have used, and that does not end with it. In a child, of a
 * process in which nothing else ran, does it pass? Then that is its result, without a verdict. */
static bool forked_passes(struct session *session, uint32_t number, const char *how,
                          const char *why)
{
    struct session aside;
    session_init(&aside, session->plan, session->variant, session->options, session->result);
    aside.quiet = aside.light = aside.forked = true;
    aside.list = &number;
    aside.list_count = 1;
    bool passes = session_run(&aside) && aside.failure_count == 0 && aside.live_count > 0;
    session->strays += aside.strays; /* of the one that ended, too: it is tidied up here */
    if (passes) {
        session->test = aside.test;
        struct result_test *once = session_test_add(session, number);
        session_test_fill(session, once);
        result_set(&once->horizon, "run once, in a child of its own: no verdict");
        session_test_write(session, once);
        session->forked_count++;
        result_note_add(session->result,
                        "%s %s in the process of the tests before it%s%s, and passes in a child of "
                        "its own: run once so, no verdict",
                        session->names[number].id, how, why[0] ? ", " : "", why);
    }
    session_fini(&aside);
    return passes;
}

/* The test repeated, counters only. False: no answer came. */
static bool test_repeat(struct session *session, uint32_t number, enum worker_event *event)
{
    bool quick = session->plan->quick;
    unsigned least = session->plan->repetitions ? session->plan->repetitions
                     : quick                    ? QUICK_LEAST
                                                : SESSION_LEAST;
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = WIRE_COUNT,
                                   .flags = WIRE_PEAK_RSS | WIRE_STOP_ON_FAIL,
                                   .warmups = SESSION_WARMUPS,
                                   .repetitions_min = least,
                                   .repetitions_max = least > MOST || quick ? least : MOST,
                                   .budget_ns = CHEAP_NS};
    session->limit_ns = session->hangs ? HANG_NS : 0;
    bool answered = session_command(session, &command, event) && session->has_test;
    session->limit_ns = 0;
    return answered;
}

/* The worker hung or died of the test. */
static void test_unanswered(struct session *session, uint32_t number, bool hung)
{
    /* An end by exit stays one: libcheck would take the child's status 0 for a pass. */
    enum result_status dying = session_dying(session, hung);
    if (dying == RESULT_OOM || dying == RESULT_EXIT ||
        !forked_passes(session, number, hung ? "hangs" : "dies", "")) {
        session_death(session, number, hung);
    }
    session->hangs = session->hangs || (hung && session->forked_count > 0);
}

/* It only fails when it is repeated in one process: once, in a child, is what it is. False: the
 * worker is gone. */
static bool test_once(struct session *session, uint32_t number)
{
    enum worker_event event;
    char why[WIRE_TEXT_MAX];
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = WIRE_COUNT,
                                   .flags = WIRE_FORKED,
                                   .repetitions_min = 1,
                                   .repetitions_max = 1};
    memcpy(why, session->test.message, sizeof why);
    if (!session_command(session, &command, &event) || !session->has_test) {
        session_death(session, number, event == WORKER_HUNG);
        return false;
    }
    session->forked_count++;
    result_note_add(session->result,
                    "%s fails when it is repeated in one process%s%s: run once, no verdict",
                    session->names[number].id, why[0] ? ", " : "", why);
    struct result_test *once = session_test_add(session, number);
    session_test_fill(session, once);
    session->failed += once->status != RESULT_PASS && once->status != RESULT_SKIP;
    session_test_write(session, once);
    return true;
}

/* From its repetitions to a verdict. False: the worker is gone. */
static bool test_judge(struct session *session, uint32_t number)
{
    enum worker_event event = WORKER_DONE;
    size_t index = session->result->test_count;
    struct result_test *test = session_test_add(session, number);
    session_test_fill(session, test);
    session_curve_add(session, test);
    bool here = true;
    if (test->status != RESULT_PASS) {
        session->failed += test->status != RESULT_SKIP;
    } else if (judge_settled(session->vectors, session->vector_count)) {
        test->verdict = session_heap_unseen(session) ? VERDICT_NONE : VERDICT_CLEAN;
        test->growth_bytes_per_rep = 0;
    } else {
        here = session_epochs(session, number, test, &event);
    }
    test = &session->result->tests[index];
    horizon_fill(test);
    if (test->verdict == VERDICT_CLEAN && session->names[number].forked) {
        result_set(&test->horizon,
                   "each repetition ran in a child of its own, and what it kept died with it");
    }
    if (here) {
        bool births = session->plan->births && test->status == RESULT_PASS;
        session_test_write(session, test);
        if (session->worker.ended) { /* of a repetition after the verdict: it stays */
            return false;
        }
        return !births || test_births(session, number);
    }
    session->result->test_count--; /* it died while it was traced: that is the result */
    result_test_fini(test);
    session->tests--;
    session_death(session, number, event == WORKER_HUNG);
    return false;
}

/* Axis A for one test. False: the worker is gone, and the test's result says how. */
static bool test_hunt(struct session *session, uint32_t number)
{
    enum worker_event event;
    if (session->options->progress) {
        session->options->progress(session->options->context, session->variant->name,
                                   session->names[number].id, number, session->name_count);
    }
    if (!test_repeat(session, number, &event)) {
        test_unanswered(session, number, event == WORKER_HUNG);
        return false;
    }
    if (session->test.status != WIRE_PASS && session->test.passed_before > 0) {
        return test_once(session, number);
    }
    if (session->test.status != WIRE_PASS && session->test.status != WIRE_SKIP &&
        !session->names[number].forked && session->worker.heap_count == 0) {
        struct wire_test seen = session->test; /* as it failed here, should it fail there too */
        if (forked_passes(session, number, "fails", seen.message)) {
            return true;
        }
        session->test = seen;
    }
    return test_judge(session, number);
}

/* One worker, from test `next` on. Returns where the next has to begin, or WIRE_NO_TEST. */
static uint32_t hunt_serve(struct session *session, uint32_t next)
{
    enum worker_event event;
    while ((event = worker_wait(&session->worker, session->plan->timeout_ns)) == WORKER_READY) {
        uint32_t first = session->worker.group.first;
        uint32_t past = first + session->worker.group.count;
        if (first == past) {
            return WIRE_NO_TEST - 1;
        }
        session_expect(session);
        for (uint32_t test = next > first ? next : first; test < past; test++) {
            if (session_wants(session, test) && !test_hunt(session, test)) {
                return test + 1;
            }
            next = test + 1;
        }
        if (!session_command(session, &(struct wire_command){.op = WIRE_OP_FINISH}, &event)) {
            break;
        }
    }
    return WIRE_NO_TEST;
}

bool session_hunt(struct session *session)
{
    uint32_t next = 0;
    while (next != WIRE_NO_TEST) {
        uint32_t from = next;
        if (!session_begin(session)) {
            return false;
        }
        next = hunt_serve(session, next);
        session_over(session);
        if (next == WIRE_NO_TEST - 1) {
            return session_hunt_passive(session);
        }
        if (next != WIRE_NO_TEST && (next >= session->name_count || next <= from)) {
            break;
        }
    }
    return session->name_count > 0;
}
