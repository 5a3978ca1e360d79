/* describe_closing.c - sentences about variants: what one keeps, and what the comparison comes to.
 * Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"

#include <math.h>
#include <string.h>

static bool stopped(const struct result_variant *variant)
{
    return variant->stopped_by[0] != '\0';
}

static bool growing(const struct result_variant *variant)
{
    return describe_verdict_bad(variant->verdict);
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
        join = "; ";
    }
    if (variant->projection[0]) {
        text_format(text, "%s%s", join, variant->projection);
        join = "; ";
    }
    if (strcmp(variant->stopped_by, "memory") == 0) {
        text_format(text, "%sstopped at the %s cap", join,
                    result->cap > 0 ? unit_bytes_two(size, (double)result->cap) : "memory");
    } else if (stopped(variant)) {
        text_format(text, "%sstopped by %s", join,
                    strcmp(variant->stopped_by, "timeout") == 0 ? "the time limit"
                                                                : variant->stopped_by);
    }
    if (stopped(variant) && variant->culprit[0]) {
        text_format(text, " in test %s", variant->culprit);
    }
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

/* "direct takes 49 ns and 0 allocations a look-up and peaks at 12 MB" */
static void level_put(struct text *text, const struct result_variant *variant)
{
    char number[UNIT_TEXT_BYTES];
    double p50 = variant->metric[METRIC_LOOKUP_P50];
    double allocs = variant->metric[METRIC_ALLOCS_PER_LOOKUP];
    double peak = variant->metric[METRIC_PEAK_RSS];
    const char *join = " ";
    text_put(text, variant->name);
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
        text_put(text, " levels off");
    }
}

static void growth_put(struct text *text, const struct result_variant *variant)
{
    char size[UNIT_TEXT_BYTES];
    double slope = variant->metric[METRIC_GROWTH];
    text_put(text, variant->name);
    if (!isnan(slope) && slope > 0) {
        text_format(text, " keeps %s a test", unit_bytes(size, slope));
    } else {
        text_format(text, " %s", stopped(variant) ? "did not come through" : "grows");
    }
    if (variant->projection[0]) {
        text_format(text, ": %s", variant->projection);
    }
}

void describe_closing(struct text *text, const struct result *result)
{
    const struct result_variant *level = NULL, *worst = NULL;
    if (result->variant_count == 0) {
        return;
    }
    if (same_slope(result)) {
        innocent_put(text, result);
        return;
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (!growing(variant) && !stopped(variant)) {
            level = level ? level : variant;
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
        growth_put(text, worst);
    } else if (result->variant_count > 1) {
        text_put(text, "; no variant grows");
    }
    text_put(text, ".");
}
