/*
 * strategy_direct.c - no cache: every look-up asks the source, values are passed through. Nothing
 * is allocated, nothing is held. Any thread, where the source allows it.
 */
#include "registry/strategy.h"

#include "registry/cache/thread_lane.h"

struct direct_lane {
    _Alignas(64) _Atomic uint64_t lookups, absent;
};

struct direct {
    const struct strategy_source *source;
    struct direct_lane lanes[THREAD_LANES];
};

static bool direct_init(void *state, const struct strategy_source *source,
                        const struct strategy_options *options)
{
    (void)options;
    struct direct *direct = state;
    direct->source = source;
    for (unsigned i = 0; i < THREAD_LANES; i++) {
        atomic_init(&direct->lanes[i].lookups, 0);
        atomic_init(&direct->lanes[i].absent, 0);
    }
    return true;
}

static bool direct_get(void *state, const char *key, size_t length, struct strategy_value *value)
{
    struct direct *direct = state;
    unsigned lane = thread_lane();
    thread_lane_count(&direct->lanes[lane].lookups, lane);
    if (!direct->source->load(direct->source->context, key, length, value)) {
        thread_lane_count(&direct->lanes[lane].absent, lane);
        return false;
    }
    return true;
}

static bool direct_drop(void *state, const char *key, size_t length)
{
    (void)state;
    (void)key;
    (void)length;
    return false;
}

static void direct_nothing(void *state)
{
    (void)state;
}

static void direct_statistics(const void *state, struct strategy_statistics *statistics)
{
    const struct direct *direct = state;
    *statistics = (struct strategy_statistics){0};
    for (unsigned i = 0; i < THREAD_LANES; i++) {
        const struct direct_lane *lane = &direct->lanes[i];
        uint64_t lookups = atomic_load_explicit(&lane->lookups, memory_order_relaxed);
        statistics->lookups += lookups;
        statistics->misses += lookups;
        statistics->loads += lookups - atomic_load_explicit(&lane->absent, memory_order_relaxed);
    }
}

const struct strategy strategy_direct = {
    .name = "direct",
    .about = "no cache: every look-up asks the source",
    .traits = STRATEGY_THREADS | STRATEGY_BOUNDED,
    .state_bytes = sizeof(struct direct),
    .init = direct_init,
    .get = direct_get,
    .drop = direct_drop,
    .reset = direct_nothing,
    .fini = direct_nothing,
    .statistics = direct_statistics,
};
