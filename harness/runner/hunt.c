/*
 * hunt.c - session_hunt: does running a test again grow it (axis A)? suite.c asks whether more
 * different tests do. docs/verdicts.md has the rules, harness/judge their arithmetic. Supervisor
 * only.
 */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/result/result_write.h"
#include "harness/runner/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUICK_LEAST 4
#define MOST        64
#define HANG_NS     5000000000u /* most of a repetition once a test needed a child not to hang */
#define CHEAP_NS    5000000u    /* so long a settled test is repeated beyond the least */
/* of the confirmation */
#define CONFIRM_REPETITIONS 4096.0
#define CONFIRM_BYTES       256e6
#define CONFIRM_NS          2e9
#define CONFIRM_SHARE                                                                              \
    0.25 /* of the growth of the first half: less in the second has levelled off */

/* Floors of every site after each epoch of one test. */
struct floors {
    int64_t (*of)[JUDGE_EPOCHS]; /* by site number: bytes, or blocks where a site has no bytes */
    size_t count;
    size_t epochs;
};

static int64_t floor_of(const struct session_site *site, uint32_t round)
{
    if (site->told != round) {
        return 0;
    }
    bool bytes = site->kind == WIRE_SITE_HEAP || site->kind == WIRE_SITE_MMAP;
    return bytes ? site->floor_bytes : site->floor_blocks;
}

static void floors_add(struct floors *floors, const struct session *session)
{
    if (floors->count < session->site_count) {
        void *grown = reallocarray(floors->of, session->site_count, sizeof *floors->of);
        if (!grown) {
            memory_die();
        }
        floors->of = grown;
        memset(floors->of[floors->count], 0,
               (session->site_count - floors->count) * sizeof *floors->of);
        floors->count = session->site_count;
    }
    for (size_t i = 0; i < floors->count; i++) {
        floors->of[i][floors->epochs] = floor_of(&session->sites[i], session->site_round);
    }
    floors->epochs++;
}

/* The worst verdict of all sites; how many of them grow is left in *growing. */
static enum result_verdict floors_judge(const struct floors *floors, bool *more, size_t *growing)
{
    enum result_verdict worst = VERDICT_SATURATING;
    *more = false;
    *growing = 0;
    for (size_t i = 0; i < floors->count; i++) {
        struct judge_trend trend;
        enum judge_next next = judge_floors(floors->of[i], floors->epochs, &trend);
        *more = *more || next == JUDGE_MORE;
        *growing += trend.verdict == VERDICT_GROWTH;
        if (trend.verdict == VERDICT_INCONCLUSIVE && worst == VERDICT_SATURATING) {
            worst = VERDICT_INCONCLUSIVE;
        }
    }
    return *growing > 0 ? VERDICT_GROWTH : worst;
}

struct grower {
    uint32_t site;
    double per_rep;
    bool suppressed;
};

static int compare_growers(const void *a, const void *b)
{
    const struct grower *x = a, *y = b;
    if (x->suppressed != y->suppressed) {
        return x->suppressed ? 1 : -1;
    }
    return x->per_rep < y->per_rep ? 1 : x->per_rep > y->per_rep ? -1 : 0;
}

/* Unreachable in the main: it is lost. Descriptors, threads and files have no one who points at
 * them. */
bool session_site_lost(const struct session *session, const struct session_site *site)
{
    int64_t lost = 0, held = 0;
    for (size_t i = 0; i < session->held_count; i++) {
        const struct wire_held *way = &session->held[i];
        if (way->site == site->number) {
            *(way->root == WIRE_ROOT_NONE ? &lost : &held) +=
                way->bytes > 0 ? way->bytes : way->blocks;
        }
    }
    return site->kind >= WIRE_SITE_FD || lost > held;
}

static void growth_report(struct session *session, const struct floors *floors,
                          struct result_test *test)
{
    struct grower *growers = memory_new(floors->count, sizeof *growers);
    uint32_t numbers[SESSION_SITES_SHOWN] = {0}, count = 0;
    size_t known = 0, accused = 0;
    double bytes_per_rep = 0, whole = 0;
    for (int pass = 0; pass < 2 && known == 0; pass++) { /* the second: whatever rose at all */
        for (size_t i = 0; i < floors->count; i++) {
            struct judge_trend trend;
            judge_floors(floors->of[i], floors->epochs, &trend);
            const int64_t *of = floors->of[i];
            bool rose = pass == 1 && of[floors->epochs - 1] > of[0];
            if (trend.verdict == VERDICT_GROWTH || rose) {
                bool suppressed = session_site_suppressed(session, &session->sites[i]);
                growers[known++] = (struct grower){
                    .site = (uint32_t)i, .per_rep = trend.per_rep, .suppressed = suppressed};
                bool bytes = !suppressed && session->sites[i].kind <= WIRE_SITE_MMAP;
                accused += !suppressed;
                bytes_per_rep += bytes ? trend.per_rep : 0;
                whole += bytes ? (double)session->sites[i].bytes : 0;
            }
        }
    }
    qsort(growers, known, sizeof *growers, compare_growers);
    for (; count < known && count < SESSION_SITES_SHOWN; count++) {
        numbers[count] = growers[count].site;
    }
    session_scan(session, numbers, count);
    test->verdict = accused == 0 && known > 0 ? VERDICT_NONE : VERDICT_GROWTH;
    test->growth_bytes_per_rep = bytes_per_rep;
    if (test->verdict == VERDICT_NONE) {
        const struct suppression *rule = session->sites[growers[0].site].suppressed;
        char *by = memory_format("it grows, and all that grows is suppressed by leak:%s (%s:%u)",
                                 rule->pattern, rule->file, rule->line);
        result_set(&test->horizon, by);
        result_note_add(session->result, "%s is not judged: %s", test->id, by);
        free(by);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct session_site *seen = &session->sites[numbers[i]];
        bool lost = session_site_lost(session, seen);
        struct result_site *site = session_site_add(session, test->id, seen, i + 1, whole);
        site->bytes_per_rep = growers[i].per_rep;
        site->verdict = lost ? VERDICT_LEAK : VERDICT_GROWTH;
        site->suppressed = growers[i].suppressed;
        if (!site->suppressed && (seen->kind == WIRE_SITE_FD || seen->kind == WIRE_SITE_THREAD)) {
            long many = lround(growers[i].per_rep);
            *(seen->kind == WIRE_SITE_FD ? &test->fds : &test->threads) += many > 0 ? many : 1;
        }
        test->verdict = lost && i == 0 && !site->suppressed ? VERDICT_LEAK : test->verdict;
        if (session->options->writer) {
            result_write_site(session->options->writer, site);
        }
    }
    session->result->sites_hidden += known - count;
    free(growers);
}

/* Room for so many more; where they begin. */
static int64_t *curve_room(int64_t **curve, size_t *count, size_t more)
{
    int64_t *grown = reallocarray(*curve, *count + more + 1, sizeof *grown);
    if (!grown) {
        memory_die();
    }
    *curve = grown;
    *count += more;
    return grown + *count - more;
}

static void curve_add(struct session *session, struct result_test *test)
{
    size_t count = session->vector_count;
    int64_t *live = curve_room(&test->live_by_rep, &test->live_by_rep_count, count);
    for (size_t i = 0; i < count; i++) {
        live[i] = session->vectors[i].live_bytes;
    }
    if (count > 0 && session->rss[count - 1] > 0) {
        memcpy(curve_room(&test->rss_by_rep, &test->rss_by_rep_count, count), session->rss,
               count * sizeof session->rss[0]);
    }
}

/* Is it still growing after many more calls? A cache that fills and then stops is no leak, and
 * calls of microseconds are cheap. The second half of all repetitions decides: whatever grows by
 * doubling has doubled once in it. Only for heap: thousands of descriptors or threads are not to be
 * had. */
static bool test_confirm(struct session *session, uint32_t number, struct result_test *test,
                         bool others, enum result_verdict *verdict, enum worker_event *event)
{
    uint64_t wall = session->test.wall_ns > 0 ? session->test.wall_ns : 1;
    int64_t first = test->live_by_rep[0];
    int64_t grown = test->live_by_rep[test->live_by_rep_count - 1] - first;
    double per_rep = (double)(grown > 0 ? grown : 0) / (double)test->live_by_rep_count;
    double most = CONFIRM_REPETITIONS;
    most = per_rep * most > CONFIRM_BYTES ? CONFIRM_BYTES / per_rep : most;
    most = (double)wall * most > CONFIRM_NS ? CONFIRM_NS / (double)wall : most;
    if (others || most < 2.0 * (double)test->live_by_rep_count) {
        return true;
    }
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = number,
                                   .depth = WIRE_TRACE,
                                   .flags = WIRE_STOP_ON_FAIL | WIRE_NO_FLOORS,
                                   .repetitions_min = (uint32_t)most,
                                   .repetitions_max = (uint32_t)most};
    if (!session_command(session, &command, event)) {
        return false;
    }
    curve_add(session, test);
    test->repetitions += session->test.repetitions;
    size_t count = test->live_by_rep_count;
    int64_t middle = test->live_by_rep[count / 2];
    double early = (double)(middle - first);
    double late = (double)(test->live_by_rep[count - 1] - middle);
    if (session->test.status == WIRE_PASS && late <= CONFIRM_SHARE * early) {
        *verdict = VERDICT_SATURATING;
    } else if (*verdict == VERDICT_INCONCLUSIVE && session->test.status == WIRE_PASS && late > 0 &&
               late >= 0.5 * early) {
        *verdict = VERDICT_GROWTH;
    }
    return *verdict != VERDICT_GROWTH || session_sites(session); /* as large as they are now */
}

/* Not settled: every block traced, in doubling epochs. False: the worker is gone. */
static bool test_trace(struct session *session, uint32_t number, struct result_test *test,
                       enum worker_event *event)
{
    struct floors floors = {0};
    uint64_t spent = 0;
    size_t growing = 0;
    unsigned before = test->repetitions + SESSION_WARMUPS, done = 0;
    bool more = true, here = true, others = false; /* others: not only the heap changes */
    enum result_verdict verdict = VERDICT_INCONCLUSIVE;
    while (more && here && floors.epochs < JUDGE_EPOCHS && spent < SESSION_EPOCHS_NS) {
        struct wire_command command = {.op = WIRE_OP_RUN,
                                       .test = number,
                                       .depth = WIRE_TRACE,
                                       .flags = WIRE_STOP_ON_FAIL | WIRE_PEAK_RSS_EACH,
                                       .warmups = floors.epochs == 0 ? 1 : 0,
                                       .repetitions_min = judge_epochs[floors.epochs],
                                       .repetitions_max = judge_epochs[floors.epochs]};
        here = session_command(session, &command, event);
        if (!here || !session->has_test || session->test.status != WIRE_PASS) {
            break;
        }
        spent += session->test.wall_ns * command.repetitions_min;
        test->repetitions += session->test.repetitions;
        curve_add(session, test);
        const struct judge_vector *from = &session->vectors[0];
        const struct judge_vector *to = &session->vectors[session->vector_count - 1];
        others = others || from->fds != to->fds || from->threads != to->threads ||
                 from->files != to->files || from->mappings != to->mappings;
        here = session_sites(session);
        floors_add(&floors, session);
        verdict = floors_judge(&floors, &more, &growing);
        done += command.repetitions_min;
        /* A container that doubles may stand still until there were twice as many calls as before.
         */
        more = more || (verdict != VERDICT_GROWTH && done < 3 * before);
    }
    if (here && verdict != VERDICT_SATURATING && session->test.status == WIRE_PASS &&
        !session->plan->quick) {
        here = test_confirm(session, number, test, others, &verdict, event);
    }
    if (here) {
        test->verdict = verdict;
        if (verdict == VERDICT_GROWTH) {
            growth_report(session, &floors, test);
        }
    }
    free(floors.of);
    return here;
}

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
    const char *text = texts[test->verdict];
    const char *place = text ? strstr(text, "%u") : NULL;
    if (place) {
        char *horizon =
            memory_format("%.*s%u%s", (int)(place - text), text, test->repetitions, place + 2);
        result_set(&test->horizon, horizon);
        free(horizon);
    }
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

/* Axis A for one test. False: the worker is gone, and the test's result says how. */
static bool test_hunt(struct session *session, uint32_t number)
{
    enum worker_event event;
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
    if (session->options->progress) {
        session->options->progress(session->options->context, session->variant->name,
                                   session->names[number].id, number, session->name_count);
    }
    session->limit_ns = session->hangs ? HANG_NS : 0;
    bool answered = session_command(session, &command, &event) && session->has_test;
    session->limit_ns = 0;
    if (!answered) {
        const char *how = event == WORKER_HUNG ? "hangs" : "dies";
        /* An end by exit stays one: libcheck would take the child's status 0 for a pass. */
        enum result_status dying = session_dying(session, event == WORKER_HUNG);
        if (dying == RESULT_OOM || dying == RESULT_EXIT ||
            !forked_passes(session, number, how, "")) {
            session_death(session, number, event == WORKER_HUNG);
        }
        session->hangs = session->hangs || (event == WORKER_HUNG && session->forked_count > 0);
        return false;
    }
    if (session->test.status != WIRE_PASS && session->test.status != WIRE_SKIP &&
        session->test.passed_before == 0 && !session->names[number].forked) {
        struct wire_test seen = session->test; /* as it failed here, should it fail there too */
        if (forked_passes(session, number, "fails", seen.message)) {
            return true;
        }
        session->test = seen;
    }
    if (session->test.status != WIRE_PASS && session->test.passed_before > 0) {
        /* It only fails when it is repeated in one process: once, in a child, is what it is. */
        char why[WIRE_TEXT_MAX];
        memcpy(why, session->test.message, sizeof why);
        command.flags = WIRE_FORKED;
        command.warmups = 0;
        command.repetitions_min = command.repetitions_max = 1;
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
    size_t index = session->result->test_count;
    struct result_test *test = session_test_add(session, number);
    session_test_fill(session, test);
    curve_add(session, test);
    bool here = true;
    if (test->status != RESULT_PASS) {
        session->failed += test->status != RESULT_SKIP;
    } else if (judge_settled(session->vectors, session->vector_count)) {
        test->verdict = session_heap_unseen(session) ? VERDICT_NONE : VERDICT_CLEAN;
        test->growth_bytes_per_rep = 0;
    } else {
        here = test_trace(session, number, test, &event);
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
        return !births || test_births(session, number);
    }
    session->result->test_count--; /* it died while it was traced: that is the result */
    result_test_fini(test);
    session->tests--;
    session_death(session, number, event == WORKER_HUNG);
    return false;
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
