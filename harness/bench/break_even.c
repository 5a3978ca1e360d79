/* break_even.c - see break_even.h. Supervisor only. */
#include "harness/bench/break_even.h"
#include "harness/bench/interval.h"

#include <math.h>

#define SLICE   WINDOW_REQUESTS /* look-ups timed at a time */
#define SLICES  11
#define WARMUP  16384
#define REPEATS 3 /* of every step; the least counts: other programs can only add */

double break_even_formula(double hit_ns, double miss_ns, double hit_rate)
{
    if (!(hit_rate > 0)) {
        return (double)INFINITY;
    }
    double cost = hit_ns + miss_ns * (1 - hit_rate) / hit_rate;
    return cost > 0 ? cost : 0;
}

double break_even_cost(const struct break_even *model, double source_ns)
{
    return model->base_ns + (1 - model->hit_rate) * source_ns;
}

/* Lower quartile of slices, ns a look-up, of a state that is warm; *from goes on through the
 * requests. */
static double slices_ns(struct contender *contender, struct window *window, size_t *from)
{
    double slices[SLICES];
    contender_run(contender, window, *from,
                  WARMUP); /* what the other one pushed out of the caches */
    *from += WARMUP;
    for (size_t i = 0; i < SLICES; i++, *from += SLICE) {
        slices[i] = contender_run(contender, window, *from, SLICE) / SLICE;
    }
    interval_sort(slices, SLICES);
    return interval_quantile(slices, SLICES, 0.25);
}

/* From the source as it is, in small steps where caches break even, to microseconds. */
static const struct {
    unsigned period, turns;
} steps[BREAK_EVEN_STEPS] = {{0, 0},  {64, 48}, {32, 48}, {16, 48},  {12, 48},
                             {8, 48}, {6, 48},  {5, 48},  {4, 48},   {3, 48},
                             {2, 48}, {1, 48},  {1, 256}, {1, 1024}, {1, 4096}};

static double crossing(const struct break_even *curve)
{
    for (unsigned i = 0; i < BREAK_EVEN_STEPS; i++) {
        double gap = curve->cost[i] - curve->source[i];
        if (gap > 0) {
            continue;
        }
        if (i == 0) {
            return 0;
        }
        double before = curve->cost[i - 1] - curve->source[i - 1];
        double part = before / (before - gap);
        return curve->source[i - 1] + part * (curve->source[i] - curve->source[i - 1]);
    }
    return (double)INFINITY;
}

static double hits_share(const struct contender *contender,
                         const struct strategy_statistics *before)
{
    struct strategy_statistics now;
    contender->strategy->statistics(contender->state, &now);
    double hits = (double)(now.hits - before->hits);
    double all = hits + (double)(now.misses - before->misses);
    return all > 0 ? hits / all : 0;
}

bool break_even_measure(const struct strategy *direct, const struct contender *cache,
                        const struct workload *workload, const struct workload *resident,
                        struct break_even *out)
{
    struct slow_source slow;
    struct strategy_statistics before;
    slow_source_init(&slow, cache->source);
    struct contender plain = {.strategy = direct, .source = &slow.source};
    struct contender cached = *cache;
    cached.source = &slow.source;
    struct window *requests = window_new(workload), *fitting = window_new(resident);
    bool good = contender_begin(&plain) && contender_begin(&cached);
    if (!good) {
        goto out;
    }
    contender_run(&cached, requests, 0, workload->count / 4);
    cached.strategy->statistics(cached.state, &before);
    size_t plain_from = 0, cached_from = workload->count / 4;
    for (unsigned step = 0; step < BREAK_EVEN_STEPS; step++) {
        out->source[step] = out->cost[step] = (double)INFINITY;
    }
    for (unsigned n = 0; n < REPEATS * BREAK_EVEN_STEPS; n++) {
        unsigned step = n % BREAK_EVEN_STEPS;
        slow.period = slow.left = steps[step].period;
        slow.turns = steps[step].turns;
        out->source[step] = fmin(out->source[step], slices_ns(&plain, requests, &plain_from));
        out->cost[step] = fmin(out->cost[step], slices_ns(&cached, requests, &cached_from));
    }
    out->hit_rate = hits_share(&cached, &before);
    slow.period = 0;
    plain_from = 0;
    contender_run(&cached, fitting, 0, resident->count / 2);
    out->hit_ns = (double)INFINITY;
    for (unsigned n = 0; n < REPEATS; n++) {
        out->hit_ns = fmin(out->hit_ns, slices_ns(&cached, fitting, &plain_from));
    }
    out->base_ns = out->cost[0] - (1 - out->hit_rate) * out->source[0];
    out->miss_ns =
        out->hit_rate < 1 ? (out->base_ns - out->hit_rate * out->hit_ns) / (1 - out->hit_rate) : 0;
    out->formula_ns = break_even_formula(out->hit_ns, out->miss_ns, out->hit_rate);
    out->measured_ns = crossing(out);
out:
    window_free(&requests);
    window_free(&fitting);
    contender_end(&plain);
    contender_end(&cached);
    return good;
}
