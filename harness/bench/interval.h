/*
 * interval.h - a median with its 95 % interval, and what a ratio's interval says. Pure functions.
 *
 * The interval is that of order statistics: of n independent values the median lies between the
 * k-th smallest and the k-th largest with the probability that a fair coin falls k..n-k times; no
 * shape of the noise is assumed. Needs 6 values at least.
 */
#ifndef BENCH_INTERVAL_H
#define BENCH_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

#define INTERVAL_LEAST 6

struct interval {
    double low, median, high;
};

/* Sorts `values`. False with fewer than INTERVAL_LEAST of them: low and high are NAN then, the
 * median is there from one value on. */
bool interval_median(double *values, size_t count, struct interval *interval);

/* Nearest-rank quantile of sorted values. */
double interval_quantile(const double *sorted, size_t count, double quantile);
void interval_sort(double *values, size_t count);

/* A difference counts only where the whole interval of the ratio lies beyond `beyond` (0.01: 1 %);
 * "none" is said only where it lies within. */
enum difference { DIFFERENCE_UNSURE, DIFFERENCE_NONE, DIFFERENCE_FASTER, DIFFERENCE_SLOWER };
enum difference interval_difference(const struct interval *ratio, double beyond);

#endif
