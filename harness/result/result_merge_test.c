/* result_merge_test.c - files as one: what stays and its rate are of all parts, what they rest on
 * is of one that is named, and one stack is one site. */
#include "harness/base/suite.h"
#include "harness/result/result_merge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUN(shard)                                                                                 \
    "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"command\":\"hunt\",\"suite\":\"s\","        \
    "\"partition\":\"p\",\"shard\":\"" shard "\"}\n"
#define TEST(id)                                                                                   \
    "{\"v\":1,\"type\":\"test\",\"id\":\"" id "\",\"status\":\"pass\",\"verdict\":\"clean\"}\n"
#define SUITE_KEEPS(verdict, kept, tests, rate, more)                                              \
    "{\"v\":1,\"type\":\"variant\",\"name\":\"\",\"verdict\":\"" verdict "\",\"kept_bytes\":" kept \
    ",\"kept_tests\":" tests ",\"growth_bytes_per_test\":" rate                                    \
    ",\"horizon\":\"judged over " tests " tests\"" more "}\n"
#define SITE(function, bytes, blocks)                                                              \
    "{\"v\":1,\"type\":\"site\",\"test\":\"\",\"variant\":\"\",\"rank\":1,\"bytes\":" bytes        \
    ",\"blocks\":" blocks ",\"share\":1,\"kind\":\"heap\",\"frames\":[{\"function\":\"" function   \
    "\",\"file\":\"f.c\",\"line\":7,\"module\":\"m\",\"offset\":1}]}\n"
#define END(reason, incomplete)                                                                    \
    "{\"v\":1,\"type\":\"summary\",\"passed\":0,\"failed\":0,\"skipped\":0,"                       \
    "\"incomplete\":" incomplete ",\"reason\":\"" reason "\"}\n"

#define PARTS_MOST 3

/* The texts, a file each, merged into `result`, which the caller releases. */
static enum result_merge merged(struct result *result, const char *const texts[], size_t count)
{
    char paths[PARTS_MOST][64];
    const char *names[PARTS_MOST];
    struct diag diag;
    for (size_t i = 0; i < count; i++) {
        strcpy(paths[i], "/tmp/tidemark-merge-XXXXXX");
        int fd = mkstemp(paths[i]);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
        close(fd);
        names[i] = paths[i];
    }
    result_init(result);
    diag_init(&diag);
    enum result_merge done = result_merge(result, names, count, 1000, &diag);
    diag_fini(&diag);
    for (size_t i = 0; i < count; i++) {
        unlink(paths[i]);
    }
    return done;
}

START_TEST(what_stays_adds_up_and_the_rate_is_its_quotient)
{
    static const char *const texts[] = {
        RUN("1/3") TEST("a") SUITE_KEEPS("accumulates", "3000", "3", "1000", "") END("", "0"),
        RUN("2/3") TEST("b") SUITE_KEEPS("growth", "5000", "1", "5000", "") END("", "0"),
        RUN("3/3") TEST(
            "c") "{\"v\":1,\"type\":\"variant\",\"name\":\"\",\"verdict\":\"clean\","
                 "\"growth_bytes_per_test\":0,\"horizon\":\"judged over 9 tests\"}\n" END("", "0")};
    struct result result;
    ck_assert_int_eq(merged(&result, texts, 3), RESULT_MERGE_DONE);
    ck_assert_uint_eq(result.variant_count, 1);
    const struct result_variant *whole = &result.variants[0];
    ck_assert_int_eq(whole->verdict, VERDICT_GROWTH);
    ck_assert_double_eq(whole->kept_bytes, 8000);
    ck_assert_uint_eq(whole->kept_tests, 4);
    ck_assert_double_eq(whole->metric[METRIC_GROWTH], 2000);
    ck_assert_str_eq(whole->horizon, "shard 2/3: judged over 1 tests");
    result_fini(&result);
}
END_TEST

START_TEST(a_projection_is_that_of_the_one_part_that_has_it)
{
    static const char *const texts[] = {
        RUN("1/2") TEST("a") SUITE_KEEPS("accumulates", "3000", "3", "1000",
                                         ",\"projection\":\"9 KB at test 9\"") END("", "0"),
        RUN("2/2") TEST("b") SUITE_KEEPS("accumulates", "100", "1", "100", "") END("", "0"),
        RUN("2/2")
            TEST("b") "{\"v\":1,\"type\":\"variant\",\"name\":\"\",\"verdict\":\"clean\"}\n" END(
                "", "0")};
    struct result result;
    ck_assert_int_eq(merged(&result, texts, 2), RESULT_MERGE_DONE);
    ck_assert_str_eq(result.variants[0].projection, ""); /* the rate is of both */
    ck_assert_double_eq(result.variants[0].metric[METRIC_GROWTH], 3100.0 / 4);
    result_fini(&result);
    const char *const other[] = {texts[2], texts[0]};
    ck_assert_int_eq(merged(&result, other, 2), RESULT_MERGE_DONE);
    ck_assert_str_eq(result.variants[0].projection, "9 KB at test 9");
    ck_assert_double_eq(result.variants[0].metric[METRIC_GROWTH], 1000);
    result_fini(&result);
}
END_TEST

START_TEST(one_stack_in_two_parts_is_one_site)
{
    static const char *const texts[] = {
        RUN("1/2") TEST("a") SITE("load", "100", "1") SITE("other", "700", "2")
            SUITE_KEEPS("accumulates", "800", "2", "400", "") END("", "0"),
        RUN("2/2") TEST("b") SITE("load", "800", "4")
            SUITE_KEEPS("accumulates", "800", "2", "400", "") END("", "0")};
    struct result result;
    ck_assert_int_eq(merged(&result, texts, 2), RESULT_MERGE_DONE);
    ck_assert_uint_eq(result.site_count, 2);
    ck_assert_str_eq(result.sites[0].frames[0].function, "load");
    ck_assert_uint_eq(result.sites[0].rank, 1);
    ck_assert_int_eq(result.sites[0].bytes, 900);
    ck_assert_int_eq(result.sites[0].blocks, 5);
    ck_assert_double_eq_tol(result.sites[0].share, 900.0 / 1600, 1e-9);
    ck_assert_str_eq(result.sites[1].frames[0].function, "other");
    ck_assert_uint_eq(result.sites[1].rank, 2);
    ck_assert_double_eq_tol(result.sites[1].share, 700.0 / 1600, 1e-9);
    result_fini(&result);
}
END_TEST

START_TEST(why_one_part_is_empty_is_not_why_another_is_missing)
{
    static const char *const texts[] = {RUN("1/3") TEST("a") END("", "0"),
                                        RUN("2/3") END("none of the tests belongs to it", "0")};
    struct result result;
    ck_assert_int_eq(merged(&result, texts, 2), RESULT_MERGE_REFUSED);
    ck_assert_uint_gt(result.incomplete, 0);
    ck_assert_str_eq(result.reason, "");
    result_fini(&result);
    static const char *const broken[] = {RUN("1/2") END("none of the tests belongs to it", "0"),
                                         RUN("2/2") TEST("a") END("the disk was full", "1")};
    merged(&result, broken, 2);
    ck_assert_str_eq(result.reason, "the disk was full");
    result_fini(&result);
}
END_TEST

SUITE("result_merge", &what_stays_adds_up_and_the_rate_is_its_quotient,
      &a_projection_is_that_of_the_one_part_that_has_it, &one_stack_in_two_parts_is_one_site,
      &why_one_part_is_empty_is_not_why_another_is_missing)
