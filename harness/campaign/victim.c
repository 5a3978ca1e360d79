/* victim.c - tests that pass in one order of the suite and fail in another: what makes them, found
 * by halving the tests before them, each time in a process of its own. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/session.h"

#include <stdlib.h>

/* Does `victim` pass in a process of its own, behind these tests? */
static bool probe_passes(const struct session *session, const uint32_t *before, size_t count,
                         uint32_t victim)
{
    struct session probe;
    uint32_t *list = memory_new(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = before[i];
    }
    list[count] = victim;
    session_init(&probe, session->plan, session->variant, session->options, session->result);
    probe.kind = SESSION_COUNTED;
    probe.list = list;
    probe.list_count = count + 1;
    bool passes = session_run(&probe);
    for (size_t i = 0; i < probe.failure_count; i++) {
        passes = passes && probe.failures[i].test != victim;
    }
    session_fini(&probe);
    free(list);
    return passes;
}

/* The one test of `before` behind which the victim is as `passes` says. Halves are tried; false
 * when it takes more than one. */
static bool cause_find(const struct session *session, const uint32_t *before, size_t count,
                       uint32_t victim, bool passes, uint32_t *cause)
{
    while (count > 1) {
        size_t half = count / 2;
        if (probe_passes(session, before, half, victim) == passes) {
            count = half;
        } else if (probe_passes(session, before + half, count - half, victim) == passes) {
            before += half;
            count -= half;
        } else {
            return false;
        }
    }
    *cause = before[0];
    return count == 1 && probe_passes(session, before, 1, victim) == passes;
}

#define PROOFS 3 /* one sight of an order is no proof */

/* Does the victim pass, or fail, each time after these tests? */
static bool is_always(const struct session *session, const uint32_t *before, size_t count,
                      uint32_t victim, bool passes)
{
    for (int i = 0; i < PROOFS; i++) {
        if (probe_passes(session, before, count, victim) != passes) {
            return false;
        }
    }
    return true;
}

static void flaky_set(struct result_test *test)
{
    test->order = ORDER_FREE;
    test->status = RESULT_FLAKY;
    test->verdict = VERDICT_NONE;
    result_set(&test->message, test->order_message);
    result_set(&test->order_message, "");
    result_set(&test->horizon, "it passed and failed in the same order of tests: no verdict");
}

/* A test that passes in one order and fails in another: polluted by one that ran before it, or in
 * need of one that did not. */
static void victim_explain(const struct session *session, const struct session *straight,
                           const struct session *course, const struct session_failure *failure,
                           struct result_test *test)
{
    const uint32_t *before = course->live_tests + failure->from;
    size_t count = failure->to - failure->from;
    phase_begin(session, "which test changes the result of %.40s", test->id);
    bool alone = probe_passes(session, NULL, 0, failure->test);
    uint32_t cause = 0;
    if (!alone) { /* the order in which it passes */
        before = straight->live_tests;
        for (count = 0; count < straight->live_count && before[count] != failure->test;) {
            count++;
        }
    }
    test->order = alone ? ORDER_POLLUTED : ORDER_NEEDS;
    if (!is_always(session, NULL, 0, failure->test, alone)) {
        flaky_set(test);
    } else if (cause_find(session, before, count, failure->test, !alone, &cause)) {
        if (is_always(session, &cause, 1, failure->test, !alone)) {
            result_set(&test->order_by, session->seen.tests[cause].id);
        } else {
            flaky_set(test);
        }
    }
}

static bool passes_once(const struct session *session, uint32_t number)
{
    for (size_t i = 0; i < session->once_count; i++) {
        if (session->once[i] == number) {
            return true;
        }
    }
    return false;
}

#define VICTIMS_EXPLAINED 3 /* each of them takes many processes */

void session_victims(struct session *session, const struct session *straight,
                     const struct session *course)
{
    size_t found = 0;
    for (size_t i = 0; i < course->failure_count; i++) {
        const struct session_failure *failure = &course->failures[i];
        struct result_test *test = session_result(session, failure->test);
        bool known = test && test->order != ORDER_FREE;
        for (size_t k = 0; k < straight->failure_count && course != straight; k++) {
            known = known || straight->failures[k].test == failure->test;
        }
        /* Without a verdict it may be one that needs a child, or a first time: then its own first
         * call is what the second one in this process failed for. */
        bool odd = test && test->verdict == VERDICT_NONE &&
                   (course != straight || passes_once(session, failure->test) ||
                    !probe_passes(session, NULL, 0, failure->test));
        if (!test || test->status != RESULT_PASS || odd || known) {
            continue;
        }
        test->order = ORDER_UNEXPLAINED;
        result_set(&test->order_message, failure->message);
        if (found++ < VICTIMS_EXPLAINED) {
            victim_explain(session, straight, course, failure, test);
        }
        session_test_write(session, test);
    }
}
