/*
 * simulate.h - a trace through a replacement policy of a given size: how many requests miss.
 *
 * The policies are those of registry/policy_*.h, the same code that runs in the strategies. Cold
 * start; a request is a look-up and, on a miss, an insertion; an entry larger than the whole cache
 * is not inserted. Supervisor only; memory as base/memory.h. Threads may simulate the same trace at
 * once.
 */
#ifndef TRACE_SIMULATE_H
#define TRACE_SIMULATE_H

#include "harness/trace/trace.h"

struct simulation {
    uint64_t requests, misses;
    uint64_t bytes, miss_bytes; /* of the requests */
    uint64_t evictions, evicted_unused;
};

struct simulator {
    const char *name; /* "lru" ... "optimal" */
    const char *about;
    bool optimal; /* knows the future: no cache can do that */
    void (*run)(const struct trace *trace, const uint64_t *next, uint64_t capacity, bool by_bytes,
                struct simulation *result);
};

/* NULL-terminated; the offline optimum is the last. */
extern const struct simulator simulators[];
const struct simulator *simulator_find(const char *name);

/* `capacity` in entries, or in bytes when by_bytes. `next` (trace_next) is read by the optimum only
 * and may be NULL for the others. */
void simulate(const struct simulator *simulator, const struct trace *trace, const uint64_t *next,
              uint64_t capacity, bool by_bytes, struct simulation *result);

double simulation_hit_rate(const struct simulation *result);

/* optimum.c: Belady's rule, the entry whose next request is farthest leaves. With entries of one
 * size nothing can miss less; with sizes it is the usual yardstick, not a bound. */
void optimum_run(const struct trace *trace, const uint64_t *next, uint64_t capacity, bool by_bytes,
                 struct simulation *result);

#endif
