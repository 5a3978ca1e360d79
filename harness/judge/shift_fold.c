/* shift_fold.c - see shift_fold.h. Supervisor only. */
#include "harness/judge/shift_fold.h"

#include <math.h>

#define PAIRS_NEVER 1e6 /* nobody waits for so many */

size_t shift_fold(const double *values, size_t count, double folded[SHIFT_PAIRS_MAX])
{
    size_t each = (count + SHIFT_PAIRS_MAX - 1) / SHIFT_PAIRS_MAX, filled = 0;
    for (size_t from = 0; each > 0 && from + each <= count; from += each) {
        double logs = 0;
        for (size_t i = 0; i < each; i++) {
            logs += log(values[from + i]);
        }
        folded[filled++] = exp(logs / (double)each);
    }
    return filled;
}

size_t shift_more_pairs(const struct shift *shift, size_t count)
{
    double off = fabs(shift->ratio - 1), room = fabs(off - SHIFT_LEAST);
    double half = fmax(shift->high - shift->ratio, shift->ratio - shift->low);
    if (shift->verdict != SHIFT_UNSURE) {
        return 0;
    }
    double needed = room > 0 ? (double)count * (half / room) * (half / room) : PAIRS_NEVER;
    if (!(needed < PAIRS_NEVER)) {
        return SHIFT_NEVER;
    }
    return needed > (double)count + 1 ? (size_t)(needed - (double)count) : 1;
}
