/*
 * global.h - where the collector keeps what it fetched: as it was, and as it holds.
 *
 *   as it was   one global list that the refresher frees and fills again, read without the lock
 * that protects it, by way of raw pointers; the function is there before the first fetch shared the
 * reader takes a reference under a lock, the refresher swaps under it; what readers still hold
 * lives on. Before the first fetch there is none, and that is an answer
 */
#ifndef COLLECTOR_GLOBAL_H
#define COLLECTOR_GLOBAL_H

#include "collector.h"

/* As it was: the crash on the first call, and the one while the list is replaced. Both die of
 * SIGSEGV every time: no race has to be won, the steps are taken in the order of the incident. */
void crash_publish_before_init(void);
void crash_replace_while_reading(void);
/* The same without the deaths: a reader that takes no lock, and a refresher that does. Nothing goes
 * wrong that one could see, but for a race detector. */
void race_replace_while_reading(void);

struct shared;
struct shared *shared_new(void);
void shared_free(struct shared **shared);
struct snapshot *shared_take(struct shared *shared); /* NULL before the first put; release it */
void shared_put(struct shared *shared, struct snapshot *snapshot); /* takes the reference over */

#endif
