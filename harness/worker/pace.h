/*
 * pace.h - a clock for budgets: it goes on while the supervisor or a worker of it runs or sleeps,
 * and stands still while they wait for a processor, as far as the kernel tells. So what a hunt has
 * spent is the same on a busy machine as on an idle one. Supervisor only; one thread.
 */
#ifndef WORKER_PACE_H
#define WORKER_PACE_H

#include "harness/base/wire.h"

#include <stdint.h>
#include <sys/types.h>

struct pace { /* ns, of this process and the main threads of all its workers since it began */
    uint64_t wall, ran, waited;
};

struct pace pace_now(void);
/* ns of the budget from then until now. Both may wait for a processor at the same time: it is at
 * least what they ran. */
double pace_since(const struct pace *then);

/* A worker runs from now on, started as `pid`; it is about to be waited for. The main thread of who
 * says to be the worker is looked at, which runs the tests. `wire` is borrowed until it ends. */
void pace_worker_begins(pid_t pid, const struct wire *wire);
void pace_worker_ends(const struct wire *wire);

#endif
