/*
 * judge.h - from numbers to verdicts. Pure functions over arrays: no clock, no I/O, no globals, so
 * that every rule is tested with scripted numbers. docs/verdicts.md explains the rules and when
 * they err.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "harness/result/result.h"

#include <stdint.h>

struct judge_vector { /* a boundary, as wire_sample */
    int64_t live_blocks, live_bytes, mappings, mapped_bytes;
    uint32_t fds, threads, files;
};

/* All vectors equal? (axis A, count depth) */
bool judge_settled(const struct judge_vector *vectors, size_t count);

#define JUDGE_EPOCHS 5
extern const unsigned judge_epochs[JUDGE_EPOCHS]; /* repetitions: 16 32 64 128 256 */

enum judge_next { JUDGE_DONE, JUDGE_MORE };

struct judge_trend {
    enum result_verdict
        verdict;    /* CLEAN SATURATING GROWTH INCONCLUSIVE; leak or growth is told by reach */
    double per_rep; /* bytes (or units) per repetition over the last epoch */
};

/* Floors of a site (or of live bytes) after epochs 0..count-1. JUDGE_MORE: run the next epoch
 * first. */
enum judge_next judge_floors(const int64_t *floors, size_t count, struct judge_trend *trend);

/* Axis B: live bytes of survivors at the boundary after each test of the order, first to last. */
struct judge_trend judge_suite(const int64_t *live_after_test, size_t count);

/* What several orders of the same tests come to: what more than half of them say, else
 * INCONCLUSIVE. */
enum result_verdict judge_orders(const enum result_verdict *verdicts, size_t count);

/* A suite that accumulates, run once more in the same process: bytes kept by the first pass, and
 * added by the second. Most of it again is GROWTH, next to nothing ACCUMULATES (bounded by the
 * number of distinct inputs), in between is INCONCLUSIVE. */
enum result_verdict judge_again(int64_t first, int64_t second);

/* "60 GB at test 468": when does base + n * per_test reach `limit`? 0 if never. */
uint64_t judge_projection(int64_t base, double per_test, uint64_t limit);

#endif
