/* expect.c - runner_expect: a scenario's expectations against what was seen. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/campaign/runner.h"
#include "harness/result/result.h"
#include "harness/scenario/scenario.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct result_variant *variant_of(const struct result *result, const char *name)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        if (strcmp(result->variants[i].name, name) == 0) {
            return &result->variants[i];
        }
    }
    return NULL;
}

static bool holds(enum scenario_op op, double actual, double limit)
{
    switch (op) {
    case OP_EQ:
        return actual == limit;
    case OP_LT:
        return actual < limit;
    case OP_LE:
        return actual <= limit;
    case OP_GT:
        return actual > limit;
    case OP_GE:
        return actual >= limit;
    case OP_WORD:
        break;
    }
    return false;
}

static const char *word_of(const struct result_variant *variant, const char *metric)
{
    if (strcmp(metric, "verdict") == 0) {
        return result_verdict_name(variant->verdict);
    }
    const char *word = strcmp(metric, "culprit") == 0 ? variant->culprit : variant->stopped_by;
    return word[0] ? word : "none";
}

static size_t metric_of(const char *json)
{
    size_t metric = 0;
    while (metric < METRIC_COUNT && strcmp(result_metrics[metric].json, json) != 0) {
        metric++;
    }
    return metric;
}

/* NAN: not measured, or not counted. */
static double number_of(const struct result_variant *variant, const char *name,
                        enum metric_kind *kind)
{
    size_t metric = metric_of(name), prefix = strlen(RESULT_COUNTER);
    *kind = metric < METRIC_COUNT ? result_metrics[metric].kind : result_counter_kind(name);
    if (metric < METRIC_COUNT) {
        return variant->metric[metric];
    }
    for (size_t i = 0; strncmp(name, RESULT_COUNTER, prefix) == 0 && i < variant->counter_count;
         i++) {
        if (strcmp(variant->counters[i].name, name + prefix) == 0) {
            return variant->counters[i].value;
        }
    }
    return NAN;
}

static char *number_text(enum metric_kind kind, double value)
{
    char text[UNIT_TEXT_BYTES];
    switch (kind) {
    case METRIC_KIND_BYTES:
        return memory_copy(unit_bytes(text, value));
    case METRIC_KIND_NS:
        return memory_copy(unit_ns(text, value));
    case METRIC_KIND_RATIO:
        return memory_copy(unit_ratio(text, value));
    default:
        return memory_copy(unit_count(text, value));
    }
}

/* The two ends of "1 KB .. 4 KB" are two conditions with one text. NULL: this is the first. */
static struct result_expect *range_other_end(const struct scenario *scenario,
                                             const struct scenario_expect *expect,
                                             const char *limit, struct result *result)
{
    struct result_expect *last =
        result->expect_count > 0 ? &result->expects[result->expect_count - 1] : NULL;
    bool same = last && strstr(limit, "..") && last->line == expect->line &&
                strcmp(last->variant, scenario->variants[expect->variant].name) == 0 &&
                strcmp(last->metric, expect->metric) == 0 && strcmp(last->limit, limit) == 0;
    return same ? last : NULL;
}

static void expect_hold(const struct scenario *scenario, const struct scenario_expect *expect,
                        struct result *result)
{
    const char *name = scenario->variants[expect->variant].name;
    const struct result_variant *variant = variant_of(result, name);
    if (!variant) {
        return; /* skipped, and said so */
    }
    char *actual;
    bool ok;
    if (expect->op == OP_WORD) {
        const char *word = word_of(variant, expect->metric);
        actual = memory_copy(word);
        ok = fnmatch(expect->text, word, 0) == 0;
    } else {
        enum metric_kind kind;
        double value = number_of(variant, expect->metric, &kind);
        actual = number_text(kind, value);
        ok = !isnan(value) && holds(expect->op, value, expect->value);
    }
    char *limit = memory_format("%s%s", expect->warn ? "warn " : "", expect->text);
    if (!ok && expect->warn) {
        result_note_add(result, "warning: %s:%u: %s of %s is %s, should be %s", scenario->file,
                        expect->line, expect->metric, name, actual, expect->text);
    }
    struct result_expect *seen = range_other_end(scenario, expect, limit, result);
    if (seen) { /* one line, as it is written */
        seen->ok = seen->ok && ok;
        goto out;
    }
    seen = result_expect_add(result);
    seen->ok = ok;
    result_set(&seen->variant, name);
    result_set(&seen->metric, expect->metric);
    result_set(&seen->limit, limit);
    result_set(&seen->actual, actual);
    result_set(&seen->file, scenario->file);
    seen->line = expect->line;
out:
    free(actual);
    free(limit);
}

void runner_expect(const struct scenario *scenario, struct result *result)
{
    for (size_t i = 0; i < scenario->expect_count; i++) {
        expect_hold(scenario, &scenario->expects[i], result);
    }
    result_count(result);
}
