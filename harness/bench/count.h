/*
 * count.h - instructions and allocations a look-up, counted by callgrind: the figures that come out
 * the same on every run, however busy the machine is, and so those to hold a change of the code
 * against. An allocation is a call of malloc, calloc, realloc or one of the aligned ones, whoever
 * makes it.
 *
 * The supervisor starts its own command line once more under valgrind, with an environment variable
 * by which the copy knows that it is to count and nothing else. There every contender is warmed up
 * as for the clock, and one window of requests is asked with collection switched on. The loop that
 * asks is in the figure: a dozen instructions, the same for all. What the processor makes of the
 * instructions is not: this is no measure of time between different algorithms.
 */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include "harness/bench/contender.h"

/* Whether this process is the copy under valgrind. */
bool count_wanted(void);
/* In the copy. */
void count_run(struct contender *contenders, size_t count, const struct workload *workload);

#define COUNT_WHY_BYTES 200

struct counts { /* a look-up */
    double instructions, allocations;
};

/* In the supervisor: fills counts[0..count), NAN for those that refused their bounds. False, and
 * the reason, when nothing was counted. `argv` is main's. */
bool count_measure(char *const *argv, struct counts *counts, size_t count,
                   char why[COUNT_WHY_BYTES]);

#endif
