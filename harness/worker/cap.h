/*
 * cap.h - the memory cap of a worker: a control group (v2, else v1) where one can be made, else a
 * limit on data pages. Supervisor only.
 */
#ifndef WORKER_CAP_H
#define WORKER_CAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cap {
    uint64_t bytes;
    const char *kind; /* "cgroup v2", "cgroup v1", "rlimit", "" without a cap */
    char folder[256]; /* of the control group */
    uint64_t told;    /* kills that are somebody's result already */
};

/* Makes the group; falls back. `bytes` 0: no cap. */
void cap_init(struct cap *cap, uint64_t bytes);
/* In the child, before exec. */
void cap_enter(const struct cap *cap);
/* How many processes of this group the kernel has killed for memory. *known: it would have said so.
 */
uint64_t cap_kills(const struct cap *cap, bool *known);
/* Whether there were any besides those that were told. */
bool cap_killed(const struct cap *cap, bool *known);
/* Nobody may be in it any more. */
void cap_fini(struct cap *cap);

#endif
