/*
 * tail.h - where a block keeps its requested size: in the last bytes of what the allocator gave.
 *
 * The request is made one byte (or a few) larger; alignment is untouched, nothing precedes the
 * block.
 *
 *   block                          block + requested                          block + usable
 *   | requested bytes ............ | unused ... | slack: 8 | record: 4 | mark: 1 |
 *
 *   mark   bit 7: a record index stands before it (born at trace depth)
 *          bits 0-6: slack = usable - requested when that is 1..126; 127: the slack is in the 8
 * bytes before the record index (with a pattern in its upper 16 bits); 0: no mark of ours
 *
 * A program that writes beyond its block can damage the tail. What is read back is checked against
 * the allocator's size classes; a damaged tail is counted and never trusted (see tail_get).
 */
#ifndef LEDGER_TAIL_H
#define LEDGER_TAIL_H

#include "harness/ledger/allocator.h"

#include <string.h>

#define TAIL_BYTES        1u  /* added to a request at count depth */
#define TAIL_TRACED_BYTES 5u  /* at trace depth */
#define TAIL_LONG_BYTES   13u /* for aligned blocks, whose slack follows no size class */

#define TAIL_TRACED 0x80u
#define TAIL_LONG   0x7fu
#define TAIL_SURE   16u /* size classes are never closer: a slack up to this needs no second look */

struct tail {
    size_t requested;
    uint32_t record; /* when traced */
    bool traced;
};

static inline void tail_long_put(unsigned char *at, size_t slack)
{
    uint64_t word = (uint64_t)slack | (uint64_t)0x7d4e << 48;
    memcpy(at, &word, sizeof word);
}

static inline void tail_put(void *block, size_t usable, size_t requested)
{
    unsigned char *mark = (unsigned char *)block + usable - 1;
    size_t slack = usable - requested;
    if (__builtin_expect(slack < TAIL_LONG, 1)) {
        *mark = (unsigned char)slack;
    } else {
        *mark = TAIL_LONG;
        tail_long_put(mark - 8, slack);
    }
}

/* The long form whatever the slack: for aligned blocks (requested + TAIL_LONG_BYTES was asked for).
 */
static inline void tail_put_aligned(void *block, size_t usable, size_t requested)
{
    unsigned char *mark = (unsigned char *)block + usable - 1;
    *mark = TAIL_LONG;
    tail_long_put(mark - 8, usable - requested);
}

static inline void tail_put_traced(void *block, size_t usable, size_t requested, uint32_t record)
{
    unsigned char *mark = (unsigned char *)block + usable - 1;
    size_t slack = usable - requested;
    memcpy(mark - 4, &record, sizeof record);
    if (__builtin_expect(slack < TAIL_LONG, 1)) {
        *mark = (unsigned char)(slack | TAIL_TRACED);
    } else {
        *mark = TAIL_LONG | TAIL_TRACED;
        tail_long_put(mark - 12, slack);
    }
}

/* False when there is no mark of ours: the block was overrun, or is not from our hooks. */
bool tail_get(const void *block, size_t usable, struct tail *tail);

#endif
