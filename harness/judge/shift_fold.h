/* shift_fold.h - more pairs than shift.h takes, and how many more of them would tell. Pure
 * functions.
 */
#ifndef JUDGE_SHIFT_FOLD_H
#define JUDGE_SHIFT_FOLD_H

#include "harness/judge/shift.h"

/* Consecutive values as one, their geometric mean, so that at most SHIFT_PAIRS_MAX are left; each
 * of the same number of values, and what does not fill the last is left out. All positive. Returns
 * how many there are. */
size_t shift_fold(const double *values, size_t count, double folded[SHIFT_PAIRS_MAX]);

#define SHIFT_NEVER ((size_t)-1)

/* About how many pairs more than `count` it takes until the interval, which shrinks with the square
 * root of their number, lies on one side of each threshold. 0: it does. SHIFT_NEVER: the difference
 * is as large as the threshold, and no number would tell. */
size_t shift_more_pairs(const struct shift *shift, size_t count);

#endif
