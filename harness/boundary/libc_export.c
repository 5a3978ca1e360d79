/*
 * libc_export.c - the libc way: a stripped program with libcheck inside. With CK_TAP_LOG_FILE_NAME
 * set, libcheck writes one TAP line a test, and around it flushes the file at fixed points. Those
 * calls are libc's, so they come by here:
 *
 *   fflush fflush | setup body teardown ... rewind(message file) | fflush fprintf("%s %d -
 * %s:%s:%s: %s") ^ begin                   ^ end                          ^ name and result
 *
 * What it cannot do: run a test by itself or twice in a row; tell libcheck's own allocations (a
 * strdup per assertion, freed again) from the test's. The message file's buffer is given to it,
 * else it would show as 4 KiB allocated. Runs in the worker; passes through elsewhere.
 */
#include "harness/boundary/boundary.h"
#include "harness/boundary/passive.h"
#include "harness/ledger/descriptor.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORT   __attribute__((visibility("default")))
#define TAP_NAME "/tidemark/tap" /* no such folder: opened as /dev/null */

static bool libc_on;
static FILE *libc_tap;
static FILE *libc_messages; /* libcheck's file between test and runner */
static struct passive_mark libc_flushes[2], libc_rewound;
static bool libc_has_rewound, libc_expecting;

void libc_prepare(void)
{
    static char tap[] = "CK_TAP_LOG_FILE_NAME=" TAP_NAME;
    static char fork_mode[] = "CK_FORK=no";
    putenv(tap);
    if (getenv("CK_FORK") ==
        NULL) { /* the supervisor asks for forks when a test kills the program */
        putenv(fork_mode);
    }
    libc_on = true; /* only from here on do the functions below do anything of their own */
}

/* Resolved at the first call, which may come before the library's constructor. */
#define NEXT(name, type)                                                                           \
    static _Atomic(type *) cached;                                                                 \
    type *next = atomic_load_explicit(&cached, memory_order_relaxed);                              \
    if (next == NULL) {                                                                            \
        next = (type *)(uintptr_t)dlsym(RTLD_NEXT, #name);                                         \
        atomic_store_explicit(&cached, next, memory_order_relaxed);                                \
    }

typedef FILE *fopen_function(const char *, const char *);
typedef FILE *fdopen_function(int, const char *);
typedef void rewind_function(FILE *);
typedef int flush_function(FILE *);
typedef int clock_function(clockid_t, struct timespec *);

EXPORT FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen, fopen_function)
    if (libc_on && strcmp(path, TAP_NAME) == 0) {
        libc_tap = next("/dev/null", mode);
        if (libc_tap != NULL) {
            static char buffer[BUFSIZ];
            setvbuf(libc_tap, buffer, _IOFBF, sizeof buffer);
        }
        return libc_tap;
    }
    bool fresh = descriptor_stream_is_new(path, mode);
    return descriptor_stream_opened(next(path, mode), path, fresh, __builtin_frame_address(0));
}

EXPORT FILE *fdopen(int fd, const char *mode)
{
    static char buffers[2][BUFSIZ];
    static unsigned turn;
    NEXT(fdopen, fdopen_function)
    FILE *file = next(fd, mode);
    if (libc_on && file != NULL && strcmp(mode, "w+b") == 0) {
        setvbuf(file, buffers[turn++ % 2], _IOFBF, BUFSIZ);
        libc_messages = file;
    }
    return file;
}

EXPORT void rewind(FILE *file)
{
    NEXT(rewind, rewind_function)
    if (libc_on && file == libc_messages && boundary_is_worker()) {
        passive_mark_now(&libc_rewound);
        libc_has_rewound = true;
    }
    next(file);
}

/* Any of the flushes may be the last before a test: each is taken for one until the next. */
EXPORT int fflush(FILE *file)
{
    NEXT(fflush, flush_function)
    int result = next(file);
    if (libc_on && file != NULL && file == libc_tap && boundary_is_worker()) {
        libc_flushes[0] = libc_flushes[1];
        if (!libc_has_rewound) {
            passive_expect();
            libc_expecting = true;
        }
        passive_mark_now(&libc_flushes[1]);
    }
    return result;
}

/* libcheck reads the clock right before the body of a test. */
EXPORT int clock_gettime(clockid_t clock, struct timespec *time)
{
    NEXT(clock_gettime, clock_function)
    if (libc_expecting && boundary_is_worker()) {
        libc_expecting = false;
        passive_begin(NULL);
    }
    return next(clock, time);
}

EXPORT int fclose(FILE *file)
{
    NEXT(fclose, flush_function)
    if (libc_on && file != NULL && file == libc_tap && boundary_is_worker()) {
        libc_tap = NULL;
        libc_expecting = false;
        passive_cancel();
    }
    return next(descriptor_stream_closing(file));
}

static void tap_line(const char *format, va_list arguments)
{
    char id[2 * WIRE_ID_MAX];
    if (strcmp(format, "%s %d - %s:%s:%s: %s\n") != 0) {
        return;
    }
    const char *ok = va_arg(arguments, const char *);
    (void)va_arg(arguments, int);
    const char *file = va_arg(arguments, const char *);
    const char *tcase = va_arg(arguments, const char *);
    const char *name = va_arg(arguments, const char *);
    const char *message = va_arg(arguments, const char *);
    bool passed = strcmp(ok, "ok") == 0;
    struct outcome outcome = {.status = passed ? WIRE_PASS : WIRE_FAIL,
                              .file = file == NULL ? "" : file,
                              .message = passed ? "" : message};
    /* libcheck's TAP line has no suite. */
    snprintf(id, sizeof id, "-/%s/%s", tcase, name);
    passive_end(id, &libc_flushes[0], libc_has_rewound ? &libc_rewound : &libc_flushes[1],
                &outcome);
    libc_has_rewound = false;
}

static int tap_print(FILE *file, const char *format, va_list arguments)
{
    if (libc_on && file == libc_tap && boundary_is_worker()) {
        va_list again;
        va_copy(again, arguments);
        tap_line(format, again);
        va_end(again);
    }
    return vfprintf(file, format, arguments);
}

EXPORT int fprintf(FILE *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int bytes = tap_print(file, format, arguments);
    va_end(arguments);
    return bytes;
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...);

EXPORT int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    va_list arguments;
    (void)flag;
    va_start(arguments, format);
    int bytes = tap_print(file, format, arguments);
    va_end(arguments);
    return bytes;
}
