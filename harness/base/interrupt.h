/*
 * interrupt.h - a signal that asks tidemark to end (SIGINT, SIGTERM, SIGHUP) while there is
 * something to put away first: workers, control groups, folders of its own. Between interrupt_begin
 * and interrupt_end such a signal is only remembered. Who waits meanwhile asks interrupt_pending,
 * puts his things away and calls interrupt_die, which ends the process by the same signal, as if it
 * had never been caught: who started tidemark sees that it was interrupted. A second signal ends it
 * at once. What was ignored from the start (nohup) stays ignored. Not thread-safe; supervisor only.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* They nest. At the outermost end a signal that nobody has asked for takes effect. */
void interrupt_begin(void);
void interrupt_end(void);
/* The signal, 0: none. */
int interrupt_pending(void);
/* waitpid with the child's resources; hands a pending signal on to it. */
bool interrupt_wait(pid_t pid, int *status, struct rusage *usage);
/* A folder that interrupt_die removes with all that is in it; NULL: none any more. Borrowed. */
void interrupt_folder(const char *path);
/* Makes one below TMPDIR, tidemark-WHAT-..., and remembers it so. False, and errno: it cannot be
 * made. *path is the caller's to free, also then. */
bool interrupt_folder_new(const char *what, char **path);
/* Removes a folder and all that is in it. */
void interrupt_folder_remove(const char *path);
/* What interrupt_die calls first, once: to show what there is; NULL: nothing any more. */
void interrupt_report(void (*report)(void *context), void *context);
_Noreturn void interrupt_die(void);

#endif
