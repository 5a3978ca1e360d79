/* html_plane.c - see html_plane.h. Static SVG, readable without scripts: a title for screen
 * readers, colours from the page's variables, dashes beside colours. Supervisor only. */
#include "harness/report/html_plane.h"
#include "harness/base/unit.h"
#include "harness/report/xml.h"

#include <math.h>
#include <stdint.h>

double plane_x(const struct plane *plane, double x)
{
    double span = plane->x_last > 0 ? plane->x_last : 1;
    return plane->left + (plane->width - plane->left - plane->right) * x / span;
}

double plane_y(const struct plane *plane, double y)
{
    double span = plane->y_most - plane->y_least;
    return plane->height - plane->bottom -
           (plane->height - plane->top - plane->bottom) * (y - plane->y_least) /
               (span > 0 ? span : 1);
}

void plane_axes(const struct plane *plane, const char *x_first, const char *x_last, FILE *out)
{
    char size[UNIT_TEXT_BYTES];
    double base = plane->height - plane->bottom, end = plane->width - plane->right;
    double span = plane->y_most - plane->y_least;
    for (int i = 0; i <= 2; i++) {
        double value = plane->y_least + span * i / 2, y = plane_y(plane, value);
        if (i == 0 || span > 0) {
            fprintf(out,
                    "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
                    "text-anchor=\"end\">%s%s</text>",
                    plane->left, y, end, plane->left - 6, y + 4,
                    plane->relative && i > 0 ? "+" : "",
                    unit_bytes(size, plane->relative && i > 0 ? value - plane->y_least : value));
        }
    }
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", plane->left, base + 16, x_first);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>", end, base + 16,
            x_last);
}

void plane_open(const struct plane *plane, const char *title, FILE *out)
{
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", plane->width,
            plane->height);
    xml_put(title, SIZE_MAX, out);
    fputs("\"><title>", out);
    xml_put(title, SIZE_MAX, out);
    fputs("</title>", out);
}

/* At most this many points a line: more cannot be seen, and a page of 100,000 points is slow. Of
 * each bucket the largest value is drawn, so that no peak is lost. */
#define LINE_POINTS 500

void plane_line(const struct plane *plane, const double *at, const double *values, size_t count,
                unsigned class_, FILE *out)
{
    size_t every = (count + LINE_POINTS - 1) / LINE_POINTS;
    char command = 'M';
    fprintf(out, "<path class=\"l l%u\" d=\"", class_ % 6);
    for (size_t i = 0; i < count; i += every) {
        size_t top = i;
        for (size_t j = i; j < count && j < i + every; j++) {
            top = isnan(values[top]) || values[j] > values[top] ? j : top;
        }
        if (!isnan(values[top])) {
            fprintf(out, "%c%.1f %.1f", command, plane_x(plane, at ? at[top] : (double)top),
                    plane_y(plane, values[top]));
            command = 'L';
        }
    }
    fputs("\"/>", out);
}
