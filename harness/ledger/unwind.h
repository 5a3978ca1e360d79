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

#define UNWIND_OWN_MOST 12u /* frames of our own, which are left out of a site */
#define UNWIND_MOST     (WIRE_FRAMES_MAX + UNWIND_OWN_MOST) /* innermost frames that are exact */
#define UNWIND_ROOM     192u
#define UNWIND_RULES    2048u /* a power of two */

struct unwind_frame { /* how the walk entered a frame, and where the next one's words lie */
    uint64_t pc, sp, bp;
    uint64_t ra_slot; /* 0: the walk ends here */
    uint64_t bp_slot; /* 0: bp is kept */
    uint64_t context; /* hash of this frame's pc and all outside of it */
    bool by_bp;       /* the slots were found from bp: else its value does not matter here */
};

struct unwind_known {
    uint64_t pc; /* lowest bit: exact; 0: empty */
    struct cfi_rule rule;
};

/* The last stack lies as the machine's does: the outermost frame at the end, the innermost at
 * `top`, so that a stack which differs in its innermost frames leaves the others where they are.
 * Frames beyond the innermost UNWIND_MOST may be of an earlier stack: they are not read as part of
 * this one. */
struct unwind {
    uint32_t top;
    uint32_t generation;
    bool cut;      /* the frame at the end was not the outermost */
    bool reusable; /* no signal's frame within: those are entered otherwise than their slots say */
    struct unwind_frame frames[UNWIND_ROOM];
    struct unwind_known rules[UNWIND_RULES];
};

static inline uint32_t unwind_depth(const struct unwind *unwind)
{
    return UNWIND_ROOM - unwind->top;
}

/* Walks from the frame address of one of our hooks. Returns true when the stack is the same as the
 * last one (then nothing in `unwind` changed). */
bool unwind_walk(struct unwind *unwind, const void *frame);

/* All that was remembered is void: code was unloaded. */
void unwind_forget(void);

void unwind_init(void);

/* Code of libtidemark.so, or of its hooks when they are linked into a program: its frames are
 * between the program's, but not the program's. */
bool unwind_is_own(uint64_t pc);

#define UNWIND_HOOK_SECTION __attribute__((section("tidemark_hooks")))

#endif
