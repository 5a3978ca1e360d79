/*
 * thread_lane.h - counters that threads increment without sharing a line: up to LANES - 1 threads
 * that live at once have a lane of their own, where a plain load and store do; any others share the
 * last lane and pay for a locked increment. A lane goes back when its thread ends; in the child of
 * a fork those of the parent's other threads stay taken.
 */
#ifndef CACHE_THREAD_LANE_H
#define CACHE_THREAD_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
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
