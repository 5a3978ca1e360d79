/*
 * passive.c - the hunt where tests cannot be chosen one by one (a stripped program, tidemark.h):
 * the program's main is run again and again in one process, and what each test left behind after
 * 16, 32, 64 ... passes is asked at the end, of a process each; where that grows, after thousands
 * of passes too, if they are cheap. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/campaign/place.h"
#include "harness/campaign/session.h"
#include "harness/judge/evidence.h"
#include "harness/judge/threshold.h"
#include "harness/result/result_write.h"

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
#define RUN_TESTS 150e3 /* in a process; a count, so that a busy machine makes no other verdict */
#define RUN_NS    60e9

/* What each test left behind, after each number of passes. */
struct left {
    struct series *of; /* by test, in bytes or units; the last is what was born outside of any */
    size_t count;      /* of tests */
    size_t runs;       /* of the program, each with steps[run] passes */
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
                             .files = sample->files};
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

/* Descriptors, threads and files are counted with the bytes until here: what is left of `site` of
 * them goes where it belongs. */
static void counted_part(struct result_test *test, const struct observed_site *site,
                         double per_pass)
{
    int64_t whole = llround(per_pass) > 0 ? llround(per_pass) : 1;
    if (site->kind >= WIRE_SITE_FD) {
        test->growth_bytes_per_rep -= per_pass;
        test->fds += site->kind == WIRE_SITE_FD ? whole : 0;
        test->threads += site->kind == WIRE_SITE_THREAD ? whole : 0;
    }
}

/* The sites from which something of this test is left, and who holds it. */
static bool sites_report(struct session *session, struct session *runs, uint32_t number,
                         struct result_test *test, unsigned passes)
{
    uint32_t sites[SESSION_SITES_SHOWN] = {0}, count = 0;
    double whole = 0;
    bool lost = false;
    for (size_t i = 0; i < runs->seen.survivor_count; i++) {
        const struct wire_survivor *seen = &runs->seen.survivors[i];
        /* In one pass of 16 at least: what was kept once is no part of the growth. */
        if (seen->birth == number && seen->blocks * 16 >= passes &&
            seen->site < runs->seen.site_count) {
            whole += (double)seen->bytes;
            accused_add(&session->accused, number, place_key(&runs->seen, seen->site));
            if (!session_site_suppressed(runs, &runs->seen.sites[seen->site])) {
                counted_part(test, &runs->seen.sites[seen->site], (double)seen->blocks / passes);
            }
            if (count < SESSION_SITES_SHOWN) {
                sites[count++] = seen->site;
            }
        }
    }
    if (whole == 0) {
        test->growth_bytes_per_rep = 0;
    }
    session_scan(runs, sites, count);
    for (uint32_t i = 0; i < count; i++) {
        struct observed_site *seen = &runs->seen.sites[sites[i]];
        bool here = session_site_lost(runs, seen);
        struct result_site *site = session_site_add(runs, test->id, seen, i + 1, whole);
        site->verdict = here ? VERDICT_LEAK : VERDICT_GROWTH;
        site->suppressed = session_site_suppressed(runs, seen);
        lost = lost || (here && i == 0);
        if (session->options->writer) {
            result_write_site(session->options->writer, site);
        }
    }
    return lost;
}

/* By which rule something that the test keeps in many passes is suppressed; or NULL. */
static const struct suppression *rule_of(struct session *runs, uint32_t number, unsigned passes)
{
    for (size_t i = 0; i < runs->seen.survivor_count; i++) {
        const struct wire_survivor *seen = &runs->seen.survivors[i];
        if (seen->birth == number && seen->blocks * 16 >= passes &&
            seen->site < runs->seen.site_count &&
            session_site_suppressed(runs, &runs->seen.sites[seen->site])) {
            return runs->seen.sites[seen->site].suppressed;
        }
    }
    return NULL;
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
    facts.enough = !more && facts.calls >= threshold_count(JUDGED_CALLS);
    calls_add(&facts, answer);
    return judge_calls(&facts);
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
    if (verdict == VERDICT_GROWTH) {
        test->growth_bytes_per_rep = answer.per_call;
        verdict = sites_report(session, runs, number, test, passes) ? VERDICT_LEAK : verdict;
    }
    const struct suppression *rule = rule_of(runs, number, passes);
    if (verdict != VERDICT_LEAK && verdict != VERDICT_GROWTH && rule) {
        char *by = memory_format("it grows, and what grows is suppressed by leak:%s (%s:%u)",
                                 rule->pattern, rule->file, rule->line);
        verdict_set(session, test, VERDICT_NONE, passes, by);
        result_note_add(session->result, "%s is not judged: %s", test->id, by);
        free(by);
        return;
    }
    char *horizon = evidence_program(verdict, passes);
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
                        answer.per_call);
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
static void passes_trace(struct session *session, size_t tests, unsigned most)
{
    struct left left = {.of = memory_new(tests + 1, sizeof *left.of), .count = tests};
    bool done = false;
    while (!done) {
        struct session runs;
        runs_init(&runs, session, steps[left.runs]);
        bool ran = left_run(&runs, &left);
        bool last = left.runs >= STEPS || (left.runs >= STEP_LEAST && steps[left.runs] > most);
        if (ran && (last || (left.runs >= STEP_LEAST && left_done(&left)))) {
            left_conclude(session, &runs, &left);
            done = true;
        } else if (!ran && left.runs >= STEP_LEAST) { /* more than the program is made for */
            most = 0;
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
static unsigned passes_most(const struct session *runs)
{
    if (runs->gone_by_count == 0) {
        return 0;
    }
    const struct wire_sample *first = &runs->gone_by[0],
                             *last = &runs->gone_by[runs->gone_by_count - 1];
    double pass_ns = runs->wall / PASSES, most = steps[STEPS - 1];
    double tests = (double)runs->gone_by_count / PASSES;
    double grown = (double)(last->live_bytes - first->live_bytes) / PASSES;
    bool units = first->fds != last->fds || first->threads != last->threads ||
                 first->files != last->files || first->mappings != last->mappings;
    most = runs->plan->quick || units ? threshold_count(FEW_UNITS) : most;
    most = grown * most > RUN_BYTES ? RUN_BYTES / grown : most;
    most = tests * most > RUN_TESTS ? RUN_TESTS / tests : most;
    most = pass_ns * most > RUN_NS ? RUN_NS / pass_ns : most;
    return (unsigned)most;
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

bool session_hunt_passive(struct session *session)
{
    struct session runs;
    if (!figures_take(session)) {
        return session->seen.test_count > 0;
    }
    runs_init(&runs, session, PASSES);
    runs.kind = SESSION_COUNTED;
    size_t tests = session->seen.test_count;
    bool again = session_run(&runs) && runs.death_count == 0 && runs.seen.test_count == tests &&
                 runs.gone_by_count == tests * PASSES;
    if (!again) {
        result_note_add(session->result,
                        "main of %s cannot be run again and again in one process: no verdicts",
                        session->variant->program);
    } else if (all_settled(&runs)) {
        for (size_t i = 0; i < tests; i++) {
            struct result_test *test = session_result(session, (uint32_t)i);
            if (test && test->status == RESULT_PASS) {
                verdict_set(session, test, VERDICT_CLEAN, PASSES,
                            "equal at its boundary in each of 8 passes of the whole program");
            }
        }
    } else {
        passes_trace(session, tests, passes_most(&runs));
    }
    session_fini(&runs);
    return true;
}
