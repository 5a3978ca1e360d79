/*
 * boundary.h - what the parts of this folder know about the process they are in.
 */
#ifndef BOUNDARY_BOUNDARY_H
#define BOUNDARY_BOUNDARY_H

#include "harness/base/wire.h"

#include <sys/types.h>

/* The wire, or NULL: then every interposed function passes through, and nothing else happens. */
extern struct wire *boundary_wire;
extern enum wire_way boundary_way;

/* False in children of fork, which share the wire's memory but must not write to it. */
bool boundary_is_worker(void);

/* True in any child of fork, cheaply; vfork's and raw system calls' children excepted. */
extern bool boundary_forked;

/* The worker's pid, 0 before it claimed the wire. */
extern pid_t boundary_pid;

#endif
