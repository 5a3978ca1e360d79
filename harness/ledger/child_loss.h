/*
 * child_loss.h - what a forked child loses belongs to the test that forked it: the child is traced
 * from its first instruction, and when it ends, its blocks that nothing reaches are written into
 * memory that it shares with the worker, which books them as blocks of its own: of the same site
 * and size, held by nothing. From there on they are a leak like any other.
 *
 * Only the child of a process with one thread can be followed: of several, another one may have
 * held the dynamic linker's lock at the fork, which no scan can do without. Runs in the worker and
 * in its children.
 */
#ifndef LEDGER_CHILD_LOSS_H
#define LEDGER_CHILD_LOSS_H

#include <stdbool.h>
#include <stdint.h>

/* The worker's, once: the memory that its children share. */
void child_loss_init(void);

/* The child, after a fork: from here on it is followed. False when it cannot be. */
bool child_loss_begin(void);

enum child_leaving {
    CHILD_KEEPS, /* some of its blocks are still reached: what they would become is not known */
    CHILD_LOSES, /* the others, and the worker will book them */
    CHILD_CLEAN, /* none is left */
};

/* The child, before it ends. `sp`: its stack from there on is in use, registers included. */
enum child_leaving child_loss_end(uint64_t sp);

/* The worker, at a boundary and before the totals are read: books what is there. */
void child_loss_book(void);

#endif
