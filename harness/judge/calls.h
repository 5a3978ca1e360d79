/*
 * calls.h - what the calls of one test come to so far: a verdict, or that more are needed. Pure.
 * Whether what grows is reachable is not asked here: who asks for the verdict of a test scans what
 * GROWS and UNSURE leave behind, and calls it a leak if nothing points at it.
 */
#ifndef JUDGE_CALLS_H
#define JUDGE_CALLS_H

#include "harness/judge/series.h"

struct boundary { /* what a process holds at the instant after a call, as wire_sample */
    int64_t live_blocks, live_bytes, mappings, mapped_bytes;
    uint32_t fds, threads, files, children;
};

/* Are these two boundaries equal in everything? */
bool boundary_equal(const struct boundary *a, const struct boundary *b);

struct calls_facts {
    unsigned calls;
    unsigned still;  /* after which call it was first seen to have moved; 0: it has not */
    bool moved;      /* a boundary after the warm-up differs from the first of them */
    bool affordable; /* the next calls fit into the budget of time */
    bool enough;     /* what it keeps is so much that more calls cannot be had, or need not be */
    size_t growing;  /* series that grow */
    size_t open;     /* series that neither grow nor have levelled off */
    double share;    /* the largest share of those that grow */
};

enum calls_verdict {
    CALLS_GO_ON,
    CALLS_CLEAN,  /* nothing ever moved */
    CALLS_LEVEL,  /* it has levelled off */
    CALLS_GROWS,  /* and enough calls were made to say so of what is reachable, too */
    CALLS_UNSURE, /* it grows or is open, and no more calls can be had */
};

/* Adds the answer of one series to the facts. */
void calls_add(struct calls_facts *facts, const struct series_answer *answer);

/* Does resident memory that neither heap nor mappings explain rise with the calls, on every step of
 * four times as many? The series has what is resident at the end of each span. The memory of a heap
 * that is cut to pieces rises, too, but ever less. Returns bytes a call; 0 if it does not. */
double judge_resident(const struct series *resident);

enum calls_verdict judge_calls(const struct calls_facts *facts);

/* After how many calls the series get their next span: single calls to the 8th, then quarters of
 * octaves, or whole octaves as long as nothing has moved. */
unsigned calls_next(unsigned calls, bool moved);

#endif
