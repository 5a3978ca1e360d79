/*
 * condition.h - what a metric is expected to be: "< 500 MB", "3", "1 KB .. 4 KB", a word, or a
 * budget of two levels. Each is added to the scenario's expectations, or reported. Supervisor only.
 */
#ifndef SCENARIO_CONDITION_H
#define SCENARIO_CONDITION_H

#include "harness/result/result.h"
#include "harness/scenario/reader.h"

struct number_metric {
    const char *json;
    enum metric_kind kind;
};

struct word_metric {
    const char *name;
    const char *const *words; /* NULL: any text */
    size_t count;
};

struct condition {
    const char *written; /* the metric as the user wrote it */
    const struct number_metric *metric;
    struct scenario_expect expect;
};

/* A sign and a value, or a range. The last value is left in condition->expect. */
bool condition_number_take(struct reader *reader, const struct node *node,
                           struct condition *condition);
/* One of the metric's words. */
void condition_word_take(struct reader *reader, const struct node *node,
                         const struct word_metric *metric, struct scenario_expect *expect);
/* {warn: "< 500 MB", fail: "< 1 GB"} */
void condition_budget_take(struct reader *reader, const struct node *map,
                           struct condition *condition);

#endif
