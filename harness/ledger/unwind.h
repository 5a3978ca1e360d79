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
#define UNWIND_RULES    8192u /* a power of two */
#define UNWIND_SETS     128u  /* a power of two */
#define UNWIND_WAYS     4u    /* memos of a set: where one stack may be */
#define UNWIND_SEEN     8192u /* a power of two */
#define UNWIND_CHECKS   67u   /* deeper stacks, without frame pointers, have no more than 46 */

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

/* A stack as it was met before: if the hook's frame is at the same address and these words still
 * have these values, then it is that stack, to its outermost frame (or the last that counts), and
 * its site. The first word is the hook's return address. Each address follows from the words before
 * it, so that none is read unless those hold. */
struct unwind_check {
    uint64_t address, value;
};

struct unwind_memo {
    uint64_t frame; /* 0: empty */
    uint32_t site;
    /* The last one never holds: it compares the memo's own frame with something else. */
    struct unwind_check checks[UNWIND_CHECKS];
} __attribute__((aligned(64)));

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
    uint32_t turn; /* of the ways, which is overwritten next */
    struct unwind_known rules[UNWIND_RULES];
    uint32_t
        seen[UNWIND_SEEN]; /* stacks that were walked once: only those that come back are kept */
    uint8_t last[UNWIND_SETS]; /* the way that was recalled last */
    struct unwind_memo memos[UNWIND_SETS * UNWIND_WAYS];
};

static inline uint32_t unwind_depth(const struct unwind *unwind)
{
    return UNWIND_ROOM - unwind->top;
}

extern _Atomic uint32_t unwind_generation
    __attribute__((visibility("hidden"))); /* a new one: code was unloaded */

/* The ways that a stack may be in, as the first one's number. */
static inline uint32_t unwind_ways(const void *frame)
{
    uint64_t key = ((const uint64_t *)frame)[1] ^ (uint64_t)(uintptr_t)frame * 3;
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 40) % UNWIND_SETS * UNWIND_WAYS;
}

static inline bool unwind_memo_holds(const struct unwind_memo *memo, const void *frame)
{
    if (__builtin_expect(memo->frame != (uint64_t)(uintptr_t)frame, 0)) {
        return false;
    }
    const struct unwind_check *check = memo->checks;
    while (*(const uint64_t *)(uintptr_t)check->address == check->value) {
        check++;
    }
    return check->address == (uint64_t)(uintptr_t)&memo->frame;
}

/* The site of the stack above `frame` (the frame address of one of our hooks) if it was met before;
 * 0 when it must be walked. */
uint32_t unwind_recall(struct unwind *unwind, const void *frame);

/* The same, looked for only where the last one of its ways was found. */
static inline uint32_t unwind_recall_last(struct unwind *unwind, const void *frame)
{
    uint32_t ways = unwind_ways(frame);
    const struct unwind_memo *memo = &unwind->memos[ways + unwind->last[ways / UNWIND_WAYS]];
    __asm__("" : "+r"(memo)); /* the compiler would compute it again for each field */
    bool valid =
        unwind->generation == atomic_load_explicit(&unwind_generation, memory_order_relaxed);
    return __builtin_expect(valid && unwind_memo_holds(memo, frame), 1) ? memo->site : 0;
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
