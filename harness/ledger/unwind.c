/* unwind.c - see unwind.h. Runs in the worker. */
#include "harness/ledger/unwind.h"

#include "harness/ledger/ledger.h"
#include "harness/meter/kernel.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <ucontext.h>

#define FRAME_BYTES_MOST (64u << 20) /* a frame larger than this is a misreading */

/* The linker brackets the section; weak, for test programs without the hooks. */
extern const char __start_tidemark_hooks[] __attribute__((weak, visibility("hidden")));
extern const char __stop_tidemark_hooks[] __attribute__((weak, visibility("hidden")));

static uint64_t own_start, own_end; /* libtidemark.so; empty when linked into a program */

static _Atomic uint32_t unwind_generation = 1;

struct walker { /* the state in which a frame is entered */
    uint64_t pc, sp, bp;
    bool exact; /* pc is an instruction's, not a return address */
};

struct frame { /* where the caller's words lie */
    uint64_t ra_slot;
    uint64_t bp_slot; /* 0: bp is kept */
    bool by_bp;       /* found from bp: else its value does not matter here */
};

bool unwind_is_own(uint64_t pc)
{
    uint64_t hooks = (uint64_t)(uintptr_t)__start_tidemark_hooks;
    uint64_t hooks_end = (uint64_t)(uintptr_t)__stop_tidemark_hooks;
    return pc - own_start < own_end - own_start || pc - hooks < hooks_end - hooks;
}

void unwind_init(void)
{
    uint64_t start, end;
    uint64_t here = (uint64_t)(uintptr_t)unwind_init, entry = getauxval(AT_ENTRY);
    if (cfi_object(here, &start, &end) && entry - start >= end - start) {
        own_start = start;
        own_end = end;
    }
}

void unwind_forget(void)
{
    atomic_fetch_add(&unwind_generation, 1);
}

static inline uint64_t word_at(uint64_t address)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the caller has found it plausible */
    return *(const uint64_t *)(uintptr_t)address;
}

/* A word that may not be mapped: asked of the kernel. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the kernel writes it */
static bool word_probe(uint64_t address, uint64_t *word)
{
    struct iovec to = {word, sizeof *word}, from = {(void *)(uintptr_t)address, sizeof *word};
    return kernel_call(SYS_process_vm_readv, kernel_pid(), (long)&to, 1, (long)&from, 1, 0) ==
           (long)sizeof *word;
}

#if defined(__x86_64__)

static bool frame_plausible(uint64_t sp, uint64_t frame)
{
    return frame > sp && frame - sp < FRAME_BYTES_MOST && frame % 8 == 0;
}

/* Code without unwind information (assembly, generated code): it may keep a frame pointer. Believed
 * only when the chain points up the stack and returns into a loaded object. */
static bool frame_by_pointer(const struct walker *at, struct frame *frame)
{
    uint64_t next = 0, back = 0, start = 0, end = 0;
    if (!frame_plausible(at->sp, at->bp + 16) || !word_probe(at->bp, &next) ||
        !word_probe(at->bp + 8, &back) || !cfi_object(back, &start, &end)) {
        return false;
    }
    frame->by_bp = true;
    frame->bp_slot = at->bp;
    frame->ra_slot = at->bp + 8;
    return true;
}

/* Where the caller's words lie; false at the end of the stack. *more: the end is not the outermost.
 */
static bool frame_find(const struct cfi_rule *rule, const struct walker *at, struct frame *frame,
                       bool *more)
{
    uint64_t cfa = 0;
    switch (rule->kind) {
    case CFI_SP:
        cfa = at->sp + (uint64_t)(int64_t)rule->offset;
        break;
    case CFI_BP:
        cfa = at->bp + (uint64_t)(int64_t)rule->offset;
        break;
    case CFI_BP_DEREF:
        if (!word_probe(at->bp + (uint64_t)(int64_t)rule->offset, &cfa)) {
            return false;
        }
        break;
    case CFI_SIGNAL: {
        const ucontext_t *context = (const ucontext_t *)(uintptr_t)at->sp;
        frame->ra_slot = (uint64_t)(uintptr_t)&context->uc_mcontext.gregs[REG_RIP];
        frame->bp_slot = (uint64_t)(uintptr_t)&context->uc_mcontext.gregs[REG_RBP];
        return true;
    }
    case CFI_NONE:
        *more = true;
        return frame_by_pointer(at, frame);
    default:
        return false;
    }
    if (!frame_plausible(at->sp, cfa)) {
        *more = true;
        return false;
    }
    int64_t offset = rule->bp_offset;
    frame->by_bp = rule->kind != CFI_SP || rule->bp == CFI_AT_BP;
    frame->ra_slot = cfa - 8;
    frame->bp_slot = rule->bp == CFI_KEPT       ? 0
                     : rule->bp == CFI_AT_FRAME ? cfa + (uint64_t)offset
                                                : at->bp + (uint64_t)offset;
    return true;
}

static __attribute__((noinline)) void rule_learn(struct unwind_known *known, uint64_t pc,
                                                 bool exact)
{
    known->pc = 0; /* a signal handler may leave by longjmp, here and below */
    atomic_signal_fence(memory_order_seq_cst);
    known->rule = cfi_find(pc, exact);
    if (known->rule.kind == CFI_SP && !frame_plausible(0, (uint64_t)(int64_t)known->rule.offset)) {
        known->rule.kind = CFI_NONE;
    }
    atomic_signal_fence(memory_order_seq_cst);
    known->pc = exact ? ~pc : pc;
}

static inline uint32_t known_place(uint64_t pc)
{
    return (pc ^ pc >> 11) % UNWIND_RULES;
}

static inline const struct cfi_rule *rule_of(struct unwind *unwind, uint64_t pc, bool exact)
{
    struct unwind_known *known = &unwind->rules[known_place(pc)];
    if (__builtin_expect(known->pc != (exact ? ~pc : pc), 0)) {
        rule_learn(known, pc, exact);
    }
    return &known->rule;
}

#define RULE_SHAPE(kind, bp) ((kind) | (bp) << 8)

struct caller {
    uint64_t pc, sp, bp, bp_slot;
    bool by_bp;  /* found from the bp that was */
    bool bp_new; /* bp and bp_slot are others than before */
};

/* On to the caller by an everyday rule that is known: its words lie at a distance from sp, which
 * was found plausible when the rule was learnt, or from a frame pointer. False, and where it was,
 * when it takes more than that. frame_find knows all rules; this is the inner loop. */
static inline __attribute__((always_inline)) bool caller_usual(const struct unwind *unwind,
                                                               struct caller *at)
{
    const struct unwind_known *known = &unwind->rules[known_place(at->pc)];
    __asm__("" : "+r"(known)); /* the compiler would compute it again for each field */
    if (__builtin_expect(known->pc != at->pc, 0)) {
        return false;
    }
    int shape = RULE_SHAPE(known->rule.kind, known->rule.bp);
    uint64_t distance = (uint64_t)(int64_t)known->rule.offset;
    if (shape == RULE_SHAPE(CFI_SP, CFI_KEPT)) {
        at->sp += distance;
        at->by_bp = at->bp_new = false;
    } else {
        uint64_t cfa = at->sp + distance;
        at->by_bp = false;
        if (__builtin_expect(shape != RULE_SHAPE(CFI_SP, CFI_AT_FRAME), 0)) {
            cfa = at->bp + distance;
            at->by_bp = true;
            if (shape != RULE_SHAPE(CFI_BP, CFI_AT_FRAME) || !frame_plausible(at->sp, cfa)) {
                return false;
            }
        }
        at->sp = cfa;
        at->bp_slot = cfa + (uint64_t)(int64_t)known->rule.bp_offset;
        at->bp = word_at(at->bp_slot);
        at->bp_new = true;
    }
    at->pc = word_at(at->sp - 8);
    return true;
}

/* The registers as the interrupted code had them. */
static void walker_leave_signal(struct walker *at)
{
    const ucontext_t *context = (const ucontext_t *)(uintptr_t)at->sp;
    at->pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
    at->bp = (uint64_t)context->uc_mcontext.gregs[REG_RBP];
    at->sp = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
    at->exact = true;
}

static void walker_enter(struct walker *at, const struct frame *frame)
{
    at->sp = frame->ra_slot + 8;
    at->pc = word_at(frame->ra_slot);
    at->bp = frame->bp_slot == 0 ? at->bp : word_at(frame->bp_slot);
    at->exact = false;
}

static void walker_begin(struct walker *at, const void *frame)
{
    uint64_t address = (uint64_t)(uintptr_t)frame;
    *at = (struct walker){.pc = word_at(address + 8), .sp = address + 16, .bp = word_at(address)};
}

static void walker_from_context(struct walker *at, const ucontext_t *context)
{
    *at = (struct walker){.pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP],
                          .sp = (uint64_t)context->uc_mcontext.gregs[REG_RSP],
                          .bp = (uint64_t)context->uc_mcontext.gregs[REG_RBP],
                          .exact = true};
}

#else /* AArch64: x29 points to the caller's x29 and x30 */

static bool frame_find(const struct cfi_rule *rule, const struct walker *at, struct frame *frame,
                       bool *more)
{
    uint64_t next;
    (void)rule;
    *more = false;
    if (at->bp == 0 || at->bp % 8 != 0 || at->bp < at->sp || !word_probe(at->bp, &next)) {
        return false;
    }
    frame->by_bp = true;
    frame->bp_slot = at->bp;
    frame->ra_slot = at->bp + 8;
    return true;
}

static const struct cfi_rule *rule_of(struct unwind *unwind, uint64_t pc, bool exact)
{
    static const struct cfi_rule by_pointer = {.kind = CFI_BP};
    (void)unwind;
    (void)pc;
    (void)exact;
    return &by_pointer;
}

struct caller {
    uint64_t pc, sp, bp, bp_slot;
    bool by_bp, bp_new;
};

static bool caller_usual(const struct unwind *unwind, struct caller *at)
{
    (void)unwind;
    (void)at;
    return false;
}

static void walker_leave_signal(struct walker *at)
{
    (void)at;
}

static void walker_enter(struct walker *at, const struct frame *frame)
{
    at->sp = frame->ra_slot + 8;
    at->pc = word_at(frame->ra_slot) & 0x0000ffffffffffffu; /* without pointer authentication */
    at->bp = word_at(frame->bp_slot);
    at->exact = false;
}

static void walker_begin(struct walker *at, const void *frame)
{
    uint64_t address = (uint64_t)(uintptr_t)frame;
    *at = (struct walker){.pc = word_at(address + 8), .sp = address + 16, .bp = word_at(address)};
}

static void walker_from_context(struct walker *at, const ucontext_t *context)
{
    *at = (struct walker){.pc = context->uc_mcontext.pc,
                          .sp = context->uc_mcontext.sp,
                          .bp = context->uc_mcontext.regs[29],
                          .exact = true};
}

#endif

struct walk {
    struct walker at;
    uint32_t count;            /* frames so far, in unwind->pcs */
    uint64_t hash;             /* of them */
    struct unwind_check *next; /* the words that make the stack, as they are found */
    uint64_t bp_slot;          /* where bp came from */
    bool bp_checked;           /* it is among them */
    bool odd;                  /* the stack cannot be recalled by them */
    bool more;                 /* the last frame is not the outermost */
};

static inline void walk_check(struct walk *walk, uint64_t address, uint64_t value)
{
    *walk->next++ = (struct unwind_check){address, value};
}

static inline uint64_t hash_frame(uint64_t hash, uint64_t pc)
{
    return (hash + pc) * 0x9e3779b97f4a7c15u;
}

/* One frame on, by whatever rule; false at the end of the stack. Where the caller's words lie may
 * differ though a frame is entered in the same state: then the walk is odd. */
static __attribute__((noinline)) bool walk_step(struct walk *walk, struct unwind *unwind)
{
    struct frame frame = {0};
    const struct cfi_rule *rule = rule_of(unwind, walk->at.pc, walk->at.exact);
    unwind->pcs[walk->count++] = walk->at.pc;
    walk->hash = hash_frame(walk->hash, walk->at.pc);
    bool found = frame_find(rule, &walk->at, &frame, &walk->more);
    bool asked = rule->kind == CFI_BP || rule->kind == CFI_BP_DEREF || rule->kind == CFI_NONE;
    if ((found ? frame.by_bp : asked) && !walk->bp_checked) { /* of bp, even in vain */
        walk_check(walk, walk->bp_slot, walk->at.bp);
        walk->bp_checked = true;
    }
    if (!found) {
        return false;
    }
    if (rule->kind == CFI_SIGNAL) {
        walk->odd = true;
        walker_leave_signal(&walk->at);
        return true;
    }
    walk->odd |= rule->kind == CFI_BP_DEREF;
    walker_enter(&walk->at, &frame);
    walk_check(walk, frame.ra_slot, walk->at.pc);
    if (frame.bp_slot != 0) {
        walk->bp_slot = frame.bp_slot;
        walk->bp_checked = false;
    }
    return true;
}

/* The same for as many frames as have an everyday rule that is known. Apart from that function so
 * that all of it stays in registers. */
static inline void walk_usual(struct walk *walk, struct unwind *unwind)
{
    struct caller at = {
        .pc = walk->at.pc, .sp = walk->at.sp, .bp = walk->at.bp, .bp_slot = walk->bp_slot};
    uint64_t hash = walk->hash;
    bool bp_checked = walk->bp_checked;
    struct unwind_check *next = walk->next;
    uint64_t *pcs = unwind->pcs + walk->count, *end = unwind->pcs + UNWIND_MOST;
    while (at.pc > 4095 && pcs < end) {
        struct caller from = at;
        if (!caller_usual(unwind, &at)) {
            break;
        }
        *pcs++ = from.pc;
        hash = hash_frame(hash, from.pc);
        if (at.by_bp && !bp_checked) {
            *next++ = (struct unwind_check){from.bp_slot, from.bp};
        }
        bp_checked = bp_checked && !at.bp_new;
        *next++ = (struct unwind_check){at.sp - 8, at.pc};
    }
    walk->at = (struct walker){.pc = at.pc, .sp = at.sp, .bp = at.bp};
    walk->count = (uint32_t)(pcs - unwind->pcs);
    walk->hash = hash;
    walk->next = next;
    walk->bp_slot = at.bp_slot;
    walk->bp_checked = bp_checked;
}

void unwind_renew(struct unwind *unwind)
{
    uint32_t generation = atomic_load_explicit(&unwind_generation, memory_order_relaxed);
    if (unwind->generation == generation) {
        return;
    }
    memset(unwind->rules, 0, sizeof unwind->rules);
    memset(unwind->sets, 0, sizeof unwind->sets);
    for (uint32_t i = 0; i < UNWIND_LAST; i++) {
        unwind->last[i] = &unwind->memos[0];
    }
    unwind->spare = 1;
    unwind->memos_used = 1;
    unwind->generation = generation;
}

void unwind_walk(struct unwind *unwind, const void *frame)
{
    struct unwind_memo *memo = &unwind->memos[unwind->spare];
    struct walk walk = {.next = memo->checks, .bp_slot = (uint64_t)(uintptr_t)frame};
    memo->frame = 0;
    atomic_signal_fence(memory_order_seq_cst);
    walker_begin(&walk.at, frame);
    walk_check(&walk, (uint64_t)(uintptr_t)frame + 8, walk.at.pc);
    bool limit = false;
    for (bool goes_on = true; goes_on && walk.at.pc > 4095;) {
        if (!walk.at.exact) {
            walk_usual(&walk, unwind);
        }
        limit = walk.at.pc > 4095 && walk.count == UNWIND_MOST;
        goes_on = walk.at.pc > 4095 && !limit && walk_step(&walk, unwind);
    }
    unwind->count = walk.count;
    unwind->cut = walk.more || limit;
    unwind->hash = walk.hash ^ walk.hash >> 32 ^ unwind->cut;
    unwind->recallable = !walk.odd;
    walk.next -= limit; /* what is beyond does not matter */
    walk_check(&walk, (uint64_t)(uintptr_t)&memo->frame, ~(uint64_t)(uintptr_t)frame);
}

/* Of the innermost frame and its callers, as far as their rules are known and of the everyday kind:
 * a stack differs from others that allocate through the same function in its callers. */
static inline uint32_t stack_key(const struct unwind *unwind, const void *frame)
{
    struct walker begin;
    walker_begin(&begin, frame);
    struct caller at = {.pc = begin.pc, .sp = begin.sp, .bp = begin.bp};
    uint64_t key = at.pc ^ at.sp * 3;
    for (uint32_t i = 0; i < UNWIND_CALLERS && caller_usual(unwind, &at); i++) {
        key = hash_frame(key, at.pc);
    }
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 32);
}

static inline uint16_t *set_of(struct unwind *unwind, uint32_t key)
{
    return &unwind->sets[key % UNWIND_SETS * UNWIND_WAYS];
}

uint32_t unwind_recall(struct unwind *unwind, const void *frame)
{
    uint32_t key = stack_key(unwind, frame);
    const uint16_t *set = set_of(unwind, key);
    for (uint32_t way = 0; way < UNWIND_WAYS; way++) {
        struct unwind_memo *memo = &unwind->memos[set[way]];
        if (memo->key == key && unwind_memo_holds(memo, frame)) {
            unwind->last[unwind_innermost(frame)] = memo;
            return memo->site;
        }
    }
    return 0;
}

/* Most stacks of deep recursion never return. */
static bool stack_is_new(struct unwind *unwind, const void *frame)
{
    uint64_t key = unwind->hash ^ (uint64_t)(uintptr_t)frame << 4;
    uint32_t *seen = &unwind->seen[key % UNWIND_SEEN];
    uint32_t rest = (uint32_t)(key >> 32);
    bool is_new = *seen != rest;
    *seen = rest;
    return is_new;
}

void unwind_keep(struct unwind *unwind, const void *frame, uint32_t site)
{
    if (!unwind->recallable || stack_is_new(unwind, frame)) {
        return;
    }
    uint32_t key = stack_key(unwind, frame), way = 0;
    uint16_t *set = set_of(unwind, key), number = unwind->spare;
    while (way < UNWIND_WAYS && set[way] != 0) {
        way++;
    }
    if (way == UNWIND_WAYS) {
        way = unwind->turn++ % UNWIND_WAYS;
    }
    /* A signal handler may leave by longjmp anywhere: until it is whole, a memo is no stack's. */
    struct unwind_memo *memo = &unwind->memos[number];
    uint16_t next = set[way] != 0 ? set[way] : (uint16_t)(unwind->memos_used + 1);
    unwind->memos[next].frame = 0; /* `last` may still name it */
    atomic_signal_fence(memory_order_seq_cst);
    set[way] = number;
    atomic_signal_fence(memory_order_seq_cst);
    unwind->memos_used = next > unwind->memos_used ? next : unwind->memos_used;
    unwind->spare = next;
    memo->site = site;
    memo->key = key;
    atomic_signal_fence(memory_order_seq_cst);
    memo->frame = (uint64_t)(uintptr_t)frame;
    unwind->last[unwind_innermost(frame)] = memo;
}

/* As walker_enter, on a stack that may be in ruins. */
static bool walker_enter_probing(struct walker *at, const struct frame *frame)
{
    uint64_t pc, bp = at->bp;
    if (!word_probe(frame->ra_slot, &pc) ||
        (frame->bp_slot != 0 && !word_probe(frame->bp_slot, &bp))) {
        return false;
    }
    *at = (struct walker){.pc = pc, .sp = frame->ra_slot + 8, .bp = bp};
    return true;
}

uint32_t ledger_unwind(uint64_t *frames, uint32_t most, void *context)
{
    struct walker at;
    uint32_t count = 0;
    bool more;
    if (context != NULL) {
        walker_from_context(&at, context);
    } else {
        walker_begin(&at, __builtin_frame_address(0));
    }
    while (count < most && at.pc > 4095) {
        struct frame frame;
        frames[count++] = at.pc;
        struct cfi_rule rule = cfi_find(at.pc, at.exact);
        if (!frame_find(&rule, &at, &frame, &more)) {
            /* A call through a bad pointer: there is no code here, but the caller's address is on
             * top. */
            if (count != 1 || context == NULL || !word_probe(at.sp, &at.pc)) {
                break;
            }
            at.sp += 8;
            at.exact = false;
        } else if (rule.kind == CFI_SIGNAL) {
            walker_leave_signal(&at);
        } else if (!walker_enter_probing(&at, &frame)) {
            break;
        }
    }
    return count;
}
