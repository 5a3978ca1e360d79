/* result_read_test.c - bad lines with their places, duplicates, cut files, bounded sites; the
 * walker of json_read.h against jansson. */
#include "harness/base/suite.h"
#include "harness/result/json_read.h"
#include "harness/result/result_read.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUN "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"suite\":\"s\"}\n"
#define END                                                                                        \
    "{\"v\":1,\"type\":\"summary\",\"passed\":1,\"failed\":0,\"skipped\":0,\"incomplete\":0}\n"

static void file_make(char path[64], const char *text)
{
    strcpy(path, "/tmp/tidemark-read-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

START_TEST(a_bad_line_is_named_with_its_place)
{
    static const struct {
        const char *line;
        unsigned column;
        const char *says;
    } rows[] = {
        {"nonsense", 1, "an object should stand here"},
        {"{\"v\":1,\"type\":\"test\",\"id\":}", 27, "a string should stand here"},
        {"{\"v\":1,\"type\":\"test\",\"id\":7}", 27, "a string should stand here"},
        {"{\"v\":1,\"type\":\"test\"}", 22, "a test without an id"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"live_by_rep\":[1,2],\"live_at_rep\":[3]}", 69,
         "live_at_rep does not rise"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"live_by_rep\":[1,2],\"live_at_rep\":[3,3]}", 71,
         "live_at_rep does not rise"},
        {"{\"v\":2,\"type\":\"test\",\"id\":\"x\"}", 6, "a version of the format"},
        {"{\"type\":\"test\",\"id\":\"x\"}", 25, "a line without \"v\":1"},
        {"{\"v\":1,\"id\":\"x\"}", 17, "a line without \"type\""},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"status\":\"sad\"}", 40, "unknown status"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"allocs\":1.5}", 40, "a whole number"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"allocs\":99999999999999999999}", 40,
         "a whole number"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"line\":-1}", 38, "0 or more"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"\xff\"}", 28, "not UTF-8"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"\\ud800\"}", 34, "surrogate"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\"} {}", 32, "something stands after the end"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",}", 31, "a key in quotes"},
        {"{\"v\":1,\"type\":\"test\",\"id\":\"x\",\"later\":[1,}", 42, "not JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result result;
        struct diag diag;
        char path[64], text[512];
        snprintf(text, sizeof text, RUN "%s\n" END, rows[i].line);
        file_make(path, text);
        diag_init(&diag);
        result_init(&result);
        ck_assert_msg(!result_read(path, &result, &diag), "%s", rows[i].line);
        ck_assert_uint_eq(diag.count, 1);
        ck_assert_uint_eq(diag.items[0].line, 2);
        ck_assert_msg(strstr(diag.items[0].text, rows[i].says) != NULL, "%s: %s", rows[i].line,
                      diag.items[0].text);
        ck_assert_msg(diag.items[0].column == rows[i].column, "%s: column %u", rows[i].line,
                      diag.items[0].column);
        result_fini(&result);
        diag_fini(&diag);
        unlink(path);
    }
}
END_TEST

START_TEST(what_a_later_version_adds_is_passed_over)
{
    struct result result;
    struct diag diag;
    char path[64];
    file_make(
        path, RUN
        "{\"type\":\"dream\",\"v\":1,\"x\":[{}]}\n\n"
        "{\"future\":{\"a\":[null]},\"v\":1,\"type\":\"test\",\"id\":\"a\",\"allocs\":null}\n" END);
    diag_init(&diag);
    result_init(&result);
    ck_assert(result_read(path, &result, &diag));
    ck_assert_uint_eq(result.test_count, 1);
    ck_assert_int_eq(result.tests[0].allocs, RESULT_UNMEASURED);
    ck_assert_uint_eq(result.incomplete, 0);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

START_TEST(places_without_a_curve_as_older_baselines_have_them_are_read)
{
    struct result result;
    struct diag diag;
    char path[64];
    file_make(path, RUN "{\"v\":1,\"type\":\"test\",\"id\":\"a\",\"live_at_rep\":[3,4,64]}\n"
                        "{\"v\":1,\"type\":\"summary\",\"passed\":1}\n");
    diag_init(&diag);
    result_init(&result);
    ck_assert(result_read(path, &result, &diag));
    ck_assert_uint_eq(result.test_count, 1);
    ck_assert_uint_eq(result.tests[0].live_at_rep_count, 0);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

START_TEST(a_file_without_its_end_is_incomplete)
{
    static const char *const texts[] = {
        RUN "{\"v\":1,\"type\":\"test\",\"id\":\"a\"}\n",
        RUN "{\"v\":1,\"type\":\"test\",\"id\":\"a\"}\n{\"v\":1,\"type\":\"te",
        RUN
        "{\"v\":1,\"type\":\"expected\",\"tests\":2}\n{\"v\":1,\"type\":\"test\",\"id\":\"a\"}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct result result;
        struct diag diag;
        char path[64];
        file_make(path, texts[i]);
        diag_init(&diag);
        result_init(&result);
        ck_assert(result_read(path, &result, &diag));
        ck_assert_uint_eq(result.test_count, 1);
        ck_assert_uint_eq(result.passed, 1);
        ck_assert_uint_eq(result.incomplete, 1);
        ck_assert_uint_eq(result.cut_short, i < 2); /* of the third, a test is missing */
        result_fini(&result);
        diag_fini(&diag);
        unlink(path);
    }
}
END_TEST

#define TEST(id) "{\"v\":1,\"type\":\"test\",\"id\":\"" id "\"}\n"

/* Baselines were saved so: the curve is left out, its places are not. */
START_TEST(places_of_a_curve_that_is_not_there_are_dropped)
{
    struct result result;
    struct diag diag;
    char path[64];
    file_make(path, RUN "{\"v\":1,\"type\":\"test\",\"id\":\"a\",\"live_at_rep\":[3,4]}\n" END);
    diag_init(&diag);
    result_init(&result);
    ck_assert(result_read(path, &result, &diag));
    ck_assert_uint_eq(result.test_count, 1);
    ck_assert_uint_eq(result.tests[0].live_at_rep_count, 0);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

START_TEST(a_summary_of_more_than_there_is_tells_of_lost_lines)
{
    struct result result;
    struct diag diag;
    char path[64];
    file_make(path,
              RUN TEST("a") "{\"v\":1,\"type\":\"summary\",\"passed\":2,\"failed\":1,\"skipped\":1,"
                            "\"incomplete\":0,\"way_in\":\"libcheck, shared\"}\n");
    diag_init(&diag);
    result_init(&result);
    ck_assert(result_read(path, &result, &diag));
    ck_assert_uint_eq(result.incomplete, 3);
    ck_assert_str_eq(result.way_in, "libcheck, shared");
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

/* cat a.jsonl b.jsonl: each keeps its own end, or has none. */
START_TEST(another_run_in_the_same_file_is_another_source)
{
    static const struct {
        const char *text;
        size_t tests, incomplete;
        bool ok;
    } rows[] = {
        {RUN TEST("a") END RUN TEST("b") END, 2, 0, true},
        {RUN TEST("a") RUN TEST("b") END, 2, 1, true},
        {RUN TEST("a") END RUN TEST("b"), 2, 1, true},
        {RUN TEST("a") END RUN TEST("a") END, 1, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result result;
        struct diag diag;
        char path[64];
        size_t count;
        file_make(path, rows[i].text);
        diag_init(&diag);
        result_init(&result);
        struct result_reader *reader = result_reader_new(&result, 0);
        ck_assert_int_eq(result_reader_add(reader, path, &diag), rows[i].ok);
        ck_assert_uint_eq(result.test_count, rows[i].tests);
        ck_assert_uint_eq(result.incomplete, rows[i].incomplete);
        const struct result_source *sources = result_reader_sources(reader, &count);
        ck_assert_uint_eq(count, 2);
        ck_assert_str_eq(sources[0].path, sources[1].path);
        ck_assert_uint_gt(sources[1].line, sources[0].line);
        result_reader_free(&reader);
        result_fini(&result);
        diag_fini(&diag);
        unlink(path);
    }
}
END_TEST

START_TEST(a_file_of_another_kind_gets_one_line)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"\x1f\x8b\x08\x01\nmore\nand more\n", "an object should stand here: \\x1f\\x8b\\x08\\x01"},
        {"<?xml version=\"1.0\"?>\n<a>\n</a>\n",
         "an object should stand here: <?xml version=\"1.0\"?>"},
        {"{\"v\":9,\"type\":\"run\"}\n{\"v\":9,\"type\":\"test\"}\n", "a version of the format"},
        {"", "no line of type \"run\""},
        {TEST("a") END, "no line of type \"run\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result result;
        struct diag diag;
        char path[64];
        file_make(path, rows[i].text);
        diag_init(&diag);
        result_init(&result);
        ck_assert(!result_read(path, &result, &diag));
        ck_assert_uint_eq(diag.count, 1);
        ck_assert_uint_eq(diag.items[0].line, 1);
        ck_assert_msg(strstr(diag.items[0].text, rows[i].says) != NULL, "%s", diag.items[0].text);
        result_fini(&result);
        diag_fini(&diag);
        unlink(path);
    }
}
END_TEST

START_TEST(the_same_test_in_two_files_is_refused_and_in_one_file_replaced)
{
    struct result result;
    struct diag diag;
    char one[64], two[64];
    file_make(
        one, RUN
        "{\"v\":1,\"type\":\"test\",\"id\":\"a\",\"variant\":\"x\",\"verdict\":\"none\"}\n"
        "{\"v\":1,\"type\":\"test\",\"id\":\"a\",\"variant\":\"y\"}\n"
        "{\"v\":1,\"type\":\"test\",\"id\":\"a\",\"variant\":\"x\",\"verdict\":\"leak\"}\n" END);
    file_make(two, RUN "{\"v\":1,\"type\":\"test\",\"id\":\"b\",\"variant\":\"x\"}\n"
                       "{\"v\":1,\"type\":\"test\",\"id\":\"a\",\"variant\":\"x\"}\n" END);
    diag_init(&diag);
    result_init(&result);
    struct result_reader *reader = result_reader_new(&result, 0);
    ck_assert(result_reader_add(reader, one, &diag));
    ck_assert_uint_eq(result.test_count, 2);
    ck_assert_int_eq(result.tests[0].verdict, VERDICT_LEAK);
    ck_assert(!result_reader_add(reader, two, &diag));
    ck_assert_uint_eq(diag.count, 1);
    ck_assert_uint_eq(diag.items[0].line, 3);
    size_t at, count;
    ck_assert(result_reader_find(reader, "b", "x", &at));
    ck_assert_str_eq(result.tests[at].id, "b");
    ck_assert(!result_reader_find(reader, "b", "y", &at));
    ck_assert_uint_eq(result_reader_sources(reader, &count)[1].tests, 1);
    ck_assert_uint_eq(count, 2);
    result_reader_free(&reader);
    result_fini(&result);
    diag_fini(&diag);
    unlink(one);
    unlink(two);
}
END_TEST

START_TEST(keeps_the_largest_sites_and_counts_the_rest)
{
    struct result result;
    struct diag diag;
    char path[64];
    struct text text = {0};
    text_put(&text, RUN);
    int64_t total = 0;
    for (int i = 0; i < 1000; i++) {
        int bytes = i * 7919 % 1000; /* each of 0..999 once */
        total += bytes;
        text_format(&text,
                    "{\"v\":1,\"type\":\"site\",\"test\":\"\",\"variant\":\"\",\"rank\":1,"
                    "\"bytes\":%d,\"blocks\":1,\"frames\":[{\"function\":\"f\"}]}\n",
                    bytes);
    }
    text_put(&text, END);
    file_make(path, text_peek(&text));
    text_fini(&text);
    diag_init(&diag);
    result_init(&result);
    struct result_reader *reader = result_reader_new(&result, 10);
    ck_assert(result_reader_add(reader, path, &diag));
    result_reader_free(&reader);
    ck_assert_uint_eq(result.site_count, 10);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_int_eq(result.sites[i].bytes, 999 - (int)i);
        total -= result.sites[i].bytes;
    }
    ck_assert_uint_eq(result.sites_hidden, 990);
    ck_assert_int_eq(result.bytes_hidden, total);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

START_TEST(what_is_no_result_is_said)
{
    struct result result;
    struct diag diag;
    char path[64];
    file_make(path, "");
    diag_init(&diag);
    result_init(&result);
    ck_assert(!result_read(path, &result, &diag));
    ck_assert(!result_read("/nowhere", &result, &diag));
    ck_assert(!result_read("/", &result, &diag));
    ck_assert_uint_eq(diag.count, 3);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

/* Every prefix and every one-byte change of a line: both readers must agree on what is JSON. */
START_TEST(agrees_with_jansson_about_what_is_json)
{
    static const char seed[] =
        "{\"a\":[1,-0.5e+3,true,false,null,{}],\"b\\u00e9\\n\":\"\xc3\xa9\\ud83d\\ude00\"}";
    static const char swaps[] = "{}[]\",:\\0e-.tu \x01\x80\xff";
    struct json json = {0};
    char text[sizeof seed];
    unsigned compared = 0;
    for (size_t i = 0; i < sizeof seed; i++) {
        for (size_t j = 0; j < sizeof swaps - 1; j++) {
            memcpy(text, seed, sizeof seed);
            size_t length = sizeof seed - 1;
            if (j == 0) {
                length = i;
            } else if (i < length) {
                text[i] = swaps[j];
            }
            json_begin(&json, text, length);
            bool ours = json_skip(&json) && json_end(&json);
            json_t *theirs = json_loadb(text, length, JSON_DECODE_ANY, NULL);
            ck_assert_msg(ours == (theirs != NULL), "%.*s: ours %d", (int)length, text, ours);
            json_decref(theirs);
            compared++;
        }
    }
    ck_assert_uint_gt(compared, 1000);
    json_fini(&json);
}
END_TEST

SUITE("result_read", &places_of_a_curve_that_is_not_there_are_dropped,
      &a_summary_of_more_than_there_is_tells_of_lost_lines,
      &another_run_in_the_same_file_is_another_source, &a_file_of_another_kind_gets_one_line,
      &a_bad_line_is_named_with_its_place, &what_a_later_version_adds_is_passed_over,
      &places_without_a_curve_as_older_baselines_have_them_are_read,
      &a_file_without_its_end_is_incomplete,
      &the_same_test_in_two_files_is_refused_and_in_one_file_replaced,
      &keeps_the_largest_sites_and_counts_the_rest, &what_is_no_result_is_said,
      &agrees_with_jansson_about_what_is_json)
