/*
 * workload.c - see workload.h. Uniform and Zipf are drawn once into a ring, because drawing
 * (logarithms, powers) would cost more than the look-up it chooses. Zipf has exponent 0.99 and its
 * ranks are spread over the catalogue, so that popular models are not neighbours in memory.
 */
#include "workload.h"

#include "options.h"

#include <math.h>

#define RING (1u << 16)

static uint32_t ring[RING];
static uint32_t first, models, spread, stride;

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A step near the golden section that visits all of 0..count-1 before it comes back. */
static uint32_t stride_of(uint32_t count)
{
    uint32_t step = (uint32_t)(0.6180339887 * count);
    while (step > 1 && gcd(step, count) != 1) {
        step--;
    }
    return step ? step : 1;
}

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The inverse of the continuous Zipf distribution: off by little at the head, and monotone. */
static uint32_t zipf_rank(double u, uint32_t count)
{
    const double s = 0.99, q = 1.0 - s;
    double most = pow(count + 0.5, q), least = pow(0.5, q);
    double rank = pow(least + u * (most - least), 1.0 / q) - 0.5;
    return rank >= count ? count - 1 : (uint32_t)rank;
}

void workload_init(uint32_t count)
{
    uint64_t state = 20251107;
    uint32_t last = suite_options.key_last < count ? suite_options.key_last : count;
    first = suite_options.key_last ? suite_options.key_first - 1 : 0;
    models = suite_options.key_last ? last - first : count;
    /* A number of keys takes them from all over the catalogue, a range takes neighbours. */
    spread = suite_options.key_last && suite_options.key_first == 1 ? count : models;
    stride = stride_of(models);
    for (uint32_t i = 0; i < RING; i++) {
        double u = (double)(random_next(&state) >> 11) * 0x1p-53;
        uint32_t rank = suite_options.distribution == DRAW_ZIPF ? zipf_rank(u, models)
                                                                : (uint32_t)(u * (double)models);
        ring[i] = rank;
    }
}

uint32_t workload_pick(uint32_t i)
{
    bool drawn =
        suite_options.distribution == DRAW_UNIFORM || suite_options.distribution == DRAW_ZIPF;
    uint32_t rank = drawn ? ring[i % RING] : i % models;
    if (suite_options.distribution != DRAW_SCAN) {
        rank = (uint32_t)((uint64_t)rank * stride % models);
    }
    return first + (uint32_t)((uint64_t)rank * spread / models);
}
