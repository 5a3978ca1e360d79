/*
 * policy_arc.h - ARC (Megiddo and Modha, FAST '03): two LRU lists, of entries seen once lately (T1)
 * and more often (T2), a ghost list behind each (B1, B2), and a target for T1's share that a hit in
 * a ghost list moves. Weighed entries as libCacheSim treats them: sizes stand for the paper's
 * lengths, the step of the target is a ratio of the ghosts' sizes and at least 1.
 */
#ifndef CACHE_POLICY_ARC_H
#define CACHE_POLICY_ARC_H

#include "registry/cache/policy.h"

enum {
    ARC_T1 = 0,
    ARC_T2 = 1,
    ARC_B1 = 2,
    ARC_B2 = 3
}; /* lists; the mark is the list an entry is in */
enum { ARC_LIST = 3, ARC_WAS_GHOST = 4 };

struct arc {
    struct policy_base base;
    uint64_t size[4];
    uint32_t ghosts;
    double target; /* of T1's size */
};

POLICY_INLINE void arc_init(struct policy_base *base)
{
    struct arc *arc = (struct arc *)base;
    for (uint32_t list = 0; list < 4; list++) {
        policy_list_init(base, list);
        arc->size[list] = 0;
    }
    arc->ghosts = 0;
    arc->target = 0;
}

POLICY_INLINE void arc_leave(struct arc *arc, uint32_t n)
{
    uint32_t list = arc->base.facts[n].mark & ARC_LIST;
    policy_unlink(&arc->base, n);
    arc->size[list] -= policy_cost(&arc->base, n);
}

POLICY_INLINE void arc_enter(struct arc *arc, uint32_t n, uint8_t list)
{
    policy_mark(&arc->base, n, list);
    policy_push_front(&arc->base, list, n);
    arc->size[list] += policy_cost(&arc->base, n);
}

POLICY_INLINE void arc_hit(struct policy_base *base, uint32_t n)
{
    arc_leave((struct arc *)base, n);
    arc_enter((struct arc *)base, n, ARC_T2);
}

POLICY_INLINE void arc_remove(struct policy_base *base, uint32_t n)
{
    arc_leave((struct arc *)base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE void arc_arrive(struct policy_base *base, uint32_t n)
{
    struct arc *arc = (struct arc *)base;
    if (!(base->facts[n].mark & POLICY_GHOST)) {
        base->facts[n].mark = 0;
        return;
    }
    uint32_t list = base->facts[n].mark & ARC_LIST;
    double b1 = (double)arc->size[ARC_B1], b2 = (double)arc->size[ARC_B2];
    if (list == ARC_B1) {
        double step = b2 / b1 > 1 ? b2 / b1 : 1;
        double most = (double)base->capacity;
        arc->target = arc->target + step < most ? arc->target + step : most;
    } else {
        double step = b1 / b2 > 1 ? b1 / b2 : 1;
        arc->target = arc->target > step ? arc->target - step : 0;
    }
    arc_leave(arc, n);
    arc->ghosts--;
    base->facts[n].mark = (uint8_t)(ARC_WAS_GHOST | list);
}

POLICY_INLINE void arc_forget_oldest(struct arc *arc, uint32_t list)
{
    uint32_t n = policy_oldest(&arc->base, list);
    arc_leave(arc, n);
    arc->ghosts--;
    policy_forget(&arc->base, n);
}

POLICY_INLINE uint32_t arc_replace(struct arc *arc, bool came_from_b2)
{
    struct policy_base *base = &arc->base;
    double t1 = (double)arc->size[ARC_T1];
    bool from_t1 =
        (arc->size[ARC_T1] > 0 && (t1 > arc->target || (t1 == arc->target && came_from_b2))) ||
        arc->size[ARC_T2] == 0;
    uint32_t n = policy_oldest(base, from_t1 ? ARC_T1 : ARC_T2);
    arc_remove(base, n);
    if (arc->ghosts == base->ghost_room && arc->ghosts > 0) { /* weights: more ghosts than nodes */
        arc_forget_oldest(arc, arc->size[ARC_B1] > arc->size[ARC_B2] ? ARC_B1 : ARC_B2);
    }
    if (arc->ghosts < base->ghost_room) {
        arc_enter(arc, n, from_t1 ? ARC_B1 : ARC_B2);
        base->facts[n].mark |= POLICY_GHOST;
        arc->ghosts++;
    }
    return n;
}

POLICY_INLINE uint32_t arc_evict(struct policy_base *base, uint32_t incoming)
{
    struct arc *arc = (struct arc *)base;
    uint8_t mark = base->facts[incoming].mark;
    if (mark & ARC_WAS_GHOST) {
        return arc_replace(arc, (mark & ARC_LIST) == ARC_B2);
    }
    if (arc->size[ARC_T1] + arc->size[ARC_B1] + policy_cost(base, incoming) > base->capacity) {
        if (arc->size[ARC_B1] ==
            0) { /* T1 has all the room: its oldest goes and is not remembered */
            uint32_t n = policy_oldest(base, ARC_T1);
            arc_remove(base, n);
            return n;
        }
        arc_forget_oldest(arc, ARC_B1);
    } else if (arc->size[ARC_B2] > 0 &&
               arc->size[ARC_T1] + arc->size[ARC_B1] + arc->size[ARC_T2] + arc->size[ARC_B2] >=
                   base->capacity * 2) {
        arc_forget_oldest(arc, ARC_B2);
    }
    return arc_replace(arc, false);
}

POLICY_INLINE void arc_admit(struct policy_base *base, uint32_t n)
{
    bool was_ghost = base->facts[n].mark & ARC_WAS_GHOST;
    arc_enter((struct arc *)base, n, was_ghost ? ARC_T2 : ARC_T1);
    base->used += policy_cost(base, n);
}

POLICY_INLINE uint32_t arc_soon(const struct policy_base *base)
{
    return policy_soon(base, ARC_T1);
}

static const struct policy policy_arc = {
    .name = "arc",
    .about = "two LRU lists, seen once and seen again, sharing the room as their ghosts advise",
    .state_bytes = sizeof(struct arc),
    .ghosts = true,
    .ghost_percent = 100,
    .init = arc_init,
    .hit = arc_hit,
    .arrive = arc_arrive,
    .evict = arc_evict,
    .admit = arc_admit,
    .remove = arc_remove,
    .soon = arc_soon,
};

#endif
