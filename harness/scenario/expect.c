/* expect.c - the `expect:` of a scenario: conditions on metrics, verdicts and budgets of two
 * levels. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/result/result.h"
#include "harness/scenario/reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What the plain words may be, beside the numbers of metric.def. */
static const char *const verdict_words[] = {"clean",      "leak",         "growth", "accumulates",
                                            "saturating", "inconclusive", "none"};
static const char *const stopped_words[] = {"memory", "timeout", "crash", "exit", "none"};

struct word_metric {
    const char *name;
    const char *const *words; /* NULL: any text */
    size_t count;
};

#define WORDS(array) array, sizeof(array) / sizeof(array)[0]
static const struct word_metric word_metrics[] = {
    {"verdict", WORDS(verdict_words)},
    {"stopped_by", WORDS(stopped_words)},
    {"culprit", NULL, 0},
};

static const struct number_metric {
    const char *json;
    enum metric_kind kind;
} number_metrics[METRIC_COUNT] = {
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

static void expect_add(struct reader *reader, const struct scenario_expect *expect,
                       const char *metric, const char *text)
{
    struct scenario *scenario = reader->scenario;
    struct scenario_expect *expects =
        reallocarray(scenario->expects, scenario->expect_count + 1, sizeof scenario->expects[0]);
    if (!expects) {
        memory_die();
    }
    scenario->expects = expects;
    expects[scenario->expect_count] = *expect;
    expects[scenario->expect_count].metric = memory_copy(metric);
    expects[scenario->expect_count].text = memory_copy(text);
    scenario->expect_count++;
}

/* A number in the unit of the metric. A bare number is taken only where the key as written names
 * its unit (peak_rss_bytes, lookup_ns_p50) or where there is none. */
static bool value_parse(struct reader *reader, const struct node *node, const char *written,
                        enum metric_kind kind, const char *text, double *value)
{
    char error[UNIT_ERROR_BYTES], shown[NODE_SHOWN_BYTES];
    uint64_t whole = 0;
    bool good;
    if (kind == METRIC_KIND_BYTES || kind == METRIC_KIND_NS) {
        enum unit_kind unit = kind == METRIC_KIND_BYTES ? UNIT_BYTES : UNIT_NS;
        bool bare = strstr(written, unit == UNIT_BYTES ? "bytes" : "ns") != NULL;
        good = unit_parse(unit, text, bare, &whole, error);
        /* Part of a nanosecond is a fair bound of a median. */
        double fine;
        char ignored[UNIT_ERROR_BYTES];
        size_t number = strspn(text, "0123456789.");
        bool plain_ns = strcmp(text + number, " ns") == 0 || strcmp(text + number, "ns") == 0;
        char copy[64];
        if (!good && kind == METRIC_KIND_NS && number < sizeof copy &&
            (plain_ns || (bare && !text[number]))) {
            memcpy(copy, text, number);
            copy[number] = '\0';
            if (unit_parse_number(copy, &fine, ignored)) {
                *value = fine;
                return true;
            }
        }
        *value = (double)whole;
    } else if (kind == METRIC_KIND_COUNT) {
        good = unit_parse_count(text, &whole, error);
        *value = (double)whole;
    } else {
        good = unit_parse_number(text, value, error);
        if (good && *value < 0) {
            good = false;
            snprintf(error, sizeof error, "is negative");
        } else if (good && kind == METRIC_KIND_RATIO && *value > 1) {
            good = false;
            snprintf(error, sizeof error, "is above 1; write 0.8 or 80 %%");
        }
    }
    if (!good) {
        reader_error(reader, node, "%s '%s' %s", written, node_shown(text, shown), error);
    }
    return good;
}

/* Takes "<", "<=", "==", ">=", ">" off the front; a bare value means equal. */
static const char *operator_take(const char *text, enum scenario_op *op)
{
    static const struct {
        const char *sign;
        enum scenario_op op;
    } signs[] = {{"<=", OP_LE}, {">=", OP_GE}, {"==", OP_EQ}, {"<", OP_LT}, {">", OP_GT}};
    *op = OP_EQ;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t length = strlen(signs[i].sign);
        if (strncmp(text, signs[i].sign, length) == 0) {
            *op = signs[i].op;
            text += length;
            break;
        }
    }
    return text + strspn(text, " ");
}

struct condition {
    const char *written; /* the metric as the user wrote it */
    const struct number_metric *metric;
    struct scenario_expect expect;
};

static bool number_one(struct reader *reader, const struct node *node, struct condition *condition,
                       const char *text, enum scenario_op op, double *value)
{
    if (!value_parse(reader, node, condition->written, condition->metric->kind, text, value)) {
        return false;
    }
    condition->expect.op = op;
    condition->expect.value = *value;
    bool never = op == OP_LT && *value == 0;
    bool full = op == OP_GT && *value == 1 && condition->metric->kind == METRIC_KIND_RATIO;
    if (never || full) {
        reader_error(reader, node, "%s '%s' can never be met: nothing is %s", condition->written,
                     node->text, never ? "below 0" : "above 1");
        return false;
    }
    return true;
}

/* "< 500 MB", "3", "1 KB .. 4 KB". The last value is left in condition->expect. */
static bool number_take(struct reader *reader, const struct node *node, struct condition *condition)
{
    char shown[NODE_SHOWN_BYTES];
    const char *text = reader_text(reader, node, condition->written);
    if (!text) {
        return false;
    }
    const char *dots = strstr(text, "..");
    enum scenario_op op;
    double value, high;
    const char *rest = operator_take(text, &op);
    if (!dots) {
        if (!*rest) {
            reader_error(reader, node, "%s '%s' has no value behind the sign", condition->written,
                         node_shown(text, shown));
            return false;
        }
        if (!number_one(reader, node, condition, rest, op, &value)) {
            return false;
        }
        expect_add(reader, &condition->expect, condition->metric->json, text);
        return true;
    }
    size_t length = (size_t)(dots - text);
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    char *low = memory_copy_bytes(text, length);
    bool good = rest == text;
    if (!good) {
        reader_error(reader, node, "%s '%s': a range takes no sign", condition->written,
                     node_shown(text, shown));
    }
    good = good && number_one(reader, node, condition, low, OP_GE, &value);
    free(low);
    struct scenario_expect first = condition->expect;
    good =
        good && number_one(reader, node, condition, dots + 2 + strspn(dots + 2, " "), OP_LE, &high);
    if (good && value > high) {
        reader_error(reader, node, "%s '%s' is an empty range: its low end is above its high end",
                     condition->written, node_shown(text, shown));
        good = false;
    }
    if (good) {
        expect_add(reader, &first, condition->metric->json, text);
        expect_add(reader, &condition->expect, condition->metric->json, text);
    }
    return good;
}

static void word_take(struct reader *reader, const struct node *node,
                      const struct word_metric *metric, struct scenario_expect *expect)
{
    const char *text = reader_text(reader, node, metric->name);
    if (!text) {
        return;
    }
    bool known = metric->count == 0;
    for (size_t i = 0; i < metric->count; i++) {
        known = known || strcmp(metric->words[i], text) == 0;
    }
    if (!known) {
        reader_unknown(reader, node, metric->name, metric->words, metric->count);
        return;
    }
    expect->op = OP_WORD;
    expect_add(reader, expect, metric->name, text);
}

/* {warn: "< 500 MB", fail: "< 1 GB"}: both are kept; a warn bound that is reached only after the
 * fail bound says nothing, which is a mistake. */
static void budget_take(struct reader *reader, const struct node *map, struct condition *condition)
{
    static const char *const words[] = {"warn", "fail"};
    bool have[2] = {false, false};
    struct scenario_expect level[2];
    const struct node *nodes[2] = {NULL, NULL};
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const struct node *key = map->items[i], *value = map->items[i + 1];
        if (key->kind != NODE_SCALAR) {
            continue;
        }
        bool warn = strcmp(key->text, "warn") == 0;
        if (!warn && strcmp(key->text, "fail") != 0) {
            reader_unknown(reader, key, "key", words, 2);
            continue;
        }
        condition->expect.warn = warn;
        condition->expect.line = value->line;
        condition->expect.column = value->column;
        nodes[warn] = value;
        have[warn] = number_take(reader, value, condition);
        level[warn] = condition->expect;
    }
    if (!nodes[0] && !nodes[1]) {
        reader_error(reader, map, "%s: a budget needs warn: or fail:", condition->written);
    }
    if (have[0] && have[1]) {
        bool upper = level[0].op == OP_LT || level[0].op == OP_LE;
        bool lower = level[0].op == OP_GT || level[0].op == OP_GE;
        if ((upper && level[1].value > level[0].value) ||
            (lower && level[1].value < level[0].value)) {
            reader_error(reader, nodes[1],
                         "%s: warn '%s' is looser than fail '%s'; it would never speak first",
                         condition->written, nodes[1]->text, nodes[0]->text);
        }
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
                word_take(reader, value, &word_metrics[i], &condition.expect);
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
        budget_take(reader, value, &condition);
    } else {
        number_take(reader, value, &condition);
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
