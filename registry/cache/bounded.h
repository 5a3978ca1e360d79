/*
 * bounded.h - a keyed cache of bounded size around a policy: the body of every bounded strategy.
 *
 * One slab, made by init; nothing is allocated after it. 32-bit links. Layout, n = nodes:
 *
 *   links    8 B x n    (policy.h)
 *   facts    8 B x n    weight, key length, tag, mark
 *   index    8 B x n    groups of tags and node numbers                 (entry_index.h)
 *   place    4 B x n    only with ghosts: the cell of a resident, the place (hash) of a ghost
 *   hashes   4 B x n    only for policies that ask
 *   extra               the policy's own
 *   cells               the key, then the value at the next multiple of 8; a cache line apart or
 * two
 *
 * That is 24 bytes an entry beside key and value. The bound in bytes covers the whole slab. With
 * options.weights the values stay where the source has them (they must live until they are
 * evicted), a cell holds only where that is, and the bound in bytes covers the values' own sizes.
 *
 * The functions are inlined into each strategy with a constant policy, so that a hit costs no
 * indirect call. Not thread-safe; strategy_sharded_lru.c shows how to lock.
 */
#ifndef CACHE_BOUNDED_H
#define CACHE_BOUNDED_H

#include "registry/cache/entry_index.h"
#include "registry/cache/key_hash.h"
#include "registry/cache/policy.h"
#include "registry/strategy.h"

#define BOUNDED_NODES           0x80000000u /* fewer than that */
#define BOUNDED_ENTRIES         1024u       /* the default */
#define BOUNDED_ENTRIES_WEIGHED 65536u
#define BOUNDED_POLICY_BYTES    256u

struct bounded {
    struct entry_index index; /* a hit reads only this line, and the policy */
    unsigned char *cells;
    uint64_t stride; /* of a cell, bytes */
    uint64_t hits;
    /* How many lengths of keys, from REGISTRY_HASH_SHORT on, take the short way: all usual ones;
     * none in a cache with weights or a wide index. */
    uint64_t short_lengths;
    union {
        struct policy_base base;
        unsigned char room[BOUNDED_POLICY_BYTES]; /* policy->state_bytes */
    } policy;
    bool weights;
    uint32_t *place;
    uint32_t *hashes;
    uint32_t key_bytes_max, value_bytes_max;
    uint32_t free_nodes, fresh_node; /* chain of released nodes; first never used */
    uint32_t free_cells, fresh_cell; /* with ghosts only */
    uint32_t node_end, cell_count;
    uint32_t entry_bytes; /* slab bytes an entry costs, all told */
    uint64_t evictions, entries, misses, loads, evicted_unused;
    const struct strategy_source *source;
    void (*evicted)(void *, const char *, size_t, const struct strategy_value *);
    void *listener;
    void *slab;
    size_t slab_bytes;
};

/* False: no memory, or bounds too small for a single entry. */
bool bounded_init(struct bounded *cache, const struct policy *policy,
                  const struct strategy_source *source, const struct strategy_options *options);
void bounded_fini(struct bounded *cache);
void bounded_reset(struct bounded *cache, const struct policy *policy);
void bounded_statistics(const struct bounded *cache, struct strategy_statistics *statistics);

POLICY_INLINE unsigned char *bounded_cell(const struct bounded *cache, const struct policy *policy,
                                          uint32_t n)
{
    uint32_t cell = policy->ghosts ? cache->place[n] : n - POLICY_LISTS;
    return cache->cells + (size_t)cell * cache->stride;
}

/* With ghosts a cell begins with what will identify its key when only the ghost is left. */
POLICY_INLINE char *bounded_key(const struct bounded *cache, const struct policy *policy,
                                uint32_t n)
{
    return (char *)bounded_cell(cache, policy, n) + (policy->ghosts ? 8 : 0);
}

POLICY_INLINE size_t bounded_value_at(size_t key_bytes)
{
    return (key_bytes + 7) & ~(size_t)7;
}

POLICY_INLINE void bounded_value(const struct bounded *cache, const struct policy *policy,
                                 uint32_t n, struct strategy_value *value)
{
    const struct policy_facts *facts = &cache->policy.base.facts[n];
    const char *at = bounded_key(cache, policy, n) + bounded_value_at(facts->key_bytes);
    if (__builtin_expect(cache->weights, 0)) {
        memcpy(value, at, sizeof *value);
    } else {
        value->data = at;
        value->bytes = facts->weight;
    }
}

/* Whether n is the resident node of a key of the usual length, whose copy would be at `held`. */
static inline __attribute__((always_inline)) bool
bounded_is(const struct bounded *cache, const struct policy *policy, uint32_t n,
           const struct key_blocks *key, const char *held, size_t length)
{
    const struct policy_facts *facts = &cache->policy.base.facts[n];
    return facts->key_bytes == (uint16_t)length &&
           (!policy->ghosts || (facts->mark & POLICY_RESIDENT)) &&
           key_blocks_equal(key, held, length);
}

/* The resident node of a key of the usual length, or 0. */
static inline __attribute__((always_inline)) uint32_t
bounded_find_usual(const struct bounded *cache, const struct policy *policy,
                   const struct key_blocks *key, size_t length, uint64_t hash)
{
    struct index_walk walk = index_walk_begin(&cache->index, index_place(hash), index_tag(hash));
    for (uint32_t n; index_walk_on(&walk, &n);) {
        if (__builtin_expect(
                bounded_is(cache, policy, n, key, bounded_key(cache, policy, n), length), 1)) {
            return n;
        }
    }
    return 0;
}

/* The resident node of a key, or 0. */
POLICY_INLINE uint32_t bounded_find(const struct bounded *cache, const struct policy *policy,
                                    const char *key, size_t length, uint64_t hash)
{
    if (key_usual(length)) {
        struct key_blocks blocks;
        key_blocks_load(&blocks, key, length);
        return bounded_find_usual(cache, policy, &blocks, length, hash);
    }
    struct index_walk walk = index_walk_begin(&cache->index, index_place(hash), index_tag(hash));
    for (uint32_t n; index_walk_on(&walk, &n);) {
        const struct policy_facts *facts = &cache->policy.base.facts[n];
        if (facts->key_bytes == length && (!policy->ghosts || (facts->mark & POLICY_RESIDENT)) &&
            key_equal(bounded_key(cache, policy, n), key, length)) {
            return n;
        }
    }
    return 0;
}

/* The ghost of a key that is not resident, or 0. Two keys may share one: harmless. */
POLICY_INLINE uint32_t bounded_find_ghost(const struct bounded *cache, size_t length, uint64_t hash)
{
    struct index_walk walk = index_walk_begin(&cache->index, index_place(hash), index_tag(hash));
    for (uint32_t n; index_walk_on(&walk, &n);) {
        const struct policy_facts *facts = &cache->policy.base.facts[n];
        if (facts->key_bytes == length && (facts->mark & POLICY_GHOST) &&
            cache->place[n] == index_place(hash)) {
            return n;
        }
    }
    return 0;
}

/* A hit: counts and tells the policy. */
POLICY_INLINE void bounded_note_hit(struct bounded *cache, const struct policy *policy, uint32_t n)
{
    struct policy_base *base = &cache->policy.base;
    cache->hits++;
    if (policy->unmarked) {
        base->facts[n].mark = POLICY_RESIDENT | POLICY_USED;
    } else if (__builtin_expect(!(base->facts[n].mark & POLICY_USED), 0)) {
        base->facts[n].mark |= POLICY_USED; /* the line may be clean, and stay so: only once */
    }
    policy->hit(base, n);
}

/* Notes a hit and hands out the value. */
POLICY_INLINE bool bounded_take(struct bounded *cache, const struct policy *policy, uint32_t n,
                                struct strategy_value *value)
{
    bounded_note_hit(cache, policy, n);
    bounded_value(cache, policy, n, value);
    return true;
}

/* The same on the short way: no weights. */
POLICY_INLINE bool bounded_take_short(struct bounded *cache, const struct policy *policy,
                                      uint32_t n, const char *key, size_t length,
                                      struct strategy_value *value)
{
    bounded_note_hit(cache, policy, n);
    value->data = key + bounded_value_at(length);
    value->bytes = cache->policy.base.facts[n].weight;
    return true;
}

/* Takes a node out of the index whose slot is not known. With ghosts `place` is; without, the key
 * is hashed again. */
static __attribute__((noinline, unused)) void
bounded_search_out(struct bounded *cache, const struct policy *policy, uint32_t n, uint32_t place)
{
    const struct policy_facts *facts = &cache->policy.base.facts[n];
    if (!policy->ghosts) {
        place = index_place(key_hash(bounded_key(cache, policy, n), facts->key_bytes));
    }
    index_remove(&cache->index, place, facts->tag, n);
}

/* Takes a node out of the index; `place` matters with ghosts only. */
POLICY_INLINE void bounded_leave(struct bounded *cache, const struct policy *policy, uint32_t n,
                                 uint32_t place)
{
    const struct policy_facts *facts = &cache->policy.base.facts[n];
    if (__builtin_expect(!facts->tag, 1)) {
        index_remove_at(&cache->index, n);
    } else {
        bounded_search_out(cache, policy, n, place);
    }
}

POLICY_INLINE void bounded_free_node(struct bounded *cache, uint32_t n)
{
    cache->policy.base.facts[n].key_bytes = 0; /* no key that takes the short way is its */
    cache->policy.base.links[n].next = cache->free_nodes;
    cache->free_nodes = n;
}

/* Gives a node back that is neither resident nor a ghost any more. */
POLICY_INLINE void bounded_release(struct bounded *cache, const struct policy *policy, uint32_t n,
                                   uint32_t place)
{
    bounded_leave(cache, policy, n, place);
    bounded_free_node(cache, n);
}

POLICY_INLINE void bounded_free_cell(struct bounded *cache, uint32_t cell)
{
    memcpy(cache->cells + (size_t)cell * cache->stride, &cache->free_cells, 4);
    cache->free_cells = cell;
}

POLICY_INLINE void bounded_tell(struct bounded *cache, const struct policy *policy, uint32_t n)
{
    struct strategy_value value;
    bounded_value(cache, policy, n, &value);
    cache->evicted(cache->listener, bounded_key(cache, policy, n),
                   cache->policy.base.facts[n].key_bytes, &value);
}

/* Who leaves; counted and told, still in the index. */
POLICY_INLINE uint32_t bounded_evict(struct bounded *cache, const struct policy *policy,
                                     uint32_t incoming)
{
    uint32_t victim = policy->evict(&cache->policy.base, incoming);
    cache->entries--;
    cache->evictions++;
    cache->evicted_unused += !(cache->policy.base.facts[victim].mark & POLICY_USED);
    if (__builtin_expect(cache->evicted != NULL, 0)) {
        bounded_tell(cache, policy, victim);
    }
    return victim;
}

/* The same with ghosts: who leaves may stay as one, and older ghosts may be given up. */
POLICY_INLINE void bounded_evict_to_ghost(struct bounded *cache, const struct policy *policy,
                                          uint32_t incoming)
{
    struct policy_base *base = &cache->policy.base;
    uint32_t victim = bounded_evict(cache, policy, incoming), place;
    base->facts[victim].mark &= (uint8_t) ~(POLICY_RESIDENT | POLICY_USED);
    memcpy(&place, bounded_cell(cache, policy, victim), 4);
    bounded_free_cell(cache, cache->place[victim]);
    cache->place[victim] = place;
    if (!(base->facts[victim].mark & POLICY_GHOST)) {
        bounded_release(cache, policy, victim, place);
    }
    while (base->forgotten != POLICY_NONE) {
        uint32_t n = base->forgotten;
        base->forgotten = base->links[n].next;
        bounded_release(cache, policy, n, cache->place[n]);
    }
}

POLICY_INLINE uint32_t bounded_new_node(struct bounded *cache)
{
    uint32_t n = cache->free_nodes;
    if (n != POLICY_NONE) {
        cache->free_nodes = cache->policy.base.links[n].next;
    } else {
        n = cache->fresh_node++;
    }
    return n;
}

POLICY_INLINE bool bounded_full(const struct bounded *cache, uint64_t cost)
{
    const struct policy_base *base = &cache->policy.base;
    return base->used + cost > base->capacity ||
           (base->by_weight && cache->entries == cache->cell_count);
}

/* Without ghosts: evicts until the cost fits, and returns a node, the last one that left if any. */
POLICY_INLINE uint32_t bounded_make_room(struct bounded *cache, const struct policy *policy,
                                         uint64_t cost)
{
    if (!bounded_full(cache, cost)) {
        return bounded_new_node(cache);
    }
    for (;;) {
        uint32_t n = bounded_evict(cache, policy, POLICY_NONE);
        bounded_leave(cache, policy, n, 0);
        if (!bounded_full(cache, cost)) {
            return n;
        }
        bounded_free_node(cache, n);
    }
}

/* Fetches what the eviction after next will read and what will be written over it: with a source
 * that is fast, one eviction ahead is too late. */
POLICY_INLINE void bounded_foresee(const struct bounded *cache, const struct policy *policy)
{
    const struct policy_base *base = &cache->policy.base;
    uint32_t n = policy->soon(base);
    if (n >= POLICY_LISTS) {
        const char *at = bounded_key(cache, policy, n);
        __builtin_prefetch(&base->links[base->links[n].prev], 1);
        __builtin_prefetch(&base->facts[base->links[n].prev], 1);
        __builtin_prefetch(at, 1);
        __builtin_prefetch(at + 64, 1);
    }
}

/* Puts a loaded value in. False when it cannot be held at all. `value` then points into the cache.
 */
POLICY_INLINE bool bounded_put(struct bounded *cache, const struct policy *policy, const char *key,
                               size_t length, uint64_t hash, struct strategy_value *value)
{
    struct policy_base *base = &cache->policy.base;
    uint64_t cost = base->by_weight && value->bytes ? value->bytes : 1;
    if (length > cache->key_bytes_max || value->bytes > cache->value_bytes_max ||
        cost > base->capacity) {
        return false;
    }
    uint32_t n = 0;
    bool linked = false;
    if (policy->ghosts) { /* the policy may want to know who comes before it chooses who goes */
        n = bounded_find_ghost(cache, length, hash);
        linked = n != 0;
        if (!linked) {
            n = bounded_new_node(cache);
            base->facts[n].mark = 0;
        }
        if (policy->hashes) {
            cache->hashes[n] = index_place(hash);
        }
        policy->arrive(base, n); /* a ghost still has the weight that it left with */
        base->facts[n].weight = (uint32_t)(cache->weights ? cost : value->bytes);
    }
    if (policy->ghosts) {
        while (bounded_full(cache, cost)) {
            bounded_evict_to_ghost(cache, policy, n);
        }
    } else {
        n = bounded_make_room(cache, policy, cost);
        base->facts[n].weight = (uint32_t)(cache->weights ? cost : value->bytes);
    }
    struct policy_facts *facts = &base->facts[n];
    if (!linked) {
        uint8_t tag = index_tag(hash);
        facts->tag = index_add(&cache->index, index_place(hash), tag, n) ? 0 : tag;
    }
    facts->key_bytes = (uint16_t)length;
    facts->mark = (uint8_t)((policy->ghosts ? facts->mark & POLICY_OWN : 0) | POLICY_RESIDENT);
    if (policy->ghosts) {
        uint32_t cell = cache->free_cells, place = index_place(hash);
        if (cell != POLICY_NONE) {
            memcpy(&cache->free_cells, cache->cells + (size_t)cell * cache->stride, 4);
        } else {
            cell = cache->fresh_cell++;
        }
        cache->place[n] = cell;
        memcpy(cache->cells + (size_t)cell * cache->stride, &place, 4);
    }
    policy->admit(base, n);
    cache->entries++;
    char *copy = bounded_key(cache, policy, n);
    key_copy(copy, key, length);
    copy += bounded_value_at(length);
    if (cache->weights) {
        memcpy(copy, value, sizeof *value);
    } else {
        key_copy(copy, value->data, value->bytes);
        value->data = copy;
    }
    bounded_foresee(cache, policy);
    return true;
}

/* What follows when bounded_find found nothing. */
POLICY_INLINE bool bounded_miss(struct bounded *cache, const struct policy *policy, const char *key,
                                size_t length, uint64_t hash, struct strategy_value *value)
{
    cache->misses++;
    if (!cache->source->load(cache->source->context, key, length, value)) {
        return false;
    }
    cache->loads++;
    bounded_put(cache, policy, key, length, hash, value);
    return true;
}

POLICY_INLINE bool bounded_drop(struct bounded *cache, const struct policy *policy, const char *key,
                                size_t length)
{
    uint64_t hash = key_hash(key, length);
    uint32_t n = bounded_find(cache, policy, key, length, hash);
    if (!n) {
        return false;
    }
    struct policy_base *base = &cache->policy.base;
    policy->remove(base, n);
    base->facts[n].mark = 0;
    cache->entries--;
    if (policy->ghosts) {
        bounded_free_cell(cache, cache->place[n]);
    }
    bounded_release(cache, policy, n, index_place(hash));
    return true;
}

/* The functions of a `struct strategy` around a policy; used once in each strategy's file. */
#define BOUNDED_STRATEGY(symbol, title, text, kind)                                                \
    static bool bounded_init_(void *state, const struct strategy_source *source,                   \
                              const struct strategy_options *options)                              \
    {                                                                                              \
        return bounded_init(state, &(kind), source, options);                                      \
    }                                                                                              \
    /* Out of line, so that the usual hit saves no registers for them. */                          \
    static __attribute__((noinline)) bool bounded_miss_(struct bounded *cache, const char *key,    \
                                                        size_t length, uint64_t hash,              \
                                                        struct strategy_value *value)              \
    {                                                                                              \
        return bounded_miss(cache, &(kind), key, length, hash, value);                             \
    }                                                                                              \
    static __attribute__((noinline)) bool bounded_slow_(                                           \
        struct bounded *cache, const char *key, size_t length, struct strategy_value *value)       \
    {                                                                                              \
        uint64_t hash = key_hash(key, length);                                                     \
        uint32_t n = bounded_find(cache, &(kind), key, length, hash);                              \
        return n ? bounded_take(cache, &(kind), n, value)                                          \
                 : bounded_miss_(cache, key, length, hash, value);                                 \
    }                                                                                              \
    static bool bounded_get_(void *state, const char *key, size_t length,                          \
                             struct strategy_value *value)                                         \
    {                                                                                              \
        struct bounded *cache = state;                                                             \
        if (__builtin_expect(length - REGISTRY_HASH_SHORT >= cache->short_lengths, 0)) {           \
            return bounded_slow_(cache, key, length, value);                                       \
        }                                                                                          \
        struct key_blocks blocks;                                                                  \
        key_blocks_load(&blocks, key, length);                                                     \
        uint64_t hash = key_blocks_hash(&blocks, length);                                          \
        struct index_glance glance = index_glance(&cache->index, hash);                            \
        if (__builtin_expect(glance.slots != 0, 1)) {                                              \
            uint32_t n = index_glance_id(&cache->index, glance);                                   \
            const char *held = bounded_key(cache, &(kind), n);                                     \
            __asm__("" : "+r"(held)); /* or the compiler computes it for each of its uses */       \
            if (__builtin_expect(bounded_is(cache, &(kind), n, &blocks, held, length), 1)) {       \
                return bounded_take_short(cache, &(kind), n, held, length, value);                 \
            }                                                                                      \
        } else if (!glance.group->passed) {                                                        \
            return bounded_miss_(cache, key, length, hash, value);                                 \
        }                                                                                          \
        return bounded_slow_(cache, key, length, value);                                           \
    }                                                                                              \
    static bool bounded_drop_(void *state, const char *key, size_t length)                         \
    {                                                                                              \
        return bounded_drop(state, &(kind), key, length);                                          \
    }                                                                                              \
    static void bounded_reset_(void *state)                                                        \
    {                                                                                              \
        bounded_reset(state, &(kind));                                                             \
    }                                                                                              \
    static void bounded_fini_(void *state)                                                         \
    {                                                                                              \
        bounded_fini(state);                                                                       \
    }                                                                                              \
    static void bounded_statistics_(const void *state, struct strategy_statistics *statistics)     \
    {                                                                                              \
        bounded_statistics(state, statistics);                                                     \
    }                                                                                              \
    const struct strategy symbol = {                                                               \
        .name = (title),                                                                           \
        .about = (text),                                                                           \
        .traits = STRATEGY_BOUNDED | STRATEGY_CACHES,                                              \
        .state_bytes = sizeof(struct bounded),                                                     \
        .init = bounded_init_,                                                                     \
        .get = bounded_get_,                                                                       \
        .drop = bounded_drop_,                                                                     \
        .reset = bounded_reset_,                                                                   \
        .fini = bounded_fini_,                                                                     \
        .statistics = bounded_statistics_,                                                         \
    }

#endif
