/* difference.c - see difference.h: tests. difference_suite.c has suites and expectations,
 * difference_site.c the sites. Supervisor only. */
#include "harness/report/difference.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/difference_birth.h"
#include "harness/report/difference_part.h"
#include "harness/report/difference_site.h"
#include "harness/result/result_index.h"
#include "harness/result/result_memcheck.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What is compared of a test, one row each. More is worse in all of them. */
static const struct measure {
    const char *name;
    size_t offset;
    bool bytes;     /* within a tolerance, and written as a size */
    bool memcheck;  /* the offset is in the test's memcheck, where it has one */
    bool transient; /* what one repetition takes, whether or not it gives it back */
} measures[] = {
    {"allocs", offsetof(struct result_test, allocs), false, false, true},
    {"requested", offsetof(struct result_test, bytes), true, false, true},
    {"kept", offsetof(struct result_test, retained_bytes), true, false, false},
    {"blocks kept", offsetof(struct result_test, retained_blocks), false, false, false},
    {"peak", offsetof(struct result_test, peak_live_bytes), true, false,
     true}, /* see measure_get */
    {"fds", offsetof(struct result_test, fds), false, false, false},
    {"threads", offsetof(struct result_test, threads), false, false, false},
    {"children left", offsetof(struct result_test, children_left), false, false, false},
    {"memcheck errors", offsetof(struct result_memcheck, errors), false, true, false},
    {"definitely lost", offsetof(struct result_memcheck, definite_bytes), true, true, false},
};
#define MEASURES (sizeof measures / sizeof measures[0])

/* The peak above what was alive before the last repetition: what earlier tests and repetitions have
 * left behind is no part of it. What this one left is: a test that stops keeping has no new peak.
 */
static int64_t measure_get(const struct result_test *test, size_t m)
{
    if (measures[m].memcheck) {
        return !test->memcheck
                   ? RESULT_UNMEASURED
                   : *(const int64_t *)((const char *)test->memcheck + measures[m].offset);
    }
    int64_t value = *(const int64_t *)((const char *)test + measures[m].offset);
    if (measures[m].offset != offsetof(struct result_test, peak_live_bytes) ||
        value == RESULT_UNMEASURED || test->live_bytes == RESULT_UNMEASURED) {
        return value;
    }
    int64_t before = test->live_bytes - (test->retained_bytes > 0 ? test->retained_bytes : 0);
    return value > before ? value - before : 0;
}

struct search {
    const struct result *result;
    struct result_index index;
    bool any_variant;
};

static bool search_same(const void *context, uint64_t value, const char *id, const char *variant)
{
    const struct search *search = context;
    const struct result_test *test = &search->result->tests[value];
    return strcmp(test->id, id) == 0 &&
           (search->any_variant || strcmp(test->variant, variant) == 0);
}

static void search_make(struct search *search, const struct result *result, bool any_variant)
{
    *search = (struct search){.result = result, .any_variant = any_variant};
    for (size_t i = 0; i < result->test_count; i++) {
        bool fresh;
        const struct result_test *test = &result->tests[i];
        result_index_add(&search->index, test->id, any_variant ? "" : test->variant, i, search_same,
                         search, &fresh);
    }
}

static const struct result_test *search_find(const struct search *search,
                                             const struct result_test *like)
{
    uint64_t at;
    bool there =
        result_index_find(&search->index, like->id, search->any_variant ? "" : like->variant,
                          search_same, search, &at);
    return there ? &search->result->tests[at] : NULL;
}

int difference_rank(enum result_verdict verdict)
{
    static const int ranks[VERDICT_COUNT] = {[VERDICT_CLEAN] = 1,
                                             [VERDICT_SATURATING] = 1,
                                             [VERDICT_ACCUMULATES] = 2,
                                             [VERDICT_GROWTH] = 3,
                                             [VERDICT_LEAK] = 3};
    return ranks[verdict];
}

static bool passes(const struct result_test *test)
{
    return test->status == RESULT_PASS || test->status == RESULT_SKIP;
}

void difference_join(struct change *change)
{
    text_put(&change->text, change->text.length ? ", " : "");
}

void difference_word(struct change *change, const char *from, const char *to, const char *again,
                     int worse)
{
    difference_join(change);
    change->stays = true;
    if (again && strcmp(again, to) != 0) {
        text_format(&change->text, "%s -> %s or %s [unstable]", from, to, again);
        change->unstable = true;
        return;
    }
    text_format(&change->text, "%s -> %s", from, to);
    change->worse = change->worse || worse > 0;
    change->better = change->better || worse < 0;
}

static void words_compare(struct change *change, const struct result_test *base,
                          const struct result_test *head, const struct result_test *again)
{
    if (base->status != head->status) {
        difference_word(change, result_status_name(base->status), result_status_name(head->status),
                        again ? result_status_name(again->status) : NULL,
                        (int)passes(base) - (int)passes(head));
    }
    int before = difference_rank(base->verdict), after = difference_rank(head->verdict);
    if (before != after && before > 0 && after > 0) {
        difference_word(change, result_verdict_name(base->verdict),
                        result_verdict_name(head->verdict),
                        again ? result_verdict_name(again->verdict) : NULL, after - before);
    }
}

static void measure_compare(struct change *change, size_t m, const struct result_test *base,
                            const struct result_test *head, const struct result_test *again,
                            struct difference_limits limits)
{
    int64_t a = measure_get(base, m), b = measure_get(head, m);
    if (a == RESULT_UNMEASURED || b == RESULT_UNMEASURED || a == b) {
        return;
    }
    double share = a != 0 ? fabs((double)(b - a)) / fabs((double)a) : INFINITY;
    if (measures[m].bytes && share <= limits.tolerance) {
        return;
    }
    bool unstable = again && measure_get(again, m) != b;
    change->stays = change->stays || !measures[m].transient;
    char from[UNIT_TEXT_BYTES], to[UNIT_TEXT_BYTES], by[UNIT_TEXT_BYTES];
    difference_join(change);
    if (measures[m].bytes) {
        text_format(&change->text, "%s %s -> %s (%s%s)", measures[m].name,
                    unit_bytes(from, (double)a), unit_bytes(to, (double)b), b > a ? "+" : "",
                    unit_bytes(by, (double)(b - a)));
    } else {
        text_format(&change->text, "%s %s -> %s (%s%s)", measures[m].name,
                    unit_count(from, (double)a), unit_count(to, (double)b), b > a ? "+" : "",
                    unit_count(by, (double)(b - a)));
    }
    if (unstable) {
        text_put(&change->text, " [unstable]");
        change->unstable = true;
    } else if (b < a) {
        change->better = true;
    } else if (measures[m].bytes && share <= limits.fail) {
        change->warn = true;
    } else {
        change->worse = true;
    }
}

struct difference *difference_add(struct differences *differences, enum difference_kind kind,
                                  const struct result_test *test)
{
    memory_grow(&differences->items, &differences->room, differences->count + 1,
                sizeof differences->items[0]);
    struct difference *difference = &differences->items[differences->count++];
    *difference = (struct difference){.kind = kind, .id = test->id, .variant = test->variant};
    differences->kinds[kind]++;
    return difference;
}

/* Leaked or grew before, and now somewhere else, too. */
static void place_compare(struct change *change, const struct result *base_result,
                          const struct result *head_result, const struct result_test *base,
                          const struct result_test *head, const struct result_test *again)
{
    bool both = difference_rank(base->verdict) == 3 && difference_rank(head->verdict) == 3 &&
                (!again || difference_rank(again->verdict) == 3);
    const struct result_frame *place =
        both ? difference_place_new(base_result, base, head_result, head) : NULL;
    if (place) {
        difference_join(change);
        text_format(&change->text, "%s at another place: ", result_verdict_name(head->verdict));
        describe_frame(&change->text, place);
        change->worse = change->stays = true;
        change->place = place;
    }
}

static void pair_compare(struct differences *differences, const struct result *base_result,
                         const struct result *head_result, const struct result_test *base,
                         const struct result_test *head, const struct result_test *again,
                         struct difference_limits limits)
{
    struct change change = {0};
    differences->compared++;
    differences->tests++;
    words_compare(&change, base, head, again);
    /* What a test that failed has allocated depends on where it failed. */
    bool measured = base->status == RESULT_PASS && head->status == RESULT_PASS;
    for (size_t m = 0; m < MEASURES && measured; m++) {
        measure_compare(&change, m, base, head, again, limits);
    }
    place_compare(&change, base_result, head_result, base, head, again);
    if (change.text.length == 0) {
        differences->unjudged += result_test_outcome(head_result, head) == OUTCOME_SKIPPED;
        return;
    }
    enum difference_kind kind = change.worse    ? DIFFERENCE_WORSE
                                : change.warn   ? DIFFERENCE_WARN
                                : change.better ? DIFFERENCE_BETTER
                                                : DIFFERENCE_UNSTABLE;
    struct difference *difference = difference_add(differences, kind, head);
    differences->changed++;
    struct text sites = {0};
    if (base->allocs != head->allocs || base->bytes != head->bytes) {
        difference_births(&sites, differences->wrappers, base_result, base, head_result, head,
                          differences->again, again, &difference->place);
    }
    const struct result_frame **top = difference->place ? NULL : &difference->place;
    difference_sites(&sites, base_result, base, head_result, head, top);
    difference->place = change.place ? change.place : difference->place;
    difference->served = !change.stays; /* so far: see served_settle */
    difference->text = text_take(&change.text);
    difference->sites = text_take(&sites);
}

static void new_add(struct differences *differences, const struct result *head_result,
                    const struct result_test *head, const struct result_test *again)
{
    bool bad = result_test_failed(head_result, head);
    differences->fresh++;
    bool unstable = again && (again->status != head->status || again->verdict != head->verdict);
    struct difference *difference = difference_add(differences,
                                                   unstable ? DIFFERENCE_UNSTABLE
                                                   : bad    ? DIFFERENCE_NEW_BAD
                                                            : DIFFERENCE_NEW,
                                                   head);
    struct text text = {0}, sites = {0};
    text_format(&text, "%s", result_status_name(head->status));
    if (head->verdict != VERDICT_NONE) {
        text_format(&text, ", %s", result_verdict_name(head->verdict));
    }
    if (unstable) {
        text_format(&text, " or %s, %s", result_status_name(again->status),
                    result_verdict_name(again->verdict));
    }
    if (bad) {
        difference_sites(&sites, NULL, NULL, head_result, head, &difference->place);
    }
    difference->text = text_take(&text);
    difference->sites = text_take(&sites);
}

void differences_find(struct differences *differences, const struct result *base,
                      const struct result *head, const struct result *again,
                      struct difference_limits limits, bool any_variant)
{
    struct search in_base, in_head, in_again = {0};
    *differences = (struct differences){0};
    differences->wrappers = wrappers_new(base, head);
    differences->again = again;
    search_make(&in_base, base, any_variant);
    search_make(&in_head, head, any_variant);
    if (again) {
        search_make(&in_again, again, any_variant);
    }
    for (size_t i = 0; i < base->test_count; i++) {
        const struct result_test *test = &base->tests[i], *other = search_find(&in_head, test);
        if (other) {
            pair_compare(differences, base, head, test, other,
                         again ? search_find(&in_again, other) : NULL, limits);
        } else {
            struct difference *difference = difference_add(differences, DIFFERENCE_GONE, test);
            difference->text = memory_copy("");
            difference->sites = memory_copy("");
        }
    }
    for (size_t i = 0; i < head->test_count; i++) {
        if (!search_find(&in_base, &head->tests[i])) {
            new_add(differences, head, &head->tests[i],
                    again ? search_find(&in_again, &head->tests[i]) : NULL);
        }
    }
    difference_suites(differences, base, head, again, any_variant);
    difference_expects(differences, base, head);
    difference_served(differences);
    wrappers_free(&differences->wrappers);
    differences->again = NULL;
    result_index_fini(&in_base.index);
    result_index_fini(&in_head.index);
    result_index_fini(&in_again.index);
}

void differences_fini(struct differences *differences)
{
    for (size_t i = 0; i < differences->count; i++) {
        free(differences->items[i].text);
        free(differences->items[i].sites);
    }
    free(differences->items);
    *differences = (struct differences){0};
}

bool differences_broken(const struct differences *differences)
{
    return differences->kinds[DIFFERENCE_WORSE] > 0 || differences->kinds[DIFFERENCE_NEW_BAD] > 0;
}

bool differences_nothing(const struct differences *differences)
{
    return differences->tests == 0 && differences->kinds[DIFFERENCE_GONE] > 0;
}

void differences_count(const struct differences *differences, size_t *passed, size_t *failed,
                       size_t *unstable)
{
    *failed = differences->kinds[DIFFERENCE_WORSE] + differences->kinds[DIFFERENCE_NEW_BAD];
    *unstable = differences->kinds[DIFFERENCE_UNSTABLE] + differences->unjudged;
    *passed = differences->compared + differences->fresh - *failed - *unstable;
}
