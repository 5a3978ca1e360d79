/*
 * passive.c - the hunt where tests cannot be chosen one by one (a stripped program, tidemark.h):
 * the program's main is run again and again in one process, and what each test left behind after
 * 16, 32, 64 ... passes is asked at the end, of a process each. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/result/result_write.h"
#include "harness/runner/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PASSES (SESSION_WARMUPS + SESSION_LEAST) /* of the look for what does not settle */

/* What each test left behind, after each number of passes. */
struct left {
    int64_t (*of)[JUDGE_EPOCHS]; /* by test; the last is what was born outside of any */
    size_t count;                /* of tests */
    size_t epochs;
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

static struct judge_vector vector_of(const struct wire_sample *seen)
{
    return (struct judge_vector){.live_blocks = seen->live_blocks,
                                 .live_bytes = seen->live_bytes,
                                 .mappings = seen->mappings,
                                 .mapped_bytes = seen->mapped_bytes,
                                 .fds = seen->fds,
                                 .threads = seen->threads,
                                 .files = seen->files};
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
        struct judge_vector pair[2] = {last[seen->test], vector_of(seen)};
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
    for (size_t i = 0; i < runs->survivor_count; i++) {
        const struct wire_survivor *seen = &runs->survivors[i];
        size_t test = seen->birth < left->count ? seen->birth : left->count;
        bool known = seen->site < runs->site_count;
        if (!known || !session_site_suppressed(runs, &runs->sites[seen->site])) {
            left->of[test][left->epochs] += size_of(runs, seen);
        }
    }
    left->epochs++;
}

/* The sites from which something of this test is left, and who holds it. */
static bool sites_report(struct session *session, struct session *runs, uint32_t number,
                         const struct result_test *test, unsigned passes)
{
    uint32_t sites[SESSION_SITES_SHOWN] = {0}, count = 0;
    double whole = 0;
    bool lost = false;
    for (size_t i = 0; i < runs->survivor_count; i++) {
        const struct wire_survivor *seen = &runs->survivors[i];
        /* In one pass of four at least: what was kept once is no part of the growth. */
        if (seen->birth == number && seen->blocks * 4 >= passes && seen->site < runs->site_count) {
            whole += (double)seen->bytes;
            if (count < SESSION_SITES_SHOWN) {
                sites[count++] = seen->site;
            }
        }
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
        if (seen->birth == number && seen->blocks * 4 >= passes && seen->site < runs->site_count &&
            session_site_suppressed(runs, &runs->sites[seen->site])) {
            return runs->sites[seen->site].suppressed;
        }
    }
    return NULL;
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
    unsigned passes = judge_epochs[left->epochs - 1];
    struct result_test *test = session_result(session, number);
    enum result_verdict verdict = trend->verdict;
    if (!test || test->status != RESULT_PASS) {
        return;
    }
    bool moved = false;
    for (size_t k = 1; k < left->epochs; k++) {
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
    const char *text = texts[verdict], *place = text ? strstr(text, "%u") : NULL;
    if (place) {
        char *horizon = memory_format("%.*s%u%s", (int)(place - text), text, passes, place + 2);
        verdict_set(session, test, verdict, passes, horizon);
        free(horizon);
    }
}

/* True: more passes are needed to know. `last`: no more can be had. */
static bool left_judge(struct session *session, struct session *runs, const struct left *left,
                       bool last)
{
    struct judge_trend trend;
    bool more = false;
    for (size_t i = 0; i <= left->count; i++) {
        more = judge_floors(left->of[i], left->epochs, &trend) == JUDGE_MORE || more;
    }
    if (more && !last) {
        return true;
    }
    for (uint32_t i = 0; i < left->count; i++) {
        judge_floors(left->of[i], left->epochs, &trend);
        test_conclude(session, runs, left, i, &trend);
    }
    judge_floors(left->of[left->count], left->epochs, &trend);
    if (trend.verdict == VERDICT_GROWTH) {
        result_note_add(session->result, "%.0f B a pass are kept from outside of any test",
                        trend.per_rep);
    }
    return false;
}

static void passes_trace(struct session *session, size_t tests, double pass_ns)
{
    struct left left = {.of = memory_new(tests + 1, sizeof *left.of), .count = tests};
    bool more = true;
    for (size_t epoch = 0; more && epoch < JUDGE_EPOCHS; epoch++) {
        struct session runs;
        bool last =
            epoch + 1 == JUDGE_EPOCHS || pass_ns * judge_epochs[epoch] * 3 > SESSION_EPOCHS_NS;
        runs_init(&runs, session, judge_epochs[epoch]);
        runs.asks_survivors = true;
        more = session_begin(&runs);
        if (more) {
            session_serve(&runs, 0, WIRE_NO_TEST);
            more = !runs.worker.ended && runs.death_count == 0;
            if (more) {
                left_add(&left, &runs);
                more = left_judge(session, &runs, &left, last);
            }
            session_over(&runs);
        }
        session_fini(&runs);
    }
    free(left.of);
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
        passes_trace(session, tests, runs.wall / PASSES);
    }
    session_fini(&runs);
    return true;
}
