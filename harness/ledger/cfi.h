/*
 * cfi.h - from a code address to the rule that finds the caller's frame, read from .eh_frame
 * through .eh_frame_hdr (DWARF call frame information, as the x86-64 psABI and the LSB prescribe).
 * Runs in the worker: no allocation, no lock of ours, async-signal-safe where _dl_find_object is
 * (glibc 2.35 and newer); with an older libc dl_iterate_phdr is used.
 *
 * Only what compilers emit for x86-64 is understood: the frame is at a constant distance of rsp or
 * rbp, or at an address stored near rbp (realigned stacks); rbp is kept or saved in the frame.
 * Anything else is CFI_NONE, and the walk ends there.
 */
#ifndef LEDGER_CFI_H
#define LEDGER_CFI_H

#include <stdbool.h>
#include <stdint.h>

enum cfi_kind {
    CFI_NONE,     /* no rule that is understood */
    CFI_SP,       /* frame = sp + offset */
    CFI_BP,       /* frame = bp + offset */
    CFI_BP_DEREF, /* frame = *(bp + offset) */
    CFI_SIGNAL,   /* the kernel's trampoline: registers are in the ucontext at sp */
    CFI_END,      /* outermost: the return address is undefined */
};

enum cfi_saved { CFI_KEPT, CFI_AT_FRAME, CFI_AT_BP }; /* where the caller's bp is */

struct cfi_rule { /* the return address is always at frame - 8 */
    int32_t offset;
    int16_t bp_offset; /* from the frame, or from bp */
    uint8_t kind;      /* enum cfi_kind */
    uint8_t bp;        /* enum cfi_saved */
};

/* `pc` is a return address, or with `exact` the address of an instruction (first frame, after
 * signals). */
struct cfi_rule cfi_find(uint64_t pc, bool exact);

/* The object that contains pc, from any of its addresses; false when none does. */
bool cfi_object(uint64_t pc, uint64_t *start, uint64_t *end);

#endif
