/*
 * series.h - does what one place holds grow with the calls of a test? Pure functions over arrays:
 * no clock, no I/O, no globals, so that every rule is tested with scripted numbers.
 * docs/verdicts.md explains the rules and when they err; threshold.def has the numbers.
 *
 * A series is what a place (a family of allocation sites, all of the heap, the mapped bytes, the
 * descriptors, threads or files) holds at the boundaries of calls 1, 2, 3 ... of a test. It is kept
 * as spans of consecutive calls with the least that was held in each, because what is held at the
 * lowest point of a saw-tooth is what stays. Spans become longer with the calls: a quarter of an
 * octave, or an octave as long as nothing moves.
 *
 *   top        the least of calls (n/2, n]: nothing that a saw-tooth gives back counts
 *   floor(c)   the least of calls from c on, and of top: what no later call gave back
 *   total      top - floor(warm-up)
 *   share      (top - floor(n/4)) / total     linear 0.5, doubling 0.5, square root 0.3, full 0
 *
 * It grows if the share is large enough and the floor rose several times, in several factors of
 * four. It has levelled off if the floor did not rise over the last factor of sixteen, and the
 * last eighth of the calls holds no more than the top (but for a sixteenth of what it swings): one
 * flat factor of four proves nothing, because a container that grows by doubling or by four stands
 * still for as long, and what begins to grow in the last half is not in the top yet. Everything
 * else is open, and more calls are needed.
 */
#ifndef JUDGE_SERIES_H
#define JUDGE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_SPANS 64 /* enough for 16,384 calls in quarters of octaves */

struct series_span {
    unsigned end;  /* the last call of the span; it begins after the end of the one before */
    int64_t floor; /* the least that was held at the boundaries of its calls */
};

struct series {
    size_t count;
    struct series_span spans[SERIES_SPANS];
};

enum series_shape {
    SERIES_STILL, /* the floor of every span after the warm-up is the same */
    SERIES_LEVEL, /* it has levelled off, or only swings */
    SERIES_GROWS,
    SERIES_OPEN, /* neither is known yet */
};

struct series_answer {
    enum series_shape shape;
    double per_call; /* growth of the floor over the last factor of four, per call */
    double share;    /* of the last factor of four in all growth; 0 if there is none */
    int64_t top;     /* the least of the last half of the calls */
    int64_t total;   /* all growth since the warm-up */
    unsigned rises;  /* spans in which the floor rose */
    unsigned calls;  /* n */
};

/* Appends a span; `end` must be greater than the last one's. Returns false when the series is full
 * (the span is then joined to the last one). */
bool series_add(struct series *series, unsigned end, int64_t floor);

/* The number of the last call, 0 for an empty series. */
unsigned series_calls(const struct series *series);

struct series_answer judge_series(const struct series *series);

/* Takes out of a sum what one of its parts holds for good from each span on, so that a large part
 * which has levelled off hides nothing small. Both have the same spans. */
void series_rest(struct series *sum, const struct series *part);

/* Did each of the last spans of the series leave more behind than the one before? This is how a
 * leak is seen in few calls; `spans` is how many in a row are asked for. */
bool series_rises_in_a_row(const struct series *series, unsigned spans);

#endif
