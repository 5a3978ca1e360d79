/* calls.c - see calls.h. */
#include "harness/judge/calls.h"

#include "harness/judge/threshold.h"

#define SINGLE_CALLS 8u

bool boundary_equal(const struct boundary *a, const struct boundary *b)
{
    return a->live_blocks == b->live_blocks && a->live_bytes == b->live_bytes &&
           a->mappings == b->mappings && a->mapped_bytes == b->mapped_bytes && a->fds == b->fds &&
           a->threads == b->threads && a->files == b->files && a->children == b->children;
}

void calls_add(struct calls_facts *facts, const struct series_answer *answer)
{
    if (answer->shape == SERIES_GROWS) {
        facts->growing++;
        facts->share = answer->share > facts->share ? answer->share : facts->share;
    } else if (answer->shape == SERIES_OPEN) {
        facts->open++;
    }
}

static enum calls_verdict judge_growing(const struct calls_facts *facts, bool last)
{
    bool certain =
        facts->calls >= threshold_count(CERTAIN_CALLS) && facts->share >= threshold(CERTAIN_SHARE);
    if (certain || facts->enough) {
        return CALLS_GROWS;
    }
    if (last) {
        return facts->calls >= threshold_count(HELD_CALLS) ? CALLS_GROWS : CALLS_UNSURE;
    }
    return CALLS_GO_ON;
}

enum calls_verdict judge_calls(const struct calls_facts *facts)
{
    bool last = !facts->affordable || facts->calls >= threshold_count(MOST_CALLS);
    bool long_enough = facts->calls >= threshold_count(CLEAN_CALLS);
    if (!facts->moved) {
        return last || facts->enough || long_enough ? CALLS_CLEAN : CALLS_GO_ON;
    }
    if (facts->growing > 0) {
        return judge_growing(facts, last);
    }
    if (facts->open > 0) {
        return last || facts->enough ? CALLS_UNSURE : CALLS_GO_ON;
    }
    long_enough = long_enough && facts->calls >= threshold_count(STILL_FACTOR) * facts->still;
    if (!last && !facts->enough && !long_enough) {
        return CALLS_GO_ON;
    }
    /* Fewer calls than that have no factor in which nothing rose. */
    return facts->calls >= threshold_count(LEVEL_FACTOR) * threshold_count(WARM_UP) ? CALLS_LEVEL
                                                                                    : CALLS_UNSURE;
}

/* The last span that ends by this call, or the first. */
static const struct series_span *span_until(const struct series *series, unsigned call)
{
    size_t at = series->count - 1;
    while (at > 0 && series->spans[at].end > call) {
        at--;
    }
    return &series->spans[at];
}

static double rate_between(const struct series_span *from, const struct series_span *to)
{
    return (double)(to->floor - from->floor) / (to->end - from->end);
}

double judge_resident(const struct series *resident)
{
    unsigned n = series_calls(resident);
    if (n < threshold_count(RESIDENT_CALLS)) {
        return 0;
    }
    const struct series_span *first = &resident->spans[0];
    const struct series_span *last = &resident->spans[resident->count - 1];
    const struct series_span *quarter = span_until(resident, n / 4);
    const struct series_span *before = span_until(resident, n / 16);
    if (quarter == first || (double)(last->floor - first->floor) < threshold(RESIDENT_BYTES) ||
        (before != quarter && quarter->floor <= before->floor)) {
        return 0;
    }
    double rate = rate_between(first, last);
    return rate_between(quarter, last) >= threshold(RESIDENT_PACE) * rate ? rate : 0;
}

unsigned calls_next(unsigned calls, bool moved)
{
    if (calls < threshold_count(WARM_UP)) {
        return threshold_count(WARM_UP);
    }
    if (calls < SINGLE_CALLS) {
        return calls + 1;
    }
    unsigned octave = SINGLE_CALLS;
    while (octave * 2 <= calls) {
        octave *= 2;
    }
    unsigned step = moved ? octave / 4 : octave;
    return calls - calls % step + step;
}
