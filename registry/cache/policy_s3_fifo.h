/*
 * policy_s3_fifo.h - S3-FIFO (Yang and others, SOSP '23): three queues. New keys enter a small
 * queue of a tenth of the room; those hit twice there move to the main queue, the others leave and
 * are remembered in a ghost queue, from which a returning key goes to main at once. Main is a CLOCK
 * with a counter of two bits.
 *
 * Until the first eviction a new key that finds the small queue full goes to main: room that is
 * empty anyway is worth using.
 */
#ifndef CACHE_POLICY_S3_FIFO_H
#define CACHE_POLICY_S3_FIFO_H

#include "registry/cache/policy.h"

enum { S3_SMALL = 0, S3_MAIN = 1, S3_GHOST = 2 };          /* lists */
enum { S3_FREQUENCY = 3, S3_IN_MAIN = 4, S3_TO_MAIN = 8 }; /* marks; the frequency is 0..3 */
enum { S3_SMALL_PERCENT = 10, S3_GHOST_PERCENT = 90, S3_MOVE = 2 }; /* hits that lead to main */

struct s3_fifo {
    struct policy_base base;
    uint64_t small_capacity, main_capacity, ghost_capacity;
    uint64_t small_used, main_used, ghost_used;
    uint32_t ghosts;
    bool has_evicted;
};

POLICY_INLINE void s3_fifo_init(struct policy_base *base)
{
    struct s3_fifo *s3 = (struct s3_fifo *)base;
    policy_list_init(base, S3_SMALL);
    policy_list_init(base, S3_MAIN);
    policy_list_init(base, S3_GHOST);
    s3->small_capacity = base->capacity * S3_SMALL_PERCENT / 100;
    s3->small_capacity += s3->small_capacity == 0;
    s3->main_capacity = base->capacity - s3->small_capacity;
    s3->ghost_capacity = base->capacity * S3_GHOST_PERCENT / 100;
    s3->small_used = s3->main_used = s3->ghost_used = 0;
    s3->ghosts = 0;
    s3->has_evicted = false;
}

POLICY_INLINE void s3_fifo_hit(struct policy_base *base, uint32_t n)
{
    uint8_t mark = base->facts[n].mark;
    if ((mark & S3_FREQUENCY) < S3_FREQUENCY) {
        base->facts[n].mark = (uint8_t)(mark + 1);
    }
}

POLICY_INLINE void s3_fifo_ghost_leaves(struct s3_fifo *s3, uint32_t n)
{
    policy_unlink(&s3->base, n);
    s3->ghost_used -= policy_cost(&s3->base, n);
    s3->ghosts--;
}

POLICY_INLINE void s3_fifo_arrive(struct policy_base *base, uint32_t n)
{
    struct s3_fifo *s3 = (struct s3_fifo *)base;
    if (base->facts[n].mark & POLICY_GHOST) {
        s3_fifo_ghost_leaves(s3, n);
        base->facts[n].mark = S3_TO_MAIN;
    } else {
        base->facts[n].mark = 0;
    }
}

POLICY_INLINE void s3_fifo_to_main(struct s3_fifo *s3, uint32_t n)
{
    policy_mark(&s3->base, n, S3_IN_MAIN);
    policy_push_front(&s3->base, S3_MAIN, n);
    s3->main_used += policy_cost(&s3->base, n);
}

POLICY_INLINE void s3_fifo_remove(struct policy_base *base, uint32_t n)
{
    struct s3_fifo *s3 = (struct s3_fifo *)base;
    uint64_t cost = policy_cost(base, n);
    policy_unlink(base, n);
    base->used -= cost;
    if (base->facts[n].mark & S3_IN_MAIN) {
        s3->main_used -= cost;
    } else {
        s3->small_used -= cost;
    }
}

POLICY_INLINE void s3_fifo_remember(struct s3_fifo *s3, uint32_t n)
{
    struct policy_base *base = &s3->base;
    uint64_t cost = policy_cost(base, n);
    if (cost > s3->ghost_capacity || base->ghost_room == 0) {
        return;
    }
    while (s3->ghost_used + cost > s3->ghost_capacity || s3->ghosts == base->ghost_room) {
        uint32_t oldest = policy_oldest(base, S3_GHOST);
        s3_fifo_ghost_leaves(s3, oldest);
        policy_forget(base, oldest);
    }
    policy_mark(base, n, 0);
    base->facts[n].mark |= POLICY_GHOST;
    policy_push_front(base, S3_GHOST, n);
    s3->ghost_used += cost;
    s3->ghosts++;
}

/* The oldest of main that was not hit since it was last looked at. */
POLICY_INLINE uint32_t s3_fifo_evict_main(struct s3_fifo *s3)
{
    struct policy_base *base = &s3->base;
    uint32_t n = policy_oldest(base, S3_MAIN);
    while (base->facts[n].mark & S3_FREQUENCY) {
        base->facts[n].mark--;
        policy_unlink(base, n);
        policy_push_front(base, S3_MAIN, n);
        n = policy_oldest(base, S3_MAIN);
    }
    s3_fifo_remove(base, n);
    return n;
}

/* The oldest of small that is not moved to main; POLICY_NONE when all of it was moved. */
POLICY_INLINE uint32_t s3_fifo_evict_small(struct s3_fifo *s3)
{
    struct policy_base *base = &s3->base;
    while (!policy_list_empty(base, S3_SMALL)) {
        uint32_t n = policy_oldest(base, S3_SMALL);
        if ((base->facts[n].mark & S3_FREQUENCY) < S3_MOVE) {
            s3_fifo_remove(base, n);
            s3_fifo_remember(s3, n);
            return n;
        }
        policy_unlink(base, n);
        s3->small_used -= policy_cost(base, n);
        s3_fifo_to_main(s3, n);
    }
    return POLICY_NONE;
}

POLICY_INLINE uint32_t s3_fifo_evict(struct policy_base *base, uint32_t incoming)
{
    (void)incoming;
    struct s3_fifo *s3 = (struct s3_fifo *)base;
    s3->has_evicted = true;
    uint32_t n = POLICY_NONE;
    if (s3->main_used <= s3->main_capacity) {
        n = s3_fifo_evict_small(s3);
    }
    return n != POLICY_NONE ? n : s3_fifo_evict_main(s3);
}

POLICY_INLINE void s3_fifo_admit(struct policy_base *base, uint32_t n)
{
    struct s3_fifo *s3 = (struct s3_fifo *)base;
    uint64_t cost = policy_cost(base, n);
    base->used += cost;
    if ((base->facts[n].mark & S3_TO_MAIN) || cost > s3->small_capacity ||
        (!s3->has_evicted && s3->small_used >= s3->small_capacity)) {
        s3_fifo_to_main(s3, n);
        return;
    }
    policy_mark(base, n, 0);
    policy_push_front(base, S3_SMALL, n);
    s3->small_used += cost;
}

POLICY_INLINE uint32_t s3_fifo_soon(const struct policy_base *base)
{
    return policy_soon(base, S3_SMALL);
}

static const struct policy policy_s3_fifo = {
    .name = "s3-fifo",
    .about = "a small queue on trial, a main queue, and a memory of who left",
    .state_bytes = sizeof(struct s3_fifo),
    .ghosts = true,
    .ghost_percent = S3_GHOST_PERCENT,
    .init = s3_fifo_init,
    .hit = s3_fifo_hit,
    .arrive = s3_fifo_arrive,
    .evict = s3_fifo_evict,
    .admit = s3_fifo_admit,
    .remove = s3_fifo_remove,
    .soon = s3_fifo_soon,
};

#endif
