/*
 * hook.h - functions and variables of a test framework, found by name in the program or in a
 * library that it loaded, and functions of ours put in their place. For frameworks that are linked
 * statically, and for functions of a shared one that are not called through the linker. Runs in the
 * worker.
 *
 * Where our function wants to call the one that it replaced, the jump is lifted: the function's own
 * first instructions are put back. Nothing is decoded or moved.
 */
#ifndef BOUNDARY_HOOK_H
#define BOUNDARY_HOOK_H

#include "harness/boundary/patch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hook {
    const char *name;  /* as the linker has it: C++ names are mangled */
    const char *other; /* its name in other versions of the framework; NULL: none */
    const void *here;  /* what runs in its place; NULL: it is only found, to be called or read */
    bool optional;
    /* Answers: */
    void *there; /* NULL: absent */
    size_t room; /* bytes that belong to it */
    uint8_t own[PATCH_ENTRY_MAX], jump[PATCH_ENTRY_MAX];
    size_t bytes; /* of each of the two */
};

/* Looks in the executable's symbol table first, then among what libraries export. Returns false
 * when one that is not optional is absent, or has no room for a jump. */
bool hooks_find(struct hook *hooks, size_t count);

/* Puts ours in place of all that were found. Returns false, with nothing changed, when the kernel
 * does not let code be written. */
bool hooks_set(struct hook *hooks, size_t count);

/* The function is itself again, until hook_put. Does nothing for a hook that is not set. */
void hook_lift(struct hook *hook);
void hook_put(struct hook *hook);

/* The function or variable, as a pointer of that type. */
#define HOOK_THERE(hook, type) ((__typeof__(type) *)(uintptr_t)(hook).there)

#endif
