/* describe_closing.c - sentences about whole results: what a variant keeps, what the comparison
 * comes to, what was expected, what is missing. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool describe_measured(const struct result *result, enum result_metric metric)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        if (!isnan(result->variants[i].metric[metric])) {
            return true;
        }
    }
    return false;
}

bool describe_stopped(const struct result *result)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        if (result->variants[i].stopped_by[0]) {
            return true;
        }
    }
    return false;
}

void describe_limit(struct text *text, const struct result_expect *expect)
{
    char *limit = unit_condition(expect->limit);
    text_put(text, limit);
    free(limit);
}

void describe_expect(struct text *text, const struct result_expect *expect)
{
    text_format(text, "%s of %s is %s, expected ", expect->metric, expect->variant, expect->actual);
    describe_limit(text, expect);
}

void describe_incomplete(struct text *text, const struct result *result)
{
    char count[UNIT_TEXT_BYTES];
    size_t missing = result->incomplete - result->cut_short;
    if (missing > 0) {
        text_format(text, "%s test%s without a result", unit_count(count, (double)missing),
                    missing == 1 ? "" : "s");
    } else if (result->test_count == 0) {
        text_put(text, result->reason[0] ? "no test has a result"
                                         : "the run was cut short before its first test ended");
    } else {
        text_put(text, "the run was cut short: its tests have results, its end is missing");
    }
    if (result->reason[0]) {
        text_format(text, ": %s", result->reason);
    }
}

void describe_nothing(struct text *text, const struct result *result)
{
    size_t skipped = 0, judged, programs = result_programs(result, &judged);
    if (judged > 0) {
        text_format(text, "not enough was judged: %zu of %zu programs were not", programs - judged,
                    programs);
        return;
    }
    for (size_t i = 0; i < result->test_count; i++) {
        skipped += result->tests[i].status == RESULT_SKIP;
    }
    text_put(text, "nothing was judged: ");
    if (result->reason[0]) {
        text_put(text, result->reason);
    } else if (result->test_count == 0) {
        text_put(text, result->note_count > 0 ? result->notes[0] : "there are no tests in it");
    } else if (skipped == result->test_count) {
        text_put(text, skipped == 1 ? "its test was skipped" : "its tests were all skipped");
        const char *why = result->tests[0].message;
        text_format(text, why[0] ? " (%s)" : "%s", why);
    } else if (!result_is_hunt(result)) {
        text_put(text, "no variant has a verdict, and nothing is expected of one");
        const char *why = result->variant_count > 0 ? result->variants[0].horizon : "";
        text_format(text, why[0] ? ": %s" : "%s", why);
    } else {
        text_format(text, "none of its %zu test%s has a verdict", result->test_count,
                    result->test_count == 1 ? "" : "s");
        const char *why = result->tests[0].horizon;
        text_format(text, why[0] ? ": %s" : "%s", why);
    }
}

static bool stopped(const struct result_variant *variant)
{
    return variant->stopped_by[0] != '\0';
}

static bool growing(const struct result_variant *variant)
{
    return result_verdict_bad(variant->verdict);
}

/* "210 MB in 200 tests": what the rate by test is the quotient of. Of a scenario, what is alive at
 * the end comes from the pass that is measured, and is said if it is not the same. */
static void kept_put(struct text *text, const char *join, const struct result *result,
                     const struct result_variant *variant)
{
    char kept[UNIT_TEXT_BYTES], count[UNIT_TEXT_BYTES], end[UNIT_TEXT_BYTES];
    double live = variant->metric[METRIC_LIVE_END];
    if (variant->kept_tests == 0) {
        return;
    }
    text_format(text, "%s%s in %s test%s", join, unit_bytes(kept, variant->kept_bytes),
                unit_count(count, variant->kept_tests), variant->kept_tests == 1 ? "" : "s");
    if (!result_is_hunt(result) && !isnan(live) && !stopped(variant) &&
        strcmp(kept, unit_bytes(end, live)) != 0) {
        text_format(text, " (of %s alive at the end of the pass that was measured)", end);
    }
}

void describe_variant(struct text *text, const struct result *result,
                      const struct result_variant *variant)
{
    char size[UNIT_TEXT_BYTES];
    double slope = variant->metric[METRIC_GROWTH];
    const char *join = "";
    if (!stopped(variant) && !growing(variant)) {
        return;
    }
    if (!isnan(slope) && slope > 0) {
        text_format(text, "kept %s a test", unit_bytes(size, slope));
        kept_put(text, ", ", result, variant);
        join = "; ";
    }
    if (variant->projection[0]) {
        text_format(text, "%s%s", join[0] ? ", which would be " : "", variant->projection);
        join = "; ";
    }
    if (strcmp(variant->stopped_by, "memory") == 0) {
        text_format(text, "%sstopped at the %s", join, result->cap > 0 ? "cap of " : "memory cap");
        text_put(text, result->cap > 0 ? unit_limit(size, (uint64_t)result->cap) : "");
    } else if (stopped(variant)) {
        text_format(text, "%sstopped by %s", join,
                    strcmp(variant->stopped_by, "timeout") == 0 ? "the time limit"
                                                                : variant->stopped_by);
    }
    if (stopped(variant) && variant->culprit[0]) {
        text_format(text, " in test %s", variant->culprit);
    }
}

void describe_suite(struct text *text, const struct result *result,
                    const struct result_variant *variant)
{
    struct text more = {0};
    size_t next = 0;
    const struct result_site *site = describe_site_next(result, "", variant->name, &next);
    const struct result_frame *place =
        site ? describe_place(site->frames, site->frame_count) : NULL;
    bool none = result_suite_outcome(result, variant) == OUTCOME_SKIPPED &&
                variant->verdict != VERDICT_INCONCLUSIVE;
    text_put(text, describe_verdict_verb(none ? VERDICT_NONE : variant->verdict));
    describe_variant(&more, result, variant);
    if (more.length > 0) {
        text_format(text, ": %s", more.data);
    }
    if (place && growing(variant)) {
        text_format(text, "; %s ", describe_origin(site));
        describe_frame(text, place);
    }
    if (site && growing(variant) && site->held_by_count > 0) {
        text_put(text, "; held by ");
        describe_held(text, site);
    }
    if (variant->horizon[0] && !growing(variant)) {
        text_format(text, ": %s", variant->horizon);
    }
    text_fini(&more);
}

/* The largest site of the whole suite, else of any test, of the variant. */
static const struct result_site *site_largest(const struct result *result, const char *variant)
{
    const struct result_site *best = NULL;
    for (size_t i = 0; i < result->site_count; i++) {
        const struct result_site *site = &result->sites[i];
        if (strcmp(site->variant, variant) != 0 || site->suppressed) {
            continue;
        }
        if (!best || (best->test[0] && !site->test[0]) ||
            (!best->test[0] == !site->test[0] && site->bytes > best->bytes)) {
            best = site;
        }
    }
    return best;
}

static void site_put(struct text *text, const struct result_site *site)
{
    char ratio[UNIT_TEXT_BYTES];
    const struct result_frame *place = describe_place(site->frames, site->frame_count);
    if (!place) {
        return;
    }
    text_put(text, "; ");
    describe_frame(text, place);
    if (isnan(site->share)) {
        text_put(text, " holds the most");
    } else {
        text_format(text, " holds %s of it", unit_ratio(ratio, site->share));
    }
}

/* Every variant grows at the same pace (within a tenth): what they differ in is not the cause. */
static bool same_slope(const struct result *result)
{
    double first = NAN;
    for (size_t i = 0; i < result->variant_count; i++) {
        double slope = result->variants[i].metric[METRIC_GROWTH];
        if (!growing(&result->variants[i]) || isnan(slope) || slope <= 0) {
            return false;
        }
        first = i == 0 ? slope : first;
        if (fabs(slope - first) > 0.1 * first) {
            return false;
        }
    }
    return result->variant_count > 1;
}

static void innocent_put(struct text *text, const struct result *result)
{
    char size[UNIT_TEXT_BYTES];
    const struct result_variant *first = &result->variants[0];
    text_put(text, "The slope is the same in ");
    text_format(text, result->variant_count == 2 ? "both variants" : "all %zu variants",
                result->variant_count);
    text_format(text, ", %s a test: what they differ in is innocent",
                unit_bytes(size, first->metric[METRIC_GROWTH]));
    const struct result_site *site = site_largest(result, first->name);
    if (site) {
        site_put(text, site);
    }
    text_put(text, ".");
}

/* A hunt has one variant, without a name. */
static const char *subject(const struct result_variant *variant)
{
    return variant->name[0] ? variant->name : "The suite";
}

/* "direct takes 49 ns and 0 allocations a look-up and peaks at 12 MB" */
static void level_put(struct text *text, const struct result_variant *variant)
{
    char number[UNIT_TEXT_BYTES];
    double p50 = variant->metric[METRIC_LOOKUP_P50];
    double allocs = variant->metric[METRIC_ALLOCS_PER_LOOKUP];
    double peak = variant->metric[METRIC_PEAK_RSS];
    const char *join = " ";
    text_put(text, subject(variant));
    if (!isnan(p50)) {
        text_format(text, "%stakes %s a look-up", join, unit_ns(number, p50));
        join = ", ";
    }
    if (!isnan(allocs)) {
        text_format(text, "%smakes %s allocation%s a look-up", join, unit_count(number, allocs),
                    allocs == 1 ? "" : "s");
        join = " and ";
    }
    if (!isnan(peak)) {
        text_format(text, "%speaks at %s", join, unit_bytes(number, peak));
        join = " and ";
    }
    if (join[0] == ' ' && join[1] == '\0') {
        text_put_char(text, ' ');
        text_put(text, describe_verdict_verb(variant->verdict));
    }
}

static bool undecided(const struct result_variant *variant)
{
    return variant->verdict == VERDICT_NONE || variant->verdict == VERDICT_INCONCLUSIVE;
}

void describe_unjudged(struct text *text, const struct result *result)
{
    size_t more = 0;
    bool any = false;
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (!undecided(variant) || !result_suite_counts(result, variant)) {
            continue;
        }
        if (any) {
            more++;
            continue;
        }
        any = true;
        text_format(text, "%s ", subject(variant));
        describe_suite(text, result, variant);
    }
    if (more > 0) {
        text_format(text, ", nor %s %zu other%s", more == 1 ? "was" : "were", more,
                    more == 1 ? "" : "s");
    }
    text_put(text, any ? ". " : "");
}

static void growth_put(struct text *text, const struct result *result,
                       const struct result_variant *variant)
{
    char size[UNIT_TEXT_BYTES];
    double slope = variant->metric[METRIC_GROWTH];
    text_put(text, subject(variant));
    if (!isnan(slope) && slope > 0) {
        text_format(text, " keeps %s a test", unit_bytes(size, slope));
    } else {
        text_format(text, " %s", stopped(variant) ? "did not come through" : "grows");
    }
    if (variant->projection[0]) {
        text_format(text, ", which would be %s", variant->projection);
    } else {
        kept_put(text, ": ", result, variant);
    }
}

void describe_closing(struct text *text, const struct result *result)
{
    const struct result_variant *level = NULL, *worst = NULL;
    bool open = false;
    bool nothing = strcmp(result->command, "hunt") == 0 && result->test_count == 0;
    if (result->variant_count == 0 || nothing) {
        return;
    }
    if (same_slope(result)) {
        innocent_put(text, result);
        return;
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (!growing(variant) && !stopped(variant)) {
            level = level && (!undecided(level) || undecided(variant)) ? level : variant;
            open = open || undecided(variant);
            continue;
        }
        double slope = variant->metric[METRIC_GROWTH];
        if (!worst || slope > worst->metric[METRIC_GROWTH] ||
            (isnan(worst->metric[METRIC_GROWTH]) && !isnan(slope))) {
            worst = variant;
        }
    }
    if (level) {
        level_put(text, level);
    }
    if (level && worst) {
        text_put(text, "; ");
    }
    if (worst) {
        growth_put(text, result, worst);
    } else if (result->variant_count > 1) {
        text_put(text, open ? "; no variant that was judged grows" : "; no variant grows");
    }
    text_put(text, ".");
}
