/*
 * contender.h - one strategy with its bounds, and the loops that ask it. A contender has a state
 * only between contender_begin and contender_end; every round begins anew, so that no layout of the
 * heap is measured twenty times and taken for a property of the code. Supervisor only.
 */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include "harness/bench/workload.h"
#include "registry/strategy.h"

#include <stdbool.h>

struct contender {
    char name[48];
    const struct strategy *strategy;
    struct strategy_options options;
    const struct strategy_source *source;
    double extra; /* slowed down on purpose, to test the bench: 0.02 is 2 % */
    bool control; /* the A/A control: the reference once more */
    void *state;  /* NULL between rounds */
};

/* False when the strategy refuses its options or memory is out. */
bool contender_begin(struct contender *contender);
void contender_end(struct contender *contender);

/* Asks what is in the window, once; contender_time returns the nanoseconds it took. */
void contender_ask(struct contender *contender, const struct window *window);
double contender_time(struct contender *contender, const struct window *window);
/* Each request only when the answer to the one before is there. */
double contender_time_dependent(struct contender *contender, const struct window *window);

/* Every request of the workload once: true when each answer is the source's, byte for byte, and
 * also when the strategy refuses its bounds. Otherwise *wrong is a key of the workload. */
bool contender_check(struct contender *contender, const struct workload *workload,
                     struct registry_text *wrong);

/* Requests [from, from + count) of the window's workload, a window at a time; returns the
 * nanoseconds that the asking alone took. */
double contender_run(struct contender *contender, struct window *window, size_t from, size_t count);

/* A source made slower on purpose: every `period`-th load (0: none) waits `turns` turns of a loop
 * that the processor cannot overlap with anything. Costs are means, so a long wait now and then is
 * as good as a short one each time, and can be made as small as wanted. For the break-even curve.
 */
struct slow_source {
    struct strategy_source source;
    const struct strategy_source *inner;
    unsigned turns, period, left;
};
void slow_source_init(struct slow_source *slow, const struct strategy_source *inner);

uint64_t bench_own_ns(void); /* processor time of this process */

#endif
