/*
 * policy_sieve.h - SIEVE (Zhang and others, NSDI '24): a queue in order of arrival, a bit per entry
 * set by a hit, and a hand that walks from the oldest to the newest, clears bits, and evicts the
 * first entry without one. Survivors keep their place, unlike CLOCK's; a hit writes one bit.
 */
#ifndef CACHE_POLICY_SIEVE_H
#define CACHE_POLICY_SIEVE_H

#include "registry/cache/policy.h"

enum { SIEVE_VISITED = 1 };

struct sieve {
    struct policy_base base;
    uint32_t hand; /* the node to look at next; 0: the oldest */
};

POLICY_INLINE void sieve_init(struct policy_base *base)
{
    policy_list_init(base, 0);
    ((struct sieve *)base)->hand = 0;
}

POLICY_INLINE void sieve_hit(struct policy_base *base, uint32_t n)
{
    if (!(base->facts[n].mark & SIEVE_VISITED)) {
        base->facts[n].mark |= SIEVE_VISITED;
    }
}

POLICY_INLINE void sieve_remove(struct policy_base *base, uint32_t n)
{
    struct sieve *sieve = (struct sieve *)base;
    if (sieve->hand == n) {
        sieve->hand = base->links[n].prev; /* towards the newer; 0 at the end, which is a wrap */
    }
    policy_unlink(base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE uint32_t sieve_evict(struct policy_base *base, uint32_t incoming)
{
    (void)incoming;
    struct sieve *sieve = (struct sieve *)base;
    const struct policy_links *links = base->links;
    struct policy_facts *facts = base->facts;
    uint32_t n = sieve->hand ? sieve->hand : policy_oldest(base, 0);
    while (facts[n].mark & SIEVE_VISITED) {
        facts[n].mark &= (uint8_t)~SIEVE_VISITED;
        n = links[n].prev ? links[n].prev : policy_oldest(base, 0);
    }
    sieve->hand = n;
    sieve_remove(base, n);
    return n;
}

POLICY_INLINE void sieve_admit(struct policy_base *base, uint32_t n)
{
    policy_mark(base, n, 0);
    policy_push_front(base, 0, n);
    base->used += policy_cost(base, n);
}

POLICY_INLINE uint32_t sieve_soon(const struct policy_base *base)
{
    uint32_t hand = ((const struct sieve *)base)->hand;
    return hand ? base->links[hand].prev : policy_soon(base, 0);
}

static const struct policy policy_sieve = {
    .name = "sieve",
    .about = "a queue with one bit an entry and a hand that keeps survivors in place",
    .state_bytes = sizeof(struct sieve),
    .init = sieve_init,
    .hit = sieve_hit,
    .arrive = policy_arrive_nothing,
    .evict = sieve_evict,
    .admit = sieve_admit,
    .remove = sieve_remove,
    .soon = sieve_soon,
};

#endif
