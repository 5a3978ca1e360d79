/*
 * restore.h - the process state that libcheck's fork would have kept apart between tests: working
 * directory, umask, signal mask and handlers, resource limits, alarm, standard streams. Saved
 * before the first test, put back after each. The environment is left alone: putting it back would
 * hide who holds its strings. Runs in the worker, between repetitions.
 */
#ifndef BOUNDARY_RESTORE_H
#define BOUNDARY_RESTORE_H

#include <signal.h>
#include <stdbool.h>

void restore_save(void);
void restore_after_repetition(void); /* working directory and streams, only when changed */

/* Signal handlers, resource limits and the standard streams are looked at, which takes 90 system
 * calls, only if a function that changes them was called since the last look (restore_export.c,
 * descriptor.h), and after each 64th run: a test may change them by a system call of its own. */
void restore_after_run(void);

/* chdir or fchdir was called. */
void restore_directory_changed(void);
/* A signal handler, or a resource limit, was or will be set. Any thread, signal handlers too. */
void restore_signals_touched(void);
void restore_limits_touched(void);

/* May a handler be another one than after the last run? */
bool restore_signals_may_differ(void);

/* libc's sigaction, for our own handlers: no touch. Resolved by restore_init, before any test. */
void restore_init(void);
int restore_sigaction(int signal, const struct sigaction *action, struct sigaction *old);

#endif
