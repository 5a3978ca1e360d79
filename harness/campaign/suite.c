/*
 * suite.c - axis B: do more different tests grow the program? All of them in order, once and once
 * more in the same process, then in shuffled orders in processes of their own. Who leaves state
 * behind, and who fails for it, comes out on the way. docs/verdicts.md has the rules.
 * Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/session.h"

#include <stdlib.h>
#include <string.h>

/* What grows by itself, or failed, is told of its test; the suite is judged by the others. */
static bool is_of_the_suite(const struct result_test *test)
{
    return test && test->status == RESULT_PASS && test->verdict != VERDICT_LEAK &&
           test->verdict != VERDICT_GROWTH;
}

/* Tests from which blocks of a site survive, besides those that are told of by themselves. */
#define SURVIVOR_TESTS 3

/* Where a survivor was allocated: the innermost place outside of the system's libraries. The stack
 * above it differs from test to test, and is no part of the question whether many tests feed one
 * place. */
struct survivor {
    uint64_t place;
    uint32_t birth;
    int64_t bytes;
};

static uint64_t place_of(struct session *suite, uint32_t number)
{
    if (number >= suite->site_count) {
        return 0;
    }
    const struct session_site *site = &suite->sites[number];
    for (uint32_t i = 0; i < site->frame_count; i++) {
        if (!symbols_system(suite->symbols, site->frames[i] - 1)) {
            return site->frames[i];
        }
    }
    return site->frame_count ? site->frames[0] : 0;
}

static int compare_survivors(const void *a, const void *b)
{
    const struct survivor *x = a, *y = b;
    return x->place != y->place ? (x->place > y->place) - (x->place < y->place)
                                : (x->birth > y->birth) - (x->birth < y->birth);
}

/* Adds up, by the test of their birth, the bytes of places with survivors from several tests. A
 * place with survivors of one or two tests is lazy initialisation. */
static void survivors_add(const struct session *session, struct session *suite,
                          const struct session_survivors *kept, int64_t *by_test)
{
    struct survivor *all = memory_new(kept->count + 1, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < kept->count; i++) {
        const struct wire_survivor *seen = &kept->at[i];
        bool known = seen->site < suite->site_count;
        if (known && session_site_suppressed(suite, &suite->sites[seen->site])) {
            continue;
        }
        if (seen->bytes > 0 && is_of_the_suite(session_result(session, seen->birth))) {
            all[count++] = (struct survivor){
                .place = place_of(suite, seen->site), .birth = seen->birth, .bytes = seen->bytes};
        }
    }
    qsort(all, count, sizeof *all, compare_survivors);
    for (size_t i = 0, end; i < count; i = end) {
        size_t tests = 1;
        for (end = i + 1; end < count && all[end].place == all[i].place; end++) {
            tests += all[end].birth != all[end - 1].birth;
        }
        for (size_t k = i; tests >= SURVIVOR_TESTS && k < end; k++) {
            by_test[all[k].birth] += all[k].bytes;
        }
    }
    free(all);
}

/* All tests in order, once, then what of each is alive. Where the cap of memory stops them, there
 * is no one left to ask, and the answer is wanted all the more: then three quarters of the tests
 * that fitted, which leaves room for the asking. */
static bool suite_run(struct session *session, struct session *suite)
{
    if (!session_run(suite)) {
        return false;
    }
    if (strcmp(suite->stopped_by, "memory") != 0 || suite->live_count < SURVIVOR_TESTS) {
        return true;
    }
    uint32_t end = suite->live_tests[(suite->live_count - 1) * 3 / 4] + 1;
    result_set(&session->stopped_by, suite->stopped_by);
    result_set(&session->culprit, suite->culprit);
    session_fini(suite);
    session_init(suite, session->plan, session->variant, session->options, session->result);
    suite->quiet = true;
    suite->earlier = session;
    bool here = session_begin(suite);
    if (here) {
        enum worker_event event;
        session_serve(suite, 0, end);
        here = !suite->worker.ended && session_sites(suite) &&
               session_command(suite, &(struct wire_command){.op = WIRE_OP_SURVIVORS}, &event);
        for (size_t i = 0; i < suite->survivor_count; i++) {
            memory_grow(&suite->once.at, &suite->once.room, i + 1, sizeof suite->once.at[0]);
            suite->once.at[suite->once.count++] = suite->survivors[i];
        }
        worker_fini(&suite->worker);
    }
    return here;
}

/* One way through the suite: what each test of it kept, in the order they ran. */
struct course {
    struct session session;
    int64_t *by_test; /* by the test's index: bytes alive after the first pass */
    int64_t kept;     /* all of them */
    enum result_verdict verdict;
};

static void course_init(struct course *course, const struct session *session, uint64_t shuffle)
{
    *course = (struct course){.verdict = VERDICT_NONE};
    session_init(&course->session, session->plan, session->variant, session->options,
                 session->result);
    course->session.quiet = true;
    course->session.shuffle = shuffle;
    course->session.earlier = session;
}

static void course_fini(struct course *course)
{
    free(course->by_test);
    session_fini(&course->session);
}

static int64_t sum_of(const int64_t *by_test, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += by_test[i];
    }
    return sum;
}

/* From the survivors to a curve in the order of this course, and what it looks like. */
static void course_judge(const struct session *session, struct course *course)
{
    struct session *seen = &course->session;
    int64_t *curve = memory_new(seen->live_count + 1, sizeof *curve), sum = 0;
    course->by_test = memory_new(seen->name_count + 1, sizeof *course->by_test);
    survivors_add(session, seen, &seen->once, course->by_test);
    course->kept = sum_of(course->by_test, seen->name_count);
    for (size_t i = 0; i < seen->live_count; i++) {
        curve[i] = sum += course->by_test[seen->live_tests[i]];
    }
    course->verdict = judge_suite(curve, seen->live_count).verdict;
    free(curve);
}

/* Of the second pass: all that is alive but what the first one left. */
static int64_t again_of(const struct session *session, struct course *course)
{
    struct session *seen = &course->session;
    int64_t *by_test = memory_new(seen->name_count + 1, sizeof *by_test);
    survivors_add(session, seen, &seen->again, by_test);
    int64_t all = sum_of(by_test, seen->name_count);
    free(by_test);
    return all - course->kept;
}

/* Who leaves it: the tests that are behind what accumulates. */
static void polluters_tell(struct session *session, const struct course *course)
{
    for (size_t i = 0; i < course->session.live_count; i++) {
        uint32_t number = course->session.live_tests[i];
        struct result_test *test = session_result(session, number);
        if (test) {
            test->left_bytes = course->by_test[number];
            session_test_write(session, test);
        }
    }
}

#define SHUFFLES 2

/* Never 0, which is the usual order. */
static uint64_t shuffle_of(const struct session *session, uint64_t number)
{
    return session->plan->seed * 2 * SHUFFLES + number + 1;
}

/* The verdict over all orders, and what it is worth. */
static void suite_conclude(struct session *session, const enum result_verdict *verdicts,
                           size_t count, bool twice, int64_t first, int64_t second)
{
    enum result_verdict verdict = judge_orders(verdicts, count);
    char *again = memory_copy(", one pass"), *orders = memory_copy("");
    if (count > 1) {
        free(orders);
        orders = memory_format(" and in %zu shuffled ones (seed %llu)", count - 1,
                               (unsigned long long)session->plan->seed);
    }
    if (twice) {
        char size[UNIT_TEXT_BYTES];
        free(again);
        again = second <= 0 ? memory_copy("; a second pass in the same process added nothing")
                            : memory_format("; a second pass in the same process added %s",
                                            unit_bytes(size, (double)second));
        verdict = verdict == VERDICT_ACCUMULATES ? judge_again(first, second) : verdict;
    }
    free(session->suite_horizon);
    session->suite_verdict = verdict;
    session->suite_horizon = memory_format(
        "judged over %zu tests in order%s%s%s", session->live_count, orders, again,
        twice && verdict == VERDICT_ACCUMULATES ? ": as many as there are distinct inputs" : "");
    free(again);
    free(orders);
}

static void straight_take(struct session *session, const struct course *course)
{
    const struct session *seen = &course->session;
    int64_t sum = 0;
    session->live_count = 0;
    for (size_t i = 0; i < seen->live_count; i++) {
        sum += course->by_test[seen->live_tests[i]];
        session_live_add(session, seen->live_tests[i], sum);
    }
    session->live_end = sum;
    session->live_start = 0;
    session->live_peak = seen->live_peak - seen->live_start;
    session->test_peak = seen->test_peak;
    session->retained_max = seen->retained_max;
    session->allocs = seen->allocs;
    session->frees = seen->frees;
    session->bytes = seen->bytes;
    session->wall = seen->wall;
}

void session_hunt_suite(struct session *session)
{
    struct course straight, shuffled;
    enum result_verdict verdicts[1 + SHUFFLES];
    size_t orders = 1;
    course_init(&straight, session, 0);
    straight.session.asks_survivors = true;
    straight.session.twice = !session->plan->quick;
    straight.session.forks = session->forks;
    if (!suite_run(session, &straight.session)) {
        course_fini(&straight);
        return;
    }
    course_judge(session, &straight);
    straight_take(session, &straight);
    verdicts[0] = straight.verdict;
    session_victims(session, &straight.session, &straight.session);
    bool twice = straight.session.again_done;
    int64_t again = twice ? again_of(session, &straight) : 0;
    if (session->passive && !session->plan->quick) {
        course_init(&shuffled, session, 0);
        shuffled.session.asks_survivors = true;
        shuffled.session.passes = 2;
        twice = !session->forks && session_run(&shuffled.session) &&
                shuffled.session.failure_count == 0;
        if (twice) {
            course_judge(session, &shuffled);
            again = shuffled.kept - straight.kept;
        }
        course_fini(&shuffled);
    }
    bool room = !session->passive && !session->plan->quick && session->stopped_by[0] == '\0' &&
                straight.session.wall < SUITE_NS && straight.session.live_count > 2;
    for (uint64_t i = 0; room && i < SHUFFLES; i++) {
        course_init(&shuffled, session, shuffle_of(session, i));
        shuffled.session.asks_survivors = true;
        if (session_run(&shuffled.session)) {
            course_judge(session, &shuffled);
            verdicts[orders++] = shuffled.verdict;
            session_victims(session, &straight.session, &shuffled.session);
        }
        course_fini(&shuffled);
    }
    suite_conclude(session, verdicts, orders, twice, straight.kept, again);
    if (session->suite_verdict == VERDICT_ACCUMULATES || session->suite_verdict == VERDICT_GROWTH) {
        polluters_tell(session, &straight);
    }
    course_fini(&straight);
}

/* Takes what suppressed sites keep out of the curve that is judged: once more, with every block
 * traced. */
static void suppressed_leave(struct session *session)
{
    char size[UNIT_TEXT_BYTES];
    struct course course;
    int64_t *by_test, sum = 0;
    course_init(&course, session, 0);
    course.session.asks_survivors = true;
    if (session_run(&course.session)) {
        struct session *seen = &course.session;
        by_test = memory_new(session->name_count + 1, sizeof *by_test);
        for (size_t i = 0; i < seen->once.count; i++) {
            const struct wire_survivor *kept = &seen->once.at[i];
            if (kept->birth < session->name_count && kept->site < seen->site_count &&
                session_site_suppressed(seen, &seen->sites[kept->site])) {
                by_test[kept->birth] += kept->bytes;
            }
        }
        for (size_t i = 0; i < session->live_count; i++) {
            sum += by_test[session->live_tests[i]];
            session->live[i] -= sum;
        }
        free(by_test);
        if (sum > 0) {
            result_note_add(session->result, "%s: %s of what stays is suppressed, and not judged",
                            session->variant->name[0] ? session->variant->name : "the suite",
                            unit_bytes(size, (double)sum));
        }
    }
    course_fini(&course);
}

/* Here the live bytes at the boundaries are judged, so nothing but counters is needed. */
void session_run_suite(struct session *session)
{
    struct course course;
    enum result_verdict verdicts[1 + SHUFFLES];
    size_t orders = 1;
    const struct suppress *suppress = session->options->suppress;
    verdicts[0] = judge_suite(session->live, session->live_count).verdict;
    if (suppress && suppress->count > 0 && verdicts[0] != VERDICT_CLEAN &&
        !session->stopped_by[0]) {
        suppressed_leave(session);
        return; /* one order: in the others nobody knows what is suppressed */
    }
    if (session->stopped_by[0] || session->live_count < SURVIVOR_TESTS ||
        session->wall > SUITE_NS || session->death_count > 0 ||
        (verdicts[0] != VERDICT_ACCUMULATES && verdicts[0] != VERDICT_INCONCLUSIVE)) {
        return;
    }
    bool twice = false;
    int64_t first = 0, again = 0;
    for (uint64_t i = 0; i <= SHUFFLES; i++) {
        course_init(&course, session, i == 0 ? 0 : shuffle_of(session, i - 1));
        course.session.light = true;
        course.session.twice = i == 0;
        if (session_run(&course.session) && !course.session.stopped_by[0]) {
            struct session *seen = &course.session;
            if (i == 0) {
                twice = seen->again_done;
                first = seen->live_count ? seen->live[seen->live_count - 1] : 0;
                again = seen->again_live;
            } else {
                verdicts[orders++] = judge_suite(seen->live, seen->live_count).verdict;
            }
        }
        course_fini(&course);
    }
    suite_conclude(session, verdicts, orders, twice, first, again);
}
