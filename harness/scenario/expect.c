/* expect.c - the `expect:` of a scenario: of which variant which metric is expected to be what;
 * condition.c reads the last of these. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/result/result.h"
#include "harness/scenario/condition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What the plain words may be, beside the numbers of metric.def. */
static const char *const verdict_words[] = {"clean",      "leak",         "growth", "accumulates",
                                            "saturating", "inconclusive", "none"};
static const char *const stopped_words[] = {"memory", "timeout", "crash", "exit", "none"};

#define WORDS(array) array, sizeof(array) / sizeof(array)[0]
static const struct word_metric word_metrics[] = {
    {"verdict", WORDS(verdict_words)},
    {"stopped_by", WORDS(stopped_words)},
    {"culprit", NULL, 0},
};

static const struct number_metric number_metrics[METRIC_COUNT] = {
#define METRIC(NAME, key, kind, title, help) {#key, METRIC_KIND_##kind},
#include "harness/result/metric.def"
#undef METRIC
};

/* Shorter ways to write a metric: the JSON key without its unit. docs/scenario.md lists them. */
static const char *const short_names[][2] = {
    {"peak_rss", "peak_rss_bytes"},
    {"retained", "retained_bytes"},
    {"retained_test_max", "retained_test_max_bytes"},
    {"live_peak", "live_bytes_peak"},
    {"live_end", "live_bytes_end"},
    {"test_peak", "test_peak_bytes"},
    {"growth_per_test", "growth_bytes_per_test"},
    {"lookup_p50", "lookup_ns_p50"},
    {"lookup_p99", "lookup_ns_p99"},
    {"wall", "wall_ns"},
};

#define NAMES_MAX (METRIC_COUNT + 16)

static const char *metric_long(const char *name)
{
    for (size_t i = 0; i < sizeof short_names / sizeof short_names[0]; i++) {
        if (strcmp(short_names[i][0], name) == 0) {
            return short_names[i][1];
        }
    }
    return name;
}

const char *scenario_metric_short(const char *json)
{
    for (size_t i = 0; i < sizeof short_names / sizeof short_names[0]; i++) {
        if (strcmp(short_names[i][1], json) == 0) {
            return short_names[i][0];
        }
    }
    return NULL;
}

static const struct number_metric *number_find(const char *json)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (strcmp(number_metrics[i].json, json) == 0) {
            return &number_metrics[i];
        }
    }
    return NULL;
}

/* "counter.NAME", NAME of letters, digits and underscores: what the suite counts, nobody here can
 * know. */
static bool counter_take(const char *key, struct number_metric *metric)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *name = key + strlen(RESULT_COUNTER);
    if (strncmp(key, RESULT_COUNTER, strlen(RESULT_COUNTER)) != 0 || !*name ||
        name[strspn(name, letters)] != 0) {
        return false;
    }
    *metric = (struct number_metric){.json = key, .kind = result_counter_kind(name)};
    return true;
}

static void metric_unknown(struct reader *reader, const struct node *key)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sizeof word_metrics / sizeof word_metrics[0]; i++) {
        names[count++] = word_metrics[i].name;
    }
    for (size_t i = 0; i < sizeof short_names / sizeof short_names[0]; i++) {
        names[count++] = short_names[i][0];
    }
    for (size_t i = 0; i < METRIC_COUNT && count < NAMES_MAX; i++) {
        names[count++] = number_metrics[i].json;
    }
    char shown[NODE_SHOWN_BYTES];
    const char *nearest = diag_nearest(key->text, names, count);
    if (nearest) {
        reader_error(reader, key, "unknown metric '%s'; did you mean '%s'?",
                     node_shown(key->text, shown), nearest);
    } else {
        reader_error(reader, key,
                     "unknown metric '%s'; docs/scenario.md lists them, such as 'verdict', "
                     "'peak_rss', 'allocs_per_lookup'",
                     node_shown(key->text, shown));
    }
}

static const struct scenario_expect *expect_find(const struct reader *reader, size_t variant,
                                                 const char *metric)
{
    const struct scenario *scenario = reader->scenario;
    for (size_t i = 0; i < scenario->expect_count; i++) {
        if (scenario->expects[i].variant == variant &&
            strcmp(scenario->expects[i].metric, metric) == 0) {
            return &scenario->expects[i];
        }
    }
    return NULL;
}

/* What a variant says itself goes before what `all` says. And peak_rss and peak_rss_bytes are one
 * metric: the second is a mistake that the document's check of duplicate keys does not see. */
static bool metric_again(struct reader *reader, size_t variant, const char *metric,
                         const struct node *key)
{
    const struct scenario_expect *first = expect_find(reader, variant, metric);
    if (first && !reader->all && variant < reader->scenario->variant_count) {
        reader_error(reader, key, "'%s' is expected twice of one variant, first on line %u",
                     key->text, first->line);
    }
    return first != NULL;
}

static void metric_take(struct reader *reader, size_t variant, const struct node *key,
                        const struct node *value)
{
    struct condition condition = {
        .written = key->text,
        .expect = {.variant = variant, .line = value->line, .column = value->column}};
    for (size_t i = 0; i < sizeof word_metrics / sizeof word_metrics[0]; i++) {
        if (strcmp(word_metrics[i].name, key->text) == 0) {
            if (!metric_again(reader, variant, key->text, key)) {
                condition_word_take(reader, value, &word_metrics[i], &condition.expect);
            }
            return;
        }
    }
    struct number_metric counter;
    condition.metric =
        counter_take(key->text, &counter) ? &counter : number_find(metric_long(key->text));
    if (!condition.metric) {
        metric_unknown(reader, key);
    } else if (metric_again(reader, variant, condition.metric->json, key)) {
        return;
    } else if (value->kind == NODE_MAP) {
        condition_budget_take(reader, value, &condition);
    } else {
        condition_number_take(reader, value, &condition);
    }
}

static void variant_metrics(struct reader *reader, size_t variant, const struct node *map)
{
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const struct node *key = map->items[i];
        bool again = key->kind != NODE_SCALAR || strcmp(key->text, "<<") == 0;
        for (size_t j = 0; j < i && !again; j += 2) { /* a duplicate key, which was said */
            again =
                map->items[j]->kind == NODE_SCALAR && strcmp(map->items[j]->text, key->text) == 0;
        }
        if (!again) {
            metric_take(reader, variant, key, map->items[i + 1]);
        }
    }
}

/* A mistake in `all` is said once. */
static void all_expect(struct reader *reader, const struct node *map)
{
    size_t said = reader->diag->count;
    reader->all = true;
    for (size_t i = 0; i < reader->scenario->variant_count && reader->diag->count == said; i++) {
        variant_metrics(reader, i, map);
    }
    reader->all = false;
}

static void variant_expect(struct reader *reader, const struct node *name, const struct node *map)
{
    struct scenario *scenario = reader->scenario;
    size_t variant = 0;
    while (variant < scenario->variant_count &&
           strcmp(scenario->variants[variant].name, name->text) != 0) {
        variant++;
    }
    bool all = variant == scenario->variant_count && strcmp(name->text, "all") == 0;
    if (variant == scenario->variant_count && !all) {
        const char *names[64];
        size_t count = 0;
        while (count < scenario->variant_count && count < 64) {
            names[count] = scenario->variants[count].name;
            count++;
        }
        reader_unknown(reader, name, "variant", names, count);
    }
    if (map->kind != NODE_MAP) {
        char shown[NODE_SHOWN_BYTES];
        reader_error(reader, map, "expectations of '%s' must be a map, such as {verdict: clean}",
                     node_shown(name->text, shown));
        return;
    }
    if (all) {
        all_expect(reader, map);
    } else {
        variant_metrics(reader, variant, map);
    }
}

static bool name_is_all(const struct reader *reader, const struct node *name)
{
    for (size_t i = 0; i < reader->scenario->variant_count; i++) {
        if (strcmp(reader->scenario->variants[i].name, "all") == 0) {
            return false;
        }
    }
    return strcmp(name->text, "all") == 0;
}

/* By variant; the order within one stays, so that a range's two ends stand together. */
static void expects_order(struct scenario *scenario)
{
    struct scenario_expect *sorted = memory_new(scenario->expect_count, sizeof *sorted);
    size_t count = 0;
    for (size_t variant = 0; variant < scenario->variant_count; variant++) {
        for (size_t i = 0; i < scenario->expect_count; i++) {
            if (scenario->expects[i].variant == variant) {
                sorted[count++] = scenario->expects[i];
            }
        }
    }
    if (count == scenario->expect_count) { /* else an unknown variant, and the whole is refused */
        memcpy(scenario->expects, sorted, count * sizeof *sorted);
    }
    free(sorted);
}

void expect_take(struct reader *reader, const struct node *map)
{
    if (map->kind != NODE_MAP) {
        reader_error(reader, map, "expect must be a map of 'VARIANT: {METRIC: CONDITION}'");
        return;
    }
    for (int all = 0; all < 2; all++) {
        for (size_t i = 0; i + 1 < map->count; i += 2) {
            const struct node *name = map->items[i];
            if (name->kind == NODE_SCALAR && strcmp(name->text, "<<") != 0 &&
                name_is_all(reader, name) == (all == 1)) {
                variant_expect(reader, name, map->items[i + 1]);
            }
        }
    }
    if (reader->scenario->expect_count) {
        expects_order(reader->scenario);
    }
}

void expect_program_take(struct reader *reader, size_t variant, const struct node *map)
{
    if (map->kind != NODE_MAP) {
        reader_error(reader, map, "expect must be a map, such as {verdict: clean}");
        return;
    }
    variant_metrics(reader, variant, map);
}
