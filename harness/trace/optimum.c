/*
 * optimum.c - Belady's rule over a trace, with a heap of the residents by their next request.
 */
#include "harness/trace/simulate.h"

#include "harness/base/memory.h"

#include <stdlib.h>

struct optimum {
    uint32_t *heap;  /* keys; the farthest next request on top */
    uint32_t *place; /* of a key in the heap, plus 1; 0: not resident */
    uint64_t *when;  /* a resident's next request */
    uint32_t *size;
    bool *used;
    uint32_t count;
};

static void heap_set(struct optimum *optimum, uint32_t at, uint32_t key)
{
    optimum->heap[at] = key;
    optimum->place[key] = at + 1;
}

static void heap_up(struct optimum *optimum, uint32_t at, uint32_t key)
{
    while (at > 0 && optimum->when[optimum->heap[(at - 1) / 2]] < optimum->when[key]) {
        heap_set(optimum, at, optimum->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(optimum, at, key);
}

static void heap_down(struct optimum *optimum, uint32_t at, uint32_t key)
{
    for (uint64_t child = 2 * (uint64_t)at + 1; child < optimum->count; child = 2 * child + 1) {
        if (child + 1 < optimum->count &&
            optimum->when[optimum->heap[child + 1]] > optimum->when[optimum->heap[child]]) {
            child++;
        }
        if (optimum->when[optimum->heap[child]] <= optimum->when[key]) {
            break;
        }
        heap_set(optimum, at, optimum->heap[child]);
        at = (uint32_t)child;
    }
    heap_set(optimum, at, key);
}

static uint32_t heap_pop(struct optimum *optimum)
{
    uint32_t top = optimum->heap[0], last = optimum->heap[--optimum->count];
    optimum->place[top] = 0;
    if (optimum->count > 0) {
        heap_down(optimum, 0, last);
    }
    return top;
}

void optimum_run(const struct trace *trace, const uint64_t *next, uint64_t capacity, bool by_bytes,
                 struct simulation *result)
{
    struct optimum optimum = {
        .heap = memory_new(trace->unique, sizeof optimum.heap[0]),
        .place = memory_new(trace->unique, sizeof optimum.place[0]),
        .when = memory_new(trace->unique, sizeof optimum.when[0]),
        .size = memory_new(trace->unique, sizeof optimum.size[0]),
        .used = memory_new(trace->unique, sizeof optimum.used[0]),
    };
    uint64_t room = capacity;
    *result = (struct simulation){.requests = trace->requests, .bytes = trace->bytes};
    for (uint64_t i = 0; i < trace->requests; i++) {
        uint32_t key = trace->keys[i], bytes = trace->sizes ? trace->sizes[i] : 1;
        uint32_t size = by_bytes ? bytes : 1;
        optimum.when[key] = next[i]; /* later than before: it can only go up */
        if (optimum.place[key]) {
            optimum.used[key] = true;
            heap_up(&optimum, optimum.place[key] - 1, key);
            continue;
        }
        result->misses++;
        result->miss_bytes += bytes;
        if (size > capacity) {
            continue;
        }
        while (room < size) {
            uint32_t victim = heap_pop(&optimum);
            room += optimum.size[victim];
            result->evictions++;
            result->evicted_unused += !optimum.used[victim];
        }
        room -= size;
        optimum.size[key] = size;
        optimum.used[key] = false;
        heap_up(&optimum, optimum.count++, key);
    }
    free(optimum.heap);
    free(optimum.place);
    free(optimum.when);
    free(optimum.size);
    free(optimum.used);
}
