/* terminal_plot.h - one curve in characters. Supervisor only. */
#ifndef REPORT_TERMINAL_PLOT_H
#define REPORT_TERMINAL_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes over a count that rises from point to point (at NULL: 1, 2, 3, ...), both axes linear, at
 * most `columns` wide and ten lines high. Between two points the earlier one holds. `axis` is what
 * is counted: "repetitions". Nothing is printed, and false returned, where fewer than three points
 * or no two that differ would make no curve. */
bool terminal_plot(const int64_t *bytes, const int64_t *at, size_t count, const char *axis,
                   FILE *out, unsigned columns);

#endif
