/*
 * policy_fifo.h - first in, first out: hits change nothing.
 */
#ifndef REGISTRY_POLICY_FIFO_H
#define REGISTRY_POLICY_FIFO_H

#include "registry/policy.h"

POLICY_INLINE void fifo_init(struct policy_base *base)
{
    policy_list_init(base, 0);
}

POLICY_INLINE void fifo_hit(struct policy_base *base, uint32_t n)
{
    (void)base;
    (void)n;
}

POLICY_INLINE void fifo_remove(struct policy_base *base, uint32_t n)
{
    policy_unlink(base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE uint32_t fifo_evict(struct policy_base *base, uint32_t incoming)
{
    (void)incoming;
    uint32_t n = policy_oldest(base, 0);
    fifo_remove(base, n);
    return n;
}

POLICY_INLINE void fifo_admit(struct policy_base *base, uint32_t n)
{
    policy_push_front(base, 0, n);
    base->used += policy_cost(base, n);
}

static const struct policy policy_fifo = {
    .name = "fifo",
    .about = "first in, first out",
    .state_bytes = sizeof(struct policy_base),
    .init = fifo_init,
    .hit = fifo_hit,
    .arrive = policy_arrive_nothing,
    .evict = fifo_evict,
    .admit = fifo_admit,
    .remove = fifo_remove,
};

#endif
