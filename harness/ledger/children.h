/*
 * children.h - processes that the program starts: how many children it forked, how many of them
 * left nothing, and how many other programs it ran. What a child loses is child_loss.h's; what it
 * keeps until it ends is not in this process's ledger. Counted in memory that the children share.
 * Runs in the worker and in its children, on any thread.
 */
#ifndef LEDGER_CHILDREN_H
#define LEDGER_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#define CHILDREN_NAME_MAX 128

struct children {
    uint32_t forked;   /* in all */
    uint32_t followed; /* worked, and were followed to their end: what they lost is the test's */
    /* Ended, and known to have left nothing: without an allocation, by becoming another program, or
     * followed and keeping nothing. Of any that were forked, now or before. */
    uint32_t done;
    uint32_t programs;               /* started, by whatever function */
    char program[CHILDREN_NAME_MAX]; /* the first of them, cut */
};

void children_init(void);

/* Children that were forked before this count no more, however late they end. */
void children_begin(void);
/* What happened since the last call. */
void children_take(struct children *children);

/* The next fork of this thread is tidemark's own, and counts for nothing. */
void children_own_fork(void);

/* For the hooks. */
void children_forked(void);                 /* the parent, after fork */
bool children_fork_is_own(void);            /* before it: children_own_fork was called for it */
void children_program(const char *program); /* the parent, or the child before exec */
void children_child_begin(void);            /* the child of fork */
/* The child, before it ends: as child_loss_end, or from where it called exit. */
void children_child_end(uint64_t sp);
void children_child_exits(uint64_t sp);           /* it calls exit, whose handlers run first */
bool children_child_becomes(const char *program); /* any child, before exec; true: it is one */
void children_child_stays(void);                  /* that exec failed */

#endif
