/*
 * plot.h - curves of source cost against gain, on a terminal and as SVG. Both axes are logarithmic;
 * the line at 1 is where a cache neither costs nor saves. Supervisor only.
 */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "harness/bench/break_even.h"

#include <stdbool.h>
#include <stdio.h>

struct plot_curve {
    const char *name;
    const struct break_even *model;
};

struct plot_mark { /* a source that the reader knows, on the axis of source costs */
    const char *name;
    double source_ns; /* NAN: left out */
};

struct plot {
    const char *title; /* of the SVG file */
    const struct plot_curve *curves;
    size_t curve_count;
    const struct plot_mark *marks; /* cheapest first */
    size_t mark_count;
};

/* `width` columns, about 17 lines. */
void plot_terminal(FILE *out, const struct plot *plot, unsigned width, bool color);
/* A whole SVG file: lines from the model, dots where it was measured. Works in light and dark. */
void plot_svg(FILE *out, const struct plot *plot);

#endif
