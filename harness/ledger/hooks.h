/*
 * hooks.h - between the malloc family as the program sees it (hooks.c, hooks_new.c) and the ledger.
 * Runs in the worker.
 */
#ifndef LEDGER_HOOKS_H
#define LEDGER_HOOKS_H

#include "harness/base/wire.h"

extern _Atomic uint32_t hooks_depth;    /* enum wire_depth */
extern _Atomic uint64_t *hooks_refused; /* takes the bytes of the first allocation that failed */

void *hooks_alloc(size_t bytes);
void hooks_free(void *block);

#endif
