/*
 * shift.h - by how much is B slower (or larger) than A? From pairs that ran side by side, so that a
 * busy machine slows both. Pure functions.
 *
 * The estimate is Hodges and Lehmann's: the median of all averages of two log ratios; its interval
 * is the one that Wilcoxon's signed-rank test inverts to, exact for up to 200 pairs. It needs no
 * normal distribution and shrugs off a few pairs that an interrupt hit. A difference counts only
 * where the whole interval lies beyond 1 %. Of several measures of the same runs, each takes its
 * part of the 5 % that may be missed, so that all intervals hold together in 95 of 100 comparisons.
 */
#ifndef JUDGE_SHIFT_H
#define JUDGE_SHIFT_H

#include <stddef.h>

#define SHIFT_PAIRS_MIN 9
#define SHIFT_PAIRS_MAX 200
#define SHIFT_LEAST     0.01 /* beyond this a difference counts */

/* SHIFT_UNSURE: the interval lies across a threshold. */
enum shift_verdict { SHIFT_NONE, SHIFT_MORE, SHIFT_LESS, SHIFT_UNSURE };

struct shift {
    double ratio, low, high; /* of B to A: 1.03 is 3 % more; the interval */
    enum shift_verdict verdict;
};

/* Both arrays positive, SHIFT_PAIRS_MIN to SHIFT_PAIRS_MAX long. `missed`: how often the interval
 * may miss the true shift, 0.005 to 0.2; 0.05 for a 95 % interval. */
struct shift shift_of_pairs(const double *a, const double *b, size_t count, double missed);

#endif
