/*
 * ablate.c - see ablate.h. The cache's part is what the slope loses without it; within a hundredth
 * the slopes are the same, since allocations repeat exactly and only the cache's own table differs.
 */
#include "harness/campaign/ablate.h"

#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/plan/plan.h"
#include "harness/result/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_SLOPE 0.01

static const struct result_variant *variant_named(const struct result *result, const char *name)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        if (strcmp(result->variants[i].name, name) == 0) {
            return &result->variants[i];
        }
    }
    return NULL;
}

/* Bytes a test, 0 for one that does not grow; NAN where it was not judged. */
static double slope_of(const struct result_variant *variant)
{
    if (variant->verdict == VERDICT_CLEAN || variant->verdict == VERDICT_SATURATING) {
        return 0;
    }
    return variant->metric[METRIC_GROWTH];
}

static void pair_note(struct result *result, const struct result_variant *cached,
                      const struct result_variant *bare)
{
    double with = slope_of(cached), without = slope_of(bare);
    char size[UNIT_TEXT_BYTES], other[UNIT_TEXT_BYTES];
    if (isnan(with) || isnan(without)) {
        result_note_add(result, "%s: too few tests ran to say what its cache has to do with it",
                        cached->name);
    } else if (with <= 0 && without <= 0) {
        result_note_add(result, "%s: it grows neither with its cache nor without", cached->name);
    } else if (with <= 0) {
        result_note_add(result, "%s: it grows only without its cache, by %s a test", cached->name,
                        unit_bytes(size, without));
    } else if (fabs(with - without) <= SAME_SLOPE * with) {
        result_note_add(
            result, "%s: without its cache it grows by the same %s a test: the cache is innocent",
            cached->name, unit_bytes(size, without));
    } else {
        result_note_add(
            result,
            "%s: %s a test, and %s without its cache: the cache makes %.1f %% of the growth",
            cached->name, unit_bytes(size, with), unit_bytes(other, without),
            100 * (with - without) / with);
    }
}

/* A variant that is expected to be stopped may be stopped without its cache too: that is the
 * finding. */
static void stop_allow(struct result *result, const struct result_variant *cached,
                       const struct result_variant *bare)
{
    const char *stopped = bare->stopped_by[0] ? bare->stopped_by : "none";
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect from = result->expects[i];
        if (strcmp(from.variant, cached->name) != 0 || strcmp(from.metric, "stopped_by") != 0) {
            continue;
        }
        char *limit = memory_format("%s or none", from.limit);
        struct result_expect *to = result_expect_add(result);
        to->ok = strcmp(stopped, "none") == 0 || strcmp(stopped, from.limit) == 0;
        to->line = from.line;
        result_set(&to->variant, bare->name);
        result_set(&to->metric, from.metric);
        result_set(&to->limit, limit);
        result_set(&to->actual, stopped);
        result_set(&to->file, from.file);
        free(limit);
        return;
    }
}

void ablate_conclude(const struct plan *plan, struct result *result)
{
    for (size_t i = 0; i < plan->variant_count; i++) {
        const struct plan_variant *variant = &plan->variants[i];
        if (variant->without_cache_of == 0) {
            continue;
        }
        const struct result_variant *cached =
            variant_named(result, plan->variants[variant->without_cache_of - 1].name);
        const struct result_variant *bare = variant_named(result, variant->name);
        if (cached && bare) {
            pair_note(result, cached, bare);
            stop_allow(result, cached, bare);
        }
    }
    result_count(result);
}
