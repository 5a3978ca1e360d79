/*
 * pace.h - a clock for budgets: it goes on while this supervisor or one of its workers is at work,
 * or while a test sleeps, and stands still while they wait for a processor, as far as the kernel
 * tells. So what a hunt has spent is the same on a busy machine as on an idle one. link.c says what
 * each question took. Supervisor only; one thread.
 */
#ifndef WORKER_PACE_H
#define WORKER_PACE_H

#include <stdint.h>
#include <sys/types.h>

/* ns, of this process and all its workers. */
double pace_now(void);

/* A worker has spent so much. */
void pace_spend(double ns);

/* ns that the main thread of this process has waited for a processor in all; 0 where the kernel
 * does not tell, or when it is gone. */
uint64_t pace_waited_ns(pid_t pid);

#endif
