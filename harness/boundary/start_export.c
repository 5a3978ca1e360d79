/*
 * start_export.c - __libc_start_main as libtidemark.so exports it: puts program_main in front of
 * main, in stripped programs, too. Static programs never get here: nothing can be preloaded into
 * them.
 */
#include "harness/boundary/program.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void),
                           void (*)(void), void *);
start_function __libc_start_main;

static main_function *program_own_main;

static int main_here(int argc, char **argv, char **envp)
{
    return program_main(program_own_main, argc, argv, envp);
}

EXPORT int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_function *next = (start_function *)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");
    if (next == NULL) {
        abort(); /* no libc below: this process cannot run at all */
    }
    program_own_main = program;
    return next(main_here, argc, argv, init, fini, rtld_fini, stack_end);
}
