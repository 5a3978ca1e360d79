/* site.c - see site.h. Runs in the worker. */
#include "harness/ledger/site.h"

#include "harness/meter/meter.h"

#include <string.h>

#define BUCKETS          (1u << 16)
#define SITES_PER_CHUNK  4096u
#define CHUNKS_MOST      (SITE_MOST / SITES_PER_CHUNK)
#define FRAMES_PER_CHUNK (1u << 16)

static _Atomic uint32_t buckets[BUCKETS]; /* number of the first site; zero pages until used */
static _Atomic(struct site *) chunks[CHUNKS_MOST];
static _Atomic uint32_t sites_given, joins;

struct frame_chunk {
    _Atomic uint32_t used;
    uint64_t frames[FRAMES_PER_CHUNK];
};
static _Atomic(struct frame_chunk *) frame_chunk;

/* Multilinear: one odd random factor for each position, so the products do not wait for each other.
 */
uint64_t site_hash(const uint64_t *frames, uint32_t count, enum wire_site_kind kind)
{
    uint64_t hash = ((uint64_t)count << 8 | kind) * 0xd6e8feb86659fd93u;
    uint64_t factor = 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t mixed = frames[i] ^ frames[i] >> 17;
        hash += mixed * factor;
        factor += 0x9e6c63d0676a9a99u * 2;
        factor ^= factor << 13;
        factor |= 1;
    }
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 29;
}

struct site *site_get(uint32_t number)
{
    uint32_t index = number - 1;
    if (number == 0 || index / SITES_PER_CHUNK >= CHUNKS_MOST) {
        return NULL;
    }
    struct site *chunk =
        atomic_load_explicit(&chunks[index / SITES_PER_CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[index % SITES_PER_CHUNK];
}

uint32_t site_count(void)
{
    uint32_t given = atomic_load_explicit(&sites_given, memory_order_acquire);
    return given < SITES_PER_CHUNK * CHUNKS_MOST ? given : SITES_PER_CHUNK * CHUNKS_MOST;
}

static uint32_t bucket_search(uint32_t first, uint64_t hash, const uint64_t *frames, uint32_t count,
                              enum wire_site_kind kind)
{
    for (uint32_t number = first; number != 0;) {
        const struct site *site = site_get(number);
        if (site->hash == hash && site->frame_count == count && site->kind == kind &&
            memcmp(site->frames, frames, count * sizeof *frames) == 0) {
            return number;
        }
        number = site->next;
    }
    return 0;
}

static const uint64_t *frames_keep(const uint64_t *frames, uint32_t count)
{
    for (;;) {
        struct frame_chunk *chunk = atomic_load(&frame_chunk);
        if (chunk != NULL) {
            uint32_t at = atomic_fetch_add(&chunk->used, count);
            if (at <= FRAMES_PER_CHUNK - count) {
                return memcpy(chunk->frames + at, frames, count * sizeof *frames);
            }
        }
        struct frame_chunk *fresh = meter_own_map(sizeof *fresh);
        if (fresh == NULL) {
            return NULL;
        }
        if (!atomic_compare_exchange_strong(&frame_chunk, &chunk, fresh)) {
            meter_own_unmap(fresh, sizeof *fresh);
        }
    }
}

static struct site *site_new(uint32_t *number)
{
    uint32_t index = atomic_fetch_add(&sites_given, 1);
    if (index / SITES_PER_CHUNK >= CHUNKS_MOST) {
        return NULL;
    }
    _Atomic(struct site *) *chunk = &chunks[index / SITES_PER_CHUNK];
    if (atomic_load(chunk) == NULL) {
        struct site *none = NULL, *fresh = meter_own_map(SITES_PER_CHUNK * sizeof *fresh);
        if (fresh == NULL) {
            return NULL;
        }
        if (!atomic_compare_exchange_strong(chunk, &none, fresh)) {
            meter_own_unmap(fresh, SITES_PER_CHUNK * sizeof *fresh);
        }
    }
    *number = index + 1;
    return site_get(*number);
}

uint32_t site_find(const uint64_t *frames, uint32_t count, bool cut, enum wire_site_kind kind)
{
    uint64_t hash = site_hash(frames, count, kind);
    _Atomic uint32_t *bucket = &buckets[hash % BUCKETS];
    uint32_t first = atomic_load_explicit(bucket, memory_order_acquire), number;
    uint32_t found = bucket_search(first, hash, frames, count, kind);
    if (found != 0) {
        return found;
    }
    struct site *site = site_new(&number);
    const uint64_t *kept = site == NULL ? NULL : frames_keep(frames, count);
    if (kept == NULL) {
        return 0;
    }
    *site = (struct site){.hash = hash,
                          .frames = kept,
                          .frame_count = (uint8_t)count,
                          .cut = cut,
                          .kind = (uint8_t)kind};
    do {
        found = bucket_search(first, hash, frames, count, kind);
        if (found != 0) {
            return found;
        }
        site->next = first;
    } while (!atomic_compare_exchange_weak(bucket, &first, number));
    return number;
}

/* Each site points to a smaller one of its family, the smallest to none: chains only ever lead
 * down, whichever thread links them. Longer ones are shortened on the way. */
uint32_t site_family(uint32_t number)
{
    for (;;) {
        struct site *site = site_get(number);
        uint32_t parent =
            site == NULL ? 0 : atomic_load_explicit(&site->family, memory_order_acquire);
        if (parent == 0) {
            return number;
        }
        uint32_t above = atomic_load_explicit(&site_get(parent)->family, memory_order_acquire);
        if (above != 0) {
            atomic_compare_exchange_strong(&site->family, &parent, above);
        }
        number = parent;
    }
}

void site_join(uint32_t one, uint32_t other)
{
    if (one == 0 || other == 0) {
        return;
    }
    for (;;) {
        one = site_family(one);
        other = site_family(other);
        if (one == other) {
            return;
        }
        uint32_t alone = 0, smaller = one < other ? one : other;
        struct site *larger = site_get(one < other ? other : one);
        if (atomic_compare_exchange_strong(&larger->family, &alone, smaller)) {
            atomic_fetch_add(&joins, 1);
            return;
        }
    }
}

uint32_t site_joins(void)
{
    return atomic_load(&joins);
}
