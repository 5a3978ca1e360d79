/*
 * curve.h - hit rates of a trace over cache sizes: exact by simulation, exact for LRU at all sizes
 * at once by reuse distances, estimated from samples of the keys for big traces; and the smallest
 * size that reaches a wanted hit rate. Supervisor only; memory as base/memory.h.
 */
#ifndef TRACE_CURVE_H
#define TRACE_CURVE_H

#include "harness/trace/simulate.h"

struct curve_point {
    uint64_t size; /* entries or bytes */
    double hit_rate, byte_hit_rate;
    double error;            /* half of the 95 % interval of hit_rate; 0: exact */
    struct simulation exact; /* counts; all 0 when sampled */
};

/* A trace made ready, with its samples if any. */
struct curve {
    const struct trace *trace;
    bool by_bytes;
    double rate;    /* of the keys in each sample; 1: no sampling */
    uint64_t *next; /* of the trace */
    struct trace samples[4];
    uint64_t *sample_next[4];
    uint64_t *lru_misses; /* [unique + 1]: of an LRU of so many entries; NULL by bytes or sampled */
};

#define CURVE_SAMPLES 4

/* rate 1: exact. Samples are disjoint sets of keys, chosen by hash, each with all of its requests
 * (SHARDS); what they disagree by is the error. */
void curve_init(struct curve *curve, const struct trace *trace, bool by_bytes, double rate);
void curve_fini(struct curve *curve);

void curve_at(const struct curve *curve, const struct simulator *simulator, uint64_t size,
              struct curve_point *point);

/* The smallest size with at least that hit rate, within 0.5 % of itself; 0 when even a cache of
 * everything has less. For policies whose hit rate falls somewhere as the size grows, a size that
 * reaches it, found by halving. */
uint64_t curve_smallest(const struct curve *curve, const struct simulator *simulator,
                        double hit_rate);

/* Misses of an LRU of 0, 1 ... unique entries (one pass, n log n). The caller frees. */
uint64_t *reuse_misses(const struct trace *trace);

#endif
