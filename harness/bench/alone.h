/*
 * alone.h - the peak of the resident memory of a process that does nothing but ask one contender.
 *
 * In the bench's own process the contenders come and go and share what the heap kept, so no peak
 * there is anybody's. The supervisor therefore starts its own command line once more for each, with
 * an environment variable by which the copy knows whose turn it is; the copy makes its requests,
 * asks them, and writes what the kernel says of it. The peak is that of the whole process, the
 * program and its requests included, which are the same for all: the differences are the
 * contenders'.
 */
#ifndef BENCH_ALONE_H
#define BENCH_ALONE_H

#include "harness/bench/contender.h"

#define ALONE_REQUESTS ((size_t)80 * WINDOW_REQUESTS)

/* In the copy: true, and the contender's number. */
bool alone_wanted(size_t *contender);
/* In the copy: asks ALONE_REQUESTS, and writes the figure to stdout. False when the contender
 * refuses its bounds or the kernel tells nothing. */
bool alone_run(struct contender *contender, const struct workload *workload);

/* In the supervisor: bytes, or NAN. `argv` is main's. */
double alone_measure(char *const *argv, size_t contender);

#endif
