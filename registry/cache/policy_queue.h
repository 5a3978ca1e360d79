/*
 * policy_queue.h - what the policies of one list have in common: who comes goes to the front, who
 * leaves is the oldest. What a hit does is theirs: policy_fifo.h, policy_lru.h.
 */
#ifndef CACHE_POLICY_QUEUE_H
#define CACHE_POLICY_QUEUE_H

#include "registry/cache/policy.h"

POLICY_INLINE void queue_init(struct policy_base *base)
{
    policy_list_init(base, 0);
}

POLICY_INLINE void queue_remove(struct policy_base *base, uint32_t n)
{
    policy_unlink(base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE uint32_t queue_evict(struct policy_base *base, uint32_t incoming)
{
    (void)incoming;
    uint32_t n = policy_oldest(base, 0);
    queue_remove(base, n);
    return n;
}

POLICY_INLINE void queue_admit(struct policy_base *base, uint32_t n)
{
    policy_push_front(base, 0, n);
    base->used += policy_cost(base, n);
}

POLICY_INLINE uint32_t queue_soon(const struct policy_base *base)
{
    return policy_soon(base, 0);
}

#endif
