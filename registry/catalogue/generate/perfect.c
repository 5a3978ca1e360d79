/* perfect.c - see perfect.h. Build time only. */
#include "registry/catalogue/generate/perfect.h"

#include "harness/base/memory.h"
#include "registry/registry_hash.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY      UINT32_MAX
#define PILOTS      255 /* 1..255 */
#define KEYS_MOST   3.6 /* a bucket, on average */
#define BUCKET_MOST 64  /* keys; about three are usual */
#define RECENT      16  /* buckets placed last, which may not be driven out */

struct solver {
    struct perfect *perfect;
    const uint64_t *hashes;
    uint32_t *start; /* of a bucket's keys in `keys`; one more at the end */
    uint32_t *keys;  /* numbers of keys, by bucket */
    uint32_t *owner; /* of a slot: bucket or NOBODY */
    uint64_t *taken; /* one bit a slot: denser than `owner`, so it stays in cache */
    uint32_t *stack; /* buckets that wait */
    size_t waiting;
    uint32_t recent[RECENT];
    unsigned recent_at;
    uint64_t random;
};

static uint32_t solver_random(struct solver *solver)
{
    solver->random = solver->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(solver->random >> 33);
}

static uint32_t bucket_size(const struct solver *solver, uint32_t bucket)
{
    return solver->start[bucket + 1] - solver->start[bucket];
}

static void solver_group(struct solver *solver, uint32_t count)
{
    uint32_t buckets = solver->perfect->buckets;
    for (uint32_t i = 0; i < count; i++) {
        solver->start[registry_hash_bucket(solver->hashes[i], solver->perfect->shift) + 1]++;
    }
    for (uint32_t i = 0; i < buckets; i++) {
        solver->start[i + 1] += solver->start[i];
    }
    uint32_t *next = memory_new(buckets + 1, sizeof *next);
    memcpy(next, solver->start, buckets * sizeof *next);
    for (uint32_t i = 0; i < count; i++) {
        solver->keys[next[registry_hash_bucket(solver->hashes[i], solver->perfect->shift)]++] = i;
    }
    free(next);
}

/* Equal hashes fall in one bucket, so looking there is enough. */
static bool solver_distinct(const struct solver *solver, uint32_t *twin_a, uint32_t *twin_b)
{
    for (uint32_t b = 0; b < solver->perfect->buckets; b++) {
        for (uint32_t i = solver->start[b]; i < solver->start[b + 1]; i++) {
            for (uint32_t j = solver->start[b]; j < i; j++) {
                /* The lower half decides the slot, so it must differ, too. */
                if ((uint32_t)solver->hashes[solver->keys[i]] ==
                    (uint32_t)solver->hashes[solver->keys[j]]) {
                    *twin_a = solver->keys[j];
                    *twin_b = solver->keys[i];
                    return false;
                }
            }
        }
    }
    return true;
}

/* Slots of a bucket under a pilot; false when two of its keys share one. */
static bool bucket_slots(const struct solver *solver, uint32_t bucket, uint32_t pilot,
                         uint32_t *slots)
{
    uint32_t first = solver->start[bucket], size = bucket_size(solver, bucket);
    for (uint32_t i = 0; i < size; i++) {
        slots[i] = registry_hash_slot(solver->hashes[solver->keys[first + i]], pilot,
                                      solver->perfect->slots);
        for (uint32_t j = 0; j < i; j++) {
            if (slots[j] == slots[i]) {
                return false;
            }
        }
    }
    return true;
}

static bool slots_free(const struct solver *solver, const uint32_t *slots, uint32_t size)
{
    uint64_t taken = 0;
    for (uint32_t i = 0; i < size; i++) {
        taken |= solver->taken[slots[i] / 64] >> slots[i] % 64 & 1;
    }
    return taken == 0;
}

static bool bucket_is_recent(const struct solver *solver, uint32_t bucket)
{
    for (unsigned i = 0; i < RECENT; i++) {
        if (solver->recent[i] == bucket) {
            return true;
        }
    }
    return false;
}

/* What driving out the owners costs: the squares of their sizes; large ones are hard to place. */
static uint64_t slots_cost(const struct solver *solver, const uint32_t *slots, uint32_t size)
{
    uint64_t cost = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t owner = solver->owner[slots[i]];
        if (owner != NOBODY) {
            if (bucket_is_recent(solver, owner)) {
                return UINT64_MAX;
            }
            cost += (uint64_t)bucket_size(solver, owner) * bucket_size(solver, owner);
        }
    }
    return cost;
}

static void bucket_remove(struct solver *solver, uint32_t bucket)
{
    uint32_t slots[BUCKET_MOST] = {0};
    (void)bucket_slots(solver, bucket, solver->perfect->pilots[bucket], slots);
    for (uint32_t i = 0; i < bucket_size(solver, bucket); i++) {
        solver->owner[slots[i]] = NOBODY;
        solver->taken[slots[i] / 64] &= ~(UINT64_C(1) << slots[i] % 64);
    }
    solver->stack[solver->waiting++] = bucket;
}

static void bucket_place(struct solver *solver, uint32_t bucket, uint32_t pilot)
{
    uint32_t slots[BUCKET_MOST] = {0}, size = bucket_size(solver, bucket);
    (void)bucket_slots(solver, bucket, pilot, slots);
    for (uint32_t i = 0; i < size; i++) {
        if (solver->owner[slots[i]] != NOBODY) {
            bucket_remove(solver, solver->owner[slots[i]]);
        }
    }
    for (uint32_t i = 0; i < size; i++) {
        solver->owner[slots[i]] = bucket;
        solver->taken[slots[i] / 64] |= UINT64_C(1) << slots[i] % 64;
    }
    solver->perfect->pilots[bucket] = (uint8_t)pilot;
    solver->recent[solver->recent_at++ % RECENT] = bucket;
}

static bool bucket_solve(struct solver *solver, uint32_t bucket)
{
    uint32_t slots[BUCKET_MOST] = {0}, size = bucket_size(solver, bucket);
    uint32_t offset = solver_random(solver);
    for (uint32_t i = 0; i < PILOTS; i++) {
        uint32_t pilot = 1 + (i + offset) % PILOTS;
        if (bucket_slots(solver, bucket, pilot, slots) && slots_free(solver, slots, size)) {
            bucket_place(solver, bucket, pilot);
            return true;
        }
    }
    uint64_t least = UINT64_MAX;
    uint32_t best = 0;
    for (uint32_t i = 0; i < PILOTS; i++) {
        uint32_t pilot = 1 + (i + offset) % PILOTS;
        if (bucket_slots(solver, bucket, pilot, slots)) {
            uint64_t cost = slots_cost(solver, slots, size);
            if (cost < least) {
                least = cost;
                best = pilot;
            }
        }
    }
    if (least == UINT64_MAX) {
        return false;
    }
    bucket_place(solver, bucket, best);
    return true;
}

/* Fills the stack so that the largest buckets come off first. */
static bool solver_order(struct solver *solver)
{
    for (uint32_t size = 1; size <= BUCKET_MOST; size++) {
        for (uint32_t b = 0; b < solver->perfect->buckets; b++) {
            if (bucket_size(solver, b) == size) {
                solver->stack[solver->waiting++] = b;
            }
        }
    }
    for (uint32_t b = 0; b < solver->perfect->buckets; b++) {
        if (bucket_size(solver, b) > BUCKET_MOST) {
            return false;
        }
    }
    return true;
}

static bool solver_run(struct solver *solver)
{
    if (!solver_order(solver)) {
        return false;
    }
    uint64_t most = 1000 + 64 * (uint64_t)solver->perfect->buckets;
    while (solver->waiting > 0) {
        uint32_t bucket = solver->stack[--solver->waiting];
        if (solver->perfect->moves++ > most || !bucket_solve(solver, bucket)) {
            return false;
        }
    }
    return true;
}

bool perfect_init(struct perfect *perfect, const uint64_t *hashes, uint32_t count, unsigned slack,
                  uint32_t *twin_a, uint32_t *twin_b)
{
    bool ok = false;
    *perfect = (struct perfect){
        .shift = 63,
        .slots = count + count / 50 + (uint32_t)((uint64_t)count * slack / 200) + slack + 1,
    };
    while ((double)(UINT64_C(1) << (64 - perfect->shift)) * KEYS_MOST < count) {
        perfect->shift--;
    }
    perfect->buckets = UINT32_C(1) << (64 - perfect->shift);
    *twin_a = *twin_b = 0;
    struct solver solver = {.perfect = perfect, .hashes = hashes, .random = 1};
    perfect->pilots = memory_new(perfect->buckets, 1);
    solver.start = memory_new((size_t)perfect->buckets + 1, sizeof *solver.start);
    solver.keys = memory_new(count, sizeof *solver.keys);
    solver.owner = memory_new(perfect->slots, sizeof *solver.owner);
    memset(solver.owner, 0xff, perfect->slots * sizeof *solver.owner);
    solver.taken = memory_new(perfect->slots / 64 + 1, sizeof *solver.taken);
    solver.stack = memory_new((size_t)perfect->buckets + BUCKET_MOST, sizeof *solver.stack);
    memset(solver.recent, 0xff, sizeof solver.recent);
    solver_group(&solver, count);
    ok = solver_distinct(&solver, twin_a, twin_b) && solver_run(&solver);
    free(solver.stack);
    free(solver.taken);
    free(solver.owner);
    free(solver.keys);
    free(solver.start);
    if (!ok) {
        perfect_fini(perfect);
    }
    return ok;
}

void perfect_fini(struct perfect *perfect)
{
    free(perfect->pilots);
    *perfect = (struct perfect){0};
}
