/*
 * memcheck.h - the tests of a program once under valgrind's memcheck, and what it says put to the
 * test in which it happened (docs/memcheck.md). The hunt's part of it is session_memcheck in
 * session.h. Supervisor only.
 */
#ifndef RUNNER_MEMCHECK_H
#define RUNNER_MEMCHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Can it be done here? False: `reason` says in one sentence why not, and what to do. */
bool memcheck_possible(char *reason, size_t room);

/* In the child: becomes the program under valgrind. Returns when that does not work. */
void memcheck_become(const char *program, char *const *argv, const char *folder);

#endif
