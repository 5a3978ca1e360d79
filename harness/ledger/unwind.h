/*
 * unwind.h - the stack of return addresses of an allocation, exact and without frame pointers, fast
 * by remembering: the rule of every return address (cfi.h), and stacks that were met before. A
 * remembered stack is a list of the words on the stack that make it what it is; they are all read
 * again, so nothing is assumed to be unchanged, and an equal stack costs two loads and a comparison
 * a frame; another one has to be walked, at ten times that. Runs in the worker. One struct unwind a
 * thread; no locks, no allocation, async-signal-safe. On AArch64 frames are followed by frame
 * pointer (the platform's libraries have them).
 */
#ifndef LEDGER_UNWIND_H
#define LEDGER_UNWIND_H

#include "harness/base/wire.h"
#include "harness/ledger/cfi.h"

#define UNWIND_OWN_MOST 12u /* frames of our own, which are left out of a site */
#define UNWIND_MOST     (WIRE_FRAMES_MAX + UNWIND_OWN_MOST) /* innermost frames that are exact */
#define UNWIND_RULES    8192u                               /* a power of two */
#define UNWIND_SETS     512u                                /* a power of two */
#define UNWIND_WAYS     4u                                  /* where in its set a stack may be */
#define UNWIND_MEMOS    (UNWIND_SETS * UNWIND_WAYS)
#define UNWIND_LAST     512u  /* a power of two */
#define UNWIND_CALLERS  7u    /* that choose a stack's set, beside the innermost frame */
#define UNWIND_SEEN     8192u /* a power of two */
#define UNWIND_CHECKS   (2 * UNWIND_MOST + 2) /* a return address and a frame pointer each */

struct unwind_known {
    uint64_t pc; /* inverted when it is an instruction's; 0: empty */
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
    uint32_t key; /* of the stack's set */
    /* The last one never holds: it compares the memo's own frame with something else. */
    struct unwind_check checks[UNWIND_CHECKS];
} __attribute__((aligned(64)));

struct unwind {
    uint32_t generation;
    /* The stack that was walked last. */
    uint32_t count;
    bool cut;        /* its last frame is not the outermost */
    bool recallable; /* by the words in memos[spare] */
    uint64_t hash;
    uint64_t pcs[UNWIND_MOST]; /* innermost first */
    uint16_t memos_used;
    uint16_t spare;                        /* the memo that no set has */
    uint16_t turn;                         /* of the ways, which goes next */
    struct unwind_memo *last[UNWIND_LAST]; /* what was recalled last for an innermost frame */
    uint16_t sets[UNWIND_MEMOS];           /* numbers of memos, from 1; 0: none yet */
    uint32_t
        seen[UNWIND_SEEN]; /* stacks that were walked once: only those that come back are kept */
    struct unwind_known rules[UNWIND_RULES];
    struct unwind_memo memos[1 + UNWIND_MEMOS + 1]; /* the first one is never any stack's */
};

/* Where `last` has what was recalled for this innermost frame. */
static inline uint32_t unwind_innermost(const void *frame)
{
    return (uint32_t)(((const uint64_t *)frame)[1] ^ (uint64_t)(uintptr_t)frame >> 4) % UNWIND_LAST;
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

/* The same, looked for only where the last one of this innermost frame was found. */
static inline uint32_t unwind_recall_last(struct unwind *unwind, const void *frame)
{
    const struct unwind_memo *memo = unwind->last[unwind_innermost(frame)];
    return __builtin_expect(unwind_memo_holds(memo, frame), 1) ? memo->site : 0;
}

/* Walks from the frame address of one of our hooks. */
void unwind_walk(struct unwind *unwind, const void *frame);

/* The stack just walked from `frame` has this site: kept for unwind_recall from its second time on.
 */
void unwind_keep(struct unwind *unwind, const void *frame, uint32_t site);

/* All that was remembered is void: code was unloaded. Each thread's own once it calls
 * unwind_renew, which comes before anything else. */
void unwind_forget(void);
void unwind_renew(struct unwind *unwind);

void unwind_init(void);

/* Code of libtidemark.so, or of its hooks when they are linked into a program: its frames are
 * between the program's, but not the program's. */
bool unwind_is_own(uint64_t pc);

#define UNWIND_HOOK_SECTION __attribute__((section("tidemark_hooks")))

#endif
