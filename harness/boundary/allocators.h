/*
 * allocators.h - does the program allocate by another interface than malloc's? What it gets so goes
 * past the ledger. Runs in the worker, once, before the tests.
 */
#ifndef BOUNDARY_ALLOCATORS_H
#define BOUNDARY_ALLOCATORS_H

/* A note for each interface of another allocator that the program imports. */
void allocators_note(void);

#endif
