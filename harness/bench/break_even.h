/*
 * break_even.h - from what source cost on does a cache pay?
 *
 * With hit cost h, a miss costing m more than the source itself, and hit rate r, a look-up through
 * the cache costs r*h + (1-r)*(m + c) where the source costs c; directly it costs c. The cache pays
 * from
 *
 *     c* = h + m (1 - r) / r
 *
 * on. h, m and r are measured with the source as it is; then the source is made slower step by step
 * and the crossing is looked for in the measured curve. The two must agree, or the model does not
 * hold for this strategy. All runs are dependent: a request waits for the answer to the one before,
 * as a caller of a slow source does. Supervisor only.
 */
#ifndef BENCH_BREAK_EVEN_H
#define BENCH_BREAK_EVEN_H

#include "harness/bench/contender.h"

#define BREAK_EVEN_STEPS 15

struct break_even {
    double hit_ns, miss_ns, hit_rate; /* h, m, r */
    double base_ns;                   /* r*h + (1-r)*m: the cost at c = 0 */
    double formula_ns;                /* c*; INFINITY: never */
    double measured_ns; /* where the measured curves cross; 0: below the fastest source, INFINITY:
                           above the slowest, NAN: not measured */
    double source[BREAK_EVEN_STEPS], cost[BREAK_EVEN_STEPS]; /* the measured curve, ns */
};

/* `direct` is the strategy without a cache; both are asked on `workload`. False when either
 * refuses. */
bool break_even_measure(const struct strategy *direct, const struct contender *cache,
                        const struct workload *workload, const struct workload *resident,
                        struct break_even *out);

/* From h, m and r alone. */
double break_even_formula(double hit_ns, double miss_ns, double hit_rate);
/* Cost of a look-up in front of a source of `source_ns`. */
double break_even_cost(const struct break_even *model, double source_ns);

#endif
