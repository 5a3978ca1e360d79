/* difference_suite.c - what changed in the verdicts of suites and in the expectations of a
 * scenario. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/report/describe.h"
#include "harness/report/difference_part.h"
#include "harness/report/difference_site.h"

#include <string.h>

static struct difference *suite_add(struct differences *differences, const char *variant,
                                    enum difference_kind kind, struct text *text)
{
    const struct result_test suite = {.id = DESCRIBE_SUITE, .variant = (char *)variant};
    struct difference *difference = difference_add(differences, kind, &suite);
    difference->suite = true;
    difference->text = text_take(text);
    return difference;
}

/* How many frames stand behind this one in its stack, which is of a site of the suite. */
static size_t callers_of(const struct result *result, const char *variant,
                         const struct result_frame *place)
{
    const struct result_site *site;
    size_t next = 0;
    while (place && (site = describe_site_next(result, "", variant, &next))) {
        const struct result_frame *end = site->frames + site->frame_count;
        if (place >= site->frames && place < end) {
            return (size_t)(end - place) - 1;
        }
    }
    return 0;
}

/* What no test does by itself: it is told of once, with the sites of the whole suite. */
static void suite_compare(struct differences *differences, const struct result *base_result,
                          const struct result *head_result, const struct result_variant *base,
                          const struct result_variant *head, const struct result_variant *again)
{
    struct change change = {0};
    int before = difference_rank(base->verdict), after = difference_rank(head->verdict);
    if (!result_suite_counts(head_result, head) && before == after) {
        return;
    }
    differences->compared++;
    if (before == after || before == 0 || after == 0) {
        differences->unjudged += result_suite_outcome(head_result, head) == OUTCOME_SKIPPED;
        return;
    }
    difference_word(&change, result_verdict_name(base->verdict), result_verdict_name(head->verdict),
                    again ? result_verdict_name(again->verdict) : NULL, after - before);
    struct result_test in_base = {.id = "", .variant = base->name};
    struct result_test in_head = {.id = "", .variant = head->name};
    struct text sites = {0};
    struct difference *difference = suite_add(differences, head->name,
                                              change.worse    ? DIFFERENCE_WORSE
                                              : change.better ? DIFFERENCE_BETTER
                                                              : DIFFERENCE_UNSTABLE,
                                              &change.text);
    difference_sites(&sites, base_result, &in_base, head_result, &in_head, &difference->place);
    difference->callers = callers_of(head_result, head->name, difference->place) +
                          callers_of(base_result, base->name, difference->place);
    difference->sites = text_take(&sites);
    differences->changed++;
}

/* A suite that the base does not have, under hunt. */
static void suite_new(struct differences *differences, const struct result *head_result,
                      const struct result_variant *head)
{
    struct text text = {0}, sites = {0};
    struct result_test in_head = {.id = "", .variant = head->name};
    enum result_outcome outcome = result_suite_outcome(head_result, head);
    if (outcome != OUTCOME_FAILED) {
        return;
    }
    text_put(&text, result_verdict_name(head->verdict));
    struct difference *difference = suite_add(differences, head->name, DIFFERENCE_NEW_BAD, &text);
    difference_sites(&sites, NULL, NULL, head_result, &in_head, &difference->place);
    difference->sites = text_take(&sites);
    differences->fresh++;
}

static const struct result_expect *expect_find(const struct result *result,
                                               const struct result_expect *like)
{
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect *expect = &result->expects[i];
        if (strcmp(expect->variant, like->variant) == 0 &&
            strcmp(expect->metric, like->metric) == 0 && strcmp(expect->limit, like->limit) == 0) {
            return expect;
        }
    }
    return NULL;
}

/* Expectations of a scenario: what was broken before is no news. */
void difference_expects(struct differences *differences, const struct result *base,
                        const struct result *head)
{
    for (size_t i = 0; i < head->expect_count; i++) {
        const struct result_expect *now = &head->expects[i], *before = expect_find(base, now);
        bool broken = result_expect_broken(now), was = before && result_expect_broken(before);
        differences->compared += before != NULL;
        differences->fresh += before == NULL;
        if (broken == was) {
            continue;
        }
        struct text text = {0};
        const struct result_test like = {.id = now->metric, .variant = now->variant};
        struct difference *difference = difference_add(differences,
                                                       !broken  ? DIFFERENCE_BETTER
                                                       : before ? DIFFERENCE_WORSE
                                                                : DIFFERENCE_NEW_BAD,
                                                       &like);
        differences->changed += before != NULL;
        describe_expect(&text, now);
        difference->text = text_take(&text);
        difference->sites = memory_copy("");
    }
}

/* The place itself, or one of its callers: a look-up that comes back with what is kept allocates no
 * more, and it need not be the function that keeps. */
static bool same_way(const struct result_frame *place, const struct difference *suite)
{
    for (size_t i = 0; place && suite->place && i <= suite->callers; i++) {
        if (strcmp(place->function, suite->place[i].function) == 0) {
            return true;
        }
    }
    return !place || !suite->place;
}

/* Is the item what a suite's verdict has as its other side? */
static bool served_by(const struct difference *item, const struct difference *suite)
{
    enum difference_kind other = suite->kind == DIFFERENCE_WORSE    ? DIFFERENCE_BETTER
                                 : suite->kind == DIFFERENCE_BETTER ? DIFFERENCE_WORSE
                                                                    : DIFFERENCE_KINDS;
    return item->kind == other && same_way(item->place, suite) &&
           strcmp(suite->variant, item->variant) == 0;
}

/* With a cache that nobody clears, tests allocate less the second time: they are served from what
 * the suite keeps. And when it keeps no more, they allocate more. Neither is a cause of its own; it
 * is said with the suite's. */
void difference_served(struct differences *differences)
{
    size_t first = differences->count; /* suites stand together, after the tests */
    for (size_t i = 0; i < differences->count && first == differences->count; i++) {
        first = differences->items[i].suite ? i : first;
    }
    for (size_t i = 0; i < differences->count; i++) {
        struct difference *item = &differences->items[i];
        bool served = false;
        for (size_t s = first;
             s < differences->count && differences->items[s].suite && item->served; s++) {
            served = served || served_by(item, &differences->items[s]);
        }
        item->served = served;
        if (served && item->kind == DIFFERENCE_WORSE) {
            differences->kinds[DIFFERENCE_WORSE]--;
            differences->kinds[DIFFERENCE_WARN]++;
            item->kind = DIFFERENCE_WARN;
        }
    }
}

static const struct result_variant *variant_find(const struct result *result, const char *name,
                                                 bool any_variant)
{
    for (size_t i = 0; result && i < result->variant_count; i++) {
        if (any_variant || strcmp(result->variants[i].name, name) == 0) {
            return &result->variants[i];
        }
    }
    return NULL;
}

void difference_suites(struct differences *differences, const struct result *base,
                       const struct result *head, const struct result *again, bool any_variant)
{
    for (size_t i = 0; i < head->variant_count; i++) {
        const struct result_variant *now = &head->variants[i];
        const struct result_variant *before = variant_find(base, now->name, any_variant);
        if (before) {
            suite_compare(differences, base, head, before, now,
                          variant_find(again, now->name, any_variant));
        } else if (result_suite_counts(head, now)) {
            suite_new(differences, head, now);
        }
    }
}
