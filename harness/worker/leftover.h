/*
 * leftover.h - objects of the system that a worker made and left: shared memory, named semaphores,
 * message queues. A hunt repeats what makes them, and would leave hundreds. Supervisor only.
 */
#ifndef WORKER_LEFTOVER_H
#define WORKER_LEFTOVER_H

#include "harness/base/wire.h"

#include <time.h>

/* Once no process of the worker is left: removes what its list names, if it was made since
 * `started` and belongs to this user; the list is the worker's word, and may be anything. Returns
 * how many were removed, and the first one's name. */
size_t leftover_remove(const struct wire *wire, time_t started, char first[WIRE_OBJECT_NAME]);

#endif
