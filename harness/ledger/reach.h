/*
 * reach.h - which of the blocks of one birth (birth.h) anything still reaches. Runs in the worker
 * and in its children; all other threads are stopped while memory is read.
 */
#ifndef LEDGER_REACH_H
#define LEDGER_REACH_H

#include "harness/ledger/trace.h"

typedef void reach_seen(void *context, const struct trace_record *record, bool reached);

/* Calls `each` with every live traced block of that birth. The calling thread's stack is scanned
 * from `sp` on, its registers are not: they must lie there. False when memory is out. */
bool reach_each(uint32_t serial, uint64_t sp, reach_seen *each, void *context);

#endif
