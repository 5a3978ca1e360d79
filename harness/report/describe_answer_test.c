/* describe_answer_test.c - the first line of every report, by made-up results. */
#include "harness/base/suite.h"
#include "harness/report/describe_answer.h"

#include <math.h>

static void frame_set(struct result_site *site, const char *function, const char *file,
                      unsigned line)
{
    site->frames = result_frames_new(1);
    site->frame_count = 1;
    result_set(&site->frames[0].function, function);
    result_set(&site->frames[0].file, file);
    site->frames[0].line = line;
}

static struct result_test *test_add(struct result *result, const char *id,
                                    enum result_status status, enum result_verdict verdict,
                                    double rate)
{
    struct result_test *test = result_test_add(result);
    result_set(&test->id, id);
    test->status = status;
    test->verdict = verdict;
    test->growth_bytes_per_rep = rate;
    return test;
}

static void site_add(struct result *result, const char *test, const char *holder,
                     enum result_reach reach)
{
    struct result_site *site = result_site_add(result);
    result_set(&site->test, test);
    result_set(&site->kind, "heap");
    site->reach = reach;
    frame_set(site, "keep", "keep.c", 7);
    if (holder) {
        site->held_by = result_links_new(1);
        site->held_by_count = 1;
        result_set(&site->held_by[0].symbol, holder);
    }
}

static void hunt_start(struct result *result)
{
    result_init(result);
    result_set(&result->command, "hunt");
}

static void answer_is(struct result *result, enum answer answer, const char *text)
{
    struct text got = {0};
    ck_assert_int_eq(describe_answer(&got, result), answer);
    ck_assert_str_eq(text_peek(&got), text);
    text_fini(&got);
    result_fini(result);
}

START_TEST(what_grows_fastest_is_named_with_its_holder_and_the_rest_is_counted)
{
    struct result result;
    hunt_start(&result);
    test_add(&result, "a", RESULT_PASS, VERDICT_CLEAN, 0);
    test_add(&result, "b", RESULT_PASS, VERDICT_GROWTH, 8);
    test_add(&result, "c", RESULT_PASS, VERDICT_GROWTH, 56);
    test_add(&result, "d", RESULT_PASS, VERDICT_LEAK, 24);
    test_add(&result, "e", RESULT_FAIL, VERDICT_NONE, (double)NAN);
    site_add(&result, "c", "g_kept", REACH_HELD);
    answer_is(&result, ANSWER_BAD,
              "c grows 56 B a repetition; held by g_kept, allocated in keep (keep.c:7). "
              "2 other tests leak or grow, 1 fails.");
}
END_TEST

START_TEST(what_nothing_points_to_is_said_to_be_so)
{
    struct result result;
    hunt_start(&result);
    test_add(&result, "a", RESULT_PASS, VERDICT_LEAK, 24);
    site_add(&result, "a", NULL, REACH_UNREACHABLE);
    answer_is(&result, ANSWER_BAD,
              "a leaks 24 B a repetition; nothing points to it, allocated in keep (keep.c:7).");
}
END_TEST

START_TEST(a_suite_that_grows_comes_before_its_tests_with_the_test_that_reaches_the_cap)
{
    struct result result;
    hunt_start(&result);
    result.cap = 100000000;
    test_add(&result, "a", RESULT_PASS, VERDICT_CLEAN, 0);
    test_add(&result, "b", RESULT_PASS, VERDICT_GROWTH, 8);
    struct result_variant *suite = result_variant_add(&result);
    suite->verdict = VERDICT_ACCUMULATES;
    suite->metric[METRIC_GROWTH] = 1000000;
    suite->metric[METRIC_TESTS] = 20;
    suite->metric[METRIC_PEAK_RSS] = 30000000;
    site_add(&result, "", "g_cache", REACH_HELD);
    answer_is(&result, ANSWER_BAD,
              "The suite kept 1 MB a test; held by g_cache, allocated in keep (keep.c:7); the cap "
              "of 100 MB is reached at about test 90. 1 other test leaks or grows.");
}
END_TEST

START_TEST(a_death_comes_first_and_the_one_that_the_suite_explains_is_not_counted_again)
{
    struct result result;
    hunt_start(&result);
    struct result_test *test = test_add(&result, "a", RESULT_CRASH, VERDICT_NONE, (double)NAN);
    test->signal = 11;
    test_add(&result, "b", RESULT_PASS, VERDICT_GROWTH, 8);
    answer_is(&result, ANSWER_BAD, "a died of SIGSEGV. 1 other test leaks or grows.");

    hunt_start(&result);
    test_add(&result, "a", RESULT_OOM, VERDICT_NONE, (double)NAN);
    struct result_variant *suite = result_variant_add(&result);
    suite->verdict = VERDICT_ACCUMULATES;
    suite->metric[METRIC_GROWTH] = 1000000;
    result_set(&suite->stopped_by, "memory");
    result_set(&suite->culprit, "a");
    answer_is(&result, ANSWER_BAD,
              "The suite kept 1 MB a test; stopped at the memory cap in test a.");
}
END_TEST

START_TEST(nothing_wrong_is_only_said_where_everything_was_judged)
{
    struct result result;
    hunt_start(&result);
    test_add(&result, "a", RESULT_PASS, VERDICT_CLEAN, 0);
    test_add(&result, "b", RESULT_PASS, VERDICT_SATURATING, 0);
    result_variant_add(&result)->metric[METRIC_PEAK_RSS] = 5e6;
    result.variants[0].verdict = VERDICT_CLEAN;
    answer_is(&result, ANSWER_GOOD, "No test leaks, none of 2 grows; the suite peaks at 5 MB.");

    hunt_start(&result);
    test_add(&result, "a", RESULT_PASS, VERDICT_CLEAN, 0);
    test_add(&result, "b", RESULT_PASS, VERDICT_NONE, (double)NAN);
    answer_is(&result, ANSWER_OPEN,
              "No test was seen to leak or to grow, and 1 of 2 was not judged.");

    hunt_start(&result);
    struct result_test *test = test_add(&result, "a", RESULT_PASS, VERDICT_INCONCLUSIVE, 16);
    result_set(&test->horizon, "too few repetitions");
    answer_is(&result, ANSWER_OPEN,
              "a could not be judged, 16 B a repetition: too few repetitions.");

    hunt_start(&result);
    test_add(&result, "a", RESULT_PASS, VERDICT_NONE, (double)NAN);
    answer_is(&result, ANSWER_OPEN, "Nothing was judged: none of its 1 test has a verdict.");
}
END_TEST

START_TEST(an_incomplete_result_says_so_before_what_it_has)
{
    struct result result;
    hunt_start(&result);
    test_add(&result, "a", RESULT_PASS, VERDICT_CLEAN, 0);
    result.incomplete = 3;
    answer_is(&result, ANSWER_BAD, "Incomplete: 3 tests without a result. The test levels off.");

    hunt_start(&result);
    result.incomplete = result.cut_short = 1;
    answer_is(&result, ANSWER_BAD,
              "Incomplete: the run was cut short before its first test ended.");
}
END_TEST

START_TEST(a_broken_expectation_comes_before_the_comparison)
{
    struct result result;
    result_init(&result);
    result_set(&result.command, "run");
    struct result_variant *variant = result_variant_add(&result);
    result_set(&variant->name, "lru");
    variant->verdict = VERDICT_SATURATING;
    variant->metric[METRIC_PEAK_RSS] = 5e6;
    struct result_expect *expect = result_expect_add(&result);
    result_set(&expect->variant, "lru");
    result_set(&expect->metric, "peak_rss");
    result_set(&expect->limit, "< 4 MB");
    result_set(&expect->actual, "5 MB");
    result_set(&expect->file, "x.yaml");
    expect->line = 9;
    answer_is(&result, ANSWER_BAD,
              "1 of 1 expectation is broken: peak_rss of lru is 5 MB, expected < 4 MB (x.yaml:9). "
              "lru peaks at 5 MB.");
}
END_TEST

START_TEST(in_a_scenario_the_variant_that_is_stopped_is_named_with_its_holder)
{
    struct result result;
    result_init(&result);
    result_set(&result.command, "run");
    result.cap = 100000000;
    struct result_variant *level = result_variant_add(&result);
    result_set(&level->name, "lru");
    level->verdict = VERDICT_SATURATING;
    level->metric[METRIC_PEAK_RSS] = 5e6;
    struct result_variant *grows = result_variant_add(&result);
    result_set(&grows->name, "all");
    grows->verdict = VERDICT_ACCUMULATES;
    grows->metric[METRIC_GROWTH] = 1e6;
    result_set(&grows->stopped_by, "memory");
    result_set(&grows->culprit, "s/c/t");
    struct result_test *test = test_add(&result, "s/c/t", RESULT_OOM, VERDICT_NONE, (double)NAN);
    result_set(&test->variant, "all");
    site_add(&result, "", "g_cache", REACH_HELD);
    result_set(&result.sites[0].variant, "all");
    answer_is(&result, ANSWER_BAD,
              "lru peaks at 5 MB; all keeps 1 MB a test. What it keeps is held by g_cache, "
              "allocated in keep (keep.c:7). It was stopped at the cap of 100 MB in s/c/t.");
}
END_TEST

SUITE("describe_answer", &what_grows_fastest_is_named_with_its_holder_and_the_rest_is_counted,
      &what_nothing_points_to_is_said_to_be_so,
      &a_suite_that_grows_comes_before_its_tests_with_the_test_that_reaches_the_cap,
      &a_death_comes_first_and_the_one_that_the_suite_explains_is_not_counted_again,
      &nothing_wrong_is_only_said_where_everything_was_judged,
      &an_incomplete_result_says_so_before_what_it_has,
      &a_broken_expectation_comes_before_the_comparison,
      &in_a_scenario_the_variant_that_is_stopped_is_named_with_its_holder)
