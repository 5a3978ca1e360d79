/* describe_test.c - the words that every report uses. */
#include "harness/base/suite.h"
#include "harness/report/describe.h"

#include <math.h>

START_TEST(a_change_is_told_as_far_as_it_can_be_read)
{
    static const struct {
        double from, to;
        const char *text;
    } rows[] = {
        {1000, 1000, ""},           {1000, 1005, ""}, /* of sizes within 1 % */
        {1000, 1500, "+50 %"},      {1000, 950, "-5.0 %"}, {1000, 40, "-96 %"},
        {210e6, 262144, "-99.9 %"}, {210e6, 1, "-99.9 %"}, {1000, 0, "-100 %"},
        {12e6, 537e6, "x45"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result result;
        struct text text = {0};
        result_init(&result);
        result_variant_add(&result)->metric[METRIC_PEAK_RSS] = rows[i].from;
        result_variant_add(&result)->metric[METRIC_PEAK_RSS] = rows[i].to;
        describe_change(&text, METRIC_PEAK_RSS, &result.variants[0], &result.variants[1]);
        ck_assert_str_eq(text_peek(&text), rows[i].text);
        text_fini(&text);
        result_fini(&result);
    }
}
END_TEST

START_TEST(what_is_missing_is_told_apart_from_what_was_cut_short)
{
    static const struct {
        size_t tests, incomplete, cut_short;
        const char *text;
    } rows[] = {
        {5, 1, 0, "1 test without a result"},
        {5, 1200, 0, "1,200 tests without a result"},
        {5, 3, 1, "2 tests without a result"},
        {5, 1, 1, "the run was cut short: its tests have results, its end is missing"},
        {0, 1, 1, "the run was cut short before its first test ended"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result result;
        struct text text = {0};
        result_init(&result);
        for (size_t test = 0; test < rows[i].tests; test++) {
            result_test_add(&result);
        }
        result.incomplete = rows[i].incomplete;
        result.cut_short = rows[i].cut_short;
        describe_incomplete(&text, &result);
        ck_assert_str_eq(text_peek(&text), rows[i].text);
        text_fini(&text);
        result_fini(&result);
    }
}
END_TEST

START_TEST(an_expectation_has_its_limit_as_written_and_so_that_it_compares)
{
    struct result result;
    struct text text = {0};
    result_init(&result);
    struct result_expect *expect = result_expect_add(&result);
    result_set(&expect->variant, "lru");
    result_set(&expect->metric, "live_bytes_peak");
    result_set(&expect->limit, "<= 4 MiB");
    result_set(&expect->actual, "5 MB");
    describe_expect(&text, expect);
    ck_assert_str_eq(text.data, "live_bytes_peak of lru is 5 MB, expected <= 4 MiB (4.19 MB)");
    text_fini(&text);
    result_fini(&result);
}
END_TEST

START_TEST(a_site_is_told_by_what_it_is_made_of)
{
    static const struct {
        const char *kind, *text;
        int64_t bytes, blocks;
        double rate;
    } rows[] = {
        {"heap", "112 B in 2 blocks, 56 B a repetition, allocated by\n  f (x.c:3)\n", 112, 2, 56},
        {"heap", "56 B in 1 block, allocated by\n  f (x.c:3)\n", 56, 1, NAN},
        {"fd", "1 file descriptor, made by\n  f (x.c:3)\n", 0, 1, NAN},
        {"thread", "3 threads, 1 a repetition, made by\n  f (x.c:3)\n", 0, 3, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result_site site;
        struct text text = {0};
        result_site_start(&site);
        result_set(&site.test, "s/c/t");
        result_set(&site.kind, rows[i].kind);
        site.bytes = rows[i].bytes;
        site.blocks = rows[i].blocks;
        site.bytes_per_rep = rows[i].rate;
        site.frames = result_frames_new(1);
        site.frame_count = 1;
        result_set(&site.frames[0].function, "f");
        result_set(&site.frames[0].file, "x.c");
        site.frames[0].line = 3;
        describe_site(&text, &site, 0);
        ck_assert_str_eq(text_peek(&text), rows[i].text);
        text_fini(&text);
        result_site_fini(&site);
    }
}
END_TEST

START_TEST(equal_hops_of_a_chain_are_counted)
{
    static const struct {
        size_t hops;      /* equal ones behind the variable */
        const char *last; /* one more, or NULL */
        const char *text, *holder;
    } rows[] = {
        {1, NULL, "g_list->next (x) -> 24 B from node_new:61", "g_list->next"},
        {2, NULL, "g_list->next (x) -> 24 B from node_new:61 x 2", "g_list->next"},
        {15, "value_new:68",
         "g_list->next (x) -> 24 B from node_new:61 x 15 -> 24 B from value_new:68",
         "g_list->next"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result_site site;
        struct text text = {0};
        size_t count = 1 + rows[i].hops + (rows[i].last != NULL);
        result_site_start(&site);
        site.held_by = result_links_new(count);
        site.held_by_count = count;
        result_set(&site.held_by[0].symbol, "g_list");
        result_set(&site.held_by[0].field, "->next");
        result_set(&site.held_by[0].module, "/a/x");
        for (size_t k = 1; k < count; k++) {
            result_set(&site.held_by[k].symbol, k > rows[i].hops ? rows[i].last : "node_new:61");
            site.held_by[k].bytes = 24;
        }
        describe_held(&text, &site);
        ck_assert_str_eq(text_peek(&text), rows[i].text);
        text_reset(&text);
        describe_holder(&text, &site);
        ck_assert_str_eq(text_peek(&text), rows[i].holder);
        text_fini(&text);
        result_site_fini(&site);
    }
}
END_TEST

START_TEST(fields_that_are_followed_again_and_again_are_counted)
{
    static const char *const rows[][2] = {
        {"->next", "->next"},
        {"->next->next", "->next->next"},
        {"->next->next->next", "->next x 3"},
        {".b[3]->next->next->next->next->s", ".b[3]->next x 4 ->s"},
        {"->n->nn->nn->nn", "->n->nn x 3"}, /* no part of a name */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result_site site;
        struct text text = {0};
        result_site_start(&site);
        site.held_by = result_links_new(1);
        site.held_by_count = 1;
        result_set(&site.held_by[0].field, rows[i][0]);
        result_set(&site.held_by[0].symbol, "g");
        describe_holder(&text, &site);
        ck_assert_str_eq(text_peek(&text) + 1, rows[i][1]);
        text_fini(&text);
        result_site_fini(&site);
    }
}
END_TEST

START_TEST(one_fact_is_one_number)
{
    static const struct {
        int64_t bytes, blocks;
        double rate, share;
        unsigned repetitions;
        const char *text;
    } rows[] = {
        {22000, 4400, 5, 1, 4400, "1 block of 5 B in every repetition (4,400 tried)"},
        {491520, 8192, 120, 1, 4100, "2 blocks of 60 B in every repetition (4,100 tried)"},
        {22000, 4400, 5, 0.4, 4400,
         "1 block of 5 B in every repetition (4,400 tried), 40.0 % of what stays"},
        {5500, 1100, 1.25, 1, 4400, "5.5 KB in 1,100 blocks"}, /* one in four */
        {22001, 4400, 5, 1, 4400, "22 KB in 4,400 blocks"},    /* not all of one size */
        {22000, 4400, 5, 1, 0, "22 KB in 4,400 blocks"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result_site site;
        struct text text = {0};
        result_site_start(&site);
        result_set(&site.test, "s/c/t");
        result_set(&site.kind, "heap");
        site.bytes = rows[i].bytes;
        site.blocks = rows[i].blocks;
        site.bytes_per_rep = rows[i].rate;
        site.share = rows[i].share;
        describe_kept(&text, &site, rows[i].repetitions);
        ck_assert_str_eq(text_peek(&text), rows[i].text);
        text_fini(&text);
        result_site_fini(&site);
    }
}
END_TEST

SUITE("describe", &a_change_is_told_as_far_as_it_can_be_read,
      &what_is_missing_is_told_apart_from_what_was_cut_short,
      &an_expectation_has_its_limit_as_written_and_so_that_it_compares,
      &a_site_is_told_by_what_it_is_made_of, &equal_hops_of_a_chain_are_counted,
      &fields_that_are_followed_again_and_again_are_counted, &one_fact_is_one_number)
