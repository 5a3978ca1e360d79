/* case.c - see case.h. Supervisor only. */
#include "harness/report/case.h"
#include "harness/report/describe.h"
#include "harness/result/result_index.h"

#include <string.h>

/* Nothing else is said against the test but that its result hangs on the order (--fail-on flaky).
 */
static bool only_flaky(const struct result_test *test)
{
    return test->status == RESULT_PASS && test->order != ORDER_FREE &&
           !result_verdict_bad(test->verdict) && !result_memcheck_bad(test->memcheck);
}

static void test_case(const struct result *result, const struct result_test *test,
                      struct report_case *found)
{
    *found = (struct report_case){.kind = CASE_TEST,
                                  .outcome = result_test_outcome(result, test),
                                  .finding = describe_test_finding(result, test),
                                  .name = test->id,
                                  .variant = test->variant,
                                  .word = describe_test_word(test),
                                  .verdict = result_verdict_name(test->verdict),
                                  .test = test};
    if (found->outcome == OUTCOME_FAILED) { /* also what fails only because it was asked for */
        found->finding = true;
        bool unjudged = test->status == RESULT_PASS && test->verdict == VERDICT_NONE &&
                        !result_memcheck_bad(test->memcheck);
        found->word = only_flaky(test) ? "flaky" : unjudged ? "unjudged" : found->word;
    }
}

/* What fails is a finding, whatever it is: --fail-on has words for what was not judged, too. */
static const char *suite_word(const struct result_variant *suite, enum result_outcome outcome)
{
    bool unjudged = outcome == OUTCOME_FAILED && suite->verdict == VERDICT_NONE;
    return unjudged ? "unjudged" : result_verdict_name(suite->verdict);
}

static void suite_case(const struct result *result, const struct result_variant *suite,
                       struct report_case *found)
{
    enum result_outcome outcome = result_suite_outcome(result, suite);
    *found = (struct report_case){.kind = CASE_SUITE,
                                  .outcome = outcome,
                                  .finding = outcome == OUTCOME_FAILED ||
                                             result_verdict_bad(suite->verdict) ||
                                             suite->verdict == VERDICT_INCONCLUSIVE,
                                  .name = DESCRIBE_SUITE,
                                  .variant = suite->name,
                                  .word = suite_word(suite, outcome),
                                  .verdict = result_verdict_name(suite->verdict),
                                  .suite = suite};
}

static void expect_case(const struct result_expect *expect, struct report_case *found)
{
    *found = (struct report_case){.kind = CASE_EXPECT,
                                  .outcome = result_expect_broken(expect) ? OUTCOME_FAILED
                                                                          : OUTCOME_PASSED,
                                  .finding = !expect->ok,
                                  .name = expect->metric,
                                  .variant = expect->variant,
                                  .word = "expect",
                                  .verdict = "",
                                  .expect = expect};
}

bool case_missing(const struct result *result)
{
    return result->incomplete > 0 || result_nothing_judged(result);
}

static void missing_case(const struct result *result, struct report_case *found)
{
    const char *word = result->incomplete > 0 ? "incomplete" : "unjudged";
    *found = (struct report_case){.kind = CASE_MISSING,
                                  .outcome = OUTCOME_FAILED,
                                  .finding = true,
                                  .name = word,
                                  .variant = "",
                                  .word = word,
                                  .verdict = ""};
}

static size_t suites(const struct result *result)
{
    size_t count = 0;
    for (size_t i = 0; i < result->variant_count; i++) {
        count += result_suite_counts(result, &result->variants[i]);
    }
    return count;
}

/* The suite that is the index-th of those that count. */
static const struct result_variant *suite_at(const struct result *result, size_t index)
{
    size_t at = 0;
    while (!result_suite_counts(result, &result->variants[at]) || index-- > 0) {
        at++;
    }
    return &result->variants[at];
}

bool case_next(const struct result *result, size_t *at, struct report_case *found)
{
    size_t index = (*at)++;
    if (index < result->test_count) {
        test_case(result, &result->tests[index], found);
        return true;
    }
    index -= result->test_count;
    if (index < suites(result)) {
        suite_case(result, suite_at(result, index), found);
        return true;
    }
    index -= suites(result);
    if (index < result->expect_count) {
        expect_case(&result->expects[index], found);
        return true;
    }
    if (index == result->expect_count && case_missing(result)) {
        missing_case(result, found);
        return true;
    }
    return false;
}

size_t case_count(const struct result *result)
{
    return result->test_count + suites(result) + result->expect_count + case_missing(result);
}

void case_describe(struct text *text, const struct result *result, const struct report_case *found)
{
    switch (found->kind) {
    case CASE_TEST:
        if (found->outcome == OUTCOME_FAILED && only_flaky(found->test)) {
            describe_flaky(text, found->test);
            break;
        }
        (found->outcome == OUTCOME_SKIPPED ? describe_skip : describe_test)(text, result,
                                                                            found->test);
        break;
    case CASE_SUITE:
        describe_suite(text, result, found->suite);
        break;
    case CASE_EXPECT:
        describe_expect(text, found->expect);
        break;
    case CASE_MISSING:
        if (result->incomplete > 0) {
            describe_incomplete(text, result);
        } else {
            describe_nothing(text, result);
        }
        break;
    }
}

/* A test "" has the sites of the whole suite. */
static const char *site_owner(const struct report_case *found)
{
    return found->kind == CASE_TEST ? found->name : "";
}

const struct result_site *case_site(const struct result *result, const struct report_case *found)
{
    size_t next = 0;
    return found->kind == CASE_TEST || found->kind == CASE_SUITE
               ? describe_site_next(result, site_owner(found), found->variant, &next)
               : NULL;
}

static void test_detail(struct text *text, const struct result_test *test)
{
    for (size_t i = 0; i < describe_frames_own(test->frames, test->frame_count); i++) {
        text_put(text, i == 0 ? "\nstack:\n  " : "  ");
        describe_frame(text, &test->frames[i]);
        text_put_char(text, '\n');
    }
}

void case_detail(struct text *text, const struct result *result, const struct report_case *found)
{
    const struct result_site *site;
    size_t next = 0;
    const char *horizon = found->test    ? found->test->horizon
                          : found->suite ? found->suite->horizon
                                         : "";
    if (found->test) {
        test_detail(text, found->test);
    }
    for (unsigned n = 0;
         (found->test || found->suite) && n < 3 &&
         (site = describe_site_next(result, site_owner(found), found->variant, &next));
         n++) {
        text_put(text, "\nkept: ");
        describe_site(text, site, found->test ? found->test->repetitions : 0);
    }
    if (found->test) {
        describe_error_lines(text, found->test, 3);
    }
    if (horizon[0]) {
        text_format(text, "\n%s\n", horizon);
    }
    if (found->kind == CASE_MISSING) {
        for (size_t i = 0; i < result->note_count; i++) {
            text_format(text, "\nnote: %s\n", result->notes[i]);
        }
    }
    if (result->argv[0]) {
        text_format(text, "\nrepeat: %s\n", result->argv);
    }
}

struct location case_location(const struct result *result, const struct report_case *found)
{
    if (found->kind == CASE_TEST) {
        return location_of_test(result, found->test);
    }
    if (found->kind == CASE_EXPECT) {
        return (struct location){location_relative(found->expect->file),
                                 found->expect->line ? found->expect->line : 1};
    }
    const struct result_site *site = case_site(result, found);
    const struct result_frame *place =
        site ? location_frame(site->frames, site->frame_count) : NULL;
    return place && place->file[0] ? location_of_frame(place) : (struct location){"", 1};
}

uint64_t case_fingerprint(const struct result *result, const struct report_case *found)
{
    const struct result_site *site = case_site(result, found);
    const struct result_frame *place =
        site ? describe_place(site->frames, site->frame_count) : NULL;
    struct text key = {0};
    if (found->expect) {
        text_format(&key, "%s %s", found->variant, found->name);
    } else {
        text_format(&key, "%s %s %s", found->word, found->variant, place ? place->function : "");
    }
    uint64_t hash = result_hash(found->expect ? found->expect->file : found->name, key.data);
    text_fini(&key);
    return hash;
}
