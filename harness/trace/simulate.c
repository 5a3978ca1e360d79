/*
 * simulate.c - see simulate.h. One loop, inlined once for each policy.
 */
#include "harness/trace/simulate.h"

#include "harness/base/memory.h"
#include "registry/cache/policy_arc.h"
#include "registry/cache/policy_clock.h"
#include "registry/cache/policy_fifo.h"
#include "registry/cache/policy_lru.h"
#include "registry/cache/policy_s3_fifo.h"
#include "registry/cache/policy_sieve.h"
#include "registry/cache/policy_w_tinylfu.h"

#include <stdlib.h>
#include <string.h>

#define STATE_BYTES 256
#define AHEAD       16u /* requests whose entries are fetched before it is their turn */

/* What a run needs beside the trace. */
struct arena {
    _Alignas(16) unsigned char state[STATE_BYTES]; /* begins with struct policy_base */
    uint32_t *hashes;
};

static struct policy_base *arena_init(struct arena *arena, const struct policy *policy,
                                      const struct trace *trace, uint64_t capacity, bool by_bytes)
{
    size_t nodes = (size_t)POLICY_LISTS + trace->unique;
    uint64_t mean = trace->requests ? trace->bytes / trace->requests : 1;
    memset(arena, 0, sizeof *arena);
    struct policy_base *base = (struct policy_base *)arena->state;
    base->links = memory_new(nodes, sizeof base->links[0]);
    base->facts = memory_new(nodes, sizeof base->facts[0]);
    base->capacity = capacity;
    base->by_weight = by_bytes;
    base->forgotten = POLICY_NONE;
    base->ghost_room = UINT32_MAX;
    if (policy->hashes) {
        arena->hashes = memory_new(nodes, sizeof arena->hashes[0]);
        for (uint32_t i = 0; i < nodes; i++) {
            arena->hashes[i] = (uint32_t)((i + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
        }
        base->hashes = arena->hashes;
    }
    if (policy->extra_bytes) {
        uint64_t entries = by_bytes ? capacity / (mean ? mean : 1) : capacity;
        base->extra_entries = entries < trace->unique ? entries : trace->unique;
        base->extra_entries += base->extra_entries == 0;
        base->extra = memory_new(1, policy->extra_bytes(base->extra_entries));
    }
    policy->init(base);
    return base;
}

static void arena_fini(struct arena *arena)
{
    struct policy_base *base = (struct policy_base *)arena->state;
    free(base->links);
    free(base->facts);
    free(base->extra);
    free(arena->hashes);
}

static inline __attribute__((always_inline)) void simulate_miss(struct policy_base *base,
                                                                const struct policy *policy,
                                                                uint32_t n, uint32_t size,
                                                                struct simulation *result)
{
    uint64_t cost = base->by_weight ? size : 1;
    result->misses++;
    result->miss_bytes += size;
    if (cost > base->capacity) {
        return;
    }
    policy->arrive(base, n); /* a ghost still has the weight that it left with */
    base->facts[n].weight = size;
    while (base->used + cost > base->capacity) {
        uint32_t victim = policy->evict(base, n);
        result->evictions++;
        result->evicted_unused += !(base->facts[victim].mark & POLICY_USED);
        base->facts[victim].mark &= (uint8_t) ~(POLICY_RESIDENT | POLICY_USED);
    }
    base->facts[n].mark = (uint8_t)((base->facts[n].mark & POLICY_OWN) | POLICY_RESIDENT);
    policy->admit(base, n);
}

static inline __attribute__((always_inline)) void simulate_with(const struct policy *policy,
                                                                const struct trace *trace,
                                                                uint64_t capacity, bool by_bytes,
                                                                struct simulation *result)
{
    struct arena arena;
    struct policy_base *base = arena_init(&arena, policy, trace, capacity, by_bytes);
    struct policy_facts *facts = base->facts;
    const uint32_t *keys = trace->keys, *sizes = trace->sizes;
    *result = (struct simulation){.requests = trace->requests, .bytes = trace->bytes};
    for (uint64_t i = 0; i < trace->requests; i++) {
        uint32_t n = keys[i] + POLICY_LISTS;
        if (i + AHEAD < trace->requests) {
            __builtin_prefetch(&facts[keys[i + AHEAD] + POLICY_LISTS], 1);
            __builtin_prefetch(&base->links[keys[i + AHEAD] + POLICY_LISTS], 1);
        }
        if (facts[n].mark & POLICY_RESIDENT) {
            facts[n].mark |= POLICY_USED;
            policy->hit(base, n);
        } else {
            simulate_miss(base, policy, n, sizes ? sizes[i] : 1, result);
        }
    }
    arena_fini(&arena);
}

#define SIMULATOR(symbol)                                                                          \
    static void symbol##_run(const struct trace *trace, const uint64_t *next, uint64_t capacity,   \
                             bool by_bytes, struct simulation *result)                             \
    {                                                                                              \
        (void)next;                                                                                \
        simulate_with(&policy_##symbol, trace, capacity, by_bytes, result);                        \
    }

SIMULATOR(lru)
SIMULATOR(fifo)
SIMULATOR(clock)
SIMULATOR(sieve)
SIMULATOR(s3_fifo)
SIMULATOR(w_tinylfu)
SIMULATOR(arc)

const struct simulator simulators[] = {
    {"lru", "least recently used", false, lru_run},
    {"fifo", "first in, first out", false, fifo_run},
    {"clock", "FIFO with a second chance", false, clock_run},
    {"sieve", "a queue with one bit an entry and a hand", false, sieve_run},
    {"s3-fifo", "three queues, one of ghosts", false, s3_fifo_run},
    {"w-tinylfu", "admits what is asked for more often", false, w_tinylfu_run},
    {"arc", "recency and frequency share by experience", false, arc_run},
    {"optimal", "knows the future (Belady)", true, optimum_run},
    {0},
};

const struct simulator *simulator_find(const char *name)
{
    for (const struct simulator *at = simulators; at->name; at++) {
        if (strcmp(at->name, name) == 0) {
            return at;
        }
    }
    return NULL;
}

void simulate(const struct simulator *simulator, const struct trace *trace, const uint64_t *next,
              uint64_t capacity, bool by_bytes, struct simulation *result)
{
    simulator->run(trace, next, capacity, by_bytes, result);
}

double simulation_hit_rate(const struct simulation *result)
{
    return result->requests ? (double)(result->requests - result->misses) / (double)result->requests
                            : 0;
}
