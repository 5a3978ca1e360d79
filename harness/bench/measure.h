/*
 * measure.h - contenders against each other on one workload, in interleaved rounds.
 *
 * A round is a chain of passes with the reference between any two others: R a R b R c R. In a pass
 * a contender gets a fresh state, is warmed up with 65,536 requests, and MEASURE_SLICES slices of
 * those that follow are timed; the mean of the quickest quarter is the pass's figure. What a
 * machine gives to one program changes within tens of milliseconds, so a contender has two
 * ratios a round, to the passes of the reference right before and right behind it. The requests are
 * the same in every pass. That makes the figures steady, and it makes them the figures of a hot
 * loop: the branch predictor learns a sequence of 100,000 requests, and a direct look-up that costs
 * 8 ns here costs 15 to 18 with requests that never came before. So that cost is measured, too, in
 * `fresh`.
 *
 * The median of the ratios over the rounds has a 95 % interval (interval_pairs). Rounds are added
 * until every interval is narrow enough or time is up: the decision looks at widths only, never at
 * the result, so it does not make differences out of patience. Supervisor only.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "harness/bench/contender.h"
#include "harness/bench/interval.h"
#include "registry/strategy.h"

#define MEASURE_SLICES 16
#define MEASURE_BATCH  64

struct measure_limits {
    unsigned rounds_min, rounds_max;
    double width;     /* half of an interval's width is enough, 0.004 is 0.4 % */
    uint64_t time_ns; /* own processor time after which no round beyond rounds_min is begun: what
                         other programs take of the machine shortens no measurement */
};
extern const struct measure_limits measure_default;

struct measure {           /* of one contender on one workload; NAN where not measured */
    double ns;             /* a look-up, median over rounds */
    struct interval ratio; /* to the first contender */
    double hit_rate;
    double fresh;          /* ns a look-up, of requests that did not come before */
    double dependent;      /* ns a look-up that waits for the answer to the one before */
    double cold;           /* ns a look-up when the processor's caches hold other data */
    double batch;          /* ns a look-up of batches of MEASURE_BATCH; the compiled-in registry
                              alone has such a call */
    double p50, p99, p999; /* ns of single look-ups, the clock's own cost taken off */
    double per_second[2];  /* million look-ups a second: one thread, all threads */
    double instructions, cache_misses, branch_misses; /* a look-up, by the processor's counters */
    double counted;          /* instructions a look-up by callgrind, see count.h */
    double allocations;      /* calls of the malloc family a look-up, counted there, too */
    double peak_rss_bytes;   /* of a process of its own, see alone.h */
    uint64_t bytes, entries; /* held at the end */
    bool refused;            /* the strategy did not take its options */
};

/* Fills ns, ratio, hit_rate, bytes, entries of measures[0..count). Returns the number of rounds. */
unsigned measure_rounds(struct contender *contenders, size_t count, const struct workload *workload,
                        const struct measure_limits *limits, struct measure *measures);

/* Single look-ups one by one: p50, p99, p999; fresh ones; dependent ones; cold ones; batches. */
void measure_latency(struct contender *contender, const struct workload *workload,
                     struct measure *measure);

/* Million look-ups a second of `threads` threads together; NAN when the strategy is for one thread
 * and there are more, or a thread cannot be started. */
double measure_threads(struct contender *contender, const struct workload *workload,
                       unsigned threads, uint64_t time_ns);

/* Instructions, cache and branch misses a look-up, through perf_event_open; left alone where the
 * kernel does not allow or the machine does not count. */
void measure_events(struct contender *contender, const struct workload *workload,
                    struct measure *measure);

/* How much of all processors other programs used since the last call, 0..1; NAN when unknown. */
double measure_others(void);

#endif
