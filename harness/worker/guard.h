/*
 * guard.h - the memory that a worker may take when nobody gave it a cap: three quarters of what the
 * machine and this process's control groups have free. Nothing is limited beforehand, as a limit on
 * addresses would break programs that reserve more than they use; the supervisor looks now and then
 * at what the worker and all that descends from it have resident, and ends them when it is more.
 * Supervisor only.
 */
#ifndef WORKER_GUARD_H
#define WORKER_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes; 0 where the kernel does not tell. `root`: "" (a folder with other files is for tests). */
uint64_t guard_default(const char *root);

struct guard {
    uint64_t bytes;     /* 0: nothing is watched */
    uint64_t found;     /* what was resident when that was more, else 0 */
    uint64_t looked_ns; /* when it was last looked at, by monotonic_ns() */
};

/* Looks, unless it did so a moment ago, and sets `found`. */
void guard_look(struct guard *guard, pid_t worker, uint64_t now_ns);

/* Resident bytes of a process and its descendants; what several of them share counts once for each
 * of them (`exact` false), or a part for each (smaps_rollup, which takes longer). */
uint64_t guard_resident(pid_t pid, bool exact);

#endif
