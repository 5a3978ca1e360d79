/*
 * policy_w_tinylfu.h - W-TinyLFU (Einziger, Friedman and Manes, TOS '17): new keys enter a window
 * (an LRU); what falls out of it is admitted to the main part (an LRU in two segments: on probation
 * and protected) only if it was asked for more often, lately, than the entry that would have to
 * leave. How often is estimated by a count-min sketch of four-bit counters that are halved now and
 * then. The window begins with 1 % of the room; its share climbs in the direction that raised the
 * hit rate.
 *
 * Deterministic, but its counts depend on the hash of the keys: two implementations differ a
 * little.
 */
#ifndef CACHE_POLICY_W_TINYLFU_H
#define CACHE_POLICY_W_TINYLFU_H

#include "registry/cache/policy.h"

enum { TINY_WINDOW = 0, TINY_PROBATION = 1, TINY_PROTECTED = 2, TINY_LIST = 3 };
enum { TINY_PROTECTED_PERCENT = 80, TINY_SAMPLE = 10, TINY_ROWS = 4 };

struct w_tinylfu {
    struct policy_base base;
    uint64_t size[3];
    uint64_t window_capacity, protected_capacity;
    uint64_t words;     /* of the sketch, a power of two; 16 counters each */
    uint64_t additions; /* to the sketch since it was last halved */
    uint64_t entries;   /* that the capacity may hold: the sketch's measure of time */
    uint64_t sample_hits, sample_misses;
    double last_rate, step; /* of the climber; the step in units of the capacity */
};

/* Words of the sketch: one per entry, a power of two. */
POLICY_INLINE uint64_t tiny_words(uint64_t entries)
{
    uint64_t words = 64;
    while (words < entries && words < UINT64_C(1) << 30) {
        words *= 2;
    }
    return words;
}

POLICY_INLINE size_t tiny_extra_bytes(uint64_t entries)
{
    return (size_t)(8 * tiny_words(entries));
}

POLICY_INLINE uint64_t tiny_spread(uint32_t hash, uint32_t row)
{
    uint64_t z = (hash + UINT64_C(0x9e3779b97f4a7c15) * (row + 1)) * UINT64_C(0xbf58476d1ce4e5b9);
    z ^= z >> 29;
    z *= UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 32;
}

POLICY_INLINE unsigned tiny_frequency(const struct w_tinylfu *tiny, uint32_t n)
{
    const uint64_t *sketch = tiny->base.extra;
    unsigned least = 15;
    for (uint32_t row = 0; row < TINY_ROWS; row++) {
        uint64_t at = tiny_spread(tiny->base.hashes[n], row);
        unsigned count = sketch[at & (tiny->words - 1)] >> ((at >> 58 & 3) * 16 + row * 4) & 15;
        least = count < least ? count : least;
    }
    return least;
}

POLICY_INLINE void tiny_count(struct w_tinylfu *tiny, uint32_t n)
{
    uint64_t *sketch = tiny->base.extra;
    bool added = false;
    for (uint32_t row = 0; row < TINY_ROWS; row++) {
        uint64_t at = tiny_spread(tiny->base.hashes[n], row);
        uint64_t *word = &sketch[at & (tiny->words - 1)];
        unsigned shift = (unsigned)((at >> 58 & 3) * 16 + row * 4);
        if ((*word >> shift & 15) < 15) {
            *word += UINT64_C(1) << shift;
            added = true;
        }
    }
    tiny->additions += added;
    if (tiny->additions >= tiny->entries * TINY_SAMPLE) { /* what was long ago counts half */
        for (uint64_t i = 0; i < tiny->words; i++) {
            sketch[i] = sketch[i] >> 1 & UINT64_C(0x7777777777777777);
        }
        tiny->additions /= 2;
    }
}

POLICY_INLINE void tiny_share(struct w_tinylfu *tiny, uint64_t window)
{
    uint64_t capacity = tiny->base.capacity;
    uint64_t least = capacity / 100 ? capacity / 100 : 1;
    uint64_t most = capacity - capacity / 5 > least ? capacity - capacity / 5 : least;
    tiny->window_capacity = window < least ? least : window > most ? most : window;
    tiny->protected_capacity = (capacity - tiny->window_capacity) * TINY_PROTECTED_PERCENT / 100;
}

POLICY_INLINE void w_tinylfu_init(struct policy_base *base)
{
    struct w_tinylfu *tiny = (struct w_tinylfu *)base;
    for (uint32_t list = 0; list < 3; list++) {
        policy_list_init(base, list);
        tiny->size[list] = 0;
    }
    tiny->entries = base->extra_entries;
    tiny->words = tiny_words(tiny->entries);
    tiny->additions = tiny->sample_hits = tiny->sample_misses = 0;
    tiny->last_rate = 0;
    tiny->step = 0.0625;
    tiny_share(tiny, 0);
}

POLICY_INLINE void tiny_leave(struct w_tinylfu *tiny, uint32_t n)
{
    policy_unlink(&tiny->base, n);
    tiny->size[tiny->base.facts[n].mark & TINY_LIST] -= policy_cost(&tiny->base, n);
}

POLICY_INLINE void tiny_enter(struct w_tinylfu *tiny, uint32_t n, uint8_t list)
{
    policy_mark(&tiny->base, n, list);
    policy_push_front(&tiny->base, list, n);
    tiny->size[list] += policy_cost(&tiny->base, n);
}

POLICY_INLINE void tiny_move(struct w_tinylfu *tiny, uint32_t n, uint8_t list)
{
    tiny_leave(tiny, n);
    tiny_enter(tiny, n, list);
}

/* Once a sample of requests is over: on in the same direction if the hit rate rose, else back. */
POLICY_INLINE void tiny_climb(struct w_tinylfu *tiny)
{
    uint64_t requests = tiny->sample_hits + tiny->sample_misses;
    if (requests < tiny->entries * TINY_SAMPLE) {
        return;
    }
    double rate = (double)tiny->sample_hits / (double)requests;
    double change = rate - tiny->last_rate;
    if (change < 0) {
        tiny->step = -tiny->step;
    }
    double window = (double)tiny->window_capacity + tiny->step * (double)tiny->base.capacity;
    tiny_share(tiny, window > 0 ? (uint64_t)window : 0);
    if (change >= 0.05 || change <= -0.05) { /* the load is another: big steps again */
        tiny->step = tiny->step < 0 ? -0.0625 : 0.0625;
    } else {
        tiny->step *= 0.98;
    }
    tiny->last_rate = rate;
    tiny->sample_hits = tiny->sample_misses = 0;
    while (tiny->size[TINY_WINDOW] > tiny->window_capacity) {
        tiny_move(tiny, policy_oldest(&tiny->base, TINY_WINDOW), TINY_PROBATION);
    }
    while (tiny->size[TINY_PROTECTED] > tiny->protected_capacity) {
        tiny_move(tiny, policy_oldest(&tiny->base, TINY_PROTECTED), TINY_PROBATION);
    }
}

POLICY_INLINE void w_tinylfu_hit(struct policy_base *base, uint32_t n)
{
    struct w_tinylfu *tiny = (struct w_tinylfu *)base;
    tiny_count(tiny, n);
    tiny->sample_hits++;
    uint8_t list = base->facts[n].mark & TINY_LIST;
    tiny_move(tiny, n, list == TINY_WINDOW ? TINY_WINDOW : TINY_PROTECTED);
    while (tiny->size[TINY_PROTECTED] > tiny->protected_capacity) {
        tiny_move(tiny, policy_oldest(base, TINY_PROTECTED), TINY_PROBATION);
    }
    tiny_climb(tiny);
}

POLICY_INLINE void w_tinylfu_arrive(struct policy_base *base, uint32_t n)
{
    struct w_tinylfu *tiny = (struct w_tinylfu *)base;
    base->facts[n].mark = 0;
    tiny_count(tiny, n);
    tiny->sample_misses++;
    tiny_climb(tiny);
}

POLICY_INLINE void w_tinylfu_remove(struct policy_base *base, uint32_t n)
{
    tiny_leave((struct w_tinylfu *)base, n);
    base->used -= policy_cost(base, n);
}

POLICY_INLINE uint32_t w_tinylfu_evict(struct policy_base *base, uint32_t incoming)
{
    struct w_tinylfu *tiny = (struct w_tinylfu *)base;
    uint32_t main_list = policy_list_empty(base, TINY_PROBATION) ? TINY_PROTECTED : TINY_PROBATION;
    uint32_t victim = policy_oldest(base, main_list);
    bool main_empty = policy_list_empty(base, main_list);
    bool window_full =
        tiny->size[TINY_WINDOW] + policy_cost(base, incoming) > tiny->window_capacity;
    if (main_empty || (window_full && !policy_list_empty(base, TINY_WINDOW))) {
        uint32_t candidate = policy_oldest(base, TINY_WINDOW);
        if (main_empty || tiny_frequency(tiny, candidate) <= tiny_frequency(tiny, victim)) {
            victim = candidate;
        } else {
            tiny_move(tiny, candidate, TINY_PROBATION);
        }
    }
    w_tinylfu_remove(base, victim);
    return victim;
}

POLICY_INLINE void w_tinylfu_admit(struct policy_base *base, uint32_t n)
{
    struct w_tinylfu *tiny = (struct w_tinylfu *)base;
    tiny_enter(tiny, n, TINY_WINDOW);
    base->used += policy_cost(base, n);
    while (tiny->size[TINY_WINDOW] > tiny->window_capacity &&
           policy_oldest(base, TINY_WINDOW) != n) { /* there is room in main, or it was made */
        tiny_move(tiny, policy_oldest(base, TINY_WINDOW), TINY_PROBATION);
    }
}

POLICY_INLINE uint32_t w_tinylfu_soon(const struct policy_base *base)
{
    return policy_soon(base, TINY_PROBATION);
}

static const struct policy policy_w_tinylfu = {
    .name = "w-tinylfu",
    .about = "a window, and a main part that admits what was asked for more often",
    .state_bytes = sizeof(struct w_tinylfu),
    .ghosts = true, /* of none; but nodes are made before they come in */
    .hashes = true,
    .ghost_percent = 0,
    .extra_bytes = tiny_extra_bytes,
    .init = w_tinylfu_init,
    .hit = w_tinylfu_hit,
    .arrive = w_tinylfu_arrive,
    .evict = w_tinylfu_evict,
    .admit = w_tinylfu_admit,
    .remove = w_tinylfu_remove,
    .soon = w_tinylfu_soon,
};

#endif
