/*
 * suite.c - axis B: do more different tests grow the program? Passes over all tests in order and in
 * shuffled orders, in processes of their own, with every block traced; what each test left at each
 * place is judged by place.h. Who leaves state behind, and who fails for it, comes out on the way.
 * docs/verdicts.md has the rules. Supervisor only.
 */
#include "harness/judge/suite.h"
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/phase.h"
#include "harness/campaign/place_judge.h"
#include "harness/campaign/session.h"
#include "harness/campaign/suite_sites.h"
#include "harness/judge/evidence.h"
#include "harness/judge/threshold.h"
#include "harness/result/result_write.h"
#include "harness/worker/pace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUITE_NS    30000000000.0 /* a suite that takes longer is judged in order only, by `run` */
#define ANY_COST    1e18          /* of a second pass */
#define FITTED_PART 3 / 4 /* of the tests that fitted into the cap: leaves room for the asking */

uint64_t session_shuffle(const struct session *session, uint64_t number)
{
    return session->plan->seed * 2 * threshold_count(ORDERS) + number + 1;
}

void course_init(struct course *course, const struct session *session, uint64_t shuffle)
{
    *course = (struct course){0};
    session_init(&course->session, session->plan, session->variant, session->options,
                 session->result);
    course->session.kind = SESSION_TRACED;
    course->session.shuffle = shuffle;
    course->session.earlier = session;
    course->session.log = &course->log;
}

void course_fini(struct course *course)
{
    pass_log_fini(&course->log);
    session_fini(&course->session);
}

bool course_run(struct course *course, double twice_most_ns)
{
    double begun = pace_now();
    course->session.twice = twice_most_ns > 0;
    course->session.twice_most_ns = twice_most_ns;
    bool ran = session_run(&course->session);
    course->elapsed = pace_now() - begun;
    if (course->session.again_done) {
        course->elapsed /= 2;
    }
    if (course->log.first_pass == 0) {
        course->log.first_pass = course->log.count;
    }
    course->log.broken = course->session.death_count > 0;
    return ran && !course->log.broken;
}

static bool is_suppressed(void *context, uint32_t site)
{
    struct session *session = context;
    return observed_site(&session->seen, site) &&
           session_site_suppressed(session, &session->seen.sites[site]);
}

static void course_add(struct places *places, struct course *course)
{
    places_add(places, &course->log, &course->session.seen, is_suppressed, &course->session);
}

/* How much of what stays after the pass in order is of suppressed sites. */
static void suppressed_tell(struct session *session, struct course *course)
{
    char size[UNIT_TEXT_BYTES];
    int64_t sum = 0, *held = memory_new(course->session.seen.site_count + 1, sizeof *held);
    const struct pass_log *log = &course->log;
    for (size_t i = 0; i < log->change_count; i++) {
        if (log->changes[i].position < log->first_pass) {
            held[log->changes[i].site] = log->changes[i].bytes;
        }
    }
    for (size_t i = 0; i < course->session.seen.site_count; i++) {
        sum += held[i] > 0 && is_suppressed(&course->session, (uint32_t)i) ? held[i] : 0;
    }
    if (sum > 0) {
        result_note_add(session->result, "%s: %s of what stays is suppressed, and not judged",
                        session->variant->name[0] ? session->variant->name : "the suite",
                        unit_bytes(size, (double)sum));
    }
    free(held);
}

/* The suite is judged without what tests are accused of by themselves: the places that
 * session->accused has already. Here those follow of which all is left out: tests that did not
 * pass, and accused ones of which no place is known. */
static void accused_complete(struct session *session, size_t test_count)
{
    bool *known = memory_new(test_count + 1, sizeof *known);
    for (size_t i = 0; i < session->accused.count; i++) {
        uint32_t test = session->accused.all[i].test;
        known[test < test_count ? test : test_count] = true;
    }
    for (uint32_t i = 0; i < test_count; i++) {
        const struct result_test *test = session_result(session, i);
        bool accused = test && (test->verdict == VERDICT_LEAK || test->verdict == VERDICT_GROWTH);
        if (!test || test->status != RESULT_PASS || (accused && !known[i])) {
            accused_add(&session->accused, i, ACCUSED_WHOLE);
        }
    }
    free(known);
}

/* The curve of the suite: what the shown places hold at each boundary of the pass in order. */
static void curve_take(struct session *session, const struct places *places)
{
    int64_t *left = memory_new(places->test_count + 1, sizeof *left), sum = 0;
    for (size_t i = 0; i < places->count; i++) {
        if (places->all[i].shown) {
            place_left(places, &places->all[i], left);
        }
    }
    session->live_count = 0;
    for (size_t i = 0; i < places->passes[0].first_pass; i++) {
        uint32_t test = places->passes[0].tests[i];
        sum += test < places->test_count ? left[test] : 0;
        session_live_add(session, test, sum);
    }
    session->live_start = 0;
    session->live_end = sum;
    free(left);
}

/* What stays of the pass that is judged, and so its rate; no tests: nothing is accused. */
static void kept_set(struct session *session, int64_t kept, size_t tests)
{
    session->suite_kept = (double)kept;
    session->suite_tests = tests;
    session->suite_growth = tests > 0 ? (double)kept / (double)tests : 0;
}

/* Figures of the pass in order, which the variant of a hunt shows. */
static void figures_take(struct session *session, const struct session *course)
{
    session->live_peak = course->live_peak - course->live_start;
    session->test_peak = course->test_peak;
    session->retained_max = course->retained_max;
    session->allocs = course->allocs;
    session->frees = course->frees;
    session->bytes = course->bytes;
    session->wall = course->wall;
}

/* Who leaves it: into the results of the tests, and into the evidence. */
static void depositors_tell(struct session *session, const struct places *places,
                            struct evidence_suite *evidence)
{
    int64_t *left = memory_new(places->test_count + 1, sizeof *left), most = 0;
    for (size_t i = 0; i < places->count; i++) {
        if (places->all[i].shown) {
            place_left(places, &places->all[i], left);
        }
    }
    for (size_t i = 0; i < places->passes[0].first_pass; i++) {
        uint32_t number = places->passes[0].tests[i];
        struct result_test *test = session_result(session, number);
        if (!test) {
            continue;
        }
        test->left_bytes = left[number] > 0 ? left[number] : 0;
        session_test_write(session, test);
        if (left[number] <= 0) {
            continue;
        }
        evidence->depositors++;
        evidence->first = evidence->first ? evidence->first : session->seen.tests[number].id;
        if (left[number] > most) {
            most = left[number];
            evidence->largest = session->seen.tests[number].id;
        }
    }
    free(left);
}

/* What a second pass in the same process did. */
struct again {
    bool done;
    int64_t added; /* bytes of the shown places */
};

static struct again again_of(const struct places *places, bool done)
{
    struct again again = {.done = done};
    for (size_t i = 0; i < places->count && done; i++) {
        struct place *place = &places->all[i];
        if (place->shown) {
            again.added += place_again_get(places, place);
        }
    }
    return again;
}

/* From the judged places to verdict, evidence, curve and sites of the session. */
static void suite_conclude(struct session *session, struct places *places,
                           const struct places_verdict *judged, const struct again *again)
{
    struct evidence_suite evidence = {.tests = places->passes[0].first_pass,
                                      .shuffled = places->pass_count - 1,
                                      .accusing = judged->accusing,
                                      .seed = session->plan->seed,
                                      .again = again->done,
                                      .again_bytes = again->added,
                                      .verdict = judged->verdict};
    bool accused = judged->verdict == VERDICT_ACCUMULATES;
    if (accused && again->done) {
        evidence.verdict = places_judge_again(places);
    }
    evidence.few_orders = judged->verdict == VERDICT_INCONCLUSIVE &&
                          places->pass_count < threshold_count(ORDERS) && !session->passive;
    if (accused) {
        depositors_tell(session, places, &evidence);
    }
    curve_take(session, places);
    session->suite_verdict = evidence.verdict;
    kept_set(session, session->live_end, accused ? places->passes[0].first_pass : 0);
    free(session->suite_horizon);
    session->suite_horizon = evidence_suite(&evidence);
    if (accused) {
        suite_sites_ask(session, places);
    }
}

/* The shuffled orders, as long as the hunt has time. */
static void shuffles_run(struct session *session, struct places *places,
                         const struct session *straight, unsigned orders,
                         const struct spending *spending)
{
    for (unsigned i = 0; i + 1 < orders && !(spending && spending_is_over(spending)); i++) {
        struct course course;
        course_init(&course, session, session_shuffle(session, i));
        phase_begin(session, "shuffled order %u of %u", i + 1, orders - 1);
        if (course_run(&course, 0)) {
            course_add(places, &course);
        }
        if (session->kind == SESSION_MEASURED && session->plan->hunt) {
            session_victims(session, straight, &course.session);
        }
        course_fini(&course);
    }
}

/* The first tests of a suite that came to its cap of memory, so many that there is room for asking:
 * where what they left was allocated, and who holds it. */
static void stopped_sites(struct session *session, struct evidence_suite *evidence)
{
    struct course course;
    struct places places;
    const struct accused nothing = {0};
    size_t ended = session->live_count - session->worker_live; /* in the process that was stopped */
    uint32_t fitted = session->live_tests[(ended - 1) * FITTED_PART] + 1;
    course_init(&course, session, 0);
    if (session_begin(&course.session)) {
        session_serve(&course.session, 0, fitted);
        course.log.first_pass = evidence->traced = course.log.count;
        places_init(&places, session->seen.test_count, &nothing);
        course_add(&places, &course);
        places_show_all(&places);
        depositors_tell(session, &places, evidence);
        if (!course.session.link.worker.ended) {
            suite_sites_write(&course.session, &places);
        }
        places_fini(&places);
        session_over(&course.session);
    }
    course_fini(&course);
}

/* A suite that was stopped at its cap of memory: its own boundaries tell, in the one order. */
static void stopped_judge(struct session *session)
{
    size_t ended = session->live_count - session->worker_live; /* others were in other processes */
    bool grows = judge_pass(session->live + session->worker_live, ended);
    struct evidence_suite evidence = {.verdict = grows ? VERDICT_ACCUMULATES : VERDICT_INCONCLUSIVE,
                                      .tests = ended};
    session->suite_verdict = evidence.verdict;
    session->suite_growth = NAN;
    if (grows) {
        kept_set(session, session->live[session->live_count - 1], ended);
        stopped_sites(session, &evidence);
    }
    free(session->suite_horizon);
    session->suite_horizon = evidence_suite(&evidence);
}

/* The pass in order of a hunt came to the cap. */
static void stopped_take(struct session *session, const struct session *course)
{
    result_set(&session->stopped_by, course->stopped_by);
    result_set(&session->culprit, course->culprit);
    figures_take(session, course);
    session->live_count = 0;
    for (size_t i = 0; i < course->live_count; i++) {
        session_live_add(session, course->live_tests[i], course->live[i]);
    }
    session->worker_live = course->worker_live;
    session->live_end = course->live_count ? course->live[course->live_count - 1] : 0;
    session->live_start = 0;
}

/* The pass that was to judge it did not come to its end. */
static void unjudged_tell(struct session *session, const struct course *course)
{
    const struct session *pass = &course->session;
    uint32_t last = pass->death_count > 0 ? pass->deaths[pass->death_count - 1] : WIRE_NO_TEST;
    free(session->suite_horizon);
    session->suite_horizon =
        evidence_suite_ended(last < pass->seen.test_count ? pass->seen.tests[last].id : NULL);
}

void session_suite(struct session *session, struct course *course, const struct spending *spending)
{
    struct course again;
    const bool broken = course->log.broken;
    if (course->session.stopped_by[0]) {
        stopped_take(session, &course->session);
        stopped_judge(session);
        return;
    }
    session_victims(session, &course->session, &course->session);
    if (broken) { /* once more without the tests in which a worker ended */
        course_init(&again, session, 0);
        if (!course_run(&again, spending->plan.again ? ANY_COST : 0)) {
            unjudged_tell(session, &again);
            course_fini(&again);
            return;
        }
        course = &again;
    }
    struct places places;
    size_t test_count = course->session.seen.test_count;
    accused_complete(session, test_count);
    places_init(&places, test_count, &session->accused);
    course_add(&places, course);
    figures_take(session, &course->session);
    if (course->session.live_count >= threshold_count(TOUCHED_BY)) {
        shuffles_run(session, &places, &course->session, spending->plan.orders, spending);
    }
    struct places_verdict judged = places_judge(&places);
    /* There was no time for another order, and without one nothing is known. */
    size_t least = session->plan->quick ? 1 : threshold_count(LEAST_ORDERS);
    if (judged.verdict == VERDICT_ACCUMULATES && places.pass_count < least) {
        shuffles_run(session, &places, &course->session, (unsigned)least, NULL);
        judged = places_judge(&places);
        judged.verdict = places.pass_count < least ? VERDICT_INCONCLUSIVE : judged.verdict;
    }
    struct again second = again_of(&places, course->session.again_done);
    suite_conclude(session, &places, &judged, &second);
    places_fini(&places);
    if (broken) {
        course_fini(&again);
    }
}

/* What of the places that are shown is alive at the end of a program that ran its tests by itself:
 * the first time, and what a second time added. Returns bytes. */
static int64_t survivors_shown(const struct places *places, const struct observed *seen,
                               bool second)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < seen->survivor_count; i++) {
        const struct wire_survivor *left = &seen->survivors[i];
        struct place *place =
            left->birth < places->test_count ? places_find_shown(places, seen, left->site) : NULL;
        if (place && !accused_has(places->left_out, left->birth, place_key(seen, left->site))) {
            *(second ? &place->added : &place->first) += observed_worth(left->blocks, left->bytes);
            bytes += left->bytes;
        }
    }
    for (size_t i = 0; i < places->count && second; i++) {
        places->all[i].added -= places->all[i].first;
    }
    return bytes;
}

static bool survivors_run(const struct session *session, struct course *course, uint32_t passes)
{
    course_init(course, session, 0);
    course->session.log = NULL;
    course->session.forks = session->forks;
    course->session.asks_survivors = true;
    course->session.passes = passes;
    return course_run(course, 0);
}

void session_suite_passive(struct session *session)
{
    struct course once, twice;
    struct places places;
    if (!survivors_run(session, &once, 1)) {
        unjudged_tell(session, &once);
        course_fini(&once);
        return;
    }
    accused_complete(session, once.session.seen.test_count);
    places_init(&places, once.session.seen.test_count, &session->accused);
    pass_log_survivors(&once.log, once.session.live_tests, once.session.live_count,
                       &once.session.seen);
    course_add(&places, &once);
    figures_take(session, &once.session);
    struct places_verdict judged = places_judge(&places);
    struct again again = {.added = -survivors_shown(&places, &once.session.seen, false)};
    if (!session->plan->quick && !session->forks) {
        again.done = survivors_run(session, &twice, 2) && twice.session.failure_count == 0;
        again.added += survivors_shown(&places, &twice.session.seen, true);
        course_fini(&twice);
    }
    suite_conclude(session, &places, &judged, &again);
    places_fini(&places);
    course_fini(&once);
}

static bool ever_rose(const struct session *session)
{
    for (size_t i = 0; i < session->live_count; i++) {
        if (session->live[i] > 0) {
            return true;
        }
    }
    return false;
}

void session_run_suite(struct session *session)
{
    struct course course;
    if (session->stopped_by[0]) {
        stopped_judge(session);
        return;
    }
    if (session->live_count == 0) {
        return; /* nothing is known of it, and its tests say why */
    }
    if (!ever_rose(session)) {
        struct evidence_suite evidence = {.verdict = VERDICT_CLEAN, .tests = session->live_count};
        session->suite_verdict = VERDICT_CLEAN;
        session->suite_growth = 0;
        session->suite_horizon = evidence_suite(&evidence);
        return;
    }
    course_init(&course, session, 0);
    if (course_run(&course, session->wall < SUITE_NS ? ANY_COST : 0)) {
        struct places places;
        accused_complete(session, course.session.seen.test_count);
        places_init(&places, course.session.seen.test_count, &session->accused);
        course_add(&places, &course);
        suppressed_tell(session, &course);
        bool more = session->wall < SUITE_NS && session->live_count >= threshold_count(TOUCHED_BY);
        shuffles_run(session, &places, &course.session, more ? threshold_count(ORDERS) : 1, NULL);
        struct places_verdict judged = places_judge(&places);
        struct again again = again_of(&places, course.session.again_done);
        suite_conclude(session, &places, &judged, &again);
        places_fini(&places);
    } else {
        unjudged_tell(session, &course);
    }
    course_fini(&course);
}
