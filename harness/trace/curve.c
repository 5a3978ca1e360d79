/*
 * curve.c - see curve.h.
 */
#include "harness/trace/curve.h"

#include "harness/base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Mattson's stack distances: between two requests of a key, how many distinct keys were asked for.
 * A Fenwick tree holds a 1 at the last request of each key so far. */
uint64_t *reuse_misses(const struct trace *trace)
{
    uint64_t n = trace->requests;
    uint32_t *tree = memory_new(n + 1, sizeof tree[0]);
    uint64_t *last = memory_new(trace->unique, sizeof last[0]); /* plus 1 */
    uint64_t *misses = memory_new((size_t)trace->unique + 2, sizeof misses[0]);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t before = last[trace->keys[i]], distance = 0;
        if (before) {
            for (uint64_t at = i; at > 0; at &= at - 1) {
                distance += tree[at];
            }
            for (uint64_t at = before; at > 0; at &= at - 1) {
                distance -= tree[at];
            }
            for (uint64_t at = before; at <= n; at += at & -at) {
                tree[at]--;
            }
            misses[distance + 1]++; /* so many entries are enough; collected below */
        }
        for (uint64_t at = i + 1; at <= n; at += at & -at) {
            tree[at]++;
        }
        last[trace->keys[i]] = i + 1;
    }
    uint64_t hits = 0;
    for (uint64_t size = 0; size <= trace->unique; size++) {
        hits += misses[size];
        misses[size] = n - hits;
    }
    free(tree);
    free(last);
    return misses;
}

static double key_share(uint32_t key)
{
    uint64_t z = (key + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static void samples_make(struct curve *curve)
{
    const struct trace *trace = curve->trace;
    for (int s = 0; s < CURVE_SAMPLES; s++) {
        trace_init(&curve->samples[s]);
    }
    for (uint64_t i = 0; i < trace->requests; i++) {
        double share = key_share(trace->keys[i]) / curve->rate;
        if (share < CURVE_SAMPLES) {
            /* Cannot be refused: there are no more keys than in the trace. */
            (void)trace_add(&curve->samples[(int)share], trace->keys[i],
                            trace->sizes ? trace->sizes[i] : 1);
        }
    }
    for (int s = 0; s < CURVE_SAMPLES; s++) {
        trace_finish(&curve->samples[s]);
        curve->sample_next[s] = trace_next(&curve->samples[s]);
    }
}

void curve_init(struct curve *curve, const struct trace *trace, bool by_bytes, double rate)
{
    *curve = (struct curve){.trace = trace, .by_bytes = by_bytes, .rate = rate};
    if (rate < 1) {
        samples_make(curve);
        return;
    }
    curve->next = trace_next(trace);
    if (!by_bytes) {
        curve->lru_misses = reuse_misses(trace);
    }
}

void curve_fini(struct curve *curve)
{
    free(curve->next);
    free(curve->lru_misses);
    for (int s = 0; s < CURVE_SAMPLES && curve->rate < 1; s++) {
        trace_fini(&curve->samples[s]);
        free(curve->sample_next[s]);
    }
    *curve = (struct curve){0};
}

static void point_sampled(const struct curve *curve, const struct simulator *simulator,
                          struct curve_point *point)
{
    double sum = 0, squares = 0, bytes = 0;
    double expected = (double)curve->trace->requests * curve->rate;
    for (int s = 0; s < CURVE_SAMPLES; s++) {
        struct simulation result;
        double scaled = (double)point->size * curve->rate;
        simulate(simulator, &curve->samples[s], curve->sample_next[s],
                 scaled < 1 ? 1 : (uint64_t)llround(scaled), curve->by_bytes, &result);
        /* A sample that caught a key of very many requests has too many of them, all of them hits
         * but one, and one that missed it too few: the count is set right at the hits (SHARDS-adj).
         */
        double misses = (double)result.misses / expected;
        double rate = misses < 1 ? 1 - misses : 0;
        sum += rate;
        squares += rate * rate;
        bytes += result.bytes ? 1 - (double)result.miss_bytes / (double)result.bytes : 0;
    }
    double n = CURVE_SAMPLES, variance = (squares - sum * sum / n) / (n - 1);
    point->hit_rate = sum / n;
    point->byte_hit_rate = bytes / n;
    /* 3.182: Student's t for four samples. */
    point->error = 3.182 * sqrt(variance > 0 ? variance / n : 0);
    point->error = point->error > 1e-9 ? point->error : 1e-9;
}

void curve_at(const struct curve *curve, const struct simulator *simulator, uint64_t size,
              struct curve_point *point)
{
    *point = (struct curve_point){.size = size};
    if (curve->rate < 1) {
        point_sampled(curve, simulator, point);
        return;
    }
    simulate(simulator, curve->trace, curve->next, size, curve->by_bytes, &point->exact);
    point->hit_rate = simulation_hit_rate(&point->exact);
    point->byte_hit_rate =
        point->exact.bytes ? 1 - (double)point->exact.miss_bytes / (double)point->exact.bytes : 0;
}

static uint64_t lru_smallest(const struct curve *curve, double hit_rate)
{
    double most = (1 - hit_rate) * (double)curve->trace->requests;
    uint64_t low = 1, high = curve->trace->unique;
    if ((double)curve->lru_misses[high] > most) {
        return 0;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if ((double)curve->lru_misses[middle] <= most) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

uint64_t curve_smallest(const struct curve *curve, const struct simulator *simulator,
                        double hit_rate)
{
    if (curve->lru_misses && simulator == simulator_find("lru")) {
        return lru_smallest(curve, hit_rate);
    }
    struct curve_point point;
    uint64_t low = 0, high = curve->by_bytes ? curve->trace->unique_bytes : curve->trace->unique;
    curve_at(curve, simulator, high, &point);
    if (point.hit_rate < hit_rate) {
        return 0;
    }
    while (high - low > 1 && high - low > high / 200) {
        uint64_t middle = low + (high - low) / 2;
        curve_at(curve, simulator, middle, &point);
        if (point.hit_rate >= hit_rate) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}
