/*
 * process_export.c - libc's exit family and chdir as libtidemark.so exports them: an exit in the
 * middle of a test is written down with its stack, a changed directory is put back after the test.
 * Runs in the worker and in its children; passes through in any other process.
 */
#include "harness/boundary/boundary.h"
#include "harness/boundary/child.h"
#include "harness/boundary/crash.h"
#include "harness/boundary/program.h"
#include "harness/boundary/restore.h"
#include "harness/ledger/children.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Its caller's frame and registers, which the test may hold something in. */
#define FRAME (__builtin_unwind_init(), (uint64_t)(uintptr_t)__builtin_frame_address(0) - 64)

/* `handlers`: the program's exit handlers still run, and may free what it has. */
static void leaving(uint64_t sp, bool handlers)
{
    if (boundary_wire != NULL) {
        if (boundary_is_worker()) {
            crash_exit_note();
        } else {
            child_note();
            if (handlers) {
                children_child_exits(sp);
            } else {
                children_child_end(sp);
            }
        }
    }
}

static void __attribute__((noreturn)) leave_now(int status)
{
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}

static void __attribute__((noreturn)) leave_at_once(int status, uint64_t sp)
{
    leaving(sp, false);
    leave_now(status);
}

static void __attribute__((noreturn))
leave_by(const char *name, int status, uint64_t sp, bool handlers)
{
    leaving(sp, handlers);
    void (*next)(int) = (void (*)(int))(uintptr_t)dlsym(RTLD_NEXT, name);
    if (next != NULL) {
        next(status);
    }
    leave_now(status);
}

EXPORT void exit(int status)
{
    if (boundary_wire != NULL && (boundary_way == WIRE_WAY_PROGRAM || program_is_again() ||
                                  atomic_load(&boundary_wire->progress.test) == WIRE_NO_TEST)) {
        program_exit(status);
    }
    leave_by("exit", status, FRAME, true);
}

EXPORT void quick_exit(int status)
{
    leave_by("quick_exit", status, FRAME, false);
}

EXPORT void _exit(int status)
{
    leave_at_once(status, FRAME);
}

EXPORT void _Exit(int status)
{
    leave_at_once(status, FRAME);
}

int __cxa_atexit(void (*handler)(void *), void *argument, void *object);

/* atexit comes here with no argument, a C++ destructor with its object. */
EXPORT int __cxa_atexit(void (*handler)(void *), void *argument, void *object)
{
    static int (*_Atomic next)(void (*)(void *), void *, void *);
    if (next == NULL) {
        next =
            (int (*)(void (*)(void *), void *, void *))(uintptr_t)dlsym(RTLD_NEXT, "__cxa_atexit");
    }
    if (argument == NULL && program_atexit(handler)) {
        return 0;
    }
    return next(handler, argument, object);
}

EXPORT int chdir(const char *path)
{
    restore_directory_changed();
    return (int)syscall(SYS_chdir, path);
}

EXPORT int fchdir(int fd)
{
    restore_directory_changed();
    return (int)syscall(SYS_fchdir, fd);
}
