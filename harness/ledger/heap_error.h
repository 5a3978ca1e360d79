/*
 * heap_error.h - what a program does to the heap that it must not: a pointer freed twice, or one
 * that no allocation returned, a block that was written beyond. The hooks notice it and refuse what
 * would do harm; here it is told apart and written down, in the shared memory, so that it outlives
 * the process. Runs in the worker and in its children, on any thread.
 */
#ifndef LEDGER_HEAP_ERROR_H
#define LEDGER_HEAP_ERROR_H

#include "harness/base/wire.h"

#include <stddef.h>

void heap_error_init(struct wire *wire);

/* A block with a header: `block` and `bytes` are of it, `record` its number at trace depth or 0.
 * `other` belongs to the kind. */
void heap_error_known(enum wire_heap_kind kind, const void *block, size_t bytes, uint32_t record,
                      uint64_t other);

/* A pointer without a valid header is to be freed: returns true if the allocator below may have it,
 * because it can be one of its own that the hooks never saw. Else the error is written down, and
 * the pointer is to be left alone. *libc: it is one of libc's, which is not the allocator below. */
bool heap_error_foreign(void *pointer, bool *libc);

/* The program calls an interface of the allocator's own (mallocx): then blocks without a header are
 * no errors. */
void heap_error_native(void);

/* Bytes behind each block that was allocated at trace depth; written over by an overrun. */
#define HEAP_TAIL_BYTES 8u
static inline uint64_t heap_tail(const void *block)
{
    return (uint64_t)(uintptr_t)block * 0x9e3779b97f4a7c15u ^ 0x7f5ac3e1b2964d87u;
}
void heap_tail_put(void *block, size_t bytes);
bool heap_tail_whole(const void *block, size_t bytes);

/* After the first error, until the next RUN: who allocates and frees each block is remembered, so
 * that a repetition can name them. */
extern bool heap_watch_on;
enum heap_watched { HEAP_BORN, HEAP_FREED };
void heap_watch_note(const void *block, size_t bytes, enum heap_watched what);
void heap_watch_end(void);

/* At a boundary: each error since the last call as a HEAP_ERROR record of this test. The first is
 * described in `message`, which is left alone if there is none. Returns how many there were. */
uint32_t heap_error_put(struct wire *wire, uint32_t test, char *message, size_t room);

/* At trace depth, on the only thread: blocks that are alive and were written beyond. */
void heap_error_look(void);

#endif
