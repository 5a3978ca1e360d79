/*
 * torture.h - many processes on one file cache for as long as one likes, killed at random from
 * outside and at random points of their refreshes from inside; what they read is checked at each
 * look-up, what they fetched is counted by the upstream.
 */
#ifndef PROVIDER_TORTURE_H
#define PROVIDER_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

struct torture {
    unsigned processes, seconds; /* at most 64, 3,600 */
    uint64_t ttl_ns;
    unsigned latency_ms; /* of the upstream */
    /* What came of it. */
    uint64_t lookups, memory_hits, hits, fetched, stale, failed;
    uint64_t corrupt;   /* documents that are not whole; must be 0 */
    uint64_t damaged;   /* files that the cache found so, and went round; must be 0 */
    uint64_t went_back; /* a process saw an older document after a newer one; must be 0 */
    uint64_t conflicts; /* one generation, two documents; must be 0 */
    uint64_t kills_outside, kills_inside;
    uint64_t died_refreshing; /* of those, after they had asked the upstream */
    uint64_t requests;        /* that the upstream saw */
    uint64_t published;       /* generations, but for one by hand at the end */
    uint64_t too_early;       /* publications less than a TTL after the one before; must be 0 */
    uint64_t temporaries;     /* left at the end, after one more refresh; must be 0 */
    double periods;           /* TTLs that passed */
};
/* False: it could not be run. */
bool torture_run(struct torture *torture, const char *path);
/* Is all of it as it must be? Each request was published or died with its process. */
bool torture_holds(const struct torture *torture);
/* The figures, on stdout; true when torture_holds. */
bool torture_main(unsigned processes, unsigned seconds);

/* The table of row 1.1 with an upstream of 0.2, 0.8 and 2 s, real waits and nothing forced. */
bool herd_table_main(void);

#endif
