/*
 * given.h - which functions of the program were the last to be given a block that stays: for one
 * diagnostic repetition in a forked child. A destructor that no longer releases anything leaves no
 * other trace.
 *
 * The first byte of each function becomes a breakpoint. The handler looks at the first four
 * arguments, and at GIVEN_NEAR bytes behind each: does one point to a block of a named site that
 * was born in this repetition? The byte is put back for one step of the processor, and the
 * breakpoint again. Only in a child, which dies of it if anything is in the way (SIGTRAP blocked,
 * text that may not be written) and takes nothing along. x86-64; elsewhere nothing is told.
 */
#ifndef LEDGER_GIVEN_H
#define LEDGER_GIVEN_H

#include "harness/base/wire.h"

#define GIVEN_NEAR 96u /* bytes behind an argument in which a pointer counts as given */

extern _Atomic bool given_switch;
#define given_on (atomic_load_explicit(&given_switch, memory_order_relaxed))

/* In the worker, before the child is forked: the sites, and the entry of each function. */
void given_want(const uint32_t *sites, uint32_t count);
void given_function(uint64_t entry);
void given_unwant(void); /* when the child is over */
bool given_wanted(void); /* nothing of this repetition is a result */

/* In the child, around the test: GIVEN records for what stays, with the ledger's records to tell
 * what does. Nothing where it is not wanted. */
void given_begin(void);
void given_put(struct wire *wire);

/* A block is born in the child. */
void given_birth(uint32_t site, uint64_t address, uint64_t bytes);

#endif
