/*
 * hunt.c - session_hunt: all tests of a program in order, each repeated (axis A), and all in other
 * orders (axis B), within a budget of time that is known before it is spent. docs/verdicts.md has
 * the rules, harness/judge their arithmetic. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/session.h"
#include "harness/judge/threshold.h"

#include <stdlib.h>

static size_t wanted_count(const struct session *session)
{
    size_t count = 0;
    for (uint32_t i = 0; i < session->seen.test_count; i++) {
        count += session_wants(session, i);
    }
    return count;
}

/* Said before the time is spent: the user may stop it, or ask for more. */
static void budget_say(const struct session *session, const struct budget *budget)
{
    char total[UNIT_TEXT_BYTES], pass[UNIT_TEXT_BYTES];
    if (session->options->announce) {
        char *text = memory_format("one pass takes %s; the hunt takes at most %s: %u pass%s%s, and "
                                   "each of %zu test%s repeated",
                                   unit_ns(pass, budget->pass), unit_ns(total, budget->total),
                                   budget->orders, budget->orders == 1 ? "" : "es",
                                   budget->again ? ", one of them twice" : "", budget->tests,
                                   budget->tests == 1 ? "" : "s");
        session->options->announce(session->options->context, text);
        free(text);
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
    course_init(&course, session, 0);
    course.session.reports = true;
    course.session.died = session_died;
    course.session.earlier = NULL;
    phase_begin(session, "first pass");
    bool whole = course_run(&course, !session->plan->quick);
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
    double passes = whole && course.session.again_done ? 2 : 1;
    struct budget budget = budget_plan(course.elapsed / passes, (double)session->plan->budget_ns,
                                       wanted_count(&course.session) - course.session.death_count,
                                       session->plan->quick ? 1 : threshold_count(ORDERS));
    budget_say(session, &budget);
    phase_budget(session, budget.total);
    session->forked_count = course.session.forked_count;
    session->hangs = course.session.hangs;
    session_repeat(session, &budget, &course.session);
    if (session->seen.test_count == 0) {
        results_drop(session->result);
    }
    if (session->tests > 0) {
        session_suite(session, &course, &budget);
    }
    session->strays += course.session.strays;
    course_fini(&course);
    return session->seen.test_count > 0;
}
