/*
 * hooks_info.c - what libc's allocator tells of itself, told of the ledger: with another allocator
 * below, libc's own figures are of nothing. Runs in the worker, on any thread.
 */
#include "harness/ledger/ledger.h"

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static bool below_is_libc(void)
{
    return strcmp(ledger_allocator(), "jemalloc") != 0;
}

static void *next_of(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* All that is live counts as in use in the main arena, and nothing as free: that is what a test
 * that compares before and after needs. */
EXPORT struct mallinfo2 mallinfo2(void)
{
    struct ledger_totals totals;
    struct mallinfo2 (*next)(void) = below_is_libc() ? next_of("mallinfo2") : NULL;
    if (next != NULL) {
        return next();
    }
    ledger_totals_get(&totals);
    size_t live = totals.live_bytes > 0 ? (size_t)totals.live_bytes : 0;
    return (struct mallinfo2){.arena = live, .uordblks = live};
}

static int cut(size_t figure)
{
    return figure < INT_MAX ? (int)figure : INT_MAX;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo (*next)(void) = below_is_libc() ? next_of("mallinfo") : NULL;
    if (next != NULL) {
        return next();
    }
    struct mallinfo2 all = mallinfo2();
    return (struct mallinfo){.arena = cut(all.arena), .uordblks = cut(all.uordblks)};
}
#pragma GCC diagnostic pop

/* Nothing was given back, which is always a right answer. */
EXPORT int malloc_trim(size_t pad)
{
    int (*next)(size_t) = below_is_libc() ? next_of("malloc_trim") : NULL;
    return next != NULL ? next(pad) : 0;
}

/* Options of libc's allocator: accepted, as they have no effect on what a program sees. */
EXPORT int mallopt(int option, int value)
{
    int (*next)(int, int) = below_is_libc() ? next_of("mallopt") : NULL;
    return next != NULL ? next(option, value) : 1;
}

static size_t number_put(char *to, uint64_t number)
{
    char digits[24];
    size_t count = 0, at = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        to[at++] = digits[--count];
    }
    return at;
}

/* One line to standard error, as libc writes several. */
EXPORT void malloc_stats(void)
{
    static const char before[] = "in use bytes     = ";
    char text[64];
    struct ledger_totals totals;
    void (*next)(void) = below_is_libc() ? next_of("malloc_stats") : NULL;
    if (next != NULL) {
        next();
        return;
    }
    ledger_totals_get(&totals);
    memcpy(text, before, sizeof before - 1);
    size_t length = sizeof before - 1;
    length += number_put(text + length, totals.live_bytes > 0 ? (uint64_t)totals.live_bytes : 0);
    text[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, text, length);
    (void)written;
}
