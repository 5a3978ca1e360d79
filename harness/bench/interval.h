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

/* The same of ratios that come in pairs: values[2i] and values[2i + 1] are one own figure divided
 * by two independent ones of the reference. Each ratio is as likely above its true value as below,
 * however skewed the noise is; that of the own figure to a mean of the two is not, and makes equal
 * things seem different (with the noise of a busy machine by half a percent). Both lie on the same
 * side where the own figure is the least or the greatest of the three, 2 times of 3 whatever the
 * noise, which gives the ranks that bound the median. `pairs` from INTERVAL_LEAST on. */
bool interval_pairs(double *values, size_t pairs, struct interval *interval);

/* Nearest-rank quantile of sorted values. */
double interval_quantile(const double *sorted, size_t count, double quantile);
void interval_sort(double *values, size_t count);

/* A difference counts only where the whole interval of the ratio lies beyond `beyond` (0.01: 1 %);
 * "none" is said only where it lies within. */
enum difference { DIFFERENCE_UNSURE, DIFFERENCE_NONE, DIFFERENCE_FASTER, DIFFERENCE_SLOWER };
enum difference interval_difference(const struct interval *ratio, double beyond);

#endif
