/*
 * policy_lru.h - least recently used: one list, a hit moves to its front, the back leaves.
 */
#ifndef CACHE_POLICY_LRU_H
#define CACHE_POLICY_LRU_H

#include "registry/cache/policy_queue.h"

POLICY_INLINE void lru_hit(struct policy_base *base, uint32_t n)
{
    policy_unlink(base, n); /* right for the newest too; to ask whether it is costs more */
    policy_push_front(base, 0, n);
}

static const struct policy policy_lru = {
    .name = "lru",
    .about = "least recently used",
    .state_bytes = sizeof(struct policy_base),
    .unmarked = true,
    .init = queue_init,
    .hit = lru_hit,
    .arrive = policy_arrive_nothing,
    .evict = queue_evict,
    .admit = queue_admit,
    .remove = queue_remove,
    .soon = queue_soon,
};

#endif
