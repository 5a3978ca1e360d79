/* workload.c - see workload.h. Supervisor only. */
#include "harness/bench/workload.h"
#include "harness/base/memory.h"
#include "harness/bench/source_trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const workload_names[WORKLOAD_KINDS + 1] = {"zipf",     "uniform", "scan",  "loop",
                                                        "resident", "misses",  "trace", NULL};
const char *const workload_abouts[WORKLOAD_KINDS] = {
    "Zipf 0.99 over all keys",  "every key alike",
    "all keys in order, again", "a loop a tenth longer than the cache",
    "keys that all fit",        "keys that are not there",
    "the requests of a trace"};

uint64_t workload_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t random_below(uint64_t *state, uint32_t most)
{
    return (uint32_t)((workload_random(state) >> 32) * most >> 32);
}

/* Keys in a random order, so that rank (popularity) has nothing to do with place. */
static uint32_t *shuffled(uint32_t keys, uint64_t *state)
{
    uint32_t *order = memory_new(keys, sizeof *order);
    for (uint32_t i = 0; i < keys; i++) {
        uint32_t j = random_below(state, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

/* Cumulative weights of ranks 1..keys, and a binary search for each draw. */
static void zipf_draw(uint32_t *picks, size_t count, uint32_t keys, uint64_t *state)
{
    double *sum = memory_new(keys, sizeof *sum), total = 0;
    for (uint32_t i = 0; i < keys; i++) {
        total += pow(i + 1, -0.99);
        sum[i] = total;
    }
    for (size_t i = 0; i < count; i++) {
        double wanted = (double)(workload_random(state) >> 11) * 0x1p-53 * total;
        uint32_t low = 0, high = keys - 1;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (sum[middle] < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        picks[i] = low;
    }
    free(sum);
}

static void picks_draw(uint32_t *picks, enum workload_kind kind, uint32_t keys, uint64_t entries,
                       size_t count, uint64_t *state)
{
    uint64_t loop = entries + entries / 10 + 1;
    uint32_t some = keys ? keys : 1;
    if (kind == WORKLOAD_LOOP && loop < keys) {
        some = (uint32_t)loop;
    } else if (kind == WORKLOAD_RESIDENT && entries / 2 < keys) {
        some = entries < 2 ? 1 : (uint32_t)(entries / 2);
    }
    if (kind == WORKLOAD_ZIPF) {
        zipf_draw(picks, count, keys, state);
        return;
    }
    bool in_order = kind == WORKLOAD_SCAN || kind == WORKLOAD_LOOP;
    for (size_t i = 0; i < count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): `some` is 1 at least */
        picks[i] = in_order ? (uint32_t)(i % some) : random_below(state, some);
    }
}

/* Copies of the keys behind the numbers; `order` says which key of the registry a number is, NULL:
 * they are those of source_trace. */
static void keys_write(struct workload *workload, uint32_t keys, const uint32_t *order)
{
    size_t bytes = order ? 0 : (size_t)keys * SOURCE_TRACE_KEY_BYTES;
    for (uint32_t i = 0; order && i < keys; i++) {
        bytes += registry_key(i).length;
    }
    workload->keys = memory_new(keys, sizeof workload->keys[0]);
    workload->bytes = memory_new(bytes, 1);
    char *at = workload->bytes;
    for (uint32_t i = 0; i < keys; i++) {
        struct registry_text key = {.length = SOURCE_TRACE_KEY_BYTES};
        if (order) {
            key = registry_key(order[i]);
            memcpy(at, key.data, key.length);
        } else {
            source_trace_key(at, i);
        }
        if (workload->kind == WORKLOAD_MISSES) {
            at[key.length - 1] = '\x7f'; /* no key of a catalogue ends in DEL */
        }
        workload->keys[i] = (struct registry_text){.data = at, .length = key.length};
        workload->longest = key.length > workload->longest ? key.length : workload->longest;
        at += key.length;
    }
}

void workload_init(struct workload *workload, enum workload_kind kind, uint32_t keys,
                   uint64_t entries, size_t count, uint64_t seed)
{
    workload_init_trace(workload, kind, NULL, count, keys, entries, seed);
}

void workload_init_trace(struct workload *workload, enum workload_kind kind,
                         const uint32_t *requests, size_t count, uint32_t unique, uint64_t entries,
                         uint64_t seed)
{
    uint64_t state = seed;
    uint32_t *order = unique <= registry_count() ? shuffled(unique, &state) : NULL;
    uint32_t *picks = memory_new(count, sizeof *picks);
    if (kind == WORKLOAD_TRACE && requests) {
        memcpy(picks, requests, count * sizeof *picks);
    } else {
        picks_draw(picks, kind, unique, entries, count, &state);
    }
    *workload = (struct workload){.kind = kind, .count = count, .picks = picks};
    keys_write(workload, unique, order);
    free(order);
}

void workload_fini(struct workload *workload)
{
    free(workload->picks);
    free(workload->keys);
    free(workload->bytes);
    *workload = (struct workload){0};
}

struct window *window_new(const struct workload *workload)
{
    struct window *window = memory_new(1, sizeof *window);
    window->workload = workload;
    /* Look-ups may load a block beyond a key's end. */
    window->bytes = memory_new(WINDOW_REQUESTS * workload->longest + 64, 1);
    return window;
}

void window_free(struct window **window)
{
    if (*window) {
        free((*window)->bytes);
        free(*window);
        *window = NULL;
    }
}

void window_fill(struct window *window, size_t from, size_t count)
{
    const struct workload *workload = window->workload;
    size_t pick = from % workload->count;
    char *at = window->bytes;
    for (size_t i = 0; i < count; i++) {
        struct registry_text key = workload->keys[workload->picks[pick]];
        memcpy(at, key.data, key.length);
        window->requests[i] = (struct registry_text){.data = at, .length = key.length};
        at += key.length;
        pick = pick + 1 == workload->count ? 0 : pick + 1;
    }
    window->count = count;
}
