/* terminal_test.c - the terminal report of scripted results (fixtures/report/NAME.jsonl) against
 * golden texts (NAME.60.txt, .80, .100). Run from the repository's root. GOLDEN=write makes them
 * anew: look at the difference before committing it. */
#include "harness/base/suite.h"
#include "harness/base/text.h"
#include "harness/report/terminal.h"
#include "harness/result/result_read.h"

#include <stdio.h>
#include <string.h>

static char *file_take(const char *path)
{
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing", path);
    char *text = calloc(1, 65536);
    ck_assert_uint_lt(fread(text, 1, 65535, file), 65535);
    fclose(file);
    return text;
}

static void result_load(const char *name, struct result *result)
{
    char path[128];
    struct diag diag;
    diag_init(&diag);
    result_init(result);
    snprintf(path, sizeof path, "fixtures/report/%s.jsonl", name);
    bool ok = result_read(path, result, &diag);
    diag_print(&diag, stderr);
    ck_assert(ok);
    diag_fini(&diag);
    result_count(result);
}

static char *report_take(const struct result *result, unsigned columns, bool color)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    report_terminal(result, out, columns, color);
    fclose(out);
    return text;
}

static void golden_compare(const char *name, const char *got, unsigned columns)
{
    char path[128];
    snprintf(path, sizeof path, "fixtures/report/%s.%u.txt", name, columns);
    const char *golden = getenv("GOLDEN");
    if (golden && strcmp(golden, "write") == 0) {
        FILE *file = fopen(path, "w");
        fputs(got, file);
        fclose(file);
    }
    char *want = file_take(path);
    size_t line = 1;
    for (size_t i = 0; got[i] && got[i] == want[i]; i++) {
        line += got[i] == '\n';
    }
    ck_assert_msg(strcmp(got, want) == 0, "%s differs at line %zu; the report is now:\n%s", path,
                  line, got);
    free(want);
}

static const char *const names[] = {"run", "hunt", "clean", "innocent", "order", "memcheck"};
#define NAME_COUNT (sizeof names / sizeof names[0])

START_TEST(reads_as_the_golden_texts_do)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        for (unsigned columns = 60; columns <= 100; columns += 20) {
            struct result result;
            result_load(names[i], &result);
            char *got = report_take(&result, columns, false);
            golden_compare(names[i], got, columns);
            free(got);
            result_fini(&result);
        }
    }
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        for (unsigned columns = 60; columns <= 100; columns += 5) {
            struct result result;
            result_load(names[i], &result);
            char *got = report_take(&result, columns, false), *rest = got, *line;
            while ((line = strsep(&rest, "\n"))) {
                ck_assert_msg(text_width(line) <= columns, "%s", line);
            }
            free(got);
            result_fini(&result);
        }
    }
}
END_TEST

START_TEST(colour_adds_nothing_but_escapes)
{
    struct result result;
    result_load("run", &result);
    char *plain = report_take(&result, 80, false), *colored = report_take(&result, 80, true);
    ck_assert_ptr_nonnull(strstr(colored, "\x1b["));
    char *to = colored;
    for (const char *from = colored; *from;) {
        if (*from == '\x1b') {
            from += strcspn(from, "m") + 1;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    ck_assert_str_eq(plain, colored);
    free(plain);
    free(colored);
    result_fini(&result);
}
END_TEST

START_TEST(an_incomplete_result_says_so_before_the_last_line)
{
    struct result result;
    result_load("clean", &result);
    result.incomplete = 7;
    char *got = report_take(&result, 80, false);
    ck_assert_ptr_nonnull(strstr(got, "INCOMPLETE: 7 tests without a result\n120 passed"));
    free(got);
    result_fini(&result);
}
END_TEST

START_TEST(a_run_that_was_cut_short_is_no_test_without_a_result)
{
    struct result result;
    result_load("clean", &result);
    result.incomplete = result.cut_short = 1;
    char *got = report_take(&result, 80, false);
    ck_assert_ptr_nonnull(strstr(
        got, "INCOMPLETE: the run was cut short: its tests have results, its end is missing\n"
             "120 passed"));
    ck_assert_ptr_null(strstr(got, "without a result"));
    free(got);
    result.incomplete = 8;
    got = report_take(&result, 80, false);
    ck_assert_ptr_nonnull(strstr(got, "INCOMPLETE: 7 tests without a result\n"));
    free(got);
    result_fini(&result);
}
END_TEST

START_TEST(a_column_of_dashes_is_left_out)
{
    struct result result;
    result_load("run", &result);
    char *got = report_take(&result, 80, false);
    ck_assert_ptr_nonnull(strstr(got, "  stopped\n"));
    free(got);
    for (size_t i = 0; i < result.variant_count; i++) {
        result_set(&result.variants[i].stopped_by, "");
    }
    got = report_take(&result, 80, false);
    ck_assert_ptr_null(strstr(got, "  stopped\n"));
    free(got);
    result_fini(&result);
}
END_TEST

START_TEST(a_long_chain_of_fields_is_counted_and_wrapped)
{
    struct result result;
    struct text field = {0};
    result_load("hunt", &result);
    for (int i = 0; i < 40; i++) {
        text_put(&field, "->_chain");
    }
    for (size_t i = 0; i < result.site_count; i++) {
        if (result.sites[i].held_by_count > 0) {
            result_set(&result.sites[i].held_by[0].field, field.data);
        }
    }
    for (unsigned columns = 80; columns <= 100; columns += 20) {
        char *got = report_take(&result, columns, false), *rest = got, *line;
        ck_assert_ptr_nonnull(strstr(got, "->_chain x 40"));
        ck_assert_ptr_null(strstr(got, "->_chain->"));
        while ((line = strsep(&rest, "\n"))) {
            ck_assert_msg(text_width(line) <= columns, "%s", line);
        }
        free(got);
    }
    text_fini(&field);
    result_fini(&result);
}
END_TEST

START_TEST(a_limit_in_binary_units_compares_with_what_was_measured)
{
    struct result result;
    result_load("run", &result);
    struct result_expect *expect = &result.expects[0];
    result_set(&expect->metric, "live_bytes_peak");
    result_set(&expect->limit, "<= 4 MiB");
    result_set(&expect->actual, "5 MB");
    expect->ok = false;
    char *got = report_take(&result, 100, false);
    ck_assert_ptr_nonnull(strstr(got, "<= 4 MiB (4.19 MB)"));
    ck_assert_ptr_nonnull(strstr(got, "is 5 MB, expected <= 4 MiB (4.19 MB)"));
    ck_assert_ptr_nonnull(strstr(got, "cap 512 MiB (537 MB) by cgroup2"));
    free(got);
    result_fini(&result);
}
END_TEST

START_TEST(a_result_with_nothing_in_it_is_reported_too)
{
    struct result result;
    result_init(&result);
    char *got = report_take(&result, 80, false);
    ck_assert_ptr_nonnull(strstr(got, "0 passed, 0 failed, 0 skipped\n"));
    free(got);
    result_fini(&result);
}
END_TEST

SUITE("terminal", &reads_as_the_golden_texts_do, &no_line_is_wider_than_the_terminal,
      &colour_adds_nothing_but_escapes, &an_incomplete_result_says_so_before_the_last_line,
      &a_run_that_was_cut_short_is_no_test_without_a_result, &a_column_of_dashes_is_left_out,
      &a_long_chain_of_fields_is_counted_and_wrapped,
      &a_limit_in_binary_units_compares_with_what_was_measured,
      &a_result_with_nothing_in_it_is_reported_too)
