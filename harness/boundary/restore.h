/*
 * restore.h - the process state that libcheck's fork would have kept apart between tests: working
 * directory, umask, signal mask and handlers, resource limits, alarm, standard streams. Saved
 * before the first test, put back after each. The environment is left alone: putting it back would
 * hide who holds its strings. Runs in the worker, between repetitions.
 */
#ifndef BOUNDARY_RESTORE_H
#define BOUNDARY_RESTORE_H

void restore_save(void);
void restore_after_repetition(void); /* working directory and streams, only when changed */
void restore_after_run(void);

/* chdir or fchdir was called. */
void restore_directory_changed(void);

#endif
