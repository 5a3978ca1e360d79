/*
 * unwind.h - the stack of return addresses of an allocation, exact and without frame pointers, fast
 * by remembering: the rule of every return address (cfi.h), and the whole of the last stack. Where
 * a frame of the new stack is entered in the same state as one of the last, its addresses are known
 * and only what lies there is read again; so nothing is assumed to be unchanged, and equal stacks
 * cost two loads and two comparisons a frame. Runs in the worker. One struct unwind a thread; no
 * locks, no allocation, async-signal-safe. On AArch64 frames are followed by frame pointer (the
 * platform's libraries have them).
 */
#ifndef LEDGER_UNWIND_H
#define LEDGER_UNWIND_H

#include "harness/base/wire.h"
#include "harness/ledger/cfi.h"

#define UNWIND_HOOKS_MOST 4u /* our own frames, innermost, that are left out */
#define UNWIND_MOST       (WIRE_FRAMES_MAX + UNWIND_HOOKS_MOST)
#define UNWIND_RULES      1024u /* a power of two */

struct unwind_frame { /* how the walk entered a frame, and where the next one's words lie */
    uint64_t pc, sp, bp;
    uint64_t ra_slot; /* 0: the walk ends here */
    uint64_t bp_slot; /* 0: bp is kept */
    bool by_bp;       /* the slots were found from bp: else its value does not matter here */
};

struct unwind_known {
    uint64_t pc; /* lowest bit: exact; 0: empty */
    struct cfi_rule rule;
};

struct unwind {
    uint32_t count;    /* frames of the last stack */
    uint32_t reusable; /* of them, the innermost before a signal's: entered as their slots say */
    bool cut;          /* it went on */
    uint32_t generation;
    struct unwind_frame frames[UNWIND_MOST];
    struct unwind_known rules[UNWIND_RULES];
};

/* Walks from the frame address of one of our hooks. Returns true when the stack is the same as the
 * last one (then nothing in `unwind` changed). */
bool unwind_walk(struct unwind *unwind, const void *frame);

/* All that was remembered is void: code was unloaded. */
void unwind_forget(void);

/* Our own hooks' code: frames in it are not the program's. */
bool unwind_is_hook(uint64_t pc);

#define UNWIND_HOOK_SECTION __attribute__((section("tidemark_hooks")))

#endif
