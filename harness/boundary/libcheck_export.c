/*
 * libcheck_export.c - libcheck's names as libtidemark.so exports them, so that they come before a
 * shared libcheck's. Each jumps through its slot: to the engine under tidemark, else to the shared
 * libcheck. Written as jumps because some take variable arguments, which cannot be passed on in C.
 */
#if defined __x86_64__
#define EXPORT_JUMP(name) "endbr64\n  jmp *tidemark_slot_" #name "(%rip)\n"
#elif defined __aarch64__
#define EXPORT_JUMP(name)                                                                          \
    "hint #34\n  adrp x16, tidemark_slot_" #name "\n  ldr x16, [x16, :lo12:tidemark_slot_" #name   \
    "]\n  br x16\n"
#endif

#define LIBCHECK_API(name)                                                                         \
    __asm__(".text\n.globl " #name "\n.type " #name ", %function\n.balign 16\n" #name              \
            ":\n  " EXPORT_JUMP(name) ".size " #name ", .-" #name "\n");
#define LIBCHECK_TAKE(name) LIBCHECK_API(name)
#include "harness/boundary/libcheck_api.def"
