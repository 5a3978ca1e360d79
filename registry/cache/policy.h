/*
 * policy.h - a replacement policy: which entry leaves when a bounded cache is full.
 *
 * A policy knows entries only as nodes, numbers into one array that its owner provides; keys,
 * values and look-up are the owner's. There are two owners: `struct bounded` (bounded.h) puts a
 * keyed slab around a policy and makes a strategy of it; the trace simulator gives every distinct
 * key of a trace a node of its own. So the algorithm that is held to published miss counts is the
 * one that runs.
 *
 * A policy is a header policy_NAME.h with one `static const struct policy`. Its functions are
 * inlined into each owner: on the path of a hit an indirect call would cost as much as the look-up.
 *
 * The order of calls for a request of node n:
 *   resident:      hit(n)
 *   not resident:  arrive(n), then evict() until n fits, then admit(n)
 * `arrive` sees n's mark, so a policy with ghosts (keys it remembers without their values) learns
 * that one came back. A weight above the capacity never reaches the policy.
 *
 * Threads: none; the owner locks.
 */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define POLICY_LISTS 6u /* nodes 0..5 are the heads of the circular lists; entries begin here */
#define POLICY_NONE  UINT32_MAX

/* Marks. A policy may use the low five bits as it likes; all zero and neither bit: unknown to it.
 */
enum {
    POLICY_RESIDENT = 0x80,
    POLICY_GHOST = 0x40, /* remembered, its value is gone */
    POLICY_USED = 0x20,  /* hit since it was admitted; the owner's, for statistics */
    POLICY_OWN = 0x1f,
};

/* Of 8 bytes each, two arrays: a hit of an LRU reads the facts of one node and the links of three.
 */
struct policy_links {
    uint32_t prev, next; /* circular, towards the newer and the older */
};

struct policy_facts {
    uint32_t weight;    /* bytes */
    uint16_t key_bytes; /* this and the tag are a keyed owner's, kept here to share the line */
    uint8_t tag;
    uint8_t mark;
};

/* What every policy's state begins with. */
struct policy_base {
    struct policy_links *links;
    struct policy_facts *facts;
    uint64_t capacity; /* entries, or bytes if by_weight */
    uint64_t used;     /* of the residents, same unit */
    bool by_weight;
    uint32_t forgotten; /* chain through `next` of ghosts that were given up; POLICY_NONE ends it */
    uint32_t ghost_room;    /* most ghosts there are nodes for */
    const uint32_t *hashes; /* of each node's key, for policies that say so */
    void *extra;            /* extra_bytes(extra_entries) of zeroed memory */
    uint64_t extra_entries; /* as many entries as the capacity is expected to hold */
};

struct policy {
    const char *name;  /* "lru" */
    const char *about; /* one line */
    size_t state_bytes;
    bool ghosts;   /* remembers as many evicted keys as `ghost_percent` of the capacity */
    bool hashes;   /* reads policy_base.hashes */
    bool unmarked; /* has no bits in the mark, and a hit writes links anyway */
    uint32_t ghost_percent;
    size_t (*extra_bytes)(uint64_t entries); /* NULL: none */
    void (*init)(struct policy_base *base);  /* base is filled in; also used to start afresh */
    void (*hit)(struct policy_base *base, uint32_t n);
    void (*arrive)(struct policy_base *base, uint32_t n);
    uint32_t (*evict)(struct policy_base *base, uint32_t incoming); /* a resident, now out */
    void (*admit)(struct policy_base *base, uint32_t n);
    void (*remove)(struct policy_base *base, uint32_t n); /* a resident, on the owner's wish */
    /* A guess who leaves at the eviction after next, so that its lines can be fetched; a list's
     * head if there is none. */
    uint32_t (*soon)(const struct policy_base *base);
};

#define POLICY_INLINE static inline __attribute__((unused))

POLICY_INLINE uint64_t policy_cost(const struct policy_base *base, uint32_t n)
{
    return base->by_weight ? base->facts[n].weight : 1;
}

POLICY_INLINE void policy_list_init(struct policy_base *base, uint32_t list)
{
    base->links[list].prev = base->links[list].next = list;
}

POLICY_INLINE bool policy_list_empty(const struct policy_base *base, uint32_t list)
{
    return base->links[list].next == list;
}

POLICY_INLINE void policy_unlink(struct policy_base *base, uint32_t n)
{
    struct policy_links *links = base->links;
    uint32_t prev = links[n].prev, next = links[n].next;
    links[prev].next = next;
    links[next].prev = prev;
}

POLICY_INLINE void policy_push_front(struct policy_base *base, uint32_t list, uint32_t n)
{
    struct policy_links *links = base->links;
    uint32_t first = links[list].next;
    links[n].prev = list;
    links[n].next = first;
    links[first].prev = n;
    links[list].next = n;
}

POLICY_INLINE uint32_t policy_oldest(const struct policy_base *base, uint32_t list)
{
    return base->links[list].prev;
}

POLICY_INLINE uint32_t policy_soon(const struct policy_base *base, uint32_t list)
{
    return base->links[policy_oldest(base, list)].prev;
}

/* Puts `own` into the policy's bits of a mark and leaves the rest. */
POLICY_INLINE void policy_mark(struct policy_base *base, uint32_t n, uint8_t own)
{
    base->facts[n].mark = (uint8_t)((base->facts[n].mark & ~POLICY_OWN) | own);
}

POLICY_INLINE void policy_arrive_nothing(struct policy_base *base, uint32_t n)
{
    (void)base;
    (void)n;
}

/* A ghost that the policy gives up: the owner takes its node back. */
POLICY_INLINE void policy_forget(struct policy_base *base, uint32_t n)
{
    base->facts[n].mark = 0;
    base->links[n].next = base->forgotten;
    base->forgotten = n;
}

#endif
