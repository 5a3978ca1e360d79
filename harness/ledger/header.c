/* header.c - see header.h. Runs in the worker. */
#include "harness/ledger/header.h"

#define SHIFT_MOST 40u

enum header_state header_read(void *block, size_t *size, void **start)
{
    const struct header *header = header_of(block);
    if (header_plain(block, size) || header_tailed(block, size)) {
        *start = (char *)block - HEADER_BYTES;
        return HEADER_WHOLE;
    }
    uint32_t shift = header->mark & 0xff, distance = shift & ~HEADER_TAILED;
    if (distance < HEADER_PLAIN || distance > SHIFT_MOST ||
        header->mark != header_mark(block, shift)) {
        *start = block;
        return HEADER_FOREIGN;
    }
    *start = (char *)block - ((uintptr_t)1 << distance);
    uint64_t odd = (header->word ^ header_check(block, *size, shift)) & ~(uint64_t)HEADER_SIZE;
    if (odd == 0) {
        return HEADER_WHOLE;
    }
    if (odd == HEADER_DEAD) {
        return HEADER_FREED;
    }
    *size = 0;
    return HEADER_DAMAGED;
}
