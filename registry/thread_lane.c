/* thread_lane.c - see thread_lane.h and thread_copy.h. Runs in the process that looks up; no heap.
 */
#include "registry/thread_lane.h"

#include "registry/thread_copy.h"

_Thread_local _Alignas(16) unsigned char thread_copy[THREAD_COPY_BYTES];
_Thread_local unsigned thread_lane_own = UINT32_MAX;

unsigned thread_lane_take(void)
{
    static _Atomic unsigned threads;
    unsigned taken = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed);
    thread_lane_own = taken < THREAD_LANES - 1 ? taken : THREAD_LANES - 1;
    return thread_lane_own;
}
