/*
 * stray.h - processes that tests left behind. They become children of the supervisor when their own
 * parents end, wherever they hid (a session of their own, a group of their own), and are killed
 * with the worker. Supervisor only. Every child that is not spared is taken for one: who forks
 * while a worker runs has to spare it.
 */
#ifndef WORKER_STRAY_H
#define WORKER_STRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* From now on orphans among the descendants come to this process. */
void stray_adopt(void);
/* Kills and reaps all children but those of the `count` in `spared` (0: an empty place), and their
 * children, until there are none. Returns how many were alive. */
size_t stray_kill(const pid_t *spared, size_t count);

/* How many processes are this one's children now, orphans of its workers among them; 0 where the
 * kernel does not list them. Cheap. */
size_t stray_children(void);
/* Sends `signal` to a process that is `ancestor` or descends from it, or that was adopted from
 * there; the children in `others` have descendants of their own. Returns false, and signals nobody,
 * if `pid` is none of these: a number that a test wrote down may be anybody's. */
bool stray_signal(pid_t pid, pid_t ancestor, const pid_t *others, size_t count, int signal);

#endif
