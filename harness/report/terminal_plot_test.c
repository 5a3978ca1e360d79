/* terminal_plot_test.c - a curve is where its figures are: read back from the characters. */
#include "harness/report/terminal_plot.h"

#include "harness/base/suite.h"

#include <stdlib.h>
#include <string.h>

static char *plotted;
static size_t plotted_bytes;

static bool plot(const int64_t *bytes, const int64_t *at, size_t count, unsigned columns)
{
    free(plotted);
    FILE *out = open_memstream(&plotted, &plotted_bytes);
    bool drawn = terminal_plot(bytes, at, count, "repetitions", out, columns);
    ck_assert_int_eq(fclose(out), 0);
    return drawn;
}

/* The row of the mark in a column of the curve, 0 the lowest; -1: none or two. */
static int row_of(unsigned column)
{
    int found = -1, row = 8;
    for (const char *line = plotted; row-- > 0; line = strchr(line, '\n') + 1) {
        const char *curve = strchr(line, '|') + 1;
        if (column < strcspn(curve, "\n") && curve[column] == '*') {
            if (found >= 0) {
                return -1;
            }
            found = row;
        }
    }
    return found;
}

START_TEST(a_line_rises_evenly)
{
    int64_t bytes[33];
    for (size_t i = 0; i < 33; i++) {
        bytes[i] = 1000 * (int64_t)i;
    }
    ck_assert(plot(bytes, NULL, 33, 48)); /* 32 columns */
    for (unsigned column = 0; column < 32; column++) {
        ck_assert_int_ge(row_of(column), (int)(column * 7 / 32) - 1);
        ck_assert_int_le(row_of(column), (int)(column * 7 / 32) + 1);
    }
    ck_assert_int_eq(row_of(0), 0);
    ck_assert_int_eq(row_of(31), 7);
    ck_assert_ptr_nonnull(strstr(plotted, "32 KB |"));
    ck_assert_ptr_nonnull(strstr(plotted, "0 B |"));
}
END_TEST

START_TEST(a_step_is_where_it_was)
{
    static const int64_t bytes[] = {5, 5, 105, 105}, at[] = {1, 2, 17, 33};
    ck_assert(plot(bytes, at, 4, 49)); /* 33 columns: one a repetition */
    for (unsigned column = 0; column < 33; column++) {
        ck_assert_int_eq(row_of(column), column < 16 ? 0 : 7);
    }
}
END_TEST

START_TEST(no_line_is_wider_than_asked)
{
    static const int64_t bytes[] = {0, 7, 3, 9, 1};
    for (unsigned columns = 32; columns < 120; columns++) {
        ck_assert(plot(bytes, NULL, 5, columns));
        for (const char *line = plotted; *line; line = strchr(line, '\n') + 1) {
            ck_assert_uint_le(strcspn(line, "\n"), columns);
        }
    }
}
END_TEST

START_TEST(what_is_no_curve_is_not_drawn)
{
    static const int64_t same[] = {4, 4, 4}, two[] = {4, 8};
    ck_assert(!plot(same, NULL, 3, 80));
    ck_assert(!plot(two, NULL, 2, 80));
    ck_assert_uint_eq(plotted_bytes, 0);
}
END_TEST

SUITE("terminal_plot", &a_line_rises_evenly, &a_step_is_where_it_was, &no_line_is_wider_than_asked,
      &what_is_no_curve_is_not_drawn)
