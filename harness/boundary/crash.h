/*
 * crash.h - what is written into wire->crash when the worker dies or hangs: signal, address, stack.
 * Runs in the worker, in signal handlers on their own stacks; allocates nothing, takes no lock.
 */
#ifndef BOUNDARY_CRASH_H
#define BOUNDARY_CRASH_H

#include <stdbool.h>

/* Installs handlers for SIGSEGV BUS FPE ILL ABRT TRAP SYS and WIRE_STACK_SIGNAL, and a signal stack
 * for this thread. A handler that the program installs later stays in force. */
void crash_init(void);

/* At the start of the tests: handlers that the program has put over ours by now are its own wish.
 */
void crash_settle(void);

/* Before a test: puts ours back where an earlier test replaced it. */
void crash_arm(void);

#define CRASH_STACK (64u << 10) /* bytes of a signal stack; unwinding takes some 20 KiB */

/* exit() was called in the middle of a test. */
void crash_exit_note(void);

/* Called in a child of fork before a fatal signal ends it; set by child.c. */
extern void (*crash_in_child)(void);

#endif
