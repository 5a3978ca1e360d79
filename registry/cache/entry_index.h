/*
 * entry_index.h - from the hash of a key to the numbers of the entries that may have it: a table of
 * groups, for a cache whose entries come and go for ever.
 *
 *   tags   16 B a group   the tags of its 15 slots, and how many entries passed it by
 *   ids    32 or 64 B     the numbers in its slots: 15 bits while those do, else 32 (wide)
 *   slots  2 B a number   not when wide: where each number is, so that it leaves at once
 *
 * A tag is 8 bits of the hash, never 0; 0 is a free slot. All of a group are compared at once, so
 * that neither where in its group an entry stands nor what else stands there is a branch for the
 * processor to guess: chains cost a mispredicted branch in every second miss. An entry goes to the
 * group that its hash names, its home, or, where that is full, to the next that is not; each full
 * group on the way counts it as passed, and nobody looks beyond a group that was passed by nobody.
 *
 * What finds an entry is `place`, 32 bits of the hash that are neither its tag nor those that
 * choose a shard. Adding and removing need place and tag only, not the key.
 *
 * Threads: none; the owner locks. Runs in the process that looks up; the owner has the memory.
 */
#ifndef CACHE_ENTRY_INDEX_H
#define CACHE_ENTRY_INDEX_H

#include "registry/registry_hash.h"

#include <stdbool.h>

#define INDEX_SLOTS       15u
#define INDEX_STRIDE      16u     /* of slots in ids */
#define INDEX_FILL        8u      /* entries a group, on average */
#define INDEX_FILL_WIDE   10u     /* either way 8 bytes an entry */
#define INDEX_NARROW      0x8000u /* more numbers than that are wide */
#define INDEX_PASSED_MOST 255u

struct index_group { /* a group's part of the tags */
    uint8_t tag[INDEX_SLOTS];
    uint8_t passed; /* entries from here or before that live behind; at its most it stays */
};

struct entry_index {
    struct index_group *groups; /* aligned to 16 */
    void *ids;                  /* uint16_t or uint32_t */
    uint16_t *slots;            /* of a number: group * INDEX_STRIDE + slot */
    uint64_t count;             /* of groups, 32 bits */
    bool wide;
};

/* For `entries` numbers below `end`; returns the bytes of memory it wants. */
static inline uint64_t index_measure(struct entry_index *index, uint64_t entries, uint64_t end)
{
    index->wide = end > INDEX_NARROW;
    uint32_t fill = index->wide ? INDEX_FILL_WIDE : INDEX_FILL;
    uint64_t groups = (entries + fill - 1) / fill;
    index->count = groups;
    groups *= sizeof(struct index_group);
    return index->wide ? groups * 5 : groups * 3 + 2 * end;
}

/* `memory`: as much as index_measure said, aligned to 16. */
static inline void index_init(struct entry_index *index, void *memory)
{
    index->groups = (struct index_group *)memory;
    index->ids = index->groups + index->count;
    index->slots = index->wide ? NULL : (uint16_t *)index->ids + index->count * INDEX_STRIDE;
}

static inline void index_reset(struct entry_index *index)
{
    memset(index->groups, 0, sizeof index->groups[0] * index->count);
    if (!index->wide) { /* for index_glance */
        memset(index->ids, 0, sizeof(uint16_t) * INDEX_STRIDE * index->count);
    }
}

static inline uint8_t index_tag(uint64_t hash)
{
    uint8_t tag = (uint8_t)(hash >> 56);
    return (uint8_t)(tag + !tag);
}

static inline uint32_t index_place(uint64_t hash)
{
    return (uint32_t)hash;
}

static inline uint32_t index_home(const struct entry_index *index, uint32_t place)
{
    return (uint32_t)(place * index->count >> 32);
}

static inline uint32_t index_next(const struct entry_index *index, uint32_t group)
{
    return group + 1 < index->count ? group + 1 : 0;
}

static inline uint32_t index_id(const struct entry_index *index, uint32_t group, uint32_t slots)
{
    size_t at = (size_t)group * INDEX_STRIDE + (unsigned)__builtin_ctz(slots);
    return __builtin_expect(index->wide, 0) ? ((const uint32_t *)index->ids)[at]
                                            : ((const uint16_t *)index->ids)[at];
}

/* A look at a key's home group, narrow index only, that asks less than it might: bit i of slots is
 * slot i where the tag agrees, but bit 15 is the count behind the slots, and a hash whose top byte
 * is 0 finds free slots, or in a full group that nobody passed the count, not its tag. Numbers in
 * free slots are 0 or were there once, so that who compares the key of what it finds is never
 * deceived. No bit and a group that nobody passed: the key is not there. Anything else:
 * index_walk_begin. */
struct index_glance {
    const struct index_group *group;
    size_t at; /* of the group's first number */
    uint32_t slots;
};

/* Bit i of the result: byte i of the word is zero. */
static inline uint32_t index_zeros(uint64_t word)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t zeros = ~(((word & low) + low) | word | low) >> 7;
    return (uint32_t)(zeros * 0x0102040810204080 >> 56);
}

/* As index_group_tagged. */
static inline uint32_t index_tagged_portable(const struct index_group *group, uint8_t tag)
{
    const char *bytes = (const char *)group;
    uint64_t wanted = tag * UINT64_C(0x0101010101010101);
    return index_zeros(registry_load64(bytes) ^ wanted) |
           index_zeros(registry_load64(bytes + 8) ^ wanted) << 8;
}

/* Bit i: byte i of the group is this tag; the last one is `passed`. */
static inline uint32_t index_group_tagged(const struct index_group *group, uint8_t tag)
{
#if REGISTRY_SSE2
    /* Spread by a multiplication and one shuffle: SSE2 alone has no shuffle of bytes. */
    const __m128i *tags = (const __m128i *)(const void *)group;
    __m128i equal = _mm_cmpeq_epi8(_mm_load_si128(tags), _mm_set1_epi32((int)(tag * 0x01010101u)));
    return (uint32_t)_mm_movemask_epi8(equal);
#else
    return index_tagged_portable(group, tag);
#endif
}

static inline uint32_t index_tagged(const struct entry_index *index, uint32_t group, uint8_t tag)
{
    return index_group_tagged(&index->groups[group], tag) & ((1u << INDEX_SLOTS) - 1);
}

static inline struct index_glance index_glance(const struct entry_index *index, uint64_t hash)
{
    size_t home = index_home(index, index_place(hash));
    const struct index_group *group = &index->groups[home];
    return (struct index_glance){group, home * INDEX_STRIDE,
                                 index_group_tagged(group, (uint8_t)(hash >> 56))};
}

/* The first of them; slots is not 0. */
static inline uint32_t index_glance_id(const struct entry_index *index, struct index_glance glance)
{
    return ((const uint16_t *)index->ids)[glance.at + (unsigned)__builtin_ctz(glance.slots)];
}

static inline void index_put(struct entry_index *index, uint32_t group, uint32_t room, uint8_t tag,
                             uint32_t id)
{
    unsigned slot = (unsigned)__builtin_ctz(room);
    size_t at = (size_t)group * INDEX_STRIDE + slot;
    index->groups[group].tag[slot] = tag;
    if (__builtin_expect(index->wide, 0)) {
        ((uint32_t *)index->ids)[at] = id;
    } else {
        ((uint16_t *)index->ids)[at] = (uint16_t)id;
        index->slots[id] = (uint16_t)at;
    }
}

/* To the first group with room behind a full one. */
static __attribute__((noinline, unused)) void
index_add_away(struct entry_index *index, uint32_t group, uint8_t tag, uint32_t id)
{
    uint32_t room;
    do {
        index->groups[group].passed += index->groups[group].passed < INDEX_PASSED_MOST;
        group = index_next(index, group);
    } while ((room = index_tagged(index, group, 0)) == 0);
    index_put(index, group, room, tag, id);
}

/* True: index_remove_at will do for it. */
static inline bool index_add(struct entry_index *index, uint32_t place, uint8_t tag, uint32_t id)
{
    uint32_t home = index_home(index, place), room = index_tagged(index, home, 0);
    if (__builtin_expect(room == 0, 0)) {
        index_add_away(index, home, tag, id);
        return false;
    }
    index_put(index, home, room, tag, id);
    return !index->wide;
}

static inline void index_remove_at(struct entry_index *index, uint32_t id)
{
    uint16_t at = index->slots[id];
    index->groups[at / INDEX_STRIDE].tag[at % INDEX_STRIDE] = 0;
}

/* The entry must be there. */
static inline void index_remove(struct entry_index *index, uint32_t place, uint8_t tag, uint32_t id)
{
    for (uint32_t group = index_home(index, place);; group = index_next(index, group)) {
        for (uint32_t slots = index_tagged(index, group, tag); slots; slots &= slots - 1) {
            if (index_id(index, group, slots) == id) {
                index->groups[group].tag[__builtin_ctz(slots)] = 0;
                return;
            }
        }
        index->groups[group].passed -= index->groups[group].passed < INDEX_PASSED_MOST;
    }
}

/* The entries that may have a key, one after another:
 *     struct index_walk walk = index_walk_begin(index, place, tag);
 *     for (uint32_t n; index_walk_on(&walk, &n);) ...
 */
struct index_walk {
    const struct entry_index *index;
    uint32_t group, left; /* groups still to see */
    uint32_t slots;       /* matching ones still to see */
    uint8_t tag;
};

static inline struct index_walk index_walk_begin(const struct entry_index *index, uint32_t place,
                                                 uint8_t tag)
{
    uint32_t home = index_home(index, place);
    return (struct index_walk){index, home, index->count, index_tagged(index, home, tag), tag};
}

static inline bool index_walk_on(struct index_walk *walk, uint32_t *id)
{
    while (!walk->slots) {
        if (__builtin_expect(!walk->index->groups[walk->group].passed || --walk->left == 0, 1)) {
            return false;
        }
        walk->group = index_next(walk->index, walk->group);
        walk->slots = index_tagged(walk->index, walk->group, walk->tag);
    }
    *id = index_id(walk->index, walk->group, walk->slots);
    walk->slots &= walk->slots - 1;
    return true;
}

#endif
