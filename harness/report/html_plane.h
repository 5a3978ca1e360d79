/* html_plane.h - a picture with axes and lines, for the charts of the page. Supervisor only. */
#ifndef REPORT_HTML_PLANE_H
#define REPORT_HTML_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct plane { /* from values to places in the picture */
    double width, height, left, right, top, bottom;
    double x_last, y_most, y_least;
    bool relative; /* labels above the lowest say how much more */
};

double plane_x(const struct plane *plane, double x);
double plane_y(const struct plane *plane, double y);
/* The element's beginning, with a title for screen readers; "</svg>" is for the caller. */
void plane_open(const struct plane *plane, const char *title, FILE *out);
void plane_axes(const struct plane *plane, const char *x_first, const char *x_last, FILE *out);
/* A line through the values at these places (NULL: 0, 1, 2 ...); NAN is passed over. `class_`:
 * which of six strokes. */
void plane_line(const struct plane *plane, const double *at, const double *values, size_t count,
                unsigned class_, FILE *out);

#endif
