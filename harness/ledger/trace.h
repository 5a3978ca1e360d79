/*
 * trace.h - trace depth: a record for every live block with its address, size, site and birth.
 * Runs in the worker, on any thread, also in signal handlers. Lock-free: a thread takes records
 * from a list of its own; a block's header holds the number of its record, so nothing is ever
 * looked up.
 */
#ifndef LEDGER_TRACE_H
#define LEDGER_TRACE_H

#include "harness/base/wire.h"
#include "harness/ledger/thread.h"

#include <stddef.h>
#include <stdint.h>

/* 24 bytes a block. A free record has address 0 and links to others; see trace.c. */
struct trace_record {
    uint64_t address;
    uint64_t size;
    uint32_t site;
    uint32_t serial; /* of the birth: birth_of() gives the test */
};

extern _Atomic bool trace_switch;
#define trace_on (atomic_load_explicit(&trace_switch, memory_order_relaxed))

/* Births are counted by site while this is set, too. */
extern _Atomic bool trace_births;

void trace_init(void);
void trace_set(bool on); /* off forgets all records */

/* A block is born; `frame` is the frame address of the hook that the program called. Returns its
 * record, or 0 when it cannot be traced (a signal handler within our own code, no memory). */
uint32_t trace_birth(struct thread *self, const void *block, size_t size, const void *frame);

/* The record of a block that is alive, copied; false when it has none. */
bool trace_look(uint32_t record, const void *block, struct trace_record *copy);

/* A block with a record dies. *size becomes the record's when it is 0 (damaged header). */
void trace_death(struct thread *self, uint32_t record, const void *block, size_t *size);

/* The site of a stack that is not a heap allocation's; 0 when it cannot be traced. */
uint32_t trace_site(const void *frame, enum wire_site_kind kind);

/* Calls `each` with every live record. */
typedef void trace_seen(void *context, const struct trace_record *record);
void trace_each(trace_seen *each, void *context);
uint32_t trace_records(void); /* upper bound of how many trace_each will show */

#endif
