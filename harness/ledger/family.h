/*
 * family.h - families of several sites (site_join): what their sites hold together, and the least
 * of that at any boundary. Watch mode only; called by watch.c. Runs in the worker, on the thread
 * that runs the tests.
 */
#ifndef LEDGER_FAMILY_H
#define LEDGER_FAMILY_H

#include "harness/ledger/watch.h"

/* Watching begins: what was added up before is void. */
void family_start(void);

/* Brings the sums up to date after a fold, by what it changed. */
void family_fold(const struct watch_moment *moment);

/* Then, at a boundary, the floors of the families that it changed. */
void family_floor(const struct watch_moment *moment);

/* Calls `each` for the smallest site of every family of several whose sums differ from those of the
 * last call: `each` sends what struct site has of the whole. */
void family_changes_each(watch_changed *each, void *context);

#endif
