/* epoch.c - axis A of a test that does not settle: repeated in doubling epochs, every block traced,
 * until the floors of its sites tell; then confirmed by thousands of repetitions. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/result/result_write.h"
#include "harness/campaign/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* What of the growers is told: bytes, of sites that are not suppressed. */
struct growth {
    struct grower *growers; /* largest first */
    size_t known, accused;
    double bytes_per_rep, whole;
};

/* The sites that grow; where none does, those that rose at all. */
static void growth_find(struct session *session, const struct floors *floors, struct growth *growth)
{
    *growth = (struct growth){.growers = memory_new(floors->count, sizeof *growth->growers)};
    for (int pass = 0; pass < 2 && growth->known == 0; pass++) {
        for (size_t i = 0; i < floors->count; i++) {
            struct judge_trend trend;
            judge_floors(floors->of[i], floors->epochs, &trend);
            const int64_t *of = floors->of[i];
            bool rose = pass == 1 && of[floors->epochs - 1] > of[0];
            if (trend.verdict != VERDICT_GROWTH && !rose) {
                continue;
            }
            bool suppressed = session_site_suppressed(session, &session->sites[i]);
            bool bytes = !suppressed && session->sites[i].kind <= WIRE_SITE_MMAP;
            growth->growers[growth->known++] = (struct grower){
                .site = (uint32_t)i, .per_rep = trend.per_rep, .suppressed = suppressed};
            growth->accused += !suppressed;
            growth->bytes_per_rep += bytes ? trend.per_rep : 0;
            growth->whole += bytes ? (double)session->sites[i].bytes : 0;
        }
    }
    qsort(growth->growers, growth->known, sizeof *growth->growers, compare_growers);
}

static void growth_report(struct session *session, const struct floors *floors, uint32_t number,
                          struct result_test *test)
{
    struct growth growth;
    uint32_t numbers[SESSION_SITES_SHOWN] = {0}, count = 0;
    growth_find(session, floors, &growth);
    const struct grower *growers = growth.growers;
    for (; count < growth.known && count < SESSION_SITES_SHOWN; count++) {
        numbers[count] = growers[count].site;
    }
    session_scan(session, numbers, count);
    session_releases(session, number, numbers, count);
    test->verdict = growth.accused == 0 && growth.known > 0 ? VERDICT_NONE : VERDICT_GROWTH;
    test->growth_bytes_per_rep = growth.bytes_per_rep;
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
        struct result_site *site = session_site_add(session, test->id, seen, i + 1, growth.whole);
        site->bytes_per_rep = growers[i].per_rep;
        site->verdict = lost ? VERDICT_LEAK : VERDICT_GROWTH;
        site->suppressed = growers[i].suppressed;
        session_releases_tell(session, seen, site);
        if (!site->suppressed && (seen->kind == WIRE_SITE_FD || seen->kind == WIRE_SITE_THREAD)) {
            long many = lround(growers[i].per_rep);
            *(seen->kind == WIRE_SITE_FD ? &test->fds : &test->threads) += many > 0 ? many : 1;
        }
        test->verdict = lost && i == 0 && !site->suppressed ? VERDICT_LEAK : test->verdict;
        if (session->options->writer) {
            result_write_site(session->options->writer, site);
        }
    }
    session->result->sites_hidden += growth.known - count;
    free(growth.growers);
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

void session_curve_add(struct session *session, struct result_test *test)
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
    session_curve_add(session, test);
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
bool session_epochs(struct session *session, uint32_t number, struct result_test *test,
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
        session_curve_add(session, test);
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
            growth_report(session, &floors, number, test);
        }
    }
    free(floors.of);
    return here;
}
