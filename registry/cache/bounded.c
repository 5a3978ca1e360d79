/*
 * bounded.c - the parts of a bounded cache that are off the path of a hit: making the slab,
 * releasing nodes, counting. Runs in the process that looks up; allocates in bounded_init and
 * nowhere else.
 */
#include "registry/cache/bounded.h"

#include <assert.h>
#include <stdlib.h>

static size_t round8(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static uint64_t round64(uint64_t bytes)
{
    return (bytes + 63) & ~UINT64_C(63);
}

/* Sizes for `cells` entries; the slab's bytes are the result. 0 when they overflow. */
static size_t bounded_measure(struct bounded *cache, const struct policy *policy, uint64_t cells)
{
    uint64_t ghosts = policy->ghosts ? cells * policy->ghost_percent / 100 + 1 : 0;
    uint64_t nodes = POLICY_LISTS + cells + ghosts;
    if (nodes >= BOUNDED_NODES) {
        return 0;
    }
    cache->cell_count = (uint32_t)cells;
    cache->node_end = (uint32_t)nodes;
    uint32_t per_node = sizeof(struct policy_links) + sizeof(struct policy_facts) +
                        (policy->ghosts ? 4 : 0) + (policy->hashes ? 4 : 0);
    uint64_t extra = policy->extra_bytes ? round8(policy->extra_bytes(cells)) : 0;
    uint64_t groups = index_measure(&cache->index, cells + ghosts, nodes);
    uint64_t total =
        round64(groups) + round64(nodes * per_node + extra + 8) + round64(cells * cache->stride);
    cache->entry_bytes = (uint32_t)(total / cells);
    return total > SIZE_MAX / 2 ? 0 : (size_t)total;
}

/* The most cells, at most `wanted`, whose slab stays within `bytes`. */
static uint64_t bounded_cells_within(struct bounded *cache, const struct policy *policy,
                                     uint64_t wanted, uint64_t bytes)
{
    uint64_t low = 0, high = wanted;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        size_t total = bounded_measure(cache, policy, middle);
        if (total != 0 && total <= bytes) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static void bounded_divide(struct bounded *cache, const struct policy *policy)
{
    unsigned char *at = cache->slab;
    struct policy_base *base = &cache->policy.base;
    index_init(&cache->index, at);
    at += round64(index_measure(&cache->index, cache->node_end - POLICY_LISTS, cache->node_end));
    base->links = (struct policy_links *)at;
    at += sizeof(struct policy_links) * cache->node_end;
    base->facts = (struct policy_facts *)at;
    at += sizeof(struct policy_facts) * cache->node_end;
    if (policy->ghosts) {
        cache->place = (uint32_t *)at;
        at += sizeof(uint32_t) * cache->node_end;
    }
    if (policy->hashes) {
        cache->hashes = (uint32_t *)at;
        base->hashes = cache->hashes;
        at += sizeof(uint32_t) * cache->node_end;
    }
    at = (unsigned char *)cache->slab + round8((size_t)(at - (unsigned char *)cache->slab));
    if (policy->extra_bytes) {
        base->extra = at;
        base->extra_entries = cache->cell_count;
        at += round8(policy->extra_bytes(cache->cell_count));
    }
    cache->cells =
        (unsigned char *)cache->slab + round64((size_t)(at - (unsigned char *)cache->slab));
}

bool bounded_init(struct bounded *cache, const struct policy *policy,
                  const struct strategy_source *source, const struct strategy_options *options)
{
    assert(policy->state_bytes <= BOUNDED_POLICY_BYTES);
    *cache = (struct bounded){
        .source = source,
        .weights = options->weights != 0,
        .evicted = options->evicted,
        .listener = options->listener,
        .key_bytes_max = source->key_bytes_max < UINT16_MAX ? source->key_bytes_max : UINT16_MAX,
        .value_bytes_max = options->weights ? UINT32_MAX : source->value_bytes_max,
    };
    size_t value_room = cache->weights ? sizeof(struct strategy_value) : source->value_bytes_max;
    cache->stride = round8(cache->key_bytes_max) + round8(value_room) + (policy->ghosts ? 8 : 0);
    if (cache->stride < 8) {
        cache->stride = 8;
    }
    uint64_t cells = options->entries ? options->entries
                     : cache->weights ? BOUNDED_ENTRIES_WEIGHED
                     : options->bytes ? options->bytes / cache->stride
                                      : BOUNDED_ENTRIES;
    if (options->bytes && !cache->weights) {
        cells = bounded_cells_within(cache, policy, cells, options->bytes);
    }
    cache->slab_bytes = cells ? bounded_measure(cache, policy, cells) : 0;
    if (cache->slab_bytes == 0 || (cache->weights && options->bytes == 0)) {
        return false;
    }
    cache->slab = aligned_alloc(64, cache->slab_bytes);
    if (!cache->slab) {
        return false;
    }
    bounded_divide(cache, policy);
    cache->short_lengths =
        cache->weights || cache->index.wide ? 0 : REGISTRY_HASH_LONG - REGISTRY_HASH_SHORT + 1;
    cache->policy.base.by_weight = cache->weights;
    cache->policy.base.capacity = cache->weights ? options->bytes : cells;
    cache->policy.base.ghost_room = cache->node_end - POLICY_LISTS - (uint32_t)cells - 1;
    bounded_reset(cache, policy);
    return true;
}

void bounded_fini(struct bounded *cache)
{
    free(cache->slab);
    *cache = (struct bounded){0};
}

void bounded_reset(struct bounded *cache, const struct policy *policy)
{
    struct policy_base *base = &cache->policy.base;
    index_reset(&cache->index);
    memset(base->facts, 0, sizeof base->facts[0] * POLICY_LISTS); /* no key is a list's head's */
    if (policy->ghosts) {
        memset(cache->place, 0, sizeof cache->place[0] * POLICY_LISTS);
    }
    if (policy->extra_bytes) {
        memset(base->extra, 0, policy->extra_bytes(cache->cell_count));
    }
    cache->free_nodes = cache->free_cells = base->forgotten = POLICY_NONE;
    cache->fresh_node = POLICY_LISTS;
    cache->fresh_cell = 0;
    cache->entries = 0;
    base->used = 0;
    policy->init(base);
}

void bounded_statistics(const struct bounded *cache, struct strategy_statistics *statistics)
{
    *statistics = (struct strategy_statistics){
        .lookups = cache->hits + cache->misses,
        .hits = cache->hits,
        .misses = cache->misses,
        .loads = cache->loads,
        .evictions = cache->evictions,
        .evicted_unused = cache->evicted_unused,
        .entries = cache->entries,
        .bytes = cache->weights ? cache->policy.base.used : cache->entries * cache->entry_bytes,
    };
}
