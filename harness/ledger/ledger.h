/*
 * ledger.h - every live block, with its size, and at trace depth its site (allocation call stack)
 * and the test it was born in. Runs in the worker, inside the test program: memory comes from
 * private mmap, no lock that test code can hold, errno kept, usable before main and after exit
 * handlers, fork-safe.
 *
 * The malloc family itself is in ledger/hooks.c; fds, threads, mappings and files in meter/.
 * All functions are for the boundary code, which runs on the thread that runs the tests, between
 * repetitions. Allocation on other threads goes on meanwhile; totals are then a moment's sum.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "harness/base/wire.h"

struct ledger_totals { /* since process start, all threads; bytes as requested by the program */
    uint64_t allocs, frees;
    uint64_t bytes, bytes_freed;
    int64_t live_blocks, live_bytes;
    int64_t peak_live_bytes; /* since the last ledger_peak_reset */
};

/* Called once from the library's constructor, after the hooks may already have been used. */
void ledger_init(struct wire *wire);

void ledger_depth_set(enum wire_depth depth);
enum wire_depth ledger_depth(void);

/* Test index that new blocks are born in; WIRE_NO_TEST outside. */
void ledger_birth_set(uint32_t test);

void ledger_totals_get(struct ledger_totals *totals);
void ledger_peak_reset(void);

/* Blocks born in `test` since `ledger_birth_set` was last called with it and still alive. Exact at
 * trace depth; at count depth the difference of live totals is returned instead (the same on one
 * thread when the test frees nothing older). */
void ledger_retained_get(uint32_t test, int64_t *blocks, int64_t *bytes);

/* Per-site floors: reset before an epoch, update at each boundary of it (trace depth). Without
 * watch mode an update looks at every block. */
void ledger_floor_reset(void);
void ledger_floor_update(void);

/* From `on` until off, births are counted by site (trace depth); `on` begins again from zero. */
void ledger_births_set(bool on);

/* With `on`, a run begins that is watched (watch.h; trace depth): from here on allocations are
 * counted by site, and what each site holds is known without a look at the blocks. That goes on
 * until tracing ends; off only says that the run that begins is not one whose births are wanted. */
void ledger_watch_set(bool on);
/* The end of a watched run: a SITE for each site that changed, as wire_site tells. */
void ledger_watch_put(struct wire *wire);

/* Writes records onto the wire. SITE: each site with live blocks now, a floor above 0, or births.
 */
void ledger_sites_put(struct wire *wire);
void ledger_survivors_put(struct wire *wire);

/* Conservative scan from all roots; a HELD record per (named site, way it is held), most bytes
 * first, unreachable ones last. Stops other threads for the time of the scan. */
void ledger_scan_put(struct wire *wire, const uint32_t *sites, uint32_t site_count);

/* From `on` until off, who releases what is remembered, and released blocks are held back until the
 * answer or the next ledger_depth_set (trace depth). */
void ledger_releases_set(bool on);

/* Writes what was remembered: new stacks as SITE records, then a RELEASE record per (relation to a
 * named site, site of what was released, stack that released it). Gives back what is held. */
void ledger_releases_put(struct wire *wire, const uint32_t *sites, uint32_t site_count);

/* Sends a MODULE record for every loaded object that was not sent before. */
void ledger_modules_put(struct wire *wire);
/* Before code is unloaded: what was not sent yet is kept until it is. On any thread. */
void ledger_modules_keep(void);
void ledger_modules_after_fork(void);

/* Unwinds the calling thread: return addresses, innermost first. Allocation-free,
 * async-signal-safe. `context` is a ucontext_t to start from, or NULL for the caller. Returns the
 * number of frames. */
uint32_t ledger_unwind(uint64_t *frames, uint32_t most, void *context);

/* Memory tidemark itself holds in this process, bytes. */
uint64_t ledger_own_bytes(void);

/* Name of the allocator below: "jemalloc", "glibc", "program" (the program defines its own malloc).
 */
const char *ledger_allocator(void);

#endif
