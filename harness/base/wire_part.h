/*
 * wire_part.h - what wire.c (both processes) and wire_read.c (the supervisor) share: how the memory
 * lies, and futexes.
 */
#ifndef BASE_WIRE_PART_H
#define BASE_WIRE_PART_H

#include "harness/base/wire.h"

#include <assert.h>
#include <time.h>

/*
 * Nobody else's overrun is to end in here unnoticed, as it would where the mappings of a process
 * lie side by side: there is a guard on either side. The supervisor keeps what only it may know in
 * front of them, in memory of its own.
 *
 *   +--------------+---------+------------------------+---------+
 *   | struct own   | guard   | struct wire, shared    | guard   |
 *   +--------------+---------+------------------------+---------+
 */
#define PAGE_BYTES  4096u
#define GUARD_BYTES (64u << 10)
#define WIRE_BYTES  ((sizeof(struct wire) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES)
#define OWN_BYTES   PAGE_BYTES
#define ROOM_BYTES  (OWN_BYTES + GUARD_BYTES + WIRE_BYTES + GUARD_BYTES)

/* The supervisor's own copies of what it wrote, and of what may never change. */
struct own {
    uint64_t tail;
    uint32_t command_sequence;
    int32_t supervisor, claimed;
    struct wire_command command;
    const char *damage; /* NULL: none was found yet */
};
static_assert(sizeof(struct own) <= OWN_BYTES, "what the supervisor keeps needs more pages");

static inline struct own *own_of(const struct wire *wire)
{
    return (struct own *)((uintptr_t)wire - GUARD_BYTES - OWN_BYTES);
}

/* Both with their guards; NULL and errno on failure. */
struct wire *wire_map(int fd);
void wire_unmap(struct wire *wire);

void wire_futex_wake(_Atomic uint32_t *word);
void wire_futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout);

#endif
