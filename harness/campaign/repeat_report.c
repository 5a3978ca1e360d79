/* repeat_report.c - see repeat_report.h. */
#include "harness/campaign/repeat_report.h"

#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/place.h"
#include "harness/campaign/session.h"
#include "harness/judge/evidence.h"
#include "harness/judge/threshold.h"
#include "harness/result/result_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a test is accused of, or would be: places at the front of repeat->places. */
struct accusation {
    size_t known; /* places that grow */
    uint32_t sites[SESSION_SITES_SHOWN];
    uint32_t count;              /* of them that are shown */
    double bytes_per_rep, whole; /* of those that are not suppressed */
    size_t accused;              /* of them */
    bool lost;                   /* the largest is unreachable */
};

static bool holds_bytes(const struct repeat_place *place)
{
    return place->kind == WIRE_SITE_HEAP || place->kind == WIRE_SITE_MMAP;
}

/* Kinds whose growth no single place explains: its rate is that of the whole. */
static void carried_find(const struct repeat *repeat, bool carried[REPEAT_SUMS])
{
    for (size_t i = 0; i < repeat_growers(repeat); i++) {
        const struct repeat_place *place = &repeat->places[i];
        carried[place->kind % REPEAT_SUMS] |= place->carries && !place->suppressed;
    }
}

/* What the heap or the mappings grow by in a call, without the blocks. */
static double bytes_of_sum(const struct repeat *repeat, enum repeat_sum sum)
{
    double calls = (double)repeat->calls - threshold(WARM_UP);
    int64_t heap = repeat->now.live_blocks - repeat->first.live_blocks;
    int64_t mappings = repeat->now.mappings - repeat->first.mappings;
    double bytes =
        repeat->sum_answers[sum].per_call - (double)(sum == REPEAT_HEAP ? heap : mappings) / calls;
    return bytes > 0 ? bytes : 0;
}

static void accusation_find(struct session *session, const struct repeat *repeat,
                            struct accusation *accusation)
{
    bool carried[REPEAT_SUMS] = {false};
    *accusation = (struct accusation){.known = repeat_growers(repeat)};
    carried_find(repeat, carried);
    for (size_t i = 0; i < accusation->known; i++) {
        const struct repeat_place *place = &repeat->places[i];
        const struct observed_site *site = observed_site(&session->seen, place->site);
        bool counts = holds_bytes(place) && !carried[place->kind % REPEAT_SUMS];
        if (accusation->count < SESSION_SITES_SHOWN) {
            accusation->sites[accusation->count++] = place->site;
        }
        if (!place->suppressed) {
            accusation->accused++;
            accusation->bytes_per_rep += counts ? place->bytes_per_call : 0;
            accusation->whole +=
                holds_bytes(place) && site ? (double)(site->bytes - site->begin_bytes) : 0;
        }
    }
    for (int sum = REPEAT_HEAP; sum <= REPEAT_MAPPED; sum++) {
        bool counts = carried[sum] || accusation->known == 0;
        accusation->bytes_per_rep += counts ? bytes_of_sum(repeat, (enum repeat_sum)sum) : 0;
    }
}

/* One at least of what grows at all. */
static long units_whole(double rate)
{
    return rate <= 0 ? 0 : rate < 1 ? 1 : lround(rate);
}

/* Descriptors, threads and children that stay with each call. */
static void units_count(const struct repeat *repeat, struct result_test *test)
{
    bool carried[REPEAT_SUMS] = {false};
    long units[REPEAT_SUMS] = {0};
    carried_find(repeat, carried);
    for (size_t i = 0; i < repeat_growers(repeat); i++) {
        const struct repeat_place *place = &repeat->places[i];
        bool counts = !place->suppressed && !carried[place->kind % REPEAT_SUMS];
        units[place->kind % REPEAT_SUMS] += counts ? units_whole(place->answer.per_call) : 0;
    }
    for (int sum = REPEAT_FDS; sum < REPEAT_SUMS; sum++) {
        units[sum] += carried[sum] ? units_whole(repeat->sum_answers[sum].per_call) : 0;
    }
    test->fds += units[REPEAT_FDS];
    test->threads += units[REPEAT_THREADS];
    test->children_left += units[REPEAT_CHILDREN];
}

/* All that grows is suppressed: the test has no verdict, and a note says by which rule. */
static void suppressed_tell(struct session *session, const struct repeat_place *place,
                            struct result_test *test)
{
    const struct suppression *rule = session->seen.sites[place->site].suppressed;
    char *by = memory_format("it grows, and all that grows is suppressed by leak:%s (%s:%u)",
                             rule->pattern, rule->file, rule->line);
    test->verdict = VERDICT_NONE;
    result_set(&test->horizon, by);
    result_note_add(session->result, "%s is not judged: %s", test->id, by);
    free(by);
}

/* The place that an accused test is known for is the largest of those that are not suppressed. */
static bool is_lost(const struct session *session, const struct repeat *repeat,
                    const struct accusation *accusation)
{
    const struct repeat_place *first = &repeat->places[0];
    const struct observed_site *site =
        accusation->count > 0 ? observed_site(&session->seen, first->site) : NULL;
    bool carries = first->carries && repeat->verdict == CALLS_GROWS;
    bool grew = site && (first->answer.shape == SERIES_GROWS || repeat->lost || carries ||
                         first->answer.rises >= threshold_count(RISES));
    return grew && !first->suppressed && session_site_lost(session, site) &&
           (site->kind < WIRE_SITE_FD || repeat->verdict == CALLS_GROWS);
}

static void sites_tell(struct session *session, const struct repeat *repeat,
                       const struct accusation *accusation, struct result_test *test)
{
    for (uint32_t i = 0; i < accusation->count; i++) {
        const struct repeat_place *place = &repeat->places[i];
        const struct observed_site *seen = observed_site(&session->seen, accusation->sites[i]);
        if (!seen) {
            continue;
        }
        struct result_site *site =
            session_site_add(session, test->id, seen, i + 1, accusation->whole);
        site->bytes_per_rep = holds_bytes(place) ? place->bytes_per_call : place->answer.per_call;
        site->verdict = test->verdict == VERDICT_INCONCLUSIVE ? VERDICT_INCONCLUSIVE
                        : session_site_lost(session, seen)    ? VERDICT_LEAK
                                                              : VERDICT_GROWTH;
        site->suppressed = place->suppressed;
        session_releases_tell(session, seen, site);
        if (session->options->writer) {
            result_write_site(session->options->writer, site);
        }
    }
    session->result->sites_hidden += accusation->known - accusation->count;
}

/* The suite is judged without what an accused test leaves at places that have not come to rest. */
static void accused_places_add(struct session *session, uint32_t number,
                               const struct repeat *repeat)
{
    const struct observed *seen = &session->seen;
    bool *restless = memory_new(seen->site_count + 1, sizeof *restless); /* by family */
    for (size_t i = 0; i < repeat->place_count; i++) {
        enum series_shape shape = repeat->places[i].answer.shape;
        restless[repeat->places[i].family] = shape == SERIES_GROWS || shape == SERIES_OPEN;
    }
    for (uint32_t i = 0; i < seen->site_count; i++) {
        if (restless[seen->sites[i].family] && observed_site(seen, i)) {
            accused_add(&session->accused, number, place_key(seen, i));
        }
    }
    free(restless);
}

static void grown_tell(struct session *session, uint32_t number, const struct repeat *repeat,
                       struct result_test *test, double most_ns)
{
    struct accusation accusation;
    accusation_find(session, repeat, &accusation);
    if (accusation.known > 0 && accusation.accused == 0) {
        suppressed_tell(session, &repeat->places[0], test);
    } else {
        session_scan(session, accusation.sites, accusation.count);
        accusation.lost = is_lost(session, repeat, &accusation);
        test->verdict = accusation.lost                  ? VERDICT_LEAK
                        : repeat->verdict == CALLS_GROWS ? VERDICT_GROWTH
                                                         : VERDICT_INCONCLUSIVE;
        test->growth_bytes_per_rep = accusation.bytes_per_rep;
        units_count(repeat, test);
    }
    if (test->verdict == VERDICT_LEAK || test->verdict == VERDICT_GROWTH) {
        accused_places_add(session, number, repeat);
    }
    if (accusation.count > 0 && test->verdict != VERDICT_INCONCLUSIVE) {
        session_releases(session, number, accusation.sites, accusation.count, most_ns);
    }
    if (accusation.count > 0) {
        sites_tell(session, repeat, &accusation, test);
    }
}

/* What the process held when the test was repeated hangs on the tests that were repeated there
 * before. It is told as if it had gone on where the pass in order left it: so the same test has the
 * same figures wherever it is repeated. */
static int64_t place_in_order(const struct result_test *once, const struct repeat *repeat,
                              struct result_test *test)
{
    int64_t shift = once ? once->live_bytes - repeat->figures_live : 0;
    test->live_bytes += test->live_bytes != RESULT_UNMEASURED ? shift : 0;
    test->peak_live_bytes += test->peak_live_bytes != RESULT_UNMEASURED ? shift : 0;
    test->peak_rss_bytes = once ? once->peak_rss_bytes : test->peak_rss_bytes;
    return shift;
}

/* The points that the judge used: live bytes at the ends of the spans. */
static void curve_set(const struct repeat *repeat, int64_t shift, struct result_test *test)
{
    test->live_by_rep = memory_new(repeat->live_count + 1, sizeof *test->live_by_rep);
    test->live_at_rep = memory_new(repeat->live_count + 1, sizeof *test->live_at_rep);
    for (size_t i = 0; i < repeat->live_count; i++) {
        test->live_by_rep[i] = repeat->live[i] + shift;
        test->live_at_rep[i] = repeat->live_calls[i];
    }
    test->live_by_rep_count = test->live_at_rep_count = repeat->live_count;
}

static void evidence_set(const struct session *session, uint32_t number,
                         const struct repeat *repeat, struct evidence_calls *evidence,
                         struct result_test *test)
{
    const struct repeat_place *first = repeat->place_count > 0 ? &repeat->places[0] : NULL;
    evidence->verdict = test->verdict;
    evidence->counted = test->verdict == VERDICT_LEAK && test->growth_bytes_per_rep == 0;
    evidence->growing = first && (first->answer.shape == SERIES_GROWS || first->carries);
    evidence->nowhere = repeat_growers(repeat) == 0;
    bool forked = test->verdict == VERDICT_CLEAN && session->seen.tests[number].forked;
    char *horizon =
        forked ? memory_copy("each repetition ran in a child of its own, and what it kept died "
                             "with it")
               : evidence_test(evidence);
    if (horizon) {
        result_set(&test->horizon, horizon);
    }
    free(horizon);
}

/* Something that is suppressed grows, and nothing else does. */
static const struct repeat_place *suppressed_grower(const struct repeat *repeat)
{
    for (size_t i = 0; i < repeat->place_count; i++) {
        if (repeat->places[i].suppressed && repeat->places[i].answer.shape == SERIES_GROWS) {
            return &repeat->places[i];
        }
    }
    return NULL;
}

void session_repeat_report(struct session *session, uint32_t number, const struct repeat *repeat,
                           double most_ns)
{
    const struct result_test *before = session_result(session, number);
    bool known = before && before->live_bytes != RESULT_UNMEASURED;
    const struct result_test once = known ? *before : (struct result_test){0}; /* its figures */
    struct result_test *test = session_test_add(session, number);
    const struct repeat_place *suppressed = suppressed_grower(repeat);
    double resident = judge_resident(&repeat->resident);
    struct evidence_calls evidence = {.calls = repeat->calls};
    session_test_fill(session, test, &repeat->figures, repeat->figures_live);
    test->repetitions = repeat->calls;
    curve_set(repeat, place_in_order(known ? &once : NULL, repeat, test), test);
    if (repeat->verdict == CALLS_GROWS || repeat->verdict == CALLS_UNSURE) {
        grown_tell(session, number, repeat, test, most_ns);
    } else if (suppressed) {
        suppressed_tell(session, suppressed, test);
    } else {
        bool clean = repeat->verdict == CALLS_CLEAN;
        test->verdict = resident > 0                   ? VERDICT_INCONCLUSIVE
                        : !clean                       ? VERDICT_SATURATING
                        : session_heap_unseen(session) ? VERDICT_NONE
                                                       : VERDICT_CLEAN;
        test->growth_bytes_per_rep = clean && resident <= 0 ? 0 : test->growth_bytes_per_rep;
        evidence.resident = resident;
    }
    evidence_set(session, number, repeat, &evidence, test);
    session_test_write(session, test);
}
