/*
 * site.h - allocation sites: every distinct stack, numbered from 1, never forgotten.
 * Runs in the worker, on any thread; lock-free (two threads that find a new site at once may waste
 * one number). Memory: 72 bytes a site and 8 a frame, by private mmap.
 */
#ifndef LEDGER_SITE_H
#define LEDGER_SITE_H

#include "harness/base/wire.h"

enum site_sent { SITE_UNSENT, SITE_SENT_NOW, SITE_SENT };

struct site {
    uint64_t hash;
    const uint64_t *frames;
    uint32_t next; /* in its bucket */
    uint8_t frame_count;
    uint8_t cut;
    uint8_t kind; /* enum wire_site_kind */
    uint8_t sent; /* enum site_sent: are the frames known to the supervisor? */
    /* Of the thread that runs the tests, at boundaries. */
    uint32_t live_blocks, floor_blocks;
    int64_t live_bytes, floor_bytes;
    /* Of all threads, while births are counted. */
    _Atomic int64_t born_blocks, born_bytes;
};

/* The number of the site with these frames, innermost first; 0 when memory is out. */
uint32_t site_find(const uint64_t *frames, uint32_t count, bool cut, enum wire_site_kind kind);

/* Its hash, as site_find computes it: for a cache before the table. */
uint64_t site_hash(const uint64_t *frames, uint32_t count, enum wire_site_kind kind);

struct site *site_get(uint32_t number); /* NULL for 0 and numbers never given */
/* Its SITE record, if the supervisor does not know its frames yet. At boundaries. */
void site_frames_put(struct wire *wire, uint32_t number);
uint32_t site_count(void); /* numbers 1..site_count() may exist */

#endif
