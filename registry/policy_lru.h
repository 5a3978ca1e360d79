/*
 * policy_lru.h - least recently used: one list, a hit moves to its front, the back leaves.
 */
#ifndef REGISTRY_POLICY_LRU_H
#define REGISTRY_POLICY_LRU_H

#include "registry/policy.h"

POLICY_INLINE void lru_init(struct policy_base *base)
{
    policy_list_init(base, 0);
}

POLICY_INLINE void lru_hit(struct policy_base *base, uint32_t n)
{
    policy_unlink(base, n); /* right for the newest too; to ask whether it is costs more */
    policy_push_front(base, 0, n);
}

POLICY_INLINE void lru_remove(struct policy_base *base, uint32_t n)
{
    policy_unlink(base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE uint32_t lru_evict(struct policy_base *base, uint32_t incoming)
{
    (void)incoming;
    uint32_t n = policy_oldest(base, 0);
    lru_remove(base, n);
    return n;
}

POLICY_INLINE void lru_admit(struct policy_base *base, uint32_t n)
{
    policy_push_front(base, 0, n);
    base->used += policy_cost(base, n);
}

static const struct policy policy_lru = {
    .name = "lru",
    .about = "least recently used",
    .state_bytes = sizeof(struct policy_base),
    .init = lru_init,
    .hit = lru_hit,
    .arrive = policy_arrive_nothing,
    .evict = lru_evict,
    .admit = lru_admit,
    .remove = lru_remove,
};

#endif
