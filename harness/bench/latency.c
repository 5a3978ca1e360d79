/* latency.c - single look-ups, one by one, see measure.h. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/bench/measure.h"
#include "registry/cache/source_registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A tick of the processor's own counter where there is a fine one; nanoseconds elsewhere. The
 * fences keep the look-up between its two readings. */
static inline uint64_t tick_begin(void)
{
#if defined(__x86_64__)
    __builtin_ia32_lfence();
    uint64_t now = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return now;
#else
    return monotonic_ns();
#endif
}

static inline uint64_t tick_end(void)
{
#if defined(__x86_64__)
    unsigned ignored;
    uint64_t now = __builtin_ia32_rdtscp(&ignored);
    __builtin_ia32_lfence();
    return now;
#else
    return monotonic_ns();
#endif
}

/* Nanoseconds of a tick, over 5 ms. */
static double tick_ns(void)
{
    static double known;
    if (known == 0) {
        uint64_t ns = monotonic_ns(), ticks = tick_begin();
        while (monotonic_ns() - ns < 5000000) {
        }
        uint64_t end = tick_end();
        known = (double)(monotonic_ns() - ns) / (double)(end - ticks);
    }
    return known;
}

#define LOOKUPS           200000
#define SLICE             4096
#define OVERHEAD_READINGS 20000

/* What two readings with nothing between them show, the median: taken off every reading. */
static double overhead(void)
{
    double *values = memory_new(OVERHEAD_READINGS, sizeof *values);
    for (size_t i = 0; i < OVERHEAD_READINGS; i++) {
        uint64_t begin = tick_begin();
        values[i] = (double)(tick_end() - begin);
    }
    interval_sort(values, OVERHEAD_READINGS);
    double median = values[OVERHEAD_READINGS / 2];
    free(values);
    return median;
}

/* Lower quartile of windows that did not come before, ns a look-up. */
static double slices_quartile(struct contender *contender, struct window *window, size_t from,
                              double (*time)(struct contender *, const struct window *))
{
    double least = (double)INFINITY;
    for (unsigned repeat = 0; repeat < 3; repeat++) { /* other programs can only add */
        double slices[MEASURE_SLICES];
        for (size_t i = 0; i < MEASURE_SLICES; i++, from += WINDOW_REQUESTS) {
            window_fill(window, from, WINDOW_REQUESTS);
            slices[i] = time(contender, window) / WINDOW_REQUESTS;
        }
        interval_sort(slices, MEASURE_SLICES);
        least = fmin(least, interval_quantile(slices, MEASURE_SLICES, 0.25));
    }
    return least;
}

/* The registry's own call for many keys at once; no strategy has one. The requests are fresh ones,
 * and the window is a whole number of batches. */
static double batches_time(struct contender *contender, const struct window *window)
{
    registry_index found[MEASURE_BATCH];
    (void)contender;
    uint64_t begin = monotonic_ns();
    for (size_t i = 0; i + MEASURE_BATCH <= window->count; i += MEASURE_BATCH) {
        registry_find_batch(window->requests + i, MEASURE_BATCH, found);
        __asm__ volatile("" ::"r"(found) : "memory");
    }
    return (double)(monotonic_ns() - begin);
}

#define WASH_BYTES   ((size_t)96 << 20) /* more than the last cache of most processors */
#define COLD_AT_ONCE 16
#define COLD_ROUNDS  7

/* In large pages where there are some: they are there sooner. */
static unsigned char *wash_new(void)
{
    unsigned char *wash = aligned_alloc((size_t)2 << 20, WASH_BYTES);
    if (wash) {
        madvise(wash, WASH_BYTES, MADV_HUGEPAGE);
        memset(wash, 1, WASH_BYTES);
    }
    return wash;
}

/* Other data goes through the processor's caches, then a few look-ups one by one, the requests
 * themselves read before; wall time, the median of the rounds. */
static double cold_measure(struct contender *contender, struct window *window, size_t from)
{
    double rounds[COLD_ROUNDS], empty = overhead(), scale = tick_ns();
    unsigned char *wash = wash_new();
    if (!wash) {
        return (double)NAN;
    }
    for (size_t round = 0; round < COLD_ROUNDS; round++, from += COLD_AT_ONCE) {
        unsigned sum = 0;
        double ticks = 0;
        for (size_t i = 0; i < WASH_BYTES; i += 64) {
            sum += wash[i]++;
        }
        window_fill(window, from, COLD_AT_ONCE);
        for (size_t i = 0; i < COLD_AT_ONCE; i++) {
            struct registry_text request = window->requests[i];
            struct strategy_value value;
            uint64_t begin = tick_begin();
            bool found =
                contender->strategy->get(contender->state, request.data, request.length, &value);
            ticks += (double)(tick_end() - begin) - empty;
            sum += found;
        }
        __asm__ volatile("" ::"r"(sum));
        rounds[round] = ticks * scale / COLD_AT_ONCE;
    }
    free(wash);
    interval_sort(rounds, COLD_ROUNDS);
    return rounds[COLD_ROUNDS / 2];
}

void measure_latency(struct contender *contender, const struct workload *workload,
                     struct measure *measure)
{
    measure->fresh = measure->dependent = measure->p50 = measure->p99 = measure->p999 = (double)NAN;
    measure->cold = measure->batch = (double)NAN;
    if (!contender_begin(contender)) {
        return;
    }
    struct window *window = window_new(workload);
    size_t warm = workload->count / 4;
    contender_run(contender, window, 0, warm);
    double *values = memory_new(LOOKUPS, sizeof *values);
    double empty = overhead(), scale = tick_ns();
    for (size_t i = 0; i < LOOKUPS; i++) {
        if (i % WINDOW_REQUESTS == 0) {
            window_fill(window, warm + i, WINDOW_REQUESTS);
        }
        struct registry_text request = window->requests[i % WINDOW_REQUESTS];
        struct strategy_value value;
        uint64_t begin = tick_begin();
        bool found =
            contender->strategy->get(contender->state, request.data, request.length, &value);
        uint64_t end = tick_end();
        __asm__ volatile("" ::"r"(found));
        double ticks = (double)(end - begin) - empty;
        values[i] = (ticks < 0 ? 0 : ticks) * scale;
    }
    measure->fresh = slices_quartile(contender, window, warm + LOOKUPS, contender_time);
    measure->dependent = slices_quartile(contender, window, 2 * warm, contender_time_dependent);
    measure->cold = cold_measure(contender, window, 3 * warm);
    bool registry = contender->source == &source_registry_packed;
    if (registry && !(contender->strategy->traits & STRATEGY_CACHES)) {
        measure->batch = slices_quartile(contender, window, warm / 2, batches_time);
    }
    contender_end(contender);
    window_free(&window);
    interval_sort(values, LOOKUPS);
    measure->p50 = interval_quantile(values, LOOKUPS, 0.5);
    measure->p99 = interval_quantile(values, LOOKUPS, 0.99);
    measure->p999 = interval_quantile(values, LOOKUPS, 0.999);
    free(values);
}
