/*
 * thread_lane.h - counters that threads increment without sharing a line: each of the process's
 * first LANES - 1 threads that count has a lane of its own, where a plain load and store do; all
 * later ones share the last lane and pay for a locked increment. A lane is not given back when its
 * thread ends.
 */
#ifndef REGISTRY_THREAD_LANE_H
#define REGISTRY_THREAD_LANE_H

#include <stdatomic.h>
#include <stdint.h>

#define THREAD_LANES 64u

extern _Thread_local unsigned thread_lane_own; /* UINT32_MAX: none yet */
unsigned thread_lane_take(void);

static inline unsigned thread_lane(void)
{
    return thread_lane_own != UINT32_MAX ? thread_lane_own : thread_lane_take();
}

static inline void thread_lane_count(_Atomic uint64_t *counter, unsigned lane)
{
    if (lane < THREAD_LANES - 1) { /* only this thread writes it */
        uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
        atomic_store_explicit(counter, value + 1, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    }
}

#endif
