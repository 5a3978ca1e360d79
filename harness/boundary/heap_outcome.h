/*
 * heap_outcome.h - a test that did to the heap what it must not has failed by it. Runs in the
 * worker, at boundaries.
 */
#ifndef BOUNDARY_HEAP_OUTCOME_H
#define BOUNDARY_HEAP_OUTCOME_H

#include "harness/boundary/serve.h"

/* Heap errors since the last call go onto the wire, and an outcome that was none becomes a failure.
 * Returns whether there were any. */
bool heap_outcome_take(uint32_t test, struct outcome *outcome);

#endif
