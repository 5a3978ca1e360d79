/* condition.c - see condition.h. Supervisor only. */
#include "harness/scenario/condition.h"
#include "harness/base/memory.h"

#include <stdlib.h>
#include <string.h>

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
bool condition_number_take(struct reader *reader, const struct node *node,
                           struct condition *condition)
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
            reader_error(reader, node, "%s '%s' has no value after the sign", condition->written,
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

void condition_word_take(struct reader *reader, const struct node *node,
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
void condition_budget_take(struct reader *reader, const struct node *map,
                           struct condition *condition)
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
        have[warn] = condition_number_take(reader, value, condition);
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
