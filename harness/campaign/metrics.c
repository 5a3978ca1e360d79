/* metrics.c - from what a session saw to the metrics and the verdict of its variant. Supervisor
 * only. */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/campaign/children.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double counter_of(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->counter_count; i++) {
        if (strcmp(session->counters[i].name, name) == 0) {
            return session->counters[i].value;
        }
    }
    return NAN;
}

void session_metrics(const struct session *session, double metric[METRIC_COUNT])
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        metric[i] = NAN;
    }
    bool any = session->live_count > 0;
    double lookups = counter_of(session, "lookups");
    double hits = counter_of(session, "hits"), misses = counter_of(session, "misses");
    metric[METRIC_PEAK_RSS] = session->peak_rss > 0 ? session->peak_rss : NAN;
    metric[METRIC_TESTS] = (double)session->tests;
    metric[METRIC_FAILED] = (double)session->failed;
    metric[METRIC_LOOKUPS] = lookups;
    metric[METRIC_HITS] = hits;
    metric[METRIC_MISSES] = misses;
    metric[METRIC_EVICTIONS] = counter_of(session, "evictions");
    metric[METRIC_LOADS] = counter_of(session, "loads");
    metric[METRIC_HIT_RATE] = hits + misses > 0 ? hits / (hits + misses) : NAN;
    metric[METRIC_LOOKUP_P50] = histogram_quantile(session->lookup_ns, 0.5);
    metric[METRIC_LOOKUP_P99] = histogram_quantile(session->lookup_ns, 0.99);
    if (!any) {
        return;
    }
    metric[METRIC_ALLOCS] = session->allocs;
    metric[METRIC_FREES] = session->frees;
    metric[METRIC_BYTES] = session->bytes;
    metric[METRIC_WALL] = session->wall;
    metric[METRIC_ALLOCS_PER_LOOKUP] = lookups > 0 ? session->allocs / lookups : NAN;
    metric[METRIC_RETAINED] = (double)session->live[session->live_count - 1];
    metric[METRIC_RETAINED_TEST_MAX] = (double)session->retained_max;
    /* What the program held before its first test is no test's. */
    metric[METRIC_LIVE_PEAK] = (double)(session->live_peak - session->live_start);
    metric[METRIC_LIVE_END] = (double)(session->live_end - session->live_start);
    metric[METRIC_TEST_PEAK] = (double)session->test_peak;
    metric[METRIC_GROWTH] = metric[METRIC_RETAINED] / (double)session->live_count;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over passes; with at least two, also their least and most. */
static void metric_merge(double (*passes)[METRIC_COUNT], size_t count, size_t metric,
                         struct result_variant *variant)
{
    double *values = memory_new(count, sizeof *values);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(passes[i][metric])) {
            values[known++] = passes[i][metric];
        }
    }
    qsort(values, known, sizeof *values, compare_doubles);
    if (known > 0) {
        variant->metric[metric] =
            known % 2 ? values[known / 2] : (values[known / 2 - 1] + values[known / 2]) / 2;
    }
    if (known > 1) {
        variant->low[metric] = values[0];
        variant->high[metric] = values[known - 1];
    }
    free(values);
}

static bool known_metric(const char *name)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (strcmp(result_metrics[i].json, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What the rate comes to at the last of the tests, if the pass was stopped before it. What has run
 * is no projection. */
static void projection_fill(const struct session *session, struct result_variant *variant)
{
    char size[UNIT_TEXT_BYTES];
    size_t tests = 0;
    for (uint32_t i = 0; i < session->seen.test_count; i++) {
        tests += session_wants(session, i);
    }
    if (session->stopped_by[0] && tests > session->suite_tests) {
        char *text = memory_format("%s at test %zu",
                                   unit_bytes(size, session->suite_growth * (double)tests), tests);
        result_set(&variant->projection, text);
        free(text);
    }
}

static void verdict_fill(const struct session *session, struct result_variant *variant)
{
    if (session_heap_unseen(session) || session->live_count == 0) {
        result_set(&variant->horizon, session_heap_unseen(session)
                                          ? "its heap is not seen: it brings its own malloc"
                                      : session->suite_horizon ? session->suite_horizon
                                      : session->tests > 0     ? "none of its tests came to its end"
                                      : session->plan->hunt    ? "its tests were not repeated"
                                                               : "");
        return;
    }
    variant->verdict = session->suite_verdict;
    variant->metric[METRIC_GROWTH] = session->suite_growth;
    if (session->suite_tests > 0) {
        variant->kept_bytes = session->suite_kept;
        variant->kept_tests = (unsigned)session->suite_tests;
        projection_fill(session, variant);
    }
    result_set(&variant->horizon, session->suite_horizon ? session->suite_horizon : "");
    children_judge_suite(session, variant);
    bool acquitted = variant->verdict == VERDICT_CLEAN || variant->verdict == VERDICT_SATURATING;
    if (session->plan->hunt && acquitted && !result_suite_judged(session->result, variant)) {
        variant->verdict = VERDICT_NONE;
        variant->metric[METRIC_GROWTH] = NAN;
        result_set(&variant->horizon, "none of its tests was judged");
    }
}

void session_conclude(struct session *session, double (*passes)[METRIC_COUNT], size_t count,
                      struct result_variant *variant)
{
    for (size_t metric = 0; metric < METRIC_COUNT; metric++) {
        metric_merge(passes, count, metric, variant);
    }
    for (size_t i = 0; i < session->counter_count; i++) {
        if (!known_metric(session->counters[i].name)) {
            result_counter_add(variant, session->counters[i].name, session->counters[i].value);
        }
    }
    result_set(&variant->stopped_by, session->stopped_by);
    result_set(&variant->culprit, session->culprit);
    verdict_fill(session, variant);
}
