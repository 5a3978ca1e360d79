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

_Atomic uint32_t unwind_generation = 1;

struct walker { /* the state in which a frame is entered */
    uint64_t pc, sp, bp;
    bool exact; /* pc is an instruction's, not a return address */
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
static bool frame_by_pointer(const struct walker *at, struct unwind_frame *frame)
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
static bool frame_find(const struct cfi_rule *rule, const struct walker *at,
                       struct unwind_frame *frame, bool *more)
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

static __attribute__((noinline)) void rule_learn(struct unwind_known *known, uint64_t key,
                                                 const struct walker *at)
{
    known->rule = cfi_find(at->pc, at->exact);
    if (known->rule.kind == CFI_SP && !frame_plausible(0, (uint64_t)(int64_t)known->rule.offset)) {
        known->rule.kind = CFI_NONE;
    }
    known->pc = key;
}

static inline struct cfi_rule rule_of(struct unwind *unwind, const struct walker *at)
{
    uint64_t key = at->pc << 1 | (at->exact ? 1 : 0);
    struct unwind_known *known = &unwind->rules[(at->pc ^ at->pc >> 11) % UNWIND_RULES];
    if (__builtin_expect(known->pc != key, 0)) {
        rule_learn(known, key, at);
    }
    return known->rule;
}

/* The everyday rule, which was found plausible when it was learnt. */
static inline bool frame_find_by_sp(const struct cfi_rule *rule, const struct walker *at,
                                    struct unwind_frame *frame)
{
    if (rule->kind != CFI_SP || rule->bp == CFI_AT_BP) {
        return false;
    }
    uint64_t cfa = at->sp + (uint64_t)(int64_t)rule->offset;
    frame->ra_slot = cfa - 8;
    frame->bp_slot = rule->bp == CFI_KEPT ? 0 : cfa + (uint64_t)(int64_t)rule->bp_offset;
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

static void walker_enter(struct walker *at, const struct unwind_frame *frame)
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

static bool frame_find(const struct cfi_rule *rule, const struct walker *at,
                       struct unwind_frame *frame, bool *more)
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

static struct cfi_rule rule_of(struct unwind *unwind, const struct walker *at)
{
    (void)unwind;
    (void)at;
    return (struct cfi_rule){.kind = CFI_BP};
}

static bool frame_find_by_sp(const struct cfi_rule *rule, const struct walker *at,
                             struct unwind_frame *frame)
{
    (void)rule;
    (void)at;
    (void)frame;
    return false;
}

static void walker_leave_signal(struct walker *at)
{
    (void)at;
}

static void walker_enter(struct walker *at, const struct unwind_frame *frame)
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

/* Is `frame` of the last stack entered in this state, as far as it matters? bp is often just a
 * variable. */
static inline bool state_equal(const struct walker *at, const struct unwind_frame *frame)
{
    return at->pc == frame->pc && at->sp == frame->sp && (!frame->by_bp || at->bp == frame->bp);
}

/* From frame `at` on, which holds: how far do the last stack's frames hold, before `end`? *bp is of
 * the first and becomes that of the last that holds. */
static inline uint32_t frames_hold(const struct unwind *unwind, uint32_t at, uint32_t end,
                                   uint64_t *bp)
{
    for (; at + 1 < end; at++) {
        const struct unwind_frame *frame = &unwind->frames[at];
        uint64_t next_bp = frame->bp_slot == 0 ? *bp : word_at(frame->bp_slot);
        if (word_at(frame->ra_slot) != frame[1].pc || (frame[1].by_bp && next_bp != frame[1].bp)) {
            break;
        }
        *bp = next_bp;
    }
    return at;
}

static inline uint32_t window_end(uint32_t from, uint32_t frames)
{
    return UNWIND_ROOM - from < frames ? UNWIND_ROOM : from + frames;
}

struct walk { /* frames that are not, or not where, they were in the last stack */
    struct walker at;
    struct unwind_frame fresh[UNWIND_MOST];
    uint32_t count;
    uint32_t join; /* frame of the last stack that follows the fresh ones; UNWIND_ROOM: none */
    bool odd, more;
};

/* Takes over what holds of the last stack from frame `last` on. True when that is all there is to
 * know: it joins. Else the walk goes on behind the frames taken. */
static bool walk_join(struct walk *walk, const struct unwind *unwind, uint32_t *last)
{
    uint64_t bp = walk->at.bp;
    uint32_t end = window_end(*last, UNWIND_MOST - walk->count);
    uint32_t holds = frames_hold(unwind, *last, end, &bp);
    /* The last stack may have been cut where this one has room for more. */
    bool goes_on = unwind->cut && end == UNWIND_ROOM &&
                   unwind->frames[UNWIND_ROOM - 1].ra_slot != 0 &&
                   walk->count + (end - *last) < UNWIND_MOST;
    if (holds + 1 == end && !goes_on) {
        walk->join = *last;
        return true;
    }
    uint32_t taken = holds + 1 - *last;
    memcpy(walk->fresh + walk->count, unwind->frames + *last, taken * sizeof walk->fresh[0]);
    walk->count += taken;
    walk->at.bp = bp;
    walker_enter(&walk->at, &unwind->frames[holds]);
    *last = holds + 1;
    return false;
}

/* One frame by its rule; false at the end of the stack. */
static inline bool walk_step(struct walk *walk, struct unwind *unwind)
{
    struct unwind_frame *frame = &walk->fresh[walk->count++];
    frame->pc = walk->at.pc;
    frame->sp = walk->at.sp;
    frame->bp = walk->at.bp;
    frame->ra_slot = 0;
    frame->by_bp = false;
    struct cfi_rule rule = rule_of(unwind, &walk->at);
    if (__builtin_expect(frame_find_by_sp(&rule, &walk->at, frame), 1)) {
        walker_enter(&walk->at, frame);
        return true;
    }
    if (!frame_find(&rule, &walk->at, frame, &walk->more)) {
        return false;
    }
    /* Where a frame's words lie may then differ though it is entered in the same state. */
    walk->odd |= rule.kind == CFI_SIGNAL || rule.kind == CFI_BP_DEREF;
    if (rule.kind == CFI_SIGNAL) {
        walker_leave_signal(&walk->at);
    } else {
        walker_enter(&walk->at, frame);
    }
    return true;
}

static void walk_run(struct walk *walk, struct unwind *unwind)
{
    uint32_t last = unwind->reusable ? unwind->top : UNWIND_ROOM;
    walk->join = UNWIND_ROOM;
    while (walk->at.pc > 4095) {
        if (walk->count == UNWIND_MOST) {
            walk->more = true;
            return;
        }
        while (last < UNWIND_ROOM && unwind->frames[last].sp < walk->at.sp) {
            last++;
        }
        bool known =
            last < UNWIND_ROOM && !walk->odd && state_equal(&walk->at, &unwind->frames[last]);
        if (known ? walk_join(walk, unwind, &last) : !walk_step(walk, unwind)) {
            return;
        }
    }
}

static __attribute__((noinline)) void stack_walk(struct unwind *unwind, struct walker begin)
{
    struct walk walk;
    walk.at = begin;
    walk.count = 0;
    walk.odd = walk.more = false;
    walk_run(&walk, unwind);
    if (walk.join < walk.count) { /* no room before the frames that are there: begin anew */
        unwind->top = UNWIND_ROOM;
        walk.at = begin;
        walk.count = 0;
        walk.odd = walk.more = false;
        walk_run(&walk, unwind);
    }
    unwind->top = walk.join - walk.count;
    unwind->reusable = !walk.odd;
    if (walk.join == UNWIND_ROOM) {
        unwind->cut = walk.more;
    }
    memcpy(unwind->frames + unwind->top, walk.fresh, walk.count * sizeof walk.fresh[0]);
    uint64_t context = walk.join == UNWIND_ROOM ? 0 : unwind->frames[walk.join].context;
    for (uint32_t i = walk.join; i-- > unwind->top;) {
        context = (context ^ unwind->frames[i].pc) * 0x9e3779b97f4a7c15u;
        context ^= context >> 29;
        unwind->frames[i].context = context;
    }
}

void unwind_walk(struct unwind *unwind, const void *frame)
{
    struct walker at;
    uint32_t generation = atomic_load_explicit(&unwind_generation, memory_order_relaxed);
    if (__builtin_expect(unwind->generation != generation, 0)) {
        unwind->top = UNWIND_ROOM;
        memset(unwind->rules, 0, sizeof unwind->rules);
        for (uint32_t i = 0; i < UNWIND_SETS * UNWIND_WAYS; i++) {
            unwind->memos[i].frame = 0;
        }
        unwind->generation = generation;
    }
    walker_begin(&at, frame);
    stack_walk(unwind, at);
}

uint32_t unwind_recall(struct unwind *unwind, const void *frame)
{
    uint32_t ways = unwind_ways(frame);
    if (unwind->generation != atomic_load_explicit(&unwind_generation, memory_order_relaxed)) {
        return 0;
    }
    for (uint32_t way = 0; way < UNWIND_WAYS; way++) {
        if (unwind_memo_holds(&unwind->memos[ways + way], frame)) {
            unwind->last[ways / UNWIND_WAYS] = (uint8_t)way;
            return unwind->memos[ways + way].site;
        }
    }
    return 0;
}

/* Where the stack goes: a way that is empty, or the next one's turn. */
static struct unwind_memo *memo_choose(struct unwind *unwind, const void *frame)
{
    uint32_t ways = unwind_ways(frame), way = 0;
    while (way < UNWIND_WAYS && unwind->memos[ways + way].frame != 0) {
        way++;
    }
    if (way == UNWIND_WAYS) {
        way = unwind->turn++ % UNWIND_WAYS;
    }
    unwind->last[ways / UNWIND_WAYS] = (uint8_t)way;
    return &unwind->memos[ways + way];
}

/* Most stacks of deep recursion never return. */
static bool stack_is_new(struct unwind *unwind, const void *frame)
{
    uint64_t key = unwind->frames[unwind->top].context ^ (uint64_t)(uintptr_t)frame << 4;
    uint32_t *seen = &unwind->seen[key % UNWIND_SEEN];
    uint32_t rest = (uint32_t)(key >> 32);
    bool is_new = *seen != rest;
    *seen = rest;
    return is_new;
}

void unwind_keep(struct unwind *unwind, const void *frame, uint32_t site)
{
    if (!unwind->reusable || unwind->top >= UNWIND_ROOM || stack_is_new(unwind, frame)) {
        return;
    }
    struct unwind_memo *memo = memo_choose(unwind, frame);
    struct unwind_check *check = memo->checks;
    const struct unwind_check *most = memo->checks + UNWIND_CHECKS - 1;
    const struct unwind_frame *at = &unwind->frames[unwind->top];
    const struct unwind_frame *last = &unwind->frames[window_end(unwind->top, UNWIND_MOST) - 1];
    uint64_t bp_slot = (uint64_t)(uintptr_t)frame; /* where the bp of a frame came from */
    bool bp_checked = false;
    memo->frame = 0;
    atomic_signal_fence(memory_order_seq_cst);
    *check++ = (struct unwind_check){(uint64_t)(uintptr_t)frame + 8, at->pc};
    for (;; at++) {
        if (check + 2 > most) {
            return;
        }
        if (at->by_bp && !bp_checked) {
            *check++ = (struct unwind_check){bp_slot, at->bp};
            bp_checked = true;
        }
        if (at == last) {
            break;
        }
        *check++ = (struct unwind_check){at->ra_slot, at[1].pc};
        if (at->bp_slot != 0) {
            bp_slot = at->bp_slot;
            bp_checked = false;
        }
    }
    *check = (struct unwind_check){(uint64_t)(uintptr_t)&memo->frame, ~(uint64_t)(uintptr_t)frame};
    memo->site = site;
    atomic_signal_fence(memory_order_seq_cst); /* a handler may leave by longjmp */
    memo->frame = (uint64_t)(uintptr_t)frame;
}

/* As walker_enter, on a stack that may be in ruins. */
static bool walker_enter_probing(struct walker *at, const struct unwind_frame *frame)
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
        struct unwind_frame frame;
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
