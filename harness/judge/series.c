/* series.c - see series.h. */
#include "harness/judge/series.h"

#include "harness/judge/threshold.h"

unsigned series_calls(const struct series *series)
{
    return series->count > 0 ? series->spans[series->count - 1].end : 0;
}

bool series_add(struct series *series, unsigned end, int64_t floor)
{
    if (series->count == SERIES_SPANS) {
        struct series_span *last = &series->spans[SERIES_SPANS - 1];
        last->end = end;
        last->floor = floor < last->floor ? floor : last->floor;
        return false;
    }
    series->spans[series->count++] = (struct series_span){.end = end, .floor = floor};
    return true;
}

/* The first call of a span. */
static unsigned span_begin(const struct series *series, size_t at)
{
    return at > 0 ? series->spans[at - 1].end + 1 : 1;
}

/* The least of the spans that begin after this call; of the last span if none does. */
static int64_t least_after(const struct series *series, unsigned from)
{
    int64_t least = series->spans[series->count - 1].floor;
    for (size_t i = series->count; i > 0 && span_begin(series, i - 1) > from; i--) {
        int64_t floor = series->spans[i - 1].floor;
        least = floor < least ? floor : least;
    }
    return least;
}

/* The first call of the first span that begins after this call; of the last span if none does. */
static unsigned call_after(const struct series *series, unsigned from)
{
    size_t at = series->count - 1;
    while (at > 0 && span_begin(series, at - 1) > from) {
        at--;
    }
    return span_begin(series, at);
}

/* In which factor of four a call lies, from the last on: 0 for (n/4, n], 1 for (n/16, n/4] ... */
static unsigned step_of(unsigned call, unsigned n)
{
    unsigned step = 0;
    while (n / 4 >= call) {
        n /= 4;
        step++;
    }
    return step;
}

/* Counts the spans after the warm-up in which the floor rose, and in how many factors of four. */
static void rises_count(const struct series *series, unsigned n, unsigned *rises, unsigned *steps)
{
    unsigned seen = 0;
    int64_t before = least_after(series, threshold_count(WARM_UP) - 1);
    *rises = 0;
    for (size_t i = 0; i < series->count; i++) {
        unsigned begin = span_begin(series, i);
        int64_t floor = least_after(series, begin - 1);
        if (floor > before) {
            ++*rises;
            seen |= 1u << step_of(begin, n);
            before = floor;
        }
    }
    *steps = (unsigned)__builtin_popcount(seen);
}

/* The first span begins with the warm-up. */
static bool is_still(const struct series *series)
{
    size_t at = series->count - 1;
    while (span_begin(series, at) >= threshold_count(WARM_UP)) {
        if (series->spans[at].floor != series->spans[series->count - 1].floor) {
            return false;
        }
        at--;
    }
    return true;
}

/* The least of each octave in the last factor of sixteen is no more than that of the last: the
 * least of blocks of random sizes may rise for a while, and is the lower the longer it is looked
 * for. */
static bool tops_all(const struct series *series, unsigned n, int64_t top)
{
    unsigned past = n / 2;
    while (past > n / threshold_count(LEVEL_FACTOR)) {
        int64_t floor = INT64_MAX;
        for (size_t i = 0; i < series->count; i++) {
            bool within = span_begin(series, i) > past / 2 && series->spans[i].end <= past;
            floor = within && series->spans[i].floor < floor ? series->spans[i].floor : floor;
        }
        if (floor != INT64_MAX && floor > top) {
            return false;
        }
        past /= 2;
    }
    return true;
}

static bool grows(const struct series *series, const struct series_answer *answer, unsigned steps,
                  int64_t top)
{
    unsigned n = answer->calls;
    return n >= threshold_count(JUDGED_CALLS) && answer->share >= threshold(GROWS_SHARE) &&
           answer->rises >= threshold_count(RISES) && steps >= threshold_count(STEPS) &&
           answer->total >= n / threshold_count(PACE) && tops_all(series, n, top);
}

/* How far apart the floors of the spans lie: what a saw-tooth swings, too. */
static int64_t spread_of(const struct series *series)
{
    int64_t low = least_after(series, threshold_count(WARM_UP) - 1), high = low;
    for (size_t i = 1; i < series->count; i++) {
        high = series->spans[i].floor > high ? series->spans[i].floor : high;
    }
    return high - low;
}

struct series_answer judge_series(const struct series *series)
{
    struct series_answer answer = {.shape = SERIES_OPEN, .calls = series_calls(series)};
    unsigned n = answer.calls, steps;
    if (n < threshold_count(WARM_UP)) {
        return answer;
    }
    int64_t top = least_after(series, n / 2);
    int64_t last = top - least_after(series, n / 4);
    int64_t late = top - least_after(series, n / threshold_count(LEVEL_FACTOR));
    int64_t end = least_after(series, n - n / threshold_count(END_PART)) - top;
    answer.top = top;
    answer.total = top - least_after(series, threshold_count(WARM_UP) - 1);
    unsigned between = call_after(series, n / 2) - call_after(series, n / 4);
    answer.per_call = last > 0 ? (double)last / between : 0; /* then they are two spans */
    answer.share = answer.total > 0 ? (double)last / (double)answer.total : 0;
    rises_count(series, n, &answer.rises, &steps);
    if (is_still(series)) {
        answer.shape = SERIES_STILL;
    } else if ((double)late <= threshold(LEVEL_SHARE) * (double)answer.total &&
               (double)end <= threshold(LEVEL_SHARE) * (double)spread_of(series)) {
        answer.shape = SERIES_LEVEL;
    } else if (grows(series, &answer, steps, top)) {
        answer.shape = SERIES_GROWS;
    }
    return answer;
}

void series_rest(struct series *sum, const struct series *part)
{
    for (size_t i = 0; i < sum->count && i < part->count; i++) {
        sum->spans[i].floor -= least_after(part, span_begin(part, i) - 1);
    }
}

bool series_rises_in_a_row(const struct series *series, unsigned spans)
{
    unsigned row = 0;
    for (size_t i = 0; i + 1 < series->count; i++) {
        const struct series_span *last = &series->spans[i], *now = &series->spans[i + 1];
        row = now->floor > last->floor ? row + 1 : 0;
    }
    return row >= spans;
}
