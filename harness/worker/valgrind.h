/*
 * valgrind.h - a worker under valgrind's memcheck: whether that is possible here, and how its
 * process becomes it (docs/memcheck.md). What memcheck says is read in harness/campaign. Supervisor
 * only.
 */
#ifndef WORKER_VALGRIND_H
#define WORKER_VALGRIND_H

#include <stdbool.h>
#include <stddef.h>

/* Can it be done here? False: `reason` says in one sentence why not, and what to do. */
bool valgrind_possible(char *reason, size_t room);

/* In the child: becomes the program under valgrind. Returns when that does not work. */
void valgrind_become(const char *program, char *const *argv, const char *folder);

#endif
