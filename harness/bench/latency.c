/* latency.c - single look-ups, one by one, see measure.h. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/bench/measure.h"

#include <math.h>
#include <stdlib.h>

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
    return bench_now_ns();
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
    return bench_now_ns();
#endif
}

/* Nanoseconds of a tick, over 5 ms. */
static double tick_ns(void)
{
    static double known;
    if (known == 0) {
        uint64_t ns = bench_now_ns(), ticks = tick_begin();
        while (bench_now_ns() - ns < 5000000) {
        }
        uint64_t end = tick_end();
        known = (double)(bench_now_ns() - ns) / (double)(end - ticks);
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

void measure_latency(struct contender *contender, const struct workload *workload,
                     struct measure *measure)
{
    measure->fresh = measure->dependent = measure->p50 = measure->p99 = measure->p999 = (double)NAN;
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
    contender_end(contender);
    window_free(&window);
    interval_sort(values, LOOKUPS);
    measure->p50 = interval_quantile(values, LOOKUPS, 0.5);
    measure->p99 = interval_quantile(values, LOOKUPS, 0.99);
    measure->p999 = interval_quantile(values, LOOKUPS, 0.999);
    free(values);
}
