/* describe_answer.c - see describe_answer.h. Supervisor only. */
#include "harness/report/describe_answer.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"

#include <math.h>
#include <string.h>

#define MESSAGE_BYTES 240 /* of a failure's message; all of it is below */

/* What can be wrong with a test, worst first. */
enum trouble {
    TROUBLE_DEAD,
    TROUBLE_GROWS,
    TROUBLE_FAILS,
    TROUBLE_MEMCHECK,
    TROUBLE_OPEN,
    TROUBLES
};

/* It ran when what its variant keeps had filled the memory: what is said of the variant names it.
 */
static bool explained(const struct result *result, const struct result_test *test)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (variant->stopped_by[0] && result_verdict_bad(variant->verdict) &&
            strcmp(variant->culprit, test->id) == 0 && strcmp(variant->name, test->variant) == 0) {
            return true;
        }
    }
    return false;
}

/* In a scenario what a test may come to is for `expect:` to say. */
static bool troubled(const struct result *result, const struct result_test *test)
{
    return describe_test_finding(result, test) && !explained(result, test) &&
           (result_is_hunt(result) || result_test_failed(result, test));
}

static enum trouble trouble_of(const struct result_test *test)
{
    switch (test->status) {
    case RESULT_CRASH:
    case RESULT_TIMEOUT:
    case RESULT_OOM:
    case RESULT_EXIT:
        return TROUBLE_DEAD;
    case RESULT_FAIL:
    case RESULT_FLAKY:
        return TROUBLE_FAILS;
    case RESULT_PASS:
    case RESULT_SKIP:
    case RESULT_STATUS_COUNT:
        break;
    }
    return result_verdict_bad(test->verdict)     ? TROUBLE_GROWS
           : result_memcheck_bad(test->memcheck) ? TROUBLE_MEMCHECK
                                                 : TROUBLE_OPEN;
}

struct troubles {
    const struct result_test *first[TROUBLES]; /* the one that grows fastest, else the first */
    size_t count[TROUBLES];
};

static double rate_of(const struct result_test *test)
{
    return isnan(test->growth_bytes_per_rep) ? 0 : test->growth_bytes_per_rep;
}

static struct troubles troubles_look(const struct result *result)
{
    struct troubles found = {0};
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (!troubled(result, test)) {
            continue;
        }
        enum trouble trouble = trouble_of(test);
        const struct result_test *first = found.first[trouble];
        found.count[trouble]++;
        if (!first || (trouble == TROUBLE_GROWS && rate_of(test) > rate_of(first))) {
            found.first[trouble] = test;
        }
    }
    return found;
}

/* "; held by g_cache, allocated in record_load (x.c:17)" */
static void where_put(struct text *text, const struct result *result, const char *test,
                      const char *variant)
{
    size_t next = 0;
    const struct result_site *site = describe_site_next(result, test, variant, &next);
    const struct result_frame *place =
        site ? describe_place(site->frames, site->frame_count) : NULL;
    const char *join = "; ";
    if (site && site->held_by_count > 0) {
        text_format(text, "%sheld by ", join);
        describe_holder(text, site);
        join = ", ";
    } else if (site && site->reach == REACH_UNREACHABLE) {
        text_format(text, "%snothing points to it", join);
        join = ", ";
    }
    if (place) {
        text_format(text, "%s%s ", join, describe_counted(site->kind) ? "made in" : "allocated in");
        describe_frame(text, place);
    }
}

/* "; the cap of 512 MiB (537 MB) is reached at about test 488" */
static void cap_put(struct text *text, const struct result *result,
                    const struct result_variant *variant)
{
    char size[UNIT_TEXT_BYTES], number[UNIT_TEXT_BYTES];
    double slope = variant->metric[METRIC_GROWTH], tests = variant->metric[METRIC_TESTS];
    double peak = variant->metric[METRIC_PEAK_RSS];
    if (result->cap <= 0 || variant->stopped_by[0] || isnan(slope) || slope <= 0 || isnan(tests) ||
        isnan(peak)) {
        return;
    }
    double at = tests + floor(((double)result->cap - peak) / slope);
    if (at > tests) {
        text_format(text, "; the cap of %s is reached at about test %s",
                    unit_limit(size, (uint64_t)result->cap), unit_count(number, at));
    }
}

static void suite_put(struct text *text, const struct result *result,
                      const struct result_variant *suite)
{
    struct text what = {0};
    describe_variant(&what, result, suite);
    text_put(text, "The suite ");
    text_put(text, what.length > 0 ? what.data : describe_verdict_verb(suite->verdict));
    where_put(text, result, "", suite->name);
    cap_put(text, result, suite);
    text_put(text, ". ");
    text_fini(&what);
}

static void test_put(struct text *text, const struct result *result, const struct result_test *test)
{
    struct text what = {0};
    bool open = trouble_of(test) == TROUBLE_OPEN;
    describe_test(&what, result, test);
    if (what.length > MESSAGE_BYTES) {
        what.length = text_fit(what.data, MESSAGE_BYTES);
        what.data[what.length] = '\0';
        text_put(&what, " ...");
    }
    const char *variant = describe_variant_beside(test->id, test->variant);
    text_format(text, variant[0] ? "%s [%s] " : "%s%s", test->id, variant);
    text_format(text, variant[0] ? "%s" : " %s", text_peek(&what));
    if (trouble_of(test) == TROUBLE_GROWS || open) {
        where_put(text, result, test->id, test->variant);
    }
    if (open && test->horizon[0]) {
        text_format(text, ": %s", test->horizon);
    }
    text_put(text, ". ");
    text_fini(&what);
}

/* "2 other tests leak or grow, 1 fails." */
static void others_put(struct text *text, const struct troubles *troubles)
{
    static const char *const words[TROUBLES][2] = {
        [TROUBLE_DEAD] = {"ends too early", "end too early"},
        [TROUBLE_GROWS] = {"leaks or grows", "leak or grow"},
        [TROUBLE_FAILS] = {"fails", "fail"},
        [TROUBLE_MEMCHECK] = {"has errors under memcheck", "have errors under memcheck"},
        [TROUBLE_OPEN] = {"could not be judged", "could not be judged"},
    };
    char number[UNIT_TEXT_BYTES];
    size_t shown = 0;
    for (size_t i = 0; i < TROUBLES; i++) {
        size_t count = troubles->count[i];
        if (count > 0) {
            text_format(text, shown++ == 0 ? "%s other test%s %s" : ", %s%.0s %s",
                        unit_count(number, (double)count), count == 1 ? "" : "s",
                        words[i][count != 1]);
        }
    }
    text_put(text, shown > 0 ? ". " : "");
}

/* A suite whose verdict is bad comes before its tests: they are where it shows. */
static const struct result_variant *suite_bad(const struct result *result)
{
    for (size_t i = 0; i < result->variant_count && result_is_hunt(result); i++) {
        if (result_verdict_bad(result->variants[i].verdict)) {
            return &result->variants[i];
        }
    }
    return NULL;
}

static enum answer trouble_put(struct text *text, const struct result *result,
                               struct troubles *troubles)
{
    const struct result_variant *suite = suite_bad(result);
    enum answer answer = suite ? ANSWER_BAD : ANSWER_GOOD;
    bool first = suite == NULL;
    if (suite) {
        suite_put(text, result, suite);
    }
    for (size_t i = 0; i < TROUBLES; i++) {
        if (troubles->count[i] > 0 && first) {
            test_put(text, result, troubles->first[i]);
            troubles->count[i]--;
            answer = i == TROUBLE_OPEN ? ANSWER_OPEN : ANSWER_BAD;
            first = false;
        }
    }
    others_put(text, troubles);
    return answer;
}

/* The first broken expectation, and how many there are. */
static bool broken_put(struct text *text, const struct result *result)
{
    const struct result_expect *first = NULL;
    char number[UNIT_TEXT_BYTES];
    size_t broken = 0;
    for (size_t i = 0; i < result->expect_count; i++) {
        if (result_expect_broken(&result->expects[i])) {
            first = first ? first : &result->expects[i];
            broken++;
        }
    }
    if (!first) {
        return false;
    }
    text_format(text, "%s of %zu expectation%s %s broken: ", unit_count(number, (double)broken),
                result->expect_count, result->expect_count == 1 ? "" : "s",
                broken == 1 ? "is" : "are");
    describe_expect(text, first);
    text_format(text, " (%s:%u). ", first->file, first->line);
    return true;
}

/* What is to be said for a hunt in which nothing stands out. */
static enum answer clean_put(struct text *text, const struct result *result)
{
    char number[UNIT_TEXT_BYTES], other[UNIT_TEXT_BYTES];
    const struct result_variant *suite = result->variant_count ? &result->variants[0] : NULL;
    size_t level = 0, unjudged = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        enum result_verdict verdict = result->tests[i].verdict;
        bool passed = result->tests[i].status == RESULT_PASS;
        level += passed && (verdict == VERDICT_CLEAN || verdict == VERDICT_SATURATING);
        unjudged += !passed || verdict == VERDICT_NONE;
    }
    if (unjudged > 0) {
        text_format(text, "No test was seen to leak or to grow, and %s of %s %s not judged. ",
                    unit_count(number, (double)unjudged),
                    unit_count(other, (double)result->test_count), unjudged == 1 ? "was" : "were");
    } else {
        text_format(text, level == 1 ? "The test levels off" : "No test leaks, none of %s grows",
                    unit_count(number, (double)level));
        if (suite && !isnan(suite->metric[METRIC_PEAK_RSS])) {
            text_format(text, "; the suite peaks at %s",
                        unit_bytes(number, suite->metric[METRIC_PEAK_RSS]));
        }
        text_put(text, ". ");
    }
    return unjudged > 0 ? ANSWER_OPEN : ANSWER_GOOD;
}

/* Tests that pass in one order and fail in another. */
static size_t order_count(const struct result *result)
{
    size_t count = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        count += result->tests[i].status == RESULT_PASS && result->tests[i].order != ORDER_FREE;
    }
    return count;
}

/* In a scenario: who holds what the variant that grows fastest keeps. Where all of them grow, the
 * closing sentence has said it. */
static void grower_put(struct text *text, const struct result *result)
{
    const struct result_variant *worst = NULL;
    struct text where = {0};
    bool level = false;
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (!result_verdict_bad(variant->verdict)) {
            level = true;
        } else if (!worst || variant->metric[METRIC_GROWTH] > worst->metric[METRIC_GROWTH]) {
            worst = variant;
        }
    }
    if (worst && level) {
        where_put(&where, result, "", worst->name);
    }
    if (where.length > 0) { /* "; held by ..." */
        text_format(text, " What it keeps is %s.", where.data + 2);
    }
    if (worst && worst->stopped_by[0]) {
        char size[UNIT_TEXT_BYTES];
        bool memory = strcmp(worst->stopped_by, "memory") == 0;
        text_format(text,
                    memory && result->cap > 0 ? " It was stopped at the cap of %s"
                                              : " It was stopped by %s",
                    memory && result->cap > 0 ? unit_limit(size, (uint64_t)result->cap)
                                              : worst->stopped_by);
        text_format(text, worst->culprit[0] ? " in %s." : ".", worst->culprit);
    }
    text_fini(&where);
}

static bool any_trouble(const struct result *result, const struct troubles *troubles)
{
    bool any = suite_bad(result) != NULL;
    for (size_t i = 0; i < TROUBLES; i++) {
        any = any || troubles->count[i] > 0;
    }
    return any;
}

static enum answer unjudged_put(struct text *text, const struct result *result, enum answer answer)
{
    size_t before = text->length;
    describe_unjudged(text, result);
    return text->length > before && answer == ANSWER_GOOD ? ANSWER_OPEN : answer;
}

static enum answer hunt_put(struct text *text, const struct result *result,
                            struct troubles *troubles)
{
    bool any = any_trouble(result, troubles);
    enum answer answer = any ? trouble_put(text, result, troubles) : ANSWER_GOOD;
    size_t order = order_count(result);
    if (order > 0) {
        text_format(text, "%zu test%s in one order of the tests and fail%s in another. ", order,
                    order == 1 ? " passes" : "s pass", order == 1 ? "s" : "");
        answer = answer == ANSWER_GOOD ? ANSWER_OPEN : answer;
    }
    if (!any) {
        enum answer clean = clean_put(text, result);
        answer = clean > answer ? clean : answer;
    }
    return unjudged_put(text, result, answer);
}

static enum answer run_put(struct text *text, const struct result *result,
                           struct troubles *troubles)
{
    bool broken = broken_put(text, result);
    enum answer answer =
        any_trouble(result, troubles) ? trouble_put(text, result, troubles) : ANSWER_GOOD;
    describe_closing(text, result);
    grower_put(text, result);
    text_put_char(text, ' ');
    answer = unjudged_put(text, result, answer);
    for (size_t i = 0; i < result->test_count; i++) { /* though the variant explains it */
        broken = broken || result_test_failed(result, &result->tests[i]);
    }
    return broken ? ANSWER_BAD : answer;
}

enum answer describe_answer(struct text *text, const struct result *result)
{
    struct troubles troubles = troubles_look(result);
    enum answer answer;
    if (result->incomplete > 0) {
        text_put(text, "Incomplete: ");
        describe_incomplete(text, result);
        text_put(text, ". ");
    }
    if (result->incomplete > 0 && result->test_count == 0) {
        answer = ANSWER_BAD;
    } else if (result_nothing_judged(result) && !any_trouble(result, &troubles)) {
        size_t start = text->length;
        describe_nothing(text, result);
        text->data[start] = 'N';
        text_put(text, ".");
        answer = ANSWER_OPEN;
    } else {
        answer = (result_is_hunt(result) ? hunt_put : run_put)(text, result, &troubles);
    }
    while (text->length > 0 && text->data[text->length - 1] == ' ') {
        text->data[--text->length] = '\0';
    }
    return result->incomplete > 0 ? ANSWER_BAD : answer;
}
