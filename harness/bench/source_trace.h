/*
 * source_trace.h - the source behind a trace that has more keys than the registry: its keys are
 * "trace/object:0001b2c3", and the value is the number in them, which costs about what the
 * registry's look-up costs when its lines are in the processor's caches. Any thread. Supervisor
 * only.
 */
#ifndef BENCH_SOURCE_TRACE_H
#define BENCH_SOURCE_TRACE_H

#include "registry/strategy.h"

#define SOURCE_TRACE_KEY_BYTES 21

extern const struct strategy_source source_trace;
/* Writes SOURCE_TRACE_KEY_BYTES bytes, no NUL. */
void source_trace_key(char *key, uint32_t number);

#endif
