/*
 * trace.c - see trace.h: renumbering keys, and next requests.
 */
#include "harness/trace/trace.h"

#include "harness/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Open addressing, linear; at most half full. */
struct trace_index {
    uint64_t *keys;
    uint32_t *numbers; /* plus 1; 0: free */
    uint64_t slots;
    uint64_t *by_number; /* the keys again, for growing */
    size_t by_number_room;
};

void trace_init(struct trace *trace)
{
    *trace = (struct trace){0};
}

void trace_finish(struct trace *trace)
{
    if (trace->index) {
        free(trace->index->keys);
        free(trace->index->numbers);
        free(trace->index->by_number);
        free(trace->index);
        trace->index = NULL;
    }
}

void trace_fini(struct trace *trace)
{
    trace_finish(trace);
    free(trace->keys);
    free(trace->sizes);
    *trace = (struct trace){0};
}

static uint64_t index_slot(const struct trace_index *index, uint64_t key)
{
    uint64_t z = key * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 32) * UINT64_C(0xd6e8feb86659fd93);
    uint64_t slot = (z ^ z >> 32) & (index->slots - 1);
    while (index->numbers[slot] && index->keys[slot] != key) {
        slot = (slot + 1) & (index->slots - 1);
    }
    return slot;
}

static void index_grow(struct trace_index *index, uint32_t count)
{
    free(index->keys);
    free(index->numbers);
    index->slots = index->slots ? index->slots * 2 : 1024;
    index->keys = memory_new(index->slots, sizeof index->keys[0]);
    index->numbers = memory_new(index->slots, sizeof index->numbers[0]);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t slot = index_slot(index, index->by_number[i]);
        index->keys[slot] = index->by_number[i];
        index->numbers[slot] = i + 1;
    }
}

/* The sizes of all earlier requests were 1. */
static void sizes_begin(struct trace *trace)
{
    memory_grow(&trace->sizes, &trace->sizes_room, trace->keys_room, sizeof trace->sizes[0]);
    for (uint64_t i = 0; i < trace->requests; i++) {
        trace->sizes[i] = 1;
    }
}

bool trace_add(struct trace *trace, uint64_t key, uint32_t size)
{
    if (!trace->index) {
        trace->index = memory_new(1, sizeof *trace->index);
    }
    struct trace_index *index = trace->index;
    size += size == 0;
    if ((uint64_t)trace->unique * 2 >= index->slots) {
        index_grow(index, trace->unique);
    }
    uint64_t slot = index_slot(index, key);
    if (!index->numbers[slot]) {
        if (trace->unique == INT32_MAX) {
            return false;
        }
        memory_grow(&index->by_number, &index->by_number_room, trace->unique + (size_t)1,
                    sizeof index->by_number[0]);
        index->by_number[trace->unique] = key;
        index->keys[slot] = key;
        index->numbers[slot] = ++trace->unique;
        trace->unique_bytes += size;
    }
    memory_grow(&trace->keys, &trace->keys_room, trace->requests + 1, sizeof trace->keys[0]);
    if (size != 1 && !trace->sizes) {
        sizes_begin(trace);
    }
    if (trace->sizes) {
        memory_grow(&trace->sizes, &trace->sizes_room, trace->requests + 1, sizeof trace->sizes[0]);
        trace->sizes[trace->requests] = size;
    }
    trace->keys[trace->requests++] = index->numbers[slot] - 1;
    trace->bytes += size;
    trace->size_max = size > trace->size_max ? size : trace->size_max;
    return true;
}

uint64_t *trace_next(const struct trace *trace)
{
    uint64_t *next = memory_new(trace->requests, sizeof next[0]);
    uint64_t *seen = memory_new(trace->unique, sizeof seen[0]);
    memset(seen, 0xff, trace->unique * sizeof seen[0]);
    for (uint64_t i = trace->requests; i-- > 0;) {
        next[i] = seen[trace->keys[i]];
        seen[trace->keys[i]] = i;
    }
    free(seen);
    return next;
}
