/*
 * pass_log.h - what one pass over a suite left at each allocation site, boundary by boundary: only
 * what changed is kept. Supervisor only.
 */
#ifndef CAMPAIGN_PASS_LOG_H
#define CAMPAIGN_PASS_LOG_H

#include "harness/campaign/observed.h"

struct pass_change { /* after the test at this position a site held so much */
    uint32_t position, site;
    int64_t blocks, bytes;
    bool allocated; /* the test allocated there, whether or not it gave it back */
};

struct pass_log {
    uint32_t *tests; /* which test ran at each position */
    double *call_ns; /* and what its call took, without what it waited for a processor */
    bool *keeps;     /* and whether it left a block that it had allocated */
    size_t count, room, call_room, keeps_room;
    size_t
        first_pass; /* positions of the first pass; the rest is a second one in the same process */
    struct pass_change *changes;
    size_t change_count, change_room;
    bool broken; /* a worker ended on the way: what is known is of several processes */
};

void pass_log_fini(struct pass_log *log);
/* A test came to its boundary: the sites that its answer brought are in `seen`, of the round of
 * now.
 */
void pass_log_boundary(struct pass_log *log, uint32_t test, const struct observed *seen);
/* What the call at the last boundary took, and whether it left something. */
void pass_log_call(struct pass_log *log, double call_ns, bool keeps);
/* From survivors that were asked for at the end of a program that runs its tests by itself: what is
 * alive, as if nothing had been released but in the test that allocated it. `tests`: in the order
 * in which they ran. */
void pass_log_survivors(struct pass_log *log, const uint32_t *tests, size_t count,
                        const struct observed *seen);

#endif
