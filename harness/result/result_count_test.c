/* result_count_test.c - how tests, suites and expectations count, and what a result ends with. */
#include "harness/base/suite.h"
#include "harness/result/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A row of tests "status/verdict", the suite's verdict, and what it comes to. */
static const struct row {
    const char *command, *tests, *suite, *counts; /* suite "": no variant */
    enum result_end end;
} rows[] = {
    {"hunt", "pass/clean pass/saturating", "clean", "3 0 0", END_MET},
    {"hunt", "pass/clean", "accumulates", "1 1 0", END_BROKEN},
    {"hunt", "pass/clean", "growth", "1 1 0", END_BROKEN},
    {"hunt", "pass/clean", "inconclusive", "1 0 1", END_MET},
    {"hunt", "pass/clean", "none", "1 0 1", END_MET},
    {"hunt", "pass/clean", "", "1 0 0", END_MET},
    {"hunt", "pass/leak pass/growth pass/accumulates", "clean", "1 3 0", END_BROKEN},
    {"hunt", "pass/inconclusive pass/none pass/clean", "clean", "2 0 2", END_MET},
    {"hunt", "pass/inconclusive pass/none", "clean", "0 0 3", END_NOTHING},
    {"hunt", "pass/inconclusive", "accumulates", "0 1 1", END_BROKEN},
    {"hunt", "skip/none skip/none", "clean", "0 0 3", END_NOTHING},
    {"hunt", "skip/none fail/none", "clean", "0 1 2", END_BROKEN},
    {"hunt", "crash/none timeout/none oom/none exit/none pass/clean", "clean", "2 4 0", END_BROKEN},
    {"hunt", "", "none", "0 0 0", END_NOTHING},
    {"hunt", "", "", "0 0 0", END_NOTHING},
    {"run", "pass/none pass/growth", "accumulates", "2 0 0", END_MET},
    {"run", "pass/none fail/none", "clean", "1 1 0", END_BROKEN},
    {"run", "skip/none", "clean", "0 0 1", END_NOTHING},
    {"run", "pass/none pass/none", "none", "2 0 1", END_NOTHING},
    {"run", "pass/none", "inconclusive", "1 0 1", END_NOTHING},
    {"run", "pass/none fail/none", "none", "1 1 1", END_BROKEN},
    {"run", "pass/none", "", "1 0 0", END_MET},
};

static void row_make(struct result *result, const struct row *row)
{
    char tests[200], *rest = tests, *word;
    result_init(result);
    result_set(&result->command, row->command);
    snprintf(tests, sizeof tests, "%s", row->tests);
    while ((word = strsep(&rest, " ")) && word[0]) {
        struct result_test *test = result_test_add(result);
        char *verdict = strchr(word, '/');
        *verdict++ = '\0';
        ck_assert(result_status_parse(word, &test->status));
        ck_assert(result_verdict_parse(verdict, &test->verdict));
    }
    if (row->suite[0]) {
        ck_assert(result_verdict_parse(row->suite, &result_variant_add(result)->verdict));
    }
}

static void counts_expect(struct result *result, const char *counts, const char *about)
{
    char seen[64];
    result_count(result);
    snprintf(seen, sizeof seen, "%zu %zu %zu", result->passed, result->failed, result->skipped);
    ck_assert_msg(strcmp(seen, counts) == 0, "%s: %s and not %s", about, seen, counts);
}

START_TEST(what_was_not_judged_has_not_passed)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result result;
        char about[300];
        snprintf(about, sizeof about, "%s '%s', suite %s", rows[i].command, rows[i].tests,
                 rows[i].suite);
        row_make(&result, &rows[i]);
        counts_expect(&result, rows[i].counts, about);
        ck_assert_msg(result_end(&result) == rows[i].end, "%s: ends with %d", about,
                      (int)result_end(&result));
        result.incomplete = 1;
        ck_assert_int_eq(result_end(&result), END_INCOMPLETE);
        ck_assert(!result_nothing_judged(&result));
        result_fini(&result);
    }
}
END_TEST

START_TEST(expectations_count_as_one_each)
{
    struct result result;
    row_make(&result, &(struct row){.command = "run", .tests = "pass/none", .suite = "growth"});
    struct result_expect *met = result_expect_add(&result);
    met->ok = true;
    result_set(&result_expect_add(&result)->limit, "warn < 5");
    counts_expect(&result, "3 0 0", "a budget that warns");
    result_set(&result_expect_add(&result)->limit, "< 5");
    counts_expect(&result, "3 1 0", "a broken one");
    ck_assert_int_eq(result_end(&result), END_BROKEN);
    result_fini(&result);
}
END_TEST

START_TEST(a_variant_without_a_verdict_is_skipped_unless_one_is_expected)
{
    struct result result;
    row_make(&result, &(struct row){.command = "run", .tests = "pass/none", .suite = "none"});
    struct result_expect *peak = result_expect_add(&result);
    peak->ok = true;
    result_set(&peak->metric, "peak_rss_bytes");
    counts_expect(&result, "2 0 1", "a peak says nothing of the verdict");
    struct result_expect *other = result_expect_add(&result);
    other->ok = true;
    result_set(&other->metric, "verdict");
    result_set(&other->variant, "another");
    counts_expect(&result, "3 0 1", "nor does another variant's verdict");
    result_set(&other->variant, "");
    counts_expect(&result, "3 0 0", "its own is for the expectation to judge");
    result_fini(&result);
}
END_TEST

START_TEST(what_fails_can_be_chosen)
{
    static const struct {
        const char *words, *counts;
    } chosen[] = {
        {"leak,growth,accumulates,fd", "2 4 1"},
        {"leak", "5 1 1"},
        {"growth", "5 1 1"},
        {"accumulates", "5 1 1"},
        {"fd", "5 1 1"},
        {"unjudged", "6 1 0"},
        {"flaky", "5 1 1"},
        {"leak,flaky", "4 2 1"},
    };
    struct result result;
    row_make(&result, &(struct row){.command = "hunt",
                                    .tests = "pass/clean pass/clean pass/leak pass/growth "
                                             "pass/leak pass/inconclusive",
                                    .suite = "accumulates"});
    result.tests[1].order = ORDER_POLLUTED;
    result.tests[2].growth_bytes_per_rep = result.tests[3].growth_bytes_per_rep = 64;
    result.tests[4].fds = 1;
    counts_expect(&result, chosen[0].counts, "the default");
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        const char *bad;
        ck_assert(result_fail_on_parse(chosen[i].words, &result.fail_on, &bad));
        counts_expect(&result, chosen[i].counts, chosen[i].words);
    }
    result_fini(&result);
}
END_TEST

START_TEST(an_unknown_word_is_told_with_its_place)
{
    unsigned bits;
    const char *bad = NULL, *text = "leak,leek,fd";
    ck_assert(!result_fail_on_parse(text, &bits, &bad));
    ck_assert_ptr_eq(bad, text + 5);
    ck_assert(!result_fail_on_parse("", &bits, &bad));
    ck_assert(!result_fail_on_parse("leak,", &bits, &bad));
}
END_TEST

SUITE("result_count", &what_was_not_judged_has_not_passed, &expectations_count_as_one_each,
      &a_variant_without_a_verdict_is_skipped_unless_one_is_expected, &what_fails_can_be_chosen,
      &an_unknown_word_is_told_with_its_place)
