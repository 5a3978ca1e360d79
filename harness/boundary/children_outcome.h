/*
 * children_outcome.h - processes that a test started, for its result. Runs in the worker, at
 * boundaries.
 */
#ifndef BOUNDARY_CHILDREN_OUTCOME_H
#define BOUNDARY_CHILDREN_OUTCOME_H

#include "harness/base/wire.h"

/* A RUN begins: what was started before counts for nobody. */
void children_outcome_begin(struct wire_children *children, uint32_t test);
/* The same, but what was started since the last boundary counts. */
void children_outcome_reset(struct wire_children *children, uint32_t test);
/* A repetition is over: if it started more than those before, it counts. */
void children_outcome_take(struct wire_children *children);
/* Onto the wire, if there were any. */
void children_outcome_put(struct wire_children *children);

#endif
