/* table_test.c - tables are aligned, folded and without trailing blanks. */
#include "harness/base/suite.h"
#include "harness/base/table.h"

#include <stdlib.h>
#include <string.h>

static struct table *table_sample(void)
{
    struct table *table = table_new();
    table_column(table, "variant", TABLE_LEFT);
    table_column(table, "p50\nns", TABLE_RIGHT);
    table_column(table, "verdict", TABLE_LEFT);
    table_row(table);
    table_cell(table, "direct");
    table_cell(table, "41.2");
    table_cell_color(table, "clean", TABLE_GREEN);
    table_row(table);
    table_cell(table, "\xc3\xa9t\xc3\xa9");
    table_cell(table, NULL);
    table_row(table);
    table_cell(table, "lru");
    table_cell(table, "1,049.5");
    table_cell(table, "saturating");
    return table;
}

static void prints(unsigned width, bool color, const char *expected)
{
    struct table *table = table_sample();
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_print(table, out, width, color);
    fclose(out);
    ck_assert_str_eq(text, expected);
    free(text);
    table_free(&table);
    ck_assert_ptr_null(table);
}

START_TEST(aligns_numbers_right_and_puts_a_dash_for_nothing)
{
    prints(80, false,
           "variant      p50  verdict\n"
           "              ns\n"
           "direct      41.2  clean\n"
           "\xc3\xa9t\xc3\xa9            -\n"
           "lru      1,049.5  saturating\n");
}
END_TEST

START_TEST(folds_what_does_not_fit)
{
    prints(17, false,
           "variant      p50\n"
           "              ns\n"
           "direct      41.2\n"
           "\xc3\xa9t\xc3\xa9            -\n"
           "lru      1,049.5\n"
           "\n"
           "variant  verdict\n"
           "direct   clean\n"
           "\xc3\xa9t\xc3\xa9\n"
           "lru      saturating\n");
}
END_TEST

START_TEST(colours_only_when_wanted)
{
    struct table *table = table_sample();
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_print(table, out, 80, true);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "\x1b[32mclean\x1b[0m"));
    free(text);
    table_free(&table);
}
END_TEST

START_TEST(a_table_without_rows_or_columns_prints_no_rows)
{
    struct table *table = table_new();
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    table_column(table, "only", TABLE_LEFT);
    table_print(table, out, 80, false);
    fclose(out);
    ck_assert_str_eq(text, "only\n");
    free(text);
    table_free(&table);
}
END_TEST

SUITE("table", &aligns_numbers_right_and_puts_a_dash_for_nothing, &folds_what_does_not_fit,
      &colours_only_when_wanted, &a_table_without_rows_or_columns_prints_no_rows)
