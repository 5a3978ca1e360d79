/*
 * children.h - processes that the program starts: how many children it forked that went on with its
 * work, and how many other programs it ran. What a child loses is child_loss.h's; what it keeps
 * until it ends is not in this process's ledger. Counted in memory that the children share. Runs in
 * the worker and in its children, on any thread.
 */
#ifndef LEDGER_CHILDREN_H
#define LEDGER_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#define CHILDREN_NAME_MAX 128

struct children {
    /* Forked, and not known to have left nothing: a child that ended without an allocation, that
     * became another program, or that was followed to its end and keeps nothing, is not counted. */
    uint32_t forked;
    uint32_t followed;               /* worked, and were followed: what they lost is the test's */
    uint32_t programs;               /* started, by whatever function */
    char program[CHILDREN_NAME_MAX]; /* the first of them, cut */
};

void children_init(void);

/* What happened since the last call. */
void children_take(struct children *children);

/* The next fork of this thread is tidemark's own, and counts for nothing. */
void children_own_fork(void);

/* For the hooks. */
void children_forked(void);                 /* the parent, after fork */
void children_program(const char *program); /* the parent, or the child before exec */
void children_child_begin(void);            /* the child of fork */
/* The child, before it ends: as child_loss_end, or from where it called exit. */
void children_child_end(uint64_t sp);
void children_child_exits(uint64_t sp);           /* it calls exit, whose handlers run first */
bool children_child_becomes(const char *program); /* any child, before exec; true: it is one */
void children_child_stays(void);                  /* that exec failed */

#endif
