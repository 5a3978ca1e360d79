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

/* The least of the spans that lie within calls (from, n]; of the last span if none does. */
static int64_t least_after(const struct series *series, unsigned from)
{
    int64_t least = series->spans[series->count - 1].floor;
    for (size_t i = 0; i < series->count; i++) {
        if (span_begin(series, i) > from && series->spans[i].floor < least) {
            least = series->spans[i].floor;
        }
    }
    return least;
}

/* Counts the spans after the warm-up in which the floor rose, and in how many factors of four. */
static void rises_count(const struct series *series, unsigned n, unsigned *rises, unsigned *steps)
{
    *rises = *steps = 0;
    int64_t before = least_after(series, threshold_count(WARM_UP) - 1);
    unsigned step_end = n, last_step = 0;
    while (step_end / 4 > threshold_count(WARM_UP)) {
        step_end /= 4;
    }
    unsigned step = 1;
    for (size_t i = 0; i < series->count; i++) {
        unsigned begin = span_begin(series, i);
        while (begin > step_end && step_end < n) {
            step_end *= 4;
            step++;
        }
        int64_t floor = least_after(series, begin - 1);
        if (begin > threshold_count(WARM_UP) && floor > before) {
            ++*rises;
            *steps += step != last_step;
            last_step = step;
        }
        before = floor > before ? floor : before;
    }
}

static bool is_still(const struct series *series)
{
    int64_t floor = least_after(series, threshold_count(WARM_UP) - 1);
    for (size_t i = 0; i < series->count; i++) {
        if (span_begin(series, i) >= threshold_count(WARM_UP) && series->spans[i].floor != floor) {
            return false;
        }
    }
    return true;
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
    answer.total = top - least_after(series, threshold_count(WARM_UP) - 1);
    answer.per_call = (double)last / (n / 2 - n / 4 > 0 ? n / 2 - n / 4 : 1);
    answer.share = answer.total > 0 ? (double)last / (double)answer.total : 0;
    rises_count(series, n, &answer.rises, &steps);
    if (is_still(series)) {
        answer.shape = SERIES_STILL;
    } else if ((double)late <= threshold(LEVEL_SHARE) * (double)answer.total) {
        answer.shape = SERIES_LEVEL;
    } else if (n >= threshold_count(JUDGED_CALLS) && answer.share >= threshold(GROWS_SHARE) &&
               answer.rises >= threshold_count(RISES) && steps >= threshold_count(STEPS)) {
        answer.shape = SERIES_GROWS;
    }
    return answer;
}

bool series_rises_in_a_row(const struct series *series, unsigned calls)
{
    if (series->count <= calls) {
        return false;
    }
    for (size_t i = series->count - calls; i < series->count; i++) {
        if (series->spans[i].end != series->spans[i - 1].end + 1 ||
            series->spans[i].floor <= series->spans[i - 1].floor) {
            return false;
        }
    }
    return true;
}
