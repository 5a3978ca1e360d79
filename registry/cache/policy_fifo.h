/*
 * policy_fifo.h - first in, first out: hits change nothing.
 */
#ifndef CACHE_POLICY_FIFO_H
#define CACHE_POLICY_FIFO_H

#include "registry/cache/policy_queue.h"

POLICY_INLINE void fifo_hit(struct policy_base *base, uint32_t n)
{
    (void)base;
    (void)n;
}

static const struct policy policy_fifo = {
    .name = "fifo",
    .about = "first in, first out",
    .state_bytes = sizeof(struct policy_base),
    .init = queue_init,
    .hit = fifo_hit,
    .arrive = policy_arrive_nothing,
    .evict = queue_evict,
    .admit = queue_admit,
    .remove = queue_remove,
    .soon = queue_soon,
};

#endif
