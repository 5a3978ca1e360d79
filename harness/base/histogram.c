/* histogram.c - see histogram.h. Supervisor only (the buckets themselves are inline). */
#include "harness/base/histogram.h"
#include "harness/base/wire.h"

#include <math.h>

_Static_assert(HISTOGRAM_BUCKETS == WIRE_BUCKETS, "the wire carries whole histograms");

uint64_t histogram_total(const uint64_t count[HISTOGRAM_BUCKETS])
{
    uint64_t total = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        total += count[i];
    }
    return total;
}

double histogram_quantile(const uint64_t count[HISTOGRAM_BUCKETS], double quantile)
{
    uint64_t total = histogram_total(count);
    if (total == 0) {
        return NAN;
    }
    double wanted = ceil(quantile * (double)total);
    uint64_t rank = wanted < 1 ? 1 : wanted >= (double)total ? total : (uint64_t)wanted;
    uint64_t seen = 0;
    unsigned bucket = 0;
    while ((seen += count[bucket]) < rank) {
        bucket++;
    }
    if (bucket < 64) {
        return (double)histogram_low(bucket); /* one value wide */
    }
    double width = ldexp(1, (int)(bucket / 32) - 1);
    return (double)histogram_low(bucket) + (width - 1) / 2;
}

void histogram_merge(uint64_t into[HISTOGRAM_BUCKETS], const uint64_t from[HISTOGRAM_BUCKETS])
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        into[i] += from[i];
    }
}
