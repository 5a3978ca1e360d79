/*
 * spinlock.h - a lock for critical sections of some ten nanoseconds. A thread that does not get it
 * after a few hundred tries gives up its processor, so that a lock holder that was preempted on a
 * machine with few cores can go on.
 */
#ifndef CACHE_SPINLOCK_H
#define CACHE_SPINLOCK_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

struct spinlock {
    _Atomic uint32_t held;
};

static inline void spinlock_wait(struct spinlock *lock)
{
    for (unsigned tries = 0; atomic_load_explicit(&lock->held, memory_order_relaxed); tries++) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
        if (tries > 200) {
            sched_yield();
        }
    }
}

static inline void spinlock_lock(struct spinlock *lock)
{
    while (atomic_exchange_explicit(&lock->held, 1, memory_order_acquire)) {
        spinlock_wait(lock);
    }
}

static inline void spinlock_unlock(struct spinlock *lock)
{
    atomic_store_explicit(&lock->held, 0, memory_order_release);
}

#endif
