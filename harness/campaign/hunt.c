/*
 * hunt.c - session_hunt: all tests of a program in order, each repeated (axis A), and all in other
 * orders (axis B), within a budget of time that is known before it is spent. docs/verdicts.md has
 * the rules, harness/judge their arithmetic. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/unit.h"
#include "harness/campaign/jobs.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/session.h"
#include "harness/judge/threshold.h"

#include <stdlib.h>

/* Of a test that the pass in order did not come to, because it came to its cap of memory before, it
 * is thought that it takes what the others take. */
static void tests_guess(const struct session *straight, struct budget_test *tests)
{
    double sum = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < straight->seen.test_count; i++) {
        sum += tests[i].call_ns;
        count += tests[i].repeated;
    }
    for (uint32_t i = 0; i < straight->seen.test_count && count > 0; i++) {
        if (!tests[i].repeated && session_wants(straight, i) && !session_death_in(straight, i)) {
            tests[i] = (struct budget_test){.call_ns = sum / (double)count, .repeated = true};
        }
    }
}

/* What the pass in order says of each test; the caller frees. A first call may be dearer than all
 * that follow it. */
static struct budget_test *tests_new(const struct course *course)
{
    const struct session *straight = &course->session;
    struct budget_test *tests = memory_new(straight->seen.test_count + 1, sizeof *tests);
    for (size_t i = 0; i < course->log.count; i++) {
        uint32_t number = course->log.tests[i];
        struct budget_test *test = &tests[number];
        double call_ns = course->log.call_ns[i];
        if (i >= course->log.first_pass) {
            test->call_ns = call_ns < test->call_ns ? call_ns : test->call_ns;
        } else if (!session_death_in(straight, number)) {
            *test = (struct budget_test){.call_ns = call_ns,
                                         .repeated = session_wants(straight, number),
                                         .keeps = course->log.keeps[i]};
        }
    }
    tests_guess(straight, tests);
    return tests;
}

/* "; a test that takes more than 17.3 GB of memory is ended" */
static char *guard_text(uint64_t guard)
{
    char bytes[UNIT_TEXT_BYTES];
    return guard == 0 ? memory_copy("")
                      : memory_format("; a test that takes more than %s of memory is ended",
                                      unit_bytes(bytes, (double)guard));
}

/* Said before the time is spent: the user may stop it, or ask for more. */
static void budget_say(const struct session *session, const struct budget *budget)
{
    char total[UNIT_TEXT_BYTES], most[UNIT_TEXT_BYTES], pass[UNIT_TEXT_BYTES];
    if (session->options->announce) {
        char *guard = guard_text(session->plan->memory_guard);
        char *text = memory_format(
            "one pass takes %s; the hunt takes at most %s (%s on a busy machine): %u "
            "pass%s%s, and each of %zu test%s repeated%s",
            unit_ns(pass, budget->pass), unit_ns(total, budget->total), unit_ns(most, budget->most),
            budget->orders, budget->orders == 1 ? "" : "es",
            budget->again ? ", one of them twice" : "", budget->tests,
            budget->tests == 1 ? "" : "s", guard);
        session->options->announce(session->options->context, text);
        free(text);
        free(guard);
    }
}

/* No worker could be started to repeat them: what tests came to once is no result of a hunt. */
static void results_drop(struct result *result)
{
    for (size_t i = 0; i < result->test_count; i++) {
        result_test_fini(&result->tests[i]);
    }
    result->test_count = 0;
}

bool session_hunt(struct session *session)
{
    struct course course;
    double begun = (double)monotonic_ns();
    const struct budget_wish wish = spending_wish(session->plan);
    course_init(&course, session, 0);
    course.session.reports = true;
    course.session.died = session_died;
    course.session.earlier = NULL;
    phase_begin(session, "first pass");
    course_run(&course, session->plan->quick ? 0 : budget_again_most(wish));
    if (course.session.passive) {
        course_fini(&course);
        phase_begin(session, "passes of the whole program");
        bool hunted = session_hunt_passive(session);
        if (hunted && session->tests > 0) {
            session_suite_passive(session);
        }
        return hunted;
    }
    if (course.session.seen.test_count == 0) {
        session->unstarted = course.session.unstarted;
        course.session.unstarted = NULL;
        course_fini(&course);
        return false;
    }
    struct budget_test *tests = tests_new(&course);
    struct budget budget = budget_plan(course.elapsed, course.session.again_done, wish, tests,
                                       course.session.seen.test_count,
                                       session->plan->quick ? 1 : threshold_count(ORDERS));
    struct spending spending;
    spending_init(&spending, &budget, tests, course.session.seen.test_count, begun);
    if (course.session.tests > 0) { /* else there is nothing to repeat, and no plan */
        budget_say(session, &budget);
    }
    session->counted = course.session.counted; /* they are expected already */
    phase_budget(session, budget.total);
    session->forked_count = course.session.forked_count;
    session->hangs = course.session.hangs;
    if (session->plan->jobs > 1) {
        phase_begin(session, "repeating, %u tests side by side", session->plan->jobs);
        session_repeat_jobs(session, &spending, &course.session, session->plan->jobs);
    } else {
        session_repeat(session, &spending, &course.session);
    }
    session_left_note(session, &spending);
    session->peak_rss = course.session.peak_rss; /* of tests that ran once, not again and again */
    if (session->seen.test_count == 0) {
        results_drop(session->result);
    }
    if (session->tests > 0) {
        session_suite(session, &course, &spending);
    }
    session->strays += course.session.strays;
    spending_fini(&spending);
    free(tests);
    course_fini(&course);
    return session->seen.test_count > 0;
}
