/*
 * allocator.h - the allocator below the hooks: libjemalloc.so.2 by default, else libc's, found with
 * dlsym(RTLD_NEXT). What is asked for before it is known comes from a small buffer of our own.
 * Runs in the worker, on any thread; also before constructors and inside dlsym itself.
 */
#ifndef LEDGER_ALLOCATOR_H
#define LEDGER_ALLOCATOR_H

#include "harness/ledger/header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allocator {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
    size_t (*usable)(void *);
    void (*free_sized)(void *, size_t, int); /* jemalloc's sdallocx; else free */
    size_t (*usable_of)(size_t, int);        /* jemalloc's nallocx; NULL elsewhere */
    /* Bytes to ask for beside the block: its header, and with libc 8 more. The last 8 usable bytes
     * of a block of libc's are the first of the next chunk's header, to which libc's own lists
     * point: such a pointer must not look like one into the block. */
    size_t extra;
    const char *name;
};

extern struct allocator below __attribute__((visibility("hidden")));

/* Looks for it now, not at the first allocation. Before any block takes the fast way: dlsym may
 * allocate, and what it then gets is from the early buffer and has no header. */
void allocator_prepare(void);

/* Usable bytes of a block of jemalloc's for a request of up to ALLOCATOR_CLASS_MOST bytes, by
 * (request + 7) / 8; 0 where the block must be asked. */
#define ALLOCATOR_CLASS_MOST  4096u
#define ALLOCATOR_CHUNK_BYTES 8u
#define ALLOCATOR_CLASSES     (ALLOCATOR_CLASS_MOST / 8 + 2) /* the last is for a tail */
extern uint16_t allocator_class[ALLOCATOR_CLASSES] __attribute__((visibility("hidden")));

/* Libc's own, whatever stands before it: for blocks that it gave past the hooks. */
void allocator_libc_free(void *block);
size_t allocator_libc_usable(void *block);

/* Does this return address lie in the allocator's own code? (Never for libc's: it does not call
 * itself through names that can be replaced.) */
bool allocator_calls(const void *from);

/* What the allocator maps for itself, as it comes by the hook of mmap: with jemalloc, all that its
 * blocks can lie in. Jemalloc's own look-ups die of a pointer that is not its own. True for all
 * pointers when there were too many mappings to remember. */
void allocator_mapped(uint64_t start, uint64_t bytes);
void allocator_unmapped(uint64_t start, uint64_t bytes);
bool allocator_has(const void *pointer);

/* The early buffer. Its blocks are never given back and no ledger knows them. */
#define ALLOCATOR_EARLY_BYTES (64u << 10)
extern unsigned char allocator_early[ALLOCATOR_EARLY_BYTES];

static inline bool allocator_is_early(const void *block)
{
    return (uintptr_t)block - (uintptr_t)allocator_early < ALLOCATOR_EARLY_BYTES;
}
size_t allocator_early_bytes(const void *block); /* as requested */

#endif
