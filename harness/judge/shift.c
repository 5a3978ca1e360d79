/* shift.c - see shift.h. Supervisor only. */
#include "harness/judge/shift.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AVERAGES_MAX (SHIFT_PAIRS_MAX * (SHIFT_PAIRS_MAX + 1) / 2)

static int double_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The largest k with P(rank sum < k) <= tail under no difference: the k-th smallest and k-th
 * largest average bound the interval. The distribution of the rank sum is counted out: adding pair
 * i either adds i to the sum or not, with one half each. */
static size_t rank_bound(size_t count, double tail)
{
    static double chance[AVERAGES_MAX + 1];
    size_t total = count * (count + 1) / 2, k = 0;
    memset(chance, 0, sizeof chance);
    chance[0] = 1;
    for (size_t i = 1; i <= count; i++) {
        for (size_t sum = i * (i + 1) / 2 + 1; sum-- > 0;) {
            chance[sum] = (chance[sum] + (sum >= i ? chance[sum - i] : 0)) / 2;
        }
    }
    double below = chance[0];
    while (below <= tail && k < total) {
        k++;
        below += chance[k];
    }
    return k; /* 0 when even the extremes do not reach it: count below 6 at 5 % */
}

struct shift shift_of_pairs(const double *a, const double *b, size_t count, double missed)
{
    static double averages[AVERAGES_MAX];
    double logs[SHIFT_PAIRS_MAX];
    size_t filled = 0;
    assert(count >= SHIFT_PAIRS_MIN && count <= SHIFT_PAIRS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(a[i] > 0 && b[i] > 0);
        logs[i] = log(b[i] / a[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j < count; j++) {
            averages[filled++] = (logs[i] + logs[j]) / 2;
        }
    }
    qsort(averages, filled, sizeof averages[0], double_compare);
    size_t k = rank_bound(count, missed / 2);
    assert(k > 0);
    double middle =
        filled % 2 ? averages[filled / 2] : (averages[filled / 2 - 1] + averages[filled / 2]) / 2;
    struct shift shift = {
        .ratio = exp(middle), .low = exp(averages[k - 1]), .high = exp(averages[filled - k])};
    shift.verdict = shift.low > 1 + SHIFT_LEAST                                     ? SHIFT_MORE
                    : shift.high < 1 - SHIFT_LEAST                                  ? SHIFT_LESS
                    : shift.low >= 1 - SHIFT_LEAST && shift.high <= 1 + SHIFT_LEAST ? SHIFT_NONE
                                                                                    : SHIFT_UNSURE;
    return shift;
}
