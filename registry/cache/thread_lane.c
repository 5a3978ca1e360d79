/* thread_lane.c - see thread_lane.h and thread_copy.h. Runs in the process that looks up; no heap.
 */
#include "registry/cache/thread_lane.h"

#include "registry/cache/thread_copy.h"

#include <pthread.h>

#define SHARED (THREAD_LANES - 1)

_Thread_local _Alignas(16) unsigned char thread_copy[THREAD_COPY_BYTES];
_Thread_local unsigned thread_lane_own = UINT32_MAX;

static _Atomic uint64_t lanes_taken = UINT64_C(1) << SHARED; /* a bit a lane */
static pthread_key_t lane_key;                               /* a thread's lane, plus 1 */
static bool lane_key_made;

/* What the thread counted is seen by the next owner, who counts on from there. */
static void lane_give_back(void *of)
{
    unsigned lane = (unsigned)(uintptr_t)of - 1;
    thread_lane_own = UINT32_MAX;
    atomic_fetch_and_explicit(&lanes_taken, ~(UINT64_C(1) << lane), memory_order_release);
}

static void lane_key_make(void)
{
    lane_key_made = pthread_key_create(&lane_key, lane_give_back) == 0;
}

unsigned thread_lane_take(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t taken = atomic_load_explicit(&lanes_taken, memory_order_relaxed);
    unsigned lane = SHARED;
    pthread_once(&once, lane_key_make);
    while (~taken && lane_key_made) {
        unsigned free_one = (unsigned)__builtin_ctzll(~taken);
        if (atomic_compare_exchange_weak_explicit(&lanes_taken, &taken,
                                                  taken | UINT64_C(1) << free_one,
                                                  memory_order_acquire, memory_order_relaxed)) {
            lane = free_one;
            break;
        }
    }
    if (lane != SHARED && pthread_setspecific(lane_key, (void *)(uintptr_t)(lane + 1)) != 0) {
        lane_give_back((void *)(uintptr_t)(lane + 1));
        lane = SHARED;
    }
    thread_lane_own = lane;
    return lane;
}
