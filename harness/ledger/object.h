/*
 * object.h - objects of the system that outlive the process: POSIX shared memory, named semaphores
 * and message queues, System V's segments, semaphore sets and queues. To the ledger they are files
 * (resource.h): the first two have a path below /dev/shm, the others a name of our own that no file
 * has, "//mqueue/NAME", "//sysv-shm/ID", "//sysv-sem/ID", "//sysv-msg/ID". Runs in the worker, on
 * any thread.
 */
#ifndef LEDGER_OBJECT_H
#define LEDGER_OBJECT_H

#include "harness/base/wire.h"

void object_init(struct wire *wire);

/* Made, by a call whose hook has this frame, and removed. The list in the shared memory lets the
 * supervisor remove what is left when the process is gone. */
void object_made(const char *name, const void *frame);
void object_gone(const char *name);

/* Returns false if nothing of this name is there any more: a file's path, or one of ours. */
bool object_exists(const char *name);

#endif
