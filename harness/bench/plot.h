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

/* `width` columns, about 16 lines. */
void plot_terminal(FILE *out, const struct plot_curve *curves, size_t count, unsigned width,
                   bool color);
/* A whole SVG file: lines from the model, dots where it was measured. Works in light and dark. */
void plot_svg(FILE *out, const char *title, const struct plot_curve *curves, size_t count);

#endif
