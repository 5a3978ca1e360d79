/*
 * passive.c - the hunt where tests cannot be chosen one by one (a stripped program, tidemark.h):
 * the program's main is run again and again in one process, and what each test left behind after
 * 16, 32, 64 ... passes is asked at the end, of a process each; where that grows, after thousands
 * of passes too, if they are cheap. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/result/result_write.h"
#include "harness/campaign/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PASSES (SESSION_WARMUPS + SESSION_LEAST) /* of the look for what does not settle */

/* of the confirmation */
#define CONFIRMS      2      /* half of the passes, and all */
#define CONFIRM_MOST  2200.0 /* no power of two: what doubles is not asked where it just has */
#define CONFIRM_BYTES 256e6
#define CONFIRM_TESTS                                                                              \
    150e3 /* run in all; a count, so that a busy machine makes no other verdict                    \
           */
#define CONFIRM_NS 60e9
/* Of the pace before: what grows slower than this has stopped, or never grew: asked only after 16,
 * 32, 64 ... passes, whatever goes up and down in its own time can rise by chance. */
#define CONFIRM_SHARE 0.25

#define RUNS_MOST (JUDGE_EPOCHS + CONFIRMS)

/* What each test left behind, after each number of passes. */
struct left {
    int64_t (*of)[RUNS_MOST]; /* by test; the last is what was born outside of any */
    unsigned passes[RUNS_MOST];
    size_t count;  /* of tests */
    size_t runs;   /* of the program, with so many passes */
    size_t epochs; /* those of them that the judge's ratios are for; the rest confirms */
};

static void runs_init(struct session *runs, const struct session *session, uint32_t passes)
{
    session_init(runs, session->plan, session->variant, session->options, session->result);
    runs->quiet = true;
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

/* Are all boundaries of each test the same, in every pass behind the warm-ups? */
static bool all_settled(const struct session *runs)
{
    struct judge_vector *last = memory_new(runs->name_count + 1, sizeof *last);
    bool *known = memory_new(runs->name_count + 1, sizeof *known), settled = true;
    for (size_t i = 0; i < runs->gone_by_count; i++) {
        const struct wire_sample *seen = &runs->gone_by[i];
        if (seen->repetition < SESSION_WARMUPS || seen->test >= runs->name_count) {
            continue;
        }
        struct judge_vector pair[2] = {last[seen->test], session_vector(seen)};
        settled = settled && (!known[seen->test] || judge_settled(pair, 2));
        last[seen->test] = pair[1];
        known[seen->test] = true;
    }
    free(last);
    free(known);
    return settled && runs->gone_by_count > 0;
}

static int64_t size_of(const struct session *runs, const struct wire_survivor *seen)
{
    bool bytes = seen->site >= runs->site_count || runs->sites[seen->site].kind <= WIRE_SITE_MMAP;
    return bytes ? seen->bytes : seen->blocks;
}

static void left_add(struct left *left, struct session *runs)
{
    for (size_t i = 0; i <= left->count; i++) {
        left->of[i][left->runs] = 0; /* a run may be asked for again */
    }
    for (size_t i = 0; i < runs->survivor_count; i++) {
        const struct wire_survivor *seen = &runs->survivors[i];
        size_t test = seen->birth < left->count ? seen->birth : left->count;
        bool known = seen->site < runs->site_count;
        if (!known || !session_site_suppressed(runs, &runs->sites[seen->site])) {
            left->of[test][left->runs] += size_of(runs, seen);
        }
    }
    left->passes[left->runs++] = runs->passes;
}

/* What a test's figures come to, and whether the judge would see more of them. */
static enum judge_next left_trend(const struct left *left, size_t test, struct judge_trend *trend)
{
    const int64_t *of = left->of[test], *late = of + left->epochs;
    enum judge_next next = judge_floors(of, left->epochs, trend);
    if (left->runs == left->epochs + CONFIRMS &&
        (trend->verdict == VERDICT_GROWTH || trend->verdict == VERDICT_INCONCLUSIVE)) {
        const unsigned *passes = left->passes + left->epochs;
        double grown = (double)(late[1] - late[0]);
        double pace = grown / (passes[1] - passes[0]);
        if (pace <= CONFIRM_SHARE * trend->per_rep) {
            trend->verdict = VERDICT_SATURATING;
        } else if (grown > 0 && grown >= 0.5 * (double)(late[0] - of[0])) {
            trend->verdict = VERDICT_GROWTH;
        }
        trend->per_rep = pace;
    }
    return next;
}

/* Descriptors, threads and files are counted with the bytes until here: what is left of `site` of
 * them goes where it belongs. */
static void counted_part(struct result_test *test, const struct session_site *site, double per_pass)
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
    for (size_t i = 0; i < runs->survivor_count; i++) {
        const struct wire_survivor *seen = &runs->survivors[i];
        /* In one pass of 16 at least: what was kept once is no part of the growth. */
        if (seen->birth == number && seen->blocks * 16 >= passes && seen->site < runs->site_count) {
            whole += (double)seen->bytes;
            if (!session_site_suppressed(runs, &runs->sites[seen->site])) {
                counted_part(test, &runs->sites[seen->site], (double)seen->blocks / passes);
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
        struct session_site *seen = &runs->sites[sites[i]];
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
    for (size_t i = 0; i < runs->survivor_count; i++) {
        const struct wire_survivor *seen = &runs->survivors[i];
        if (seen->birth == number && seen->blocks * 16 >= passes && seen->site < runs->site_count &&
            session_site_suppressed(runs, &runs->sites[seen->site])) {
            return runs->sites[seen->site].suppressed;
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

/* A test by what its floors say. */
static void test_conclude(struct session *session, struct session *runs, const struct left *left,
                          uint32_t number, const struct judge_trend *trend)
{
    static const char *const texts[VERDICT_COUNT] = {
        [VERDICT_CLEAN] = "kept the same after 16 and after %u passes of the whole program",
        [VERDICT_LEAK] =
            "grew through %u passes of the whole program, and nothing points at what is left",
        [VERDICT_GROWTH] = "grew through %u passes of the whole program; so would a larger cache",
        [VERDICT_SATURATING] = "stopped growing within %u passes of the whole program",
        [VERDICT_INCONCLUSIVE] =
            "neither levelled off nor doubled in %u passes of the whole program",
    };
    unsigned passes = left->passes[left->runs - 1];
    struct result_test *test = session_result(session, number);
    enum result_verdict verdict = trend->verdict;
    if (!test || test->status != RESULT_PASS) {
        return;
    }
    if (failed_again(runs, number)) { /* its longjmp skips what frees */
        verdict_set(session, test, VERDICT_NONE, passes,
                    "it fails when main is run again in one process: no verdict");
        return;
    }
    bool moved = false;
    for (size_t k = 1; k < left->runs; k++) {
        moved = moved || left->of[number][k] != left->of[number][0];
    }
    if (verdict == VERDICT_GROWTH) {
        test->growth_bytes_per_rep = trend->per_rep;
        verdict = sites_report(session, runs, number, test, passes) ? VERDICT_LEAK : verdict;
    } else if (!moved) {
        verdict = VERDICT_CLEAN;
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
    char *horizon = session_horizon(texts[verdict], passes);
    if (horizon) {
        verdict_set(session, test, verdict, passes, horizon);
    }
    free(horizon);
}

enum left_next { LEFT_DONE, LEFT_MORE, LEFT_CONFIRM };

/* What has to be run before all tests can be judged. */
static enum left_next left_next(const struct left *left)
{
    struct judge_trend trend;
    enum left_next next = LEFT_DONE;
    for (size_t i = 0; i <= left->count; i++) {
        if (left_trend(left, i, &trend) == JUDGE_MORE) {
            return LEFT_MORE;
        }
        bool doubtful = trend.verdict == VERDICT_GROWTH || trend.verdict == VERDICT_INCONCLUSIVE;
        next = doubtful ? LEFT_CONFIRM : next;
    }
    return next;
}

static void left_conclude(struct session *session, struct session *runs, const struct left *left)
{
    struct judge_trend trend;
    for (uint32_t i = 0; i < left->count; i++) {
        left_trend(left, i, &trend);
        test_conclude(session, runs, left, i, &trend);
    }
    left_trend(left, left->count, &trend);
    if (trend.verdict == VERDICT_GROWTH) {
        result_note_add(session->result, "%.0f B a pass are kept from outside of any test",
                        trend.per_rep);
    }
}

/* The program `passes` times, every block traced. True: it came through, and can be asked. */
static bool left_run(struct session *runs, struct left *left)
{
    runs->asks_survivors = true;
    if (!session_begin(runs)) {
        return false;
    }
    session_serve(runs, 0, WIRE_NO_TEST);
    bool here = !runs->worker.ended && runs->death_count == 0;
    if (here) {
        left_add(left, runs);
    }
    return here;
}

/* What comes behind a run that came through. `last`: another epoch would take too long. */
static enum left_next left_after(const struct left *left, bool last, unsigned confirm)
{
    if (left->runs > left->epochs) {
        return left->runs < left->epochs + CONFIRMS ? LEFT_CONFIRM : LEFT_DONE;
    }
    enum left_next next = left_next(left);
    next = next == LEFT_MORE && last ? LEFT_CONFIRM : next;
    bool enough = confirm >= 2 * CONFIRMS * left->passes[left->epochs - 1];
    return next == LEFT_CONFIRM && !enough ? LEFT_DONE : next;
}

/* In epochs, then `confirm` passes where there is something to confirm and they can be had. */
static void passes_trace(struct session *session, size_t tests, double pass_ns, unsigned confirm)
{
    struct left left = {.of = memory_new(tests + 1, sizeof *left.of), .count = tests};
    enum left_next next = LEFT_MORE;
    while (next != LEFT_DONE) {
        struct session runs;
        bool half = left.runs == left.epochs;
        unsigned passes = half ? confirm / CONFIRMS : confirm;
        runs_init(&runs, session, next == LEFT_MORE ? judge_epochs[left.epochs] : passes);
        bool last = left.epochs + 1 >= JUDGE_EPOCHS ||
                    pass_ns * judge_epochs[left.epochs] * 3 > SESSION_EPOCHS_NS;
        if (left_run(&runs, &left)) {
            left.epochs += next == LEFT_MORE;
            next = left_after(&left, last, confirm);
            if (next == LEFT_DONE) {
                left_conclude(session, &runs, &left);
            }
        } else if (next == LEFT_CONFIRM) { /* more than the program is made for: what the epochs
                                              say counts, and the last is asked once more */
            left.runs = --left.epochs;
            confirm = 0;
            next = LEFT_MORE;
        } else {
            next = LEFT_DONE;
        }
        session_over(&runs);
        session_fini(&runs);
    }
    free(left.of);
}

/* So many passes can be had to confirm what grows: only heap, thousands of descriptors or threads
 * are not to be had. */
static unsigned confirm_passes(const struct session *runs)
{
    if (runs->plan->quick || runs->gone_by_count == 0) {
        return 0;
    }
    const struct wire_sample *first = &runs->gone_by[0],
                             *last = &runs->gone_by[runs->gone_by_count - 1];
    double pass_ns = runs->wall / PASSES, most = CONFIRM_MOST;
    double tests = (double)runs->gone_by_count / PASSES;
    double grown = (double)(last->live_bytes - first->live_bytes) / PASSES;
    if (first->fds != last->fds || first->threads != last->threads || first->files != last->files ||
        first->mappings != last->mappings) {
        return 0;
    }
    most = grown * most > CONFIRM_BYTES ? CONFIRM_BYTES / grown : most;
    most = tests * most > CONFIRM_TESTS ? CONFIRM_TESTS / tests : most;
    most = pass_ns * most > CONFIRM_NS ? CONFIRM_NS / pass_ns : most;
    return (unsigned)most;
}

/* Each test once, as it is. False: no verdicts can follow. */
static bool figures_take(struct session *session)
{
    struct session runs;
    runs_init(&runs, session, 1);
    runs.light = true;
    session_run(&runs);
    session->forks = runs.death_count > 0 && runs.hello.way == WIRE_WAY_LIBC;
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
        return session->name_count > 0;
    }
    runs_init(&runs, session, PASSES);
    runs.light = true;
    size_t tests = session->name_count;
    bool again = session_run(&runs) && runs.death_count == 0 && runs.name_count == tests &&
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
        passes_trace(session, tests, runs.wall / PASSES, confirm_passes(&runs));
    }
    session_fini(&runs);
    return true;
}
