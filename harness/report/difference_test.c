/* difference_test.c - two tests that differ in one thing, row by row: what kind of difference it
 * is, and in which words. */
#include "harness/base/suite.h"
#include "harness/report/difference.h"
#include "harness/result/result_memcheck.h"

#include <string.h>

static struct result base, head, again;
static const struct difference_limits limits = {0.01, 0.05};

static struct result_test *test_put(struct result *result, const char *id)
{
    struct result_test *test = result_test_add(result);
    result_set(&test->id, id);
    test->status = RESULT_PASS;
    test->verdict = VERDICT_CLEAN;
    test->allocs = test->frees = 1000;
    test->bytes = 100000;
    test->retained_bytes = test->retained_blocks = 0;
    test->live_bytes = 5000;
    test->peak_live_bytes = 15000;
    test->fds = test->threads = 0;
    return test;
}

/* One row: a field of the head's test is set; RESULT_UNMEASURED in `again`: there is no second run.
 */
static const struct row {
    size_t offset;
    int64_t to, again;
    int kind; /* -1: no difference */
    const char *text;
} rows[] = {
#define AT(field) offsetof(struct result_test, field)
#define NONE      RESULT_UNMEASURED
    {AT(allocs), 1000, NONE, -1, ""},
    {AT(allocs), 1001, NONE, DIFFERENCE_WORSE, "allocs 1,000 -> 1,001 (+1)"},
    {AT(allocs), 1001, 1001, DIFFERENCE_WORSE, "allocs 1,000 -> 1,001 (+1)"},
    {AT(allocs), 1001, 1002, DIFFERENCE_UNSTABLE, "allocs 1,000 -> 1,001 (+1) [unstable]"},
    {AT(allocs), 999, NONE, DIFFERENCE_BETTER, "allocs 1,000 -> 999 (-1)"},
    {AT(allocs), NONE, NONE, -1, ""},
    {AT(bytes), 101000, NONE, -1, ""},
    {AT(bytes), 99000, NONE, -1, ""},
    {AT(bytes), 101001, NONE, DIFFERENCE_WARN, "requested 100 KB -> 101 KB (+1 KB)"},
    {AT(bytes), 105000, NONE, DIFFERENCE_WARN, "requested 100 KB -> 105 KB (+5 KB)"},
    {AT(bytes), 105100, NONE, DIFFERENCE_WORSE, "requested 100 KB -> 105 KB (+5.1 KB)"},
    {AT(bytes), 90000, NONE, DIFFERENCE_BETTER, "requested 100 KB -> 90 KB (-10 KB)"},
    {AT(retained_bytes), 1, NONE, DIFFERENCE_WORSE, "kept 0 B -> 1 B (+1 B)"},
    {AT(retained_blocks), 1, NONE, DIFFERENCE_WORSE, "blocks kept 0 -> 1 (+1)"},
    {AT(peak_live_bytes), 15100, NONE, -1, ""},
    {AT(peak_live_bytes), 15300, NONE, DIFFERENCE_WARN, "peak 10 KB -> 10.3 KB (+300 B)"},
    {AT(peak_live_bytes), 16000, NONE, DIFFERENCE_WORSE, "peak 10 KB -> 11 KB (+1 KB)"},
    {AT(fds), 1, NONE, DIFFERENCE_WORSE, "fds 0 -> 1 (+1)"},
    {AT(threads), 1, NONE, DIFFERENCE_WORSE, "threads 0 -> 1 (+1)"},
    {AT(wall_ns), 1000000000, NONE, -1, ""},
};

static void results_init(void)
{
    result_init(&base);
    result_init(&head);
    result_init(&again);
}

static void results_fini(void)
{
    result_fini(&base);
    result_fini(&head);
    result_fini(&again);
}

static void field_set(struct result_test *test, size_t offset, int64_t value)
{
    *(int64_t *)((char *)test + offset) = value;
}

START_TEST(each_measure_has_its_own_sharpness)
{
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct differences found;
        results_init();
        test_put(&base, "a");
        field_set(test_put(&head, "a"), rows[r].offset, rows[r].to);
        field_set(test_put(&again, "a"), rows[r].offset, rows[r].again);
        differences_find(&found, &base, &head, rows[r].again == NONE ? NULL : &again, limits,
                         false);
        ck_assert_uint_eq(found.compared, 1);
        ck_assert_msg(found.count == (rows[r].kind >= 0), "row %zu: %zu found", r, found.count);
        if (found.count) {
            ck_assert_int_eq(found.items[0].kind, rows[r].kind);
            ck_assert_str_eq(found.items[0].text, rows[r].text);
        }
        ck_assert(differences_broken(&found) == (rows[r].kind == DIFFERENCE_WORSE));
        differences_fini(&found);
        results_fini();
    }
}
END_TEST

START_TEST(what_earlier_tests_left_behind_is_no_part_of_a_peak)
{
    struct differences found;
    results_init();
    test_put(&base, "a");
    struct result_test *later = test_put(&head, "a");
    later->live_bytes += 1000000;
    later->peak_live_bytes += 1000000;
    differences_find(&found, &base, &head, NULL, limits, false);
    ck_assert_uint_eq(found.count, 0);
    differences_fini(&found);
    results_fini();
}
END_TEST

START_TEST(more_of_what_memcheck_finds_is_worse)
{
    static const struct {
        int64_t errors[2], lost[2]; /* base, head */
        int kind;
        const char *text;
    } found_by_memcheck[] = {
        {{2, 2}, {50, 50}, -1, ""},
        {{0, 1}, {0, 0}, DIFFERENCE_WORSE, "memcheck errors 0 -> 1 (+1)"},
        {{0, 0}, {0, 50}, DIFFERENCE_WORSE, "definitely lost 0 B -> 50 B (+50 B)"},
        {{3, 1},
         {50, 0},
         DIFFERENCE_BETTER,
         "memcheck errors 3 -> 1 (-2), definitely lost 50 B -> 0 B (-50 B)"},
    };
    for (size_t r = 0; r < sizeof found_by_memcheck / sizeof found_by_memcheck[0]; r++) {
        struct differences found;
        results_init();
        struct result_test *tests[] = {test_put(&base, "a"), test_put(&head, "a")};
        for (size_t i = 0; i < 2; i++) {
            result_memcheck_get(tests[i])->errors = found_by_memcheck[r].errors[i];
            tests[i]->memcheck->definite_bytes = found_by_memcheck[r].lost[i];
        }
        differences_find(&found, &base, &head, NULL, limits, false);
        ck_assert_uint_eq(found.count, found_by_memcheck[r].kind >= 0);
        if (found.count) {
            ck_assert_int_eq(found.items[0].kind, found_by_memcheck[r].kind);
            ck_assert_str_eq(found.items[0].text, found_by_memcheck[r].text);
        }
        differences_fini(&found);
        results_fini();
    }
    struct differences found; /* one of them was not run under it */
    results_init();
    test_put(&base, "a");
    result_memcheck_get(test_put(&head, "a"))->errors = 5;
    differences_find(&found, &base, &head, NULL, limits, false);
    ck_assert_uint_eq(found.count, 0);
    differences_fini(&found);
    results_fini();
}
END_TEST

START_TEST(the_figures_of_a_test_that_failed_are_not_compared)
{
    struct differences found;
    results_init();
    test_put(&base, "a")->status = RESULT_FAIL;
    struct result_test *failed = test_put(&head, "a");
    failed->status = RESULT_FAIL;
    failed->allocs = 5;
    differences_find(&found, &base, &head, NULL, limits, false);
    ck_assert_uint_eq(found.count, 0);
    differences_fini(&found);
    results_fini();
}
END_TEST

START_TEST(the_same_test_under_another_variant_is_another_test)
{
    struct differences found;
    size_t passed, failed, unstable;
    results_init();
    result_set(&test_put(&base, "a")->variant, "lru");
    result_set(&test_put(&head, "a")->variant, "direct");
    differences_find(&found, &base, &head, NULL, limits, false);
    ck_assert_uint_eq(found.kinds[DIFFERENCE_NEW], 1);
    ck_assert_uint_eq(found.kinds[DIFFERENCE_GONE], 1);
    differences_count(&found, &passed, &failed, &unstable);
    ck_assert(passed == 1 && failed == 0 && unstable == 0);
    differences_fini(&found);
    differences_find(&found, &base, &head, NULL, limits, true);
    ck_assert_uint_eq(found.count, 0);
    differences_fini(&found);
    results_fini();
}
END_TEST

static void site_put(struct result *result, const char *function, const char *file, unsigned line,
                     int64_t blocks)
{
    struct result_site *site = result_site_add(result);
    result_set(&site->test, "a");
    result_set(&site->kind, "heap");
    site->verdict = VERDICT_GROWTH;
    site->blocks = blocks;
    site->bytes = 8 * blocks;
    site->frames = result_frames_new(1);
    site->frame_count = 1;
    result_set(&site->frames[0].function, function);
    result_set(&site->frames[0].file, file);
    site->frames[0].line = line;
}

/* A site is its functions and file names: lines and folders move. */
START_TEST(sites_are_told_apart_by_function_and_file_name)
{
    struct differences found;
    results_init();
    test_put(&base, "a");
    test_put(&head, "a")->allocs = 1003;
    site_put(&base, "parse_key", "/old/registry.c", 80, 1);
    site_put(&head, "parse_key", "new/registry.c", 88, 4);
    site_put(&base, "stays", "x.c", 1, 5);
    site_put(&head, "stays", "x.c", 2, 5);
    site_put(&base, "went", "x.c", 3, 2);
    site_put(&head, "came", "x.c", 4, 1);
    result_sites_sort(&base);
    result_sites_sort(&head);
    differences_find(&found, &base, &head, NULL, limits, false);
    ck_assert_str_eq(found.items[0].sites, "+3 blocks, +24 B in parse_key (new/registry.c:88)\n"
                                           "-2 blocks, -16 B in went (x.c:3)\n"
                                           "+1 block, +8 B in came (x.c:4)\n");
    differences_fini(&found);
    results_fini();
}
END_TEST

SUITE("difference", &each_measure_has_its_own_sharpness,
      &what_earlier_tests_left_behind_is_no_part_of_a_peak, &more_of_what_memcheck_finds_is_worse,
      &the_figures_of_a_test_that_failed_are_not_compared,
      &the_same_test_under_another_variant_is_another_test,
      &sites_are_told_apart_by_function_and_file_name)
