/* terminal_plot.c - see terminal_plot.h. */
#include "harness/report/terminal_plot.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"

#include <math.h>
#include <string.h>

#define ROWS        8
#define LABEL       10 /* columns of the sizes beside the axis */
#define INDENT      4
#define WIDTH_MOST  72 /* of the curve: longer than that shows nothing more */
#define WIDTH_LEAST 16

struct plane {
    double first, last, low, high;
    unsigned width;
};

static double position(const int64_t *at, size_t point)
{
    return at ? (double)at[point] : (double)point + 1;
}

/* Of the last point that is not to the right of the column. */
static unsigned row_at(const struct plane *plane, const int64_t *bytes, const int64_t *at,
                       size_t count, unsigned column)
{
    double x = plane->first + (plane->last - plane->first) * column / (plane->width - 1);
    size_t point = 0;
    while (point + 1 < count && position(at, point + 1) <= x) {
        point++;
    }
    double part = ((double)bytes[point] - plane->low) / (plane->high - plane->low);
    return (unsigned)lround(part * (ROWS - 1));
}

static void axis_print(const struct plane *plane, const char *axis, FILE *out)
{
    char first[UNIT_TEXT_BYTES], last[UNIT_TEXT_BYTES];
    unit_count(first, plane->first);
    unit_count(last, plane->last);
    fprintf(out, "%*s+", INDENT + LABEL + 1, "");
    for (unsigned i = 0; i < plane->width; i++) {
        fputc('-', out);
    }
    unsigned used = text_width(first) + text_width(axis) + text_width(last);
    unsigned gap = plane->width > used ? (plane->width - used) / 2 : 1;
    fprintf(out, "\n%*s%s%*s%s%*s%s\n", INDENT + LABEL + 2, "", first, (int)gap, "", axis,
            plane->width > used + gap ? (int)(plane->width - used - gap) : 1, "", last);
}

bool terminal_plot(const int64_t *bytes, const int64_t *at, size_t count, const char *axis,
                   FILE *out, unsigned columns)
{
    unsigned taken = INDENT + LABEL + 2;
    struct plane plane = {.low = INFINITY, .high = -INFINITY};
    unsigned rows[WIDTH_MOST];
    for (size_t i = 0; i < count; i++) {
        plane.low = fmin(plane.low, (double)bytes[i]);
        plane.high = fmax(plane.high, (double)bytes[i]);
    }
    if (count < 3 || plane.low >= plane.high) {
        return false;
    }
    plane.first = position(at, 0);
    plane.last = position(at, count - 1);
    plane.width = columns > taken + WIDTH_LEAST ? columns - taken : WIDTH_LEAST;
    plane.width = plane.width > WIDTH_MOST ? WIDTH_MOST : plane.width;
    for (unsigned column = 0; column < plane.width; column++) {
        rows[column] = row_at(&plane, bytes, at, count, column);
    }
    for (unsigned row = ROWS; row-- > 0;) {
        char size[UNIT_TEXT_BYTES] = "", line[WIDTH_MOST + 1];
        if (row == ROWS - 1 || row == 0) {
            unit_bytes(size, row == 0 ? plane.low : plane.high);
        }
        memset(line, ' ', plane.width);
        unsigned end = 0;
        for (unsigned column = 0; column < plane.width; column++) {
            if (rows[column] == row) {
                line[column] = '*';
                end = column + 1;
            }
        }
        line[end] = '\0';
        fprintf(out, "%*s%*s |%s\n", INDENT, "", LABEL, size, line);
    }
    axis_print(&plane, axis, out);
    return true;
}
