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
#define UNWIND_MEMOS    256u  /* a power of two */

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

/* A stack as it was met before, by how its innermost frame was entered: if these words still have
 * these values, then it is that stack, to its outermost frame (or the last that counts), and its
 * site. */
struct unwind_check {
    uint64_t address, value;
};

struct unwind_memo {
    uint64_t pc, sp, bp;
    uint32_t site;  /* 0: seen once, nothing kept yet */
    uint16_t count; /* of checks */
    bool by_bp;     /* bp matters */
    struct unwind_check checks[2 * UNWIND_MOST];
};

/* The last stack that was walked lies as the machine's does: the outermost frame at the end, the
 * innermost at `top`, so that a stack which differs in its innermost frames leaves the others where
 * they are. Frames beyond the innermost UNWIND_MOST may be of an earlier stack: they are not read
 * as part of this one. */
struct unwind {
    uint32_t top;
    uint32_t generation;
    bool cut;      /* the frame at the end was not the outermost */
    bool reusable; /* no frame within that is entered otherwise than its slots say (after a signal)
                    */
    struct unwind_frame frames[UNWIND_ROOM];
    struct unwind_known rules[UNWIND_RULES];
    struct unwind_memo memos[UNWIND_MEMOS];
};

static inline uint32_t unwind_depth(const struct unwind *unwind)
{
    return UNWIND_ROOM - unwind->top;
}

extern _Atomic uint32_t unwind_generation; /* a new one: code was unloaded */

static inline struct unwind_memo *unwind_memo(struct unwind *unwind, uint64_t pc, uint64_t sp)
{
    return &unwind->memos[((pc ^ sp * 3) * 0x9e3779b97f4a7c15u >> 40) % UNWIND_MEMOS];
}

/* The site of the stack above `frame` (the frame address of one of our hooks) if it was met before;
 * 0 when it must be walked. */
static inline uint32_t unwind_recall(struct unwind *unwind, const void *frame)
{
    const uint64_t *words = frame;
    uint64_t pc = words[1], sp = (uint64_t)(uintptr_t)(words + 2);
    const struct unwind_memo *memo = unwind_memo(unwind, pc, sp);
    if (memo->pc != pc || memo->sp != sp || (memo->by_bp && memo->bp != words[0]) ||
        unwind->generation != atomic_load_explicit(&unwind_generation, memory_order_relaxed)) {
        return 0;
    }
    const struct unwind_check *end = memo->checks + memo->count;
    for (const struct unwind_check *check = memo->checks; check < end; check++) {
        if (*(const uint64_t *)(uintptr_t)check->address != check->value) {
            return 0;
        }
    }
    return memo->site;
}

/* Walks from the frame address of one of our hooks. */
void unwind_walk(struct unwind *unwind, const void *frame);

/* The stack just walked from `frame` has this site: kept for unwind_recall from its second time on.
 */
void unwind_keep(struct unwind *unwind, const void *frame, uint32_t site);

/* All that was remembered is void: code was unloaded. */
void unwind_forget(void);

void unwind_init(void);

/* Code of libtidemark.so, or of its hooks when they are linked into a program: its frames are
 * between the program's, but not the program's. */
bool unwind_is_own(uint64_t pc);

#define UNWIND_HOOK_SECTION __attribute__((section("tidemark_hooks")))

#endif
