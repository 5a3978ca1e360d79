/*
 * header.h - the 16 bytes before every block that passed through the hooks: the size that was asked
 * for, and at trace depth the number of the block's record. Runs in the worker.
 *
 *   what the allocator gave                        what the program has
 *   | (aligned: padding) | record: 4 | sum: 3, shift: 1 | size: 6, check: 2 | requested bytes |
 * tail: 8 | ^ block - 16                   ^ block - 8
 *
 * check is a sum of address and size, sum the address alone: an overrun of the block
 * before destroys `record` and `sum` first, so that a block is still known by its check; when only
 * the sum is left, the block is ours and its size is lost. With neither it is not ours (a block
 * that the program got past the hooks) and goes to the allocator as it is.
 *
 * Why a header and not the last bytes of the block, which would leave alignment alone: those need
 * the allocator's look-up of the usable size at each free and a cache line that the program often
 * does not touch; see docs/ledger.md for the measurement.
 */
#ifndef LEDGER_HEADER_H
#define LEDGER_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HEADER_BYTES 16u
#define HEADER_SIZE  0xffffffffffffu /* 48 bits */

struct header {
    uint32_t record; /* 0: born at count depth */
    uint32_t
        mark; /* sum << 8 | shift: log2 of the distance to what the allocator gave, 4 when plain */
    uint64_t word; /* check << 48 | size */
};

#define HEADER_PLAIN  4u
#define HEADER_TAILED 0x80u /* beside the shift: of trace depth, a tail lies behind the block */
#define HEADER_DEAD   (0xffffull << 48) /* of the word: inverts the check */

static inline struct header *header_of(const void *block)
{
    return (struct header *)((uintptr_t)block - HEADER_BYTES);
}

/* Cheap, as it is computed twice in a block's life: no multiplication. Differs for plain and
 * aligned blocks, so that one comparison answers "is it plain and whole?". */
static inline uint64_t header_check(const void *block, uint64_t size, uint32_t shift)
{
    return (((uintptr_t)block >> 4) ^ size ^ (shift - HEADER_PLAIN)) << 48;
}

static inline uint32_t header_mark(const void *block, uint32_t shift)
{
    return ((uint32_t)(uintptr_t)block << 4) |
           shift; /* blocks are aligned to 16: 8 bits are free */
}

static inline void header_put(void *block, size_t size, uint32_t shift, uint32_t record)
{
    uint64_t first =
        (uint64_t)header_mark(block, shift) << 32 | record; /* one store: little-endian */
    memcpy(header_of(block), &first, sizeof first);
    header_of(block)->word = header_check(block, size, shift) | size;
}

static inline bool header_marked(const void *block)
{
    uint32_t mark = header_of(block)->mark;
    return mark == header_mark(block, mark & 0xff);
}

/* The block dies: what is left of it must not look like a live one to a scan, but be known when it
 * is freed again. */
static inline void header_void(void *block)
{
    uint16_t *check = (uint16_t *)&header_of(block)->word + 3; /* little-endian */
    *check = (uint16_t) ~*check;
}

static inline bool header_has_shift(const void *block, size_t *size, uint32_t shift)
{
    uint64_t word = header_of(block)->word;
    *size = word & HEADER_SIZE;
    return ((word ^ header_check(block, *size, shift)) & ~(uint64_t)HEADER_SIZE) == 0;
}

/* True when the block is whole and 16 bytes from what the allocator gave, and has no tail; *size is
 * set. */
static inline bool header_plain(const void *block, size_t *size)
{
    return header_has_shift(block, size, HEADER_PLAIN);
}

/* The same for a block with a tail. */
static inline bool header_tailed(const void *block, size_t *size)
{
    return header_has_shift(block, size, HEADER_PLAIN | HEADER_TAILED);
}

enum header_state { HEADER_WHOLE, HEADER_DAMAGED, HEADER_FOREIGN, HEADER_FREED };

/* Any block: *start is what the allocator gave. DAMAGED: the size is lost and 0. FREED: nobody has
 * had its memory since; *size is what it was. */
enum header_state header_read(void *block, size_t *size, void **start);

#endif
