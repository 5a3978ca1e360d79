/*
 * arena.h - memory for the boundary code, from private mmap: it never shows in the ledger, and
 * nothing is ever given back. Runs in the worker; safe from any thread and in a signal handler's
 * neighbourhood (one spin lock that test code cannot hold).
 */
#ifndef BOUNDARY_ARENA_H
#define BOUNDARY_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed, 16-byte aligned, never NULL: without memory for itself tidemark ends the process with 99.
 */
void *arena_get(size_t bytes);
char *arena_dup(const char *text);
/* Room for one element more behind `count` of `bytes` each: `list` itself while *room has it, else
 * a copy in twice the room (256 at first). The old list stays where it is. */
void *arena_grow(void *list, uint32_t count, uint32_t *room, size_t bytes);

/* A zeroed piece that stays shared with children of fork. Never NULL. */
void *arena_shared_get(size_t bytes);

uint64_t arena_bytes(void); /* mapped so far */

#endif
