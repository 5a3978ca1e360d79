/* interval.c - see interval.h. Supervisor only. */
#include "harness/bench/interval.h"

#include <math.h>
#include <stdlib.h>

static int number_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void interval_sort(double *values, size_t count)
{
    qsort(values, count, sizeof values[0], number_compare);
}

double interval_quantile(const double *sorted, size_t count, double quantile)
{
    if (count == 0) {
        return NAN;
    }
    double rank = ceil(quantile * (double)count);
    size_t at = rank < 1 ? 1 : (size_t)rank;
    return sorted[(at > count ? count : at) - 1];
}

/* The greatest k with P(B(n, 1/2) < k) <= 2.5 %: the k-th from either end bounds the median. */
static size_t interval_rank(size_t count)
{
    double below = 0, log_term = -(double)count * M_LN2; /* of C(n, 0) / 2^n */
    size_t k = 0;
    while (k < count) {
        below += exp(log_term);
        if (below > 0.025) {
            break;
        }
        k++;
        log_term += log((double)(count - k + 1)) - log((double)k);
    }
    return k;
}

bool interval_median(double *values, size_t count, struct interval *interval)
{
    *interval = (struct interval){NAN, NAN, NAN};
    if (count == 0) {
        return false;
    }
    interval_sort(values, count);
    interval->median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    if (count < INTERVAL_LEAST) {
        return false;
    }
    size_t k = interval_rank(count);
    interval->low = values[k - 1];
    interval->high = values[count - k];
    return true;
}

/* How many of 2n values lie below has the mean n and the variance 2n (1 + 1/3) / 4. */
bool interval_pairs(double *values, size_t pairs, struct interval *interval)
{
    *interval = (struct interval){NAN, NAN, NAN};
    if (pairs == 0) {
        return false;
    }
    interval_sort(values, 2 * pairs);
    interval->median = (values[pairs - 1] + values[pairs]) / 2;
    if (pairs < INTERVAL_LEAST) {
        return false;
    }
    size_t k = (size_t)((double)pairs - 1.96 * sqrt((double)pairs * 2 / 3) + 0.5);
    interval->low = values[k - 1];
    interval->high = values[2 * pairs - k];
    return true;
}

enum difference interval_difference(const struct interval *ratio, double beyond)
{
    if (isnan(ratio->low)) {
        return DIFFERENCE_UNSURE;
    }
    if (ratio->low > 1 + beyond) {
        return DIFFERENCE_SLOWER;
    }
    if (ratio->high < 1 - beyond) {
        return DIFFERENCE_FASTER;
    }
    return ratio->low >= 1 - beyond && ratio->high <= 1 + beyond ? DIFFERENCE_NONE
                                                                 : DIFFERENCE_UNSURE;
}
