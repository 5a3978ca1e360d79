/* given.c - see given.h. Runs in a child of the worker; the handler on any thread of it. */
#include "harness/ledger/given.h"

#include "harness/ledger/ledger.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define FUNCTIONS_MOST 65536u
#define BLOCKS_MOST    128u
#define LAST           8u      /* functions that are remembered of a block */
#define FRAMES         12u     /* of each */
#define TRAPS_MOST     200000u /* in all: then it takes too long, and nothing is told */
#define TRAPS_IDLE     4000u   /* of a function that was given nothing: it is let alone */
#define PAGE           4096u

_Atomic bool given_switch;

struct function {
    uint64_t entry;
    uint32_t idle; /* traps with nothing of interest */
    uint8_t byte;  /* that the breakpoint stands on */
    bool set;
};

struct hit {
    uint32_t function; /* 1 + index; 0: none */
    uint32_t how;      /* 1 + 2 * argument, + 1 if that is where the block is pointed to */
    uint32_t frame_count;
    uint64_t frames[FRAMES];
};

struct block {
    uint64_t address, bytes;
    uint32_t site;
    bool stays;
    struct hit last[LAST]; /* the latest first */
};

static struct given {
    struct function functions[FUNCTIONS_MOST]; /* by entry */
    uint32_t function_count;
    uint32_t sites[WIRE_SITES_MAX];
    uint32_t site_count;
    struct block blocks[BLOCKS_MOST]; /* a ring */
    uint32_t born;
    uint64_t low, high; /* all blocks are between */
    uint32_t since;     /* births from here on are of the repetition */
    uint32_t traps;
    bool given_up;
} * given;

static _Atomic uint32_t locked;

void given_want(const uint32_t *sites, uint32_t count)
{
    given_unwant();
    given = meter_own_map(sizeof *given);
    if (given != NULL) {
        given->site_count = count < WIRE_SITES_MAX ? count : WIRE_SITES_MAX;
        memcpy(given->sites, sites, given->site_count * sizeof sites[0]);
    }
}

void given_unwant(void)
{
    if (given != NULL) {
        meter_own_unmap(given, sizeof *given);
        given = NULL;
    }
}

bool given_wanted(void)
{
    return given != NULL;
}

void given_function(uint64_t entry)
{
    if (given != NULL && given->function_count < FUNCTIONS_MOST) {
        given->functions[given->function_count++].entry = entry;
    }
}

void given_birth(uint32_t site, uint64_t address, uint64_t bytes)
{
    bool named = false;
    for (uint32_t i = 0; i < given->site_count; i++) {
        named = named || given->sites[i] == site;
    }
    if (!named || atomic_exchange_explicit(&locked, 1, memory_order_acquire) != 0) {
        return; /* another thread is at it: one block more or less */
    }
    struct block *block = NULL;
    for (uint32_t i = 0; i < BLOCKS_MOST && block == NULL; i++) {
        block = given->blocks[i].address == address ? &given->blocks[i] : NULL;
    }
    block = block == NULL ? &given->blocks[given->born++ % BLOCKS_MOST] : block;
    memset(block, 0, sizeof *block);
    block->address = address;
    block->bytes = bytes;
    block->site = site;
    given->low = given->low == 0 || address < given->low ? address : given->low;
    given->high = address + bytes + 1 > given->high ? address + bytes + 1 : given->high;
    atomic_store_explicit(&locked, 0, memory_order_release);
}

#if defined __x86_64__

#define TRAP_FLAG 0x100

/* 1 + index of the function whose first instruction is made without its breakpoint. */
static __thread uint32_t stepping __attribute__((tls_model("initial-exec")));

static struct function *function_find(uint64_t entry)
{
    uint32_t low = 0, high = given->function_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (given->functions[middle].entry < entry) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < given->function_count && given->functions[low].entry == entry;
    return found ? &given->functions[low] : NULL;
}

static void byte_write(const struct function *function, uint8_t byte)
{
    *(volatile uint8_t *)(uintptr_t)function->entry = byte;
}

static void hit_keep(struct block *block, uint32_t function, uint32_t how, const struct hit *hit)
{
    uint32_t at = 0;
    while (at + 1 < LAST && block->last[at].function != function) {
        at++;
    }
    memmove(&block->last[1], &block->last[0], at * sizeof block->last[0]);
    block->last[0] = *hit;
    block->last[0].function = function;
    block->last[0].how = how;
}

/* Which blocks does the word point to? How is set in `found`, if it is not yet. */
static bool word_look(uint64_t word, uint8_t found[BLOCKS_MOST], uint8_t how)
{
    bool any = false;
    if (word - given->low >= given->high - given->low) {
        return false;
    }
    for (uint32_t i = 0; i < BLOCKS_MOST; i++) {
        const struct block *block = &given->blocks[i];
        if (block->address != 0 && word - block->address < block->bytes + (block->bytes == 0)) {
            found[i] = found[i] == 0 ? how : found[i];
            any = true;
        }
    }
    return any;
}

static bool arguments_look(const greg_t *registers, uint8_t found[BLOCKS_MOST])
{
    static const int numbers[] = {REG_RDI, REG_RSI, REG_RDX, REG_RCX};
    bool any = false;
    for (size_t a = 0; a < sizeof numbers / sizeof numbers[0]; a++) {
        uint64_t words[GIVEN_NEAR / 8] = {0}, argument = (uint64_t)registers[numbers[a]];
        if (argument < PAGE) {
            continue;
        }
        any = word_look(argument, found, (uint8_t)(1 + 2 * a)) || any;
        struct {
            uint64_t address, bytes;
        } to = {(uint64_t)(uintptr_t)words, sizeof words}, from[2] = {{argument & ~7ul, 0}};
        uint64_t left = PAGE - from[0].address % PAGE; /* what lies behind it may not be readable */
        from[0].bytes = left < sizeof words ? left : sizeof words;
        from[1].address = from[0].address + from[0].bytes;
        from[1].bytes = sizeof words - from[0].bytes;
        long got = kernel_call(SYS_process_vm_readv, kernel_pid(), (long)&to, 1, (long)from,
                               from[1].bytes > 0 ? 2 : 1, 0);
        for (long i = 0; i < got / 8; i++) {
            any = word_look(words[i], found, (uint8_t)(2 + 2 * a)) || any;
        }
    }
    return any;
}

static void stack_take(ucontext_t *context, struct hit *hit)
{
    uint64_t frames[FRAMES + UNWIND_OWN_MOST];
    uint32_t count = ledger_unwind(frames, FRAMES + UNWIND_OWN_MOST, context);
    hit->frame_count = 0;
    for (uint32_t i = 0; i < count && hit->frame_count < FRAMES; i++) {
        if (!unwind_is_own(frames[i])) {
            hit->frames[hit->frame_count++] = frames[i];
        }
    }
}

static void all_give_up(void)
{
    given->given_up = true;
    for (uint32_t i = 0; i < given->function_count; i++) {
        if (given->functions[i].set) {
            byte_write(&given->functions[i], given->functions[i].byte);
        }
    }
}

/* A function was called. True: its breakpoint is wanted again. */
static bool called(struct function *function, ucontext_t *context)
{
    uint8_t found[BLOCKS_MOST] = {0};
    struct hit hit;
    if (given->given_up || atomic_exchange_explicit(&locked, 1, memory_order_acquire) != 0) {
        return !given->given_up;
    }
    if (++given->traps > TRAPS_MOST) {
        all_give_up();
    } else if (given->born > 0 && arguments_look(context->uc_mcontext.gregs, found)) {
        function->idle = 0;
        stack_take(context, &hit);
        for (uint32_t i = 0; i < BLOCKS_MOST; i++) {
            if (found[i] != 0) {
                hit_keep(&given->blocks[i], 1 + (uint32_t)(function - given->functions), found[i],
                         &hit);
            }
        }
    } else {
        function->idle++;
    }
    atomic_store_explicit(&locked, 0, memory_order_release);
    return !given->given_up && function->idle < TRAPS_IDLE;
}

static void trap_handle(int signal, siginfo_t *info, void *data)
{
    int saved = errno;
    ucontext_t *context = data;
    greg_t *registers = context->uc_mcontext.gregs;
    (void)signal;
    if (info->si_code == TRAP_TRACE) { /* behind the first instruction */
        if (stepping != 0 && !given->given_up) {
            byte_write(&given->functions[stepping - 1], 0xcc);
        }
        stepping = 0;
        registers[REG_EFL] &= ~TRAP_FLAG;
        errno = saved;
        return;
    }
    struct function *function = function_find((uint64_t)registers[REG_RIP] - 1);
    if (function == NULL || !function->set) {
        kernel_call(SYS_exit_group, 1, 0, 0, 0, 0, 0); /* the program's own: not for us */
        return;
    }
    registers[REG_RIP] = (greg_t)function->entry;
    bool again = called(function, context);
    byte_write(function, function->byte);
    if (again) {
        stepping = 1 + (uint32_t)(function - given->functions);
        registers[REG_EFL] |= TRAP_FLAG;
    }
    errno = saved;
}

static void functions_sort(void)
{
    for (uint32_t gap = given->function_count / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < given->function_count; i++) {
            struct function function = given->functions[i];
            uint32_t at = i;
            for (; at >= gap && given->functions[at - gap].entry > function.entry; at -= gap) {
                given->functions[at] = given->functions[at - gap];
            }
            given->functions[at] = function;
        }
    }
}

/* The pages from one entry to another. */
static bool pages_open(uint64_t first, uint64_t last)
{
    uint64_t begin = first & ~(uint64_t)(PAGE - 1);
    return kernel_call(SYS_mprotect, (long)begin, (long)(last - begin + 1),
                       PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0) == 0;
}

void given_begin(void)
{
    if (given == NULL || given->function_count == 0) {
        return;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = trap_handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGTRAP, &action, NULL) != 0) {
        return;
    }
    functions_sort();
    given->since = birth_now();
    atomic_store(&given_switch, true);
    trace_switch(TRACE_BIRTHS, true); /* every birth takes the way that tells us */
    uint64_t open = 0, last = 0, end = given->functions[given->function_count - 1].entry;
    bool whole = pages_open(given->functions[0].entry, end); /* else page by page */
    for (uint32_t i = 0; i < given->function_count; i++) {
        struct function *function = &given->functions[i];
        uint64_t page = function->entry / PAGE;
        if (function->entry == last ||
            (!whole && page != open && !pages_open(function->entry, function->entry))) {
            continue; /* an alias, or it stays as it is */
        }
        open = page;
        last = function->entry;
        function->byte = *(volatile uint8_t *)(uintptr_t)function->entry;
        function->set = function->byte != 0xcc;
        if (function->set) {
            byte_write(function, 0xcc);
        }
    }
}

static void stay_mark(void *context, const struct trace_record *record)
{
    (void)context;
    for (uint32_t i = 0; record->serial >= given->since && i < BLOCKS_MOST; i++) {
        struct block *block = &given->blocks[i];
        block->stays =
            block->stays || (block->address == record->address && block->site == record->site);
    }
}

void given_put(struct wire *wire)
{
    if (!given_on || given == NULL) {
        return;
    }
    atomic_store(&given_switch, false);
    trace_switch(TRACE_BIRTHS, false);
    bool complete = !given->given_up;
    all_give_up();
    trace_each(stay_mark, NULL);
    for (uint32_t i = 0; complete && i < BLOCKS_MOST; i++) {
        const struct block *block = &given->blocks[i];
        for (uint32_t at = 0; block->stays && at < LAST && block->last[at].function != 0; at++) {
            const struct hit *hit = &block->last[at];
            struct wire_given record;
            WIRE_INIT(&record, WIRE_GIVEN_TO);
            record.site = block->site;
            record.order = at + 1;
            record.held = hit->how % 2 == 0;
            record.argument = (hit->how - 1) / 2;
            record.frame_count = hit->frame_count;
            memcpy(record.frames, hit->frames, hit->frame_count * sizeof hit->frames[0]);
            wire_put(wire, &record);
        }
    }
}

#else

void given_begin(void)
{
}

void given_put(struct wire *wire)
{
    (void)wire;
}

#endif
