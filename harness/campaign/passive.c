/*
 * passive.c - the hunt where tests cannot be chosen one by one (a stripped program, tidemark.h):
 * the program's main is run again and again in one process, and what each test left behind after
 * 16, 32, 64 ... passes is asked at the end, of a process each; where that grows, after thousands
 * of passes too, if they are cheap. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/campaign/session.h"
#include "harness/campaign/survivors.h"
#include "harness/judge/evidence.h"
#include "harness/judge/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PASSES (SESSION_WARMUPS + SESSION_LEAST) /* of the look for what does not settle */

/* So many passes in a process each; no powers of two: what doubles is not asked where it just has.
 */
static const unsigned steps[] = {5, 9, 17, 33, 67, 131, 257, 521, 1031, 2053};
#define STEPS      (sizeof steps / sizeof steps[0])
#define STEP_LEAST 4 /* the first of them that is asked for a verdict */

#define RUN_BYTES 256e6
#define RUN_TESTS 500e3 /* in a process; a count, so that a busy machine makes no other verdict */
#define RUN_NS    60e9

struct affordable {
    unsigned passes;
    bool full; /* it keeps so much that more cannot be had: what there is has to do */
};

/* What each test left behind, after each number of passes. */
struct left {
    struct series *of; /* by test, in bytes or units; the last is what was born outside of any */
    size_t count;      /* of tests */
    size_t runs;       /* of the program, each with steps[run] passes */
    struct affordable most;
};

static void runs_init(struct session *runs, const struct session *session, uint32_t passes)
{
    session_init(runs, session->plan, session->variant, session->options, session->result);
    runs->kind = SESSION_TRACED;
    runs->passes = passes;
}

static void verdict_set(struct session *session, struct result_test *test,
                        enum result_verdict verdict, unsigned repetitions, const char *horizon)
{
    test->verdict = verdict;
    test->repetitions = repetitions;
    test->growth_bytes_per_rep = verdict == VERDICT_CLEAN ? 0 : test->growth_bytes_per_rep;
    result_set(&test->horizon, horizon);
    session_test_write(session, test);
}

static struct boundary boundary_of(const struct wire_sample *sample)
{
    return (struct boundary){.live_blocks = sample->live_blocks,
                             .live_bytes = sample->live_bytes,
                             .mappings = sample->mappings,
                             .mapped_bytes = sample->mapped_bytes,
                             .fds = sample->fds,
                             .threads = sample->threads,
                             .files = sample->files,
                             .children = sample->children};
}

/* Are all boundaries of each test the same, in every pass after the warm-ups? */
static bool all_settled(const struct session *runs)
{
    struct boundary *last = memory_new(runs->seen.test_count + 1, sizeof *last);
    bool *known = memory_new(runs->seen.test_count + 1, sizeof *known), settled = true;
    for (size_t i = 0; i < runs->gone_by_count; i++) {
        const struct wire_sample *seen = &runs->gone_by[i];
        if (seen->repetition < SESSION_WARMUPS || seen->test >= runs->seen.test_count) {
            continue;
        }
        struct boundary now = boundary_of(seen);
        settled = settled && (!known[seen->test] || boundary_equal(&last[seen->test], &now));
        last[seen->test] = now;
        known[seen->test] = true;
    }
    free(last);
    free(known);
    return settled && runs->gone_by_count > 0;
}

static int64_t size_of(const struct session *runs, const struct wire_survivor *seen)
{
    const struct observed_site *site = observed_site(&runs->seen, seen->site);
    return !site || site->kind <= WIRE_SITE_MMAP ? seen->bytes : seen->blocks;
}

static void left_add(struct left *left, struct session *runs)
{
    int64_t *held = memory_new(left->count + 1, sizeof *held);
    for (size_t i = 0; i < runs->seen.survivor_count; i++) {
        const struct wire_survivor *seen = &runs->seen.survivors[i];
        size_t test = seen->birth < left->count ? seen->birth : left->count;
        bool known = observed_site(&runs->seen, seen->site) != NULL;
        if (!known || !session_site_suppressed(runs, &runs->seen.sites[seen->site])) {
            held[test] += size_of(runs, seen);
        }
    }
    for (size_t i = 0; i <= left->count; i++) {
        series_add(&left->of[i], steps[left->runs], held[i]);
    }
    left->runs++;
    free(held);
}

static bool failed_again(const struct session *runs, uint32_t number)
{
    for (size_t i = 0; i < runs->failure_count; i++) {
        if (runs->failures[i].test == number) {
            return true;
        }
    }
    return false;
}

/* What a test's series comes to. `more`: another step can be had. */
static enum calls_verdict left_judge(const struct left *left, size_t test, bool more,
                                     struct series_answer *answer)
{
    struct calls_facts facts = {.calls = steps[left->runs - 1], .affordable = more};
    *answer = judge_series(&left->of[test]);
    facts.moved = answer->shape != SERIES_STILL;
    facts.enough = !more && left->most.full;
    calls_add(&facts, answer);
    return judge_calls(&facts);
}

/* What is left by a pass, over the last factor of four of them: each span is what was there at its
 * end. */
static double left_rate(const struct left *left, size_t test)
{
    size_t last = left->runs - 1, before = last - 2;
    const struct series_span *spans = left->of[test].spans;
    return (double)(spans[last].floor - spans[before].floor) / (steps[last] - steps[before]);
}

/* A test by what its series says. */
static void test_conclude(struct session *session, struct session *runs, const struct left *left,
                          uint32_t number)
{
    unsigned passes = steps[left->runs - 1];
    struct series_answer answer;
    enum calls_verdict judged = left_judge(left, number, false, &answer);
    enum result_verdict verdict = judged == CALLS_CLEAN   ? VERDICT_CLEAN
                                  : judged == CALLS_GROWS ? VERDICT_GROWTH
                                  : judged == CALLS_LEVEL ? VERDICT_SATURATING
                                                          : VERDICT_INCONCLUSIVE;
    struct result_test *test = session_result(session, number);
    if (!test || test->status != RESULT_PASS) {
        return;
    }
    if (failed_again(runs, number)) { /* its longjmp skips what frees */
        verdict_set(session, test, VERDICT_NONE, passes,
                    "it fails when main is run again in one process: no verdict");
        return;
    }
    bool growing = answer.shape == SERIES_GROWS;
    if (growing) {
        test->growth_bytes_per_rep = left_rate(left, number);
        verdict = survivors_report(session, runs, number, passes, test, verdict == VERDICT_GROWTH)
                      ? VERDICT_LEAK
                      : verdict;
    }
    const struct suppression *rule = survivors_rule(runs, number, passes);
    if (verdict != VERDICT_LEAK && verdict != VERDICT_GROWTH && rule) {
        char *by = memory_format("it grows, and what grows is suppressed by leak:%s (%s:%u)",
                                 rule->pattern, rule->file, rule->line);
        verdict_set(session, test, VERDICT_NONE, passes, by);
        result_note_add(session->result, "%s is not judged: %s", test->id, by);
        free(by);
        return;
    }
    char *horizon = evidence_program(verdict, passes, growing);
    if (horizon) {
        verdict_set(session, test, verdict, passes, horizon);
    }
    free(horizon);
}

/* Is every test judged? */
static bool left_done(const struct left *left)
{
    struct series_answer answer;
    for (size_t i = 0; i <= left->count; i++) {
        if (left_judge(left, i, true, &answer) == CALLS_GO_ON) {
            return false;
        }
    }
    return true;
}

static void left_conclude(struct session *session, struct session *runs, const struct left *left)
{
    struct series_answer answer;
    for (uint32_t i = 0; i < left->count; i++) {
        test_conclude(session, runs, left, i);
    }
    if (left_judge(left, left->count, false, &answer) == CALLS_GROWS) {
        result_note_add(session->result, "%.0f B a pass are kept from outside of any test",
                        left_rate(left, left->count));
    }
}

/* The program steps[left->runs] times, every block traced. Returns true when it came through, and
 * can be asked. */
static bool left_run(struct session *runs, struct left *left)
{
    runs->asks_survivors = true;
    if (!session_begin(runs)) {
        return false;
    }
    session_serve(runs, 0, WIRE_NO_TEST);
    bool here = !runs->link.worker.ended && runs->death_count == 0;
    if (here) {
        left_add(left, runs);
    }
    return here;
}

/* In steps of twice as many passes, until every test is judged or no more can be had: then the last
 * step that was had is made once more if it is no longer there to be asked. */
static void passes_trace(struct session *session, size_t tests, struct affordable most)
{
    struct left left = {.of = memory_new(tests + 1, sizeof *left.of), .count = tests, .most = most};
    bool done = false;
    while (!done) {
        struct session runs;
        runs_init(&runs, session, steps[left.runs]);
        bool ran = left_run(&runs, &left);
        bool last =
            left.runs >= STEPS || (left.runs >= STEP_LEAST && steps[left.runs] > left.most.passes);
        if (ran && (last || (left.runs >= STEP_LEAST && left_done(&left)))) {
            left_conclude(session, &runs, &left);
            done = true;
        } else if (!ran && left.runs >= STEP_LEAST) { /* more than the program is made for */
            left.most.passes = 0;
            left.runs--;
            for (size_t i = 0; i <= tests; i++) {
                left.of[i].count = left.runs;
            }
        } else {
            done = !ran;
        }
        session_over(&runs);
        session_fini(&runs);
    }
    free(left.of);
}

/* So many passes can be had. Thousands of descriptors or threads are not to be had. */
static struct affordable passes_most(const struct session *runs)
{
    struct affordable most = {0};
    if (runs->gone_by_count == 0) {
        return most;
    }
    const struct wire_sample *first = &runs->gone_by[0],
                             *last = &runs->gone_by[runs->gone_by_count - 1];
    double pass_ns = runs->wall / PASSES, tests = (double)runs->gone_by_count / PASSES;
    double grown = (double)(last->live_bytes - first->live_bytes) / PASSES;
    bool units = first->fds != last->fds || first->threads != last->threads ||
                 first->files != last->files || first->children != last->children ||
                 first->mappings != last->mappings;
    const unsigned all = steps[STEPS - 1];
    double kept = units ? threshold(FEW_UNITS) : all;
    kept = grown * kept > RUN_BYTES ? RUN_BYTES / grown : kept;
    double cheap = runs->plan->quick ? threshold(FEW_UNITS) : all;
    cheap = tests * cheap > RUN_TESTS ? RUN_TESTS / tests : cheap;
    cheap = pass_ns * cheap > RUN_NS ? RUN_NS / pass_ns : cheap;
    most.full = kept < all && kept <= cheap;
    most.passes = (unsigned)(kept < cheap ? kept : cheap);
    return most;
}

/* Each test once, as it is. False: no verdicts can follow. */
static bool figures_take(struct session *session)
{
    struct session runs;
    runs_init(&runs, session, 1);
    runs.kind = SESSION_COUNTED;
    session_run(&runs);
    session->forks = runs.death_count > 0 && runs.seen.hello.way == WIRE_WAY_LIBC;
    session_fini(&runs);
    bool ran = session_run(session);
    if (ran && session->forks) {
        result_note_add(session->result,
                        "a test of %s ends the program: libcheck runs each in a child, where its "
                        "memory is not seen; no verdicts",
                        session->variant->program);
    }
    return ran && !session->forks && session->death_count == 0;
}

/* The program in one process, so many times. Returns false when it cannot be run so often. */
static bool passes_count(const struct session *session, struct session *runs, uint32_t passes)
{
    size_t tests = session->seen.test_count;
    runs_init(runs, session, passes);
    runs->kind = SESSION_COUNTED;
    return session_run(runs) && runs->death_count == 0 && runs->seen.test_count == tests &&
           runs->gone_by_count == tests * passes;
}

static void all_clean(struct session *session, unsigned passes)
{
    char *horizon = evidence_program(VERDICT_CLEAN, passes, false);
    for (size_t i = 0; i < session->seen.test_count; i++) {
        struct result_test *test = session_result(session, (uint32_t)i);
        if (test && test->status == RESULT_PASS) {
            verdict_set(session, test, VERDICT_CLEAN, passes, horizon);
        }
    }
    free(horizon);
}

/* As many passes more as a test that never moved is called, as far as the budget goes: a leak in
 * every twentieth pass is not seen in eleven. */
static unsigned passes_still(const struct session *runs)
{
    struct affordable most = passes_most(runs);
    double pass_ns = runs->wall / PASSES;
    struct budget_test whole = {.call_ns = pass_ns, .repeated = true};
    struct budget budget = budget_plan(pass_ns, false, spending_wish(runs->plan), &whole, 1, 1);
    unsigned passes = threshold_count(CLEAN_CALLS);
    passes = most.passes < passes ? most.passes : passes;
    passes = pass_ns * passes > budget.total ? (unsigned)(budget.total / pass_ns) : passes;
    return runs->plan->quick ? 0 : passes;
}

bool session_hunt_passive(struct session *session)
{
    struct session runs, longer;
    if (!figures_take(session)) {
        return session->seen.test_count > 0;
    }
    size_t tests = session->seen.test_count;
    if (!passes_count(session, &runs, PASSES)) {
        result_note_add(session->result,
                        "main of %s cannot be run again and again in one process: no verdicts",
                        session->variant->program);
        session_fini(&runs);
        return true;
    }
    bool settled = all_settled(&runs);
    unsigned still = settled ? passes_still(&runs) : 0, clean = PASSES;
    if (still > PASSES) {
        if (passes_count(session, &longer, still)) {
            settled = all_settled(&longer);
            clean = still;
        }
        session_fini(&longer);
    }
    if (settled) {
        all_clean(session, clean);
    } else {
        passes_trace(session, tests, passes_most(&runs));
    }
    session_fini(&runs);
    return true;
}
