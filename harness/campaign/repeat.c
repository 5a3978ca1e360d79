/* repeat.c - see repeat.h. */
#include "harness/campaign/repeat.h"

#include "harness/base/memory.h"
#include "harness/campaign/growers.h"
#include "harness/judge/threshold.h"

#include <stdlib.h>
#include <string.h>

#define SETTLE_WHOLE_NS 1000000000.0 /* and at the end, before it is accused */
#define RECORD_BYTES    56           /* what a live block costs beside itself at trace depth */
#define AT_ONCE         16u /* times as many calls in one question, of what has not moved */

static int64_t heap_of(const struct boundary *at)
{
    return at->live_bytes + at->live_blocks;
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

static int64_t sum_of(const struct boundary *at, enum repeat_sum sum)
{
    switch (sum) {
    case REPEAT_HEAP:
        return heap_of(at);
    case REPEAT_MAPPED:
        return at->mapped_bytes + at->mappings;
    case REPEAT_FDS:
        return at->fds;
    case REPEAT_THREADS:
        return at->threads;
    case REPEAT_FILES:
        return at->files;
    default:
        return at->children;
    }
}

/* The boundaries of one answer: the least of each sum becomes its span, and whether anything moved
 * is seen from the end of the warm-up on. */
static void samples_take(struct repeat *repeat, const struct answer *answer, unsigned end)
{
    int64_t least[REPEAT_SUMS];
    bool warm = end <= threshold_count(WARM_UP);
    for (size_t i = 0; i < answer->sample_count; i++) {
        struct boundary at = boundary_of(&answer->samples[i]);
        for (int sum = 0; sum < REPEAT_SUMS; sum++) {
            int64_t held = sum_of(&at, (enum repeat_sum)sum);
            least[sum] = i == 0 || held < least[sum] ? held : least[sum];
        }
        if (warm) {
            repeat->first = at;
        } else {
            repeat->moved = repeat->moved || !boundary_equal(&repeat->first, &at);
            repeat->still = repeat->moved && repeat->still == 0 ? end : repeat->still;
        }
        repeat->now = at;
    }
    for (int sum = 0; answer->sample_count > 0 && sum < REPEAT_SUMS; sum++) {
        series_add(&repeat->sums[sum], end, least[sum]);
    }
    series_add(&repeat->resident, end,
               (int64_t)answer->test.rss_bytes - (int64_t)answer->test.own_bytes -
                   repeat->now.live_bytes - repeat->now.mapped_bytes);
    memory_grow(&repeat->live, &repeat->live_room, repeat->live_count + 1, sizeof *repeat->live);
    memory_grow(&repeat->live_calls, &repeat->live_calls_room, repeat->live_count + 1,
                sizeof *repeat->live_calls);
    repeat->live_calls[repeat->live_count] = end;
    repeat->live[repeat->live_count++] = repeat->now.live_bytes;
}

/* The place of a family, or NULL. */
static struct repeat_place *place_find(const struct repeat *repeat, const struct observed *seen,
                                       uint32_t family)
{
    uint32_t known = seen->sites[family].place;
    bool is =
        known > 0 && known <= repeat->place_count && repeat->places[known - 1].family == family;
    return is ? &repeat->places[known - 1] : NULL;
}

/* The place of a family, added when there is none: until now it held what it did
 * before this answer. */
static struct repeat_place *place_of(struct repeat *repeat, struct observed *seen, uint32_t family)
{
    struct repeat_place *place = place_find(repeat, seen, family);
    if (place) {
        return place;
    }
    memory_grow(&repeat->places, &repeat->place_room, repeat->place_count + 1,
                sizeof repeat->places[0]);
    place = &repeat->places[repeat->place_count++];
    *place = (struct repeat_place){.family = family, .kind = seen->sites[family].kind};
    seen->sites[family].place = (uint32_t)repeat->place_count;
    for (size_t i = 0; i < repeat->live_count; i++) {
        if (repeat->live_calls[i] <= repeat->calls) {
            series_add(&place->series, repeat->live_calls[i], seen->sites[family].whole.before);
            series_add(&place->blocks, repeat->live_calls[i],
                       seen->sites[family].whole.before_blocks);
        }
    }
    return place;
}

static void place_remove(struct repeat *repeat, struct observed *seen, struct repeat_place *place)
{
    *place = repeat->places[--repeat->place_count];
    seen->sites[place->family].place = (uint32_t)(place - repeat->places) + 1;
}

/* Families that were joined by realloc since: their series become one. A site that has no series
 * did not move. */
static void places_join(struct repeat *repeat, struct observed *seen)
{
    for (uint32_t number = 0; number < seen->site_count; number++) {
        struct observed_site *site = &seen->sites[number];
        if (!site->left) {
            continue;
        }
        site->left = false;
        struct repeat_place *whole = place_of(repeat, seen, site->family);
        struct repeat_place *gone = place_find(repeat, seen, number);
        for (size_t i = 0; i < whole->series.count; i++) {
            whole->series.spans[i].floor += gone ? gone->series.spans[i].floor : site->whole.held;
            whole->blocks.spans[i].floor +=
                gone ? gone->blocks.spans[i].floor : site->whole.held_blocks;
        }
        if (gone) {
            place_remove(repeat, seen, gone);
        }
    }
}

/* The sites of one answer: each family of which something changed gets a span, and all others one
 * as the last. */
static void sites_take(struct repeat *repeat, struct observed *seen, unsigned end)
{
    places_join(repeat, seen);
    for (size_t i = 0; i < seen->site_count; i++) {
        const struct observed_site *site = &seen->sites[i];
        if (site->whole.round == seen->round && site->family == i) {
            struct repeat_place *place = place_of(repeat, seen, site->family);
            series_add(&place->series, end, site->whole.floor);
            series_add(&place->blocks, end, site->whole.floor_blocks);
        }
    }
    for (size_t i = 0; i < repeat->place_count; i++) {
        struct repeat_place *place = &repeat->places[i];
        if (series_calls(&place->series) < end) {
            series_add(&place->series, end, seen->sites[place->family].whole.floor);
            series_add(&place->blocks, end, seen->sites[place->family].whole.floor_blocks);
        }
    }
}

/* The last sample is from after the wait. */
static bool settling_helped(const struct answer *answer)
{
    size_t last = answer->sample_count - 1;
    return answer->sample_count > 1 &&
           (answer->samples[last].live_blocks < answer->samples[last - 1].live_blocks ||
            answer->samples[last].live_bytes < answer->samples[last - 1].live_bytes);
}

/* `count` more calls, in one answer. Returns false when a call failed or no answer came. */
static bool calls_make(struct repeat *repeat, const struct repeat_ask *ask, uint32_t test,
                       unsigned count, uint32_t flags)
{
    double settle = repeat->settle_ns - repeat->settled_ns;
    bool warm = repeat->calls == 0; /* one that fails in its warm-up is called once more */
    bool figures = repeat->calls == threshold_count(WARM_UP);
    flags |= figures ? WIRE_PEAK_RSS : WIRE_NO_RETAINED;
    flags |= repeat->moved ? 0 : WIRE_STOP_ON_MOVE;
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = test,
                                   .depth = WIRE_TRACE,
                                   .flags = WIRE_WATCH | WIRE_STOP_ON_FAIL | flags,
                                   .settle_ns = settle > 0 ? (uint64_t)settle : 0,
                                   .warmups = warm ? count - 1 : 0,
                                   .repetitions = warm ? 1 : count};
    ask->seen->round++;
    repeat->last = ask->ask(ask->self, &command);
    const struct answer *answer = &repeat->last;
    if (answer->event != WORKER_DONE || !answer->ran || answer->test.status != WIRE_PASS) {
        return false;
    }
    bool stopped = !warm && answer->test.repetitions > 0 && answer->test.repetitions < count;
    count = stopped ? answer->test.repetitions : count;
    unsigned end = repeat->calls + count;
    samples_take(repeat, answer, end);
    sites_take(repeat, ask->seen, end);
    repeat->call_ns = answer_cost_ns(answer) / (warm ? 1 : count);
    repeat->calls = end;
    repeat->spent_ns += repeat->call_ns * count;
    repeat->settled_ns += (double)answer->test.settled_ns;
    repeat->gave_back |= answer->test.settled_ns > 0 && settling_helped(answer);
    if (end <= threshold_count(WARM_UP) + 1) {
        repeat->figures = answer->test;
        repeat->figures_live = repeat->now.live_bytes;
    }
    return true;
}

/* Units kept since the warm-up, of the kind that has most of them. */
static int64_t units_kept(const struct repeat *repeat)
{
    int64_t most = 0;
    for (int sum = REPEAT_FDS; sum < REPEAT_SUMS; sum++) {
        int64_t kept = sum_of(&repeat->now, (enum repeat_sum)sum) -
                       sum_of(&repeat->first, (enum repeat_sum)sum);
        most = kept > most ? kept : most;
    }
    return most;
}

/* Is what the test keeps so much that the next calls cannot be had, or need not be? */
static bool is_enough(const struct repeat *repeat, const struct repeat_limits *limits,
                      unsigned next)
{
    double blocks = (double)(repeat->now.live_blocks - repeat->first.live_blocks);
    double bytes = (double)(repeat->now.live_bytes - repeat->first.live_bytes) +
                   (double)(repeat->now.mapped_bytes - repeat->first.mapped_bytes) +
                   blocks * RECORD_BYTES;
    unsigned since = repeat->calls - threshold_count(WARM_UP);
    double more = (double)next / since;
    bool flood =
        blocks >= threshold(FLOOD_BLOCKS) * since && repeat->calls >= threshold_count(FLOOD_CALLS);
    return (limits->enough > 0 && repeat->calls >= limits->enough) || flood ||
           bytes * more > (double)limits->bytes || units_kept(repeat) >= limits->units;
}

static bool is_flood(const struct repeat *repeat)
{
    int64_t blocks = repeat->now.live_blocks - repeat->first.live_blocks;
    return (double)blocks >= threshold(FLOOD_BLOCKS) * (repeat->calls - threshold_count(WARM_UP));
}

/* Lost in each of several calls in a row: that needs no statistics, and few calls. */
static bool lost_in_a_row(struct repeat *repeat, const struct repeat_ask *ask)
{
    for (size_t i = 0; i < repeat->place_count; i++) {
        struct repeat_place *place = &repeat->places[i];
        if (place->kind == WIRE_SITE_HEAP &&
            series_rises_in_a_row(&place->series, threshold_count(IN_A_ROW))) {
            place->site = observed_largest(ask->seen, place->family);
            if (!ask->suppressed(ask->self, place->site) && ask->lost(ask->self, place->site)) {
                return true;
            }
        }
    }
    return false;
}

/* Takes a part, which has a span for each of the sum, out of it. */
static void series_less(struct series *sum, const struct series *part)
{
    for (size_t i = 0; i < part->count; i++) {
        sum->spans[i].floor -= part->spans[i].floor;
    }
}

/* One more call, after which what all threads give back late is waited for: growth that they take
 * away again was none. */
static bool settle_whole(struct repeat *repeat, const struct repeat_ask *ask, uint32_t test,
                         uint32_t flags)
{
    repeat->settled_ns = repeat->settle_ns - SETTLE_WHOLE_NS; /* that much is left for this one */
    bool called = calls_make(repeat, ask, test, 1, flags | WIRE_SETTLE_WHOLE);
    repeat->whole_ns = called ? (double)repeat->last.test.settled_ns : 0;
    repeat->settled_ns = repeat->settle_ns; /* and nothing for others */
    return called;
}

/* What a kind holds as a whole. Where that has levelled off, what remains without the places that
 * have may grow. */
static struct series_answer sum_judge(const struct repeat *repeat, struct series *sum,
                                      uint32_t kind)
{
    struct series_answer whole = judge_series(sum);
    for (size_t i = 0; i < repeat->place_count; i++) {
        const struct repeat_place *place = &repeat->places[i];
        if (place->kind == kind && !place->suppressed && place->answer.shape == SERIES_LEVEL) {
            series_rest(sum, &place->series);
        }
    }
    struct series_answer rest = judge_series(sum);
    return whole.shape == SERIES_LEVEL && rest.shape == SERIES_GROWS ? rest : whole;
}

/* All series, into the facts. What is suppressed is taken out of the sums. */
static struct calls_facts facts_of(struct repeat *repeat, const struct repeat_ask *ask)
{
    struct calls_facts facts = {
        .calls = repeat->calls, .still = repeat->still, .moved = repeat->moved};
    struct series sums[REPEAT_SUMS];
    memcpy(sums, repeat->sums, sizeof sums);
    for (size_t i = 0; i < repeat->place_count; i++) {
        struct repeat_place *place = &repeat->places[i];
        place->answer = judge_series(&place->series);
        if (place->answer.shape == SERIES_GROWS || place->answer.shape == SERIES_OPEN) {
            place->site = observed_largest(ask->seen, place->family);
            place->suppressed = ask->suppressed(ask->self, place->site);
        }
        if (!place->suppressed) {
            calls_add(&facts, &place->answer);
        }
        if (place->suppressed && place->kind == WIRE_SITE_HEAP) {
            series_less(&sums[REPEAT_HEAP], &place->series);
        }
    }
    for (uint32_t sum = 0; sum < REPEAT_SUMS; sum++) {
        repeat->sum_answers[sum] = sum_judge(repeat, &sums[sum], sum);
        calls_add(&facts, &repeat->sum_answers[sum]);
    }
    return facts;
}

/* So many calls within the budget? */
static bool is_affordable(const struct repeat *repeat, const struct repeat_limits *limits,
                          unsigned calls)
{
    double allowed = repeat->moved ? limits->moved_ns : limits->still_ns;
    double cost = repeat->call_ns * (calls - repeat->calls);
    return calls <= limits->most && repeat->spent_ns + cost <= allowed;
}

/* A scan is dear: after so many calls, and each time after four times as many. */
static bool is_scan_due(unsigned calls)
{
    unsigned due = threshold_count(LOST_CALLS);
    while (due < calls) {
        due *= 4;
    }
    return due == calls;
}

static bool is_settled(const struct series_answer *answer)
{
    return answer->shape == SERIES_STILL || answer->shape == SERIES_LEVEL;
}

/* Is nothing known of the test but places that lose blocks all the time? Then more calls would only
 * lose more. */
static bool only_loses(struct repeat *repeat, const struct repeat_ask *ask)
{
    size_t losing = 0;
    for (int sum = REPEAT_MAPPED; sum < REPEAT_SUMS; sum++) { /* the heap is that of its places */
        if (!is_settled(&repeat->sum_answers[sum])) {
            return false;
        }
    }
    for (size_t i = 0; i < repeat->place_count; i++) {
        const struct repeat_place *place = &repeat->places[i];
        bool asked = !is_settled(&place->answer) && !place->suppressed;
        if (asked && (place->kind != WIRE_SITE_HEAP ||
                      !series_rises_in_a_row(&place->series, threshold_count(IN_A_ROW)))) {
            return false;
        }
    }
    for (size_t i = 0; i < repeat->place_count; i++) {
        const struct repeat_place *place = &repeat->places[i];
        if (!is_settled(&place->answer) && !place->suppressed) {
            if (!ask->lost(ask->self, place->site)) {
                return false;
            }
            losing++;
        }
    }
    return losing > 0;
}

static enum calls_verdict verdict_now(struct repeat *repeat, const struct repeat_ask *ask,
                                      const struct repeat_limits *limits, unsigned next)
{
    struct calls_facts facts = facts_of(repeat, ask);
    facts.affordable = is_affordable(repeat, limits, next) || repeat->calls < limits->least;
    facts.enough = repeat->last.orphans > threshold_count(ORPHANS) ||
                   (repeat->moved && is_enough(repeat, limits, next));
    bool soon = !facts.affordable || facts.enough || (is_flood(repeat) && repeat->calls == 8);
    bool alone = repeat->now.threads <= 1; /* others may give it back late */
    if (repeat->moved && !repeat->lost &&
        (soon ? lost_in_a_row(repeat, ask)
              : alone && is_scan_due(repeat->calls) && only_loses(repeat, ask))) {
        repeat->lost = true;
        return CALLS_GROWS;
    }
    return judge_calls(&facts);
}

/* After which call the next answer ends. Nothing has moved: then the worker stops where something
 * does, and several spans are one question. */
static unsigned next_end(const struct repeat *repeat, const struct repeat_limits *limits)
{
    unsigned next = calls_next(repeat->calls, repeat->moved), more = calls_next(next, false);
    while (!repeat->moved && repeat->calls > threshold_count(WARM_UP) &&
           more <= threshold_count(CLEAN_CALLS) && more <= AT_ONCE * repeat->calls &&
           is_affordable(repeat, limits, more)) {
        next = more;
        more = calls_next(next, false);
    }
    return next;
}

void repeat_run(struct repeat *repeat, const struct repeat_ask *ask, uint32_t test,
                const struct repeat_limits *limits)
{
    bool settled = false;
    *repeat =
        (struct repeat){.verdict = CALLS_GO_ON,
                        .settle_ns = limits->settle_ns > 0 ? limits->settle_ns : REPEAT_SETTLE_NS};
    while (repeat->verdict == CALLS_GO_ON) {
        unsigned next = next_end(repeat, limits);
        if (!calls_make(repeat, ask, test, next - repeat->calls, limits->flags)) {
            break;
        }
        if (repeat->calls > threshold_count(WARM_UP)) {
            next = calls_next(repeat->calls, repeat->moved);
            repeat->verdict = verdict_now(repeat, ask, limits, next);
        }
        bool accused = repeat->verdict == CALLS_GROWS || repeat->verdict == CALLS_UNSURE;
        if (accused && !repeat->lost && repeat->now.threads > 1 && !settled) {
            settled = true;
            repeat->verdict = settle_whole(repeat, ask, test, limits->flags)
                                  ? verdict_now(repeat, ask, limits, next)
                                  : CALLS_GO_ON;
            if (repeat->last.event != WORKER_DONE || repeat->last.test.status != WIRE_PASS) {
                break;
            }
        }
    }
    growers_conclude(repeat, ask);
}

void repeat_fini(struct repeat *repeat)
{
    free(repeat->places);
    free(repeat->live);
    free(repeat->live_calls);
}
