/*
 * release.h - who releases what, for the time of one diagnostic repetition: the stacks of free, and
 * of what closes, joins, unmaps, removes, beside the site of what is released. Freed blocks are
 * counted as freed and held back, so that no address has two meanings and what they pointed to can
 * still be read; at the end ledger_releases_put tells what they had to do with blocks that stay.
 *
 * Normal measuring pays one load for it, in frees at trace depth. Bounded: the last RELEASE_MOST
 * releases, RELEASE_HELD_BYTES of blocks, after which the oldest are given back. Runs in the
 * worker; release_take and release_resource on any thread, with a spin lock that only these few
 * lines hold.
 */
#ifndef LEDGER_RELEASE_H
#define LEDGER_RELEASE_H

#include "harness/ledger/trace.h"

#define RELEASE_MOST       (1u << 16)
#define RELEASE_HELD_BYTES (8u << 20)

struct release { /* one that is remembered */
    uint64_t address, bytes;
    void *
        start; /* of a block that is held back: what the allocator gave; NULL: its memory is gone */
    uint32_t born, serial; /* site and birth of what was released */
    uint32_t stack;        /* site of kind RELEASE */
    uint32_t order;        /* 1, 2, 3 ... */
};

#define release_on ((trace_now() & TRACE_RELEASES) != 0)

/* From here on: all before is forgotten. `serial` is the birth that begins. */
void release_begin(void);
void release_end(void);  /* nothing more is remembered; what is held back stays so */
void release_drop(void); /* all is forgotten, and given back */

/* A block is about to be freed. True: it is held back, and not to be given to the allocator.
 * `frame`: the frame address of the hook. */
bool release_take(const struct trace_record *was, void *start, const void *frame);

/* A descriptor is closed, a thread joined, a mapping unmapped, a file removed; it came from this
 * site. */
void release_resource(uint32_t born, uint32_t serial, const void *frame);

/* On the thread that runs the tests, between release_end and release_drop. */
uint32_t release_count(void);
const struct release *release_at(uint32_t index); /* from the oldest on */
uint32_t release_since(void);                     /* births from here on are of the repetition */

void release_after_fork(void);

#endif
