/*
 * suite.h - does a place grow with every further test of a suite? Pure functions over arrays.
 * docs/verdicts.md explains the rules; threshold.def has the numbers.
 *
 * A place is judged over the tests that touch it: those that allocated there in any of the passes.
 * A look-up that hits in one order and fills in another touches too, so a table over a small domain
 * is seen to stop, and a cache that nobody clears is not lost among tests that have nothing to do
 * with it. The series of a pass has one value for each touching test: the least that the place held
 * at any boundary from that test until the next one that touches it, so that modules which clean up
 * after themselves come down in between.
 */
#ifndef JUDGE_SUITE_H
#define JUDGE_SUITE_H

#include "harness/result/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suite_step { /* a boundary of a pass */
    int64_t held;   /* by the place */
    bool touches;   /* the test before it touches the place */
    bool begins;    /* the first of a fixture, after the tests of another: never the first step */
};

/* The series of a pass, into `held`, which has room for `count`; returns its length. After the last
 * fixture nobody looks: where the place came down at the ends of the others, and rose at none, the
 * last value is the least that it came down to. */
size_t suite_series(const struct suite_step *steps, size_t count, int64_t *held);

/* Does the series of one pass grow? `held` has one value for each touching test, in the order of
 * the pass, above what the place held before the first test. */
bool judge_pass(const int64_t *held, size_t count);

/* What `accusing` of `passes` passes come to: ACCUMULATES, SATURATING, or INCONCLUSIVE between;
 * NONE without a pass. */
enum result_verdict judge_votes(size_t accusing, size_t passes);

/* Of a place that accumulates, after a second pass over the same tests in the same process: bytes
 * kept by the first pass, and added by the second. Most of it again is GROWTH, next to nothing
 * ACCUMULATES (bounded by the number of distinct inputs), in between INCONCLUSIVE. */
enum result_verdict judge_again(int64_t first, int64_t second);

/* Of a place, where fewer orders were seen than there should be. A table over few inputs looks like
 * what accumulates: in one order, each of the tests that allocate there brings an input first. In
 * another order these are others (`others`), and only in several it is seen to stop. Then what
 * ACCUMULATES is INCONCLUSIVE. Of one order nothing can be said of others: that is for the caller.
 */
enum result_verdict judge_orders(enum result_verdict verdict, size_t passes, bool others);

#endif
