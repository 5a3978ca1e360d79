/*
 * heap_place.h - whose memory a pointer without a valid header lies in. By /proc/self/maps, by what
 * jemalloc knows of it, and by the headers before it: slow, for errors and for the rare blocks that
 * come from elsewhere. Runs in the worker, on any thread.
 */
#ifndef LEDGER_HEAP_PLACE_H
#define LEDGER_HEAP_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum heap_owner {
    HEAP_NOBODY,  /* no allocator's: `other` is enum wire_heap_at */
    HEAP_BELOW,   /* the allocator below may have given it */
    HEAP_LIBC,    /* libc's allocator, which is not the one below */
    HEAP_MIDDLE,  /* in a live block of ours: `block`, `bytes`, and `other` bytes into it */
    HEAP_DAMAGED, /* ours by all that is known, with its header gone: `other` is the size of a live
                     block that ends just before it, or 0 */
};

struct heap_place {
    enum heap_owner owner;
    uint64_t block, bytes, other;
};

/* `native`: the program also allocates past the hooks, from the allocator below. */
void heap_place_find(const void *pointer, bool native, struct heap_place *place);

/* The size of a live block that ends within a few bytes before the header of `block`, or 0. */
uint64_t heap_place_before(const void *block);

#endif
