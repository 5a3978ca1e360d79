/*
 * patch.h - makes a function of the program jump to one of ours. Runs in the worker, before main.
 *
 * Three encodings, by the room that the old function leaves (x86-64 / AArch64):
 *   far    movabs r11, target; jmp r11 (13 bytes)  /  ldr x16, #8; br x16; .quad target (16 bytes)
 *   near   jmp rel32 (5 bytes, 2 GiB)              /  b rel26 (4 bytes, 128 MiB)
 *          to a far jump in a page mapped close by
 *   none   shorter still: the old function stays
 * r11 and x16 are the registers that the psABIs give to linkers for this; arguments, al and the
 * static chain stay as they were. An endbr64 or bti at the entry is kept, so indirect calls still
 * find it.
 */
#ifndef BOUNDARY_PATCH_H
#define BOUNDARY_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum patch_machine { PATCH_X86_64, PATCH_AARCH64 };

#if defined __x86_64__
#define PATCH_HERE PATCH_X86_64
#elif defined __aarch64__
#define PATCH_HERE PATCH_AARCH64
#else
#error "tidemark supports x86-64 and AArch64 only"
#endif

#define PATCH_FAR_MAX 16

/* Bytes written to `code`. */
size_t patch_encode_far(enum patch_machine machine, uint8_t *code, uint64_t target);
/* 0 when `target` is too far from `at`. */
size_t patch_encode_near(enum patch_machine machine, uint8_t *code, uint64_t at, uint64_t target);
size_t patch_far_bytes(enum patch_machine machine);
size_t patch_near_bytes(enum patch_machine machine);
/* Bytes of the branch-target marker at the start of `code` (endbr64, bti): 0 or 4. */
size_t patch_marker_bytes(enum patch_machine machine, const uint8_t *code, size_t room);

/* Writes the jump over the function at `entry`, which has `room` bytes up to the next one. False
 * when there is no room, or the kernel does not let the code be written. */
bool patch_jump(void *entry, size_t room, const void *target);

/* Bytes at a function's entry that patch_jump may write: its marker and the longest jump. */
#define PATCH_ENTRY_MAX (4 + PATCH_FAR_MAX)

/* Writes code while other threads of the program may run, in the same page as well: the page stays
 * executable all the time. Returns false when the kernel does not let it be written. */
bool patch_code(void *at, const uint8_t *code, size_t bytes);

#endif
