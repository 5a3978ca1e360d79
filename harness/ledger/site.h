/*
 * site.h - allocation sites: every distinct stack, numbered from 1, never forgotten.
 * Runs in the worker, on any thread; lock-free (two threads that find a new site at once may waste
 * one number). Memory: 192 bytes a site and 8 a frame, by private mmap.
 */
#ifndef LEDGER_SITE_H
#define LEDGER_SITE_H

#include "harness/base/wire.h"

#define SITE_MOST (4096u * 1024u)

enum site_sent { SITE_UNSENT, SITE_SENT_NOW, SITE_SENT };

struct site {
    uint64_t hash;
    const uint64_t *frames;
    uint32_t next; /* in its bucket */
    uint8_t frame_count;
    uint8_t cut;
    uint8_t kind;            /* enum wire_site_kind */
    uint8_t sent;            /* enum site_sent: are the frames known to the supervisor? */
    _Atomic uint32_t family; /* a smaller number of the same family; 0: this is the smallest */

    /* Of the thread that runs the tests, at boundaries. */
    uint32_t floor_run; /* watch mode: the floor is of this run; of another: it is what is live */
    int64_t live_blocks, live_bytes;
    int64_t floor_blocks, floor_bytes;
    /* The same in watch mode (watch.h) only. */
    int64_t run_blocks, run_bytes; /* allocated since the births were reset ... */
    uint32_t run;                  /* ... if this is the number of that reset */
    uint32_t fold, fold_next; /* the last fold that changed it, and the next site of that fold */
    uint32_t pending_next;    /* the next site to be looked at for changes */
    bool pending, held;       /* held: something was alive at a boundary */
    struct {
        bool ever;
        uint32_t family;
        int64_t live_blocks, live_bytes, floor_blocks, floor_bytes;
    } told; /* what was sent last */

    /* Of all threads, while births are counted. */
    _Atomic int64_t born_blocks, born_bytes;
    /* Of all threads in watch mode: changes of live that no thread's table has (watch_aside). */
    _Atomic int64_t aside_blocks, aside_bytes;
};

/* The number of the site with these frames, innermost first; 0 when memory is out. */
uint32_t site_find(const uint64_t *frames, uint32_t count, bool cut, enum wire_site_kind kind);

/* Its hash, as site_find computes it: for a cache before the table. */
uint64_t site_hash(const uint64_t *frames, uint32_t count, enum wire_site_kind kind);

struct site *site_get(uint32_t number); /* NULL for 0 and numbers never given */
/* Its SITE record, if the supervisor does not know its frames yet. At boundaries. */
void site_frames_put(struct wire *wire, uint32_t number);
uint32_t site_count(void); /* numbers 1..site_count() may exist */

/* Two sites become one family, because a block moved from one to the other. Any thread; without a
 * lock. */
void site_join(uint32_t one, uint32_t other);
/* The smallest number of its family: its own when it is alone. */
uint32_t site_family(uint32_t number);
/* Changes whenever two families became one. */
uint32_t site_joins(void);

#endif
