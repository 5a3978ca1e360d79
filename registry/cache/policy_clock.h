/*
 * policy_clock.h - CLOCK (Corbato, 1968), as FIFO with a second chance: a hit sets a bit; the
 * oldest entry leaves unless its bit is set, in which case the bit is cleared and it becomes the
 * newest.
 */
#ifndef CACHE_POLICY_CLOCK_H
#define CACHE_POLICY_CLOCK_H

#include "registry/cache/policy.h"

enum { CLOCK_REFERENCED = 1 };

POLICY_INLINE void clock_init(struct policy_base *base)
{
    policy_list_init(base, 0);
}

POLICY_INLINE void clock_hit(struct policy_base *base, uint32_t n)
{
    if (!(base->facts[n].mark & CLOCK_REFERENCED)) {
        base->facts[n].mark |= CLOCK_REFERENCED;
    }
}

POLICY_INLINE void clock_remove(struct policy_base *base, uint32_t n)
{
    policy_unlink(base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE uint32_t clock_evict(struct policy_base *base, uint32_t incoming)
{
    (void)incoming;
    uint32_t n = policy_oldest(base, 0);
    while (base->facts[n].mark & CLOCK_REFERENCED) {
        base->facts[n].mark &= (uint8_t)~CLOCK_REFERENCED;
        policy_unlink(base, n);
        policy_push_front(base, 0, n);
        n = policy_oldest(base, 0);
    }
    clock_remove(base, n);
    return n;
}

POLICY_INLINE void clock_admit(struct policy_base *base, uint32_t n)
{
    policy_mark(base, n, 0);
    policy_push_front(base, 0, n);
    base->used += policy_cost(base, n);
}

POLICY_INLINE uint32_t clock_soon(const struct policy_base *base)
{
    return policy_soon(base, 0);
}

static const struct policy policy_clock = {
    .name = "clock",
    .about = "first in, first out, with a second chance for what was hit",
    .state_bytes = sizeof(struct policy_base),
    .init = clock_init,
    .hit = clock_hit,
    .arrive = policy_arrive_nothing,
    .evict = clock_evict,
    .admit = clock_admit,
    .remove = clock_remove,
    .soon = clock_soon,
};

#endif
