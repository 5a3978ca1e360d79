/* header.c - see header.h. Runs in the worker. */
#include "harness/ledger/header.h"

#define SHIFT_MOST 40u

enum header_state header_read(void *block, size_t *size, void **start)
{
    const struct header *header = header_of(block);
    if (header_plain(block, size)) {
        *start = (char *)block - HEADER_BYTES;
        return HEADER_WHOLE;
    }
    uint32_t shift = header->mark & 0xff;
    if (shift < HEADER_PLAIN || shift > SHIFT_MOST || header->mark != header_mark(block, shift)) {
        *start = block;
        return HEADER_FOREIGN;
    }
    *start = (char *)block - ((uintptr_t)1 << shift);
    uint64_t expected = header_check(block, *size, shift);
    if (((header->word ^ expected) & ~(uint64_t)HEADER_SIZE) == 0) {
        return HEADER_WHOLE;
    }
    *size = 0;
    return HEADER_DAMAGED;
}
