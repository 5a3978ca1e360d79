/*
 * hooks.h - between the malloc family as the program sees it (hooks.c, hooks_new.c) and the ledger.
 * Runs in the worker.
 */
#ifndef LEDGER_HOOKS_H
#define LEDGER_HOOKS_H

#include "harness/base/wire.h"
#include "harness/ledger/allocator.h"

/* Requests below this take the fast way at count depth. */
#define HOOKS_SMALL_END (ALLOCATOR_CLASS_MOST - HEADER_BYTES)

extern _Atomic uint64_t *hooks_refused; /* takes the bytes of the first allocation that failed */

/* As malloc and, for a power of two, aligned_alloc. */
void *hooks_alloc(size_t size);
void *hooks_alloc_aligned(size_t alignment, size_t size);
void hooks_free(void *block);
/* As C++'s sized operator delete. */
void hooks_free_sized(void *block, size_t size);
/* A block that a child of this process lost, as one of this process: zeroed, of that site (0: of
 * none), and nobody gets its address. False when memory is out. */
bool hooks_book(size_t size, uint32_t site);
/* Our malloc itself, under a name that nobody can define before us. */
void *hooks_malloc(size_t size);

#endif
