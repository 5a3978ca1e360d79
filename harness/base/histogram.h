/*
 * histogram.h - log-linear histogram of whole numbers (nanoseconds): exact below 32, then 32
 * sub-buckets per power of two, so that a bucket is at most 1/32 (3.1 %) of its value wide and its
 * middle at most 1.6 % off. 1,920 buckets cover all 64 bits; nothing is ever out of range.
 *
 *   value 0..31           bucket = value
 *   value 2^e + r, e >= 5 bucket = (e - 4) * 32 + (r >> (e - 5))
 *
 * The two inline functions are for any process, allocate nothing and are signal-safe; the rest is
 * for the supervisor.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1920

static inline unsigned histogram_bucket(uint64_t value)
{
    if (value < 32) {
        return (unsigned)value;
    }
    unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
    return (exponent - 4) * 32 + (unsigned)(value >> (exponent - 5) & 31);
}

/* The least value of a bucket. */
static inline uint64_t histogram_low(unsigned bucket)
{
    if (bucket < 32) {
        return bucket;
    }
    unsigned exponent = bucket / 32 + 4;
    return (32 + (uint64_t)(bucket & 31)) << (exponent - 5);
}

/* The middle of the bucket that holds the value at `quantile` (0..1) of all counts, by nearest
 * rank; NAN when the histogram is empty. */
double histogram_quantile(const uint64_t count[HISTOGRAM_BUCKETS], double quantile);
uint64_t histogram_total(const uint64_t count[HISTOGRAM_BUCKETS]);
void histogram_merge(uint64_t into[HISTOGRAM_BUCKETS], const uint64_t from[HISTOGRAM_BUCKETS]);

#endif
