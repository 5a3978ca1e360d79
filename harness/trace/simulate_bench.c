/*
 * simulate_bench.c - million requests a second through each simulator, on one core: the
 * trace files given, or made-up Zipf traces. `make bench-simulate TRACE=FILE`.
 */
#include "harness/trace/simulate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void zipf_trace(struct trace *trace, uint32_t keys, uint32_t requests)
{
    uint64_t random = 1;
    double *sums = calloc(keys, sizeof *sums), sum = 0;
    for (uint32_t i = 0; i < keys; i++) {
        sums[i] = sum += pow(i + 1, -0.9);
    }
    for (uint32_t i = 0; i < requests; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        double at = (double)(random >> 11) / 9007199254740992.0 * sum;
        uint32_t low = 0, high = keys - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (void)trace_add(trace, low * UINT64_C(0x9e3779b97f4a7c15), 1);
    }
    free(sums);
    trace_finish(trace);
}

static void bench(const char *name, struct trace *trace)
{
    uint64_t *next = trace_next(trace);
    printf("%s: %lu requests, %u keys\n", name, (unsigned long)trace->requests, trace->unique);
    for (const struct simulator *at = simulators; at->name; at++) {
        printf("  %-10s", at->name);
        for (int part = 1; part <= 3; part++) { /* room for 1, 10 and 50 % of the keys */
            static const uint32_t percent[] = {0, 1, 10, 50};
            struct simulation result;
            double best = 1e9;
            for (int round = 0; round < 5; round++) {
                double start = now();
                simulate(at, trace, next, trace->unique / 100 * percent[part] + 1, false, &result);
                double took = now() - start;
                best = took < best ? took : best;
            }
            printf("  %3u %%: %6.1f M/s, %4.1f %% hits", percent[part],
                   (double)trace->requests / best / 1e6, 100 * simulation_hit_rate(&result));
        }
        printf("\n");
    }
    free(next);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct trace trace;
        struct diag diag;
        diag_init(&diag);
        trace_init(&trace);
        double start = now();
        if (!trace_read(&trace, argv[i], &(struct trace_options){0}, &diag)) {
            diag_print(&diag, stderr);
            return 2;
        }
        printf("read in %.3f s, ", now() - start);
        bench(argv[i], &trace);
        trace_fini(&trace);
        diag_fini(&diag);
    }
    if (argc == 1) {
        struct trace trace;
        trace_init(&trace);
        zipf_trace(&trace, 1000000, 10000000);
        bench("Zipf .9", &trace);
        trace_fini(&trace);
    }
    return 0;
}
