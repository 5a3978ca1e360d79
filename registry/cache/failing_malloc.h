/*
 * failing_malloc.h - a malloc of the test program's own, in front of glibc's: it counts the blocks
 * that are held, and the nth call fails, once or from then on. Every allocation of the process
 * passes it, those of libc and of other libraries too. For tests only; included by one file of a
 * program. Under a sanitizer, which has a malloc of its own, and under valgrind, which puts one in
 * the place of this, nothing fails and FAILING_MALLOC is false: bodies run all the same.
 */
#ifndef CACHE_FAILING_MALLOC_H
#define CACHE_FAILING_MALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t malloc_fail_in;                           /* 0: none fails; 1: the next one */
__attribute__((unused)) static bool malloc_fail_for_good; /* all behind it as well */
static bool malloc_fired;
__attribute__((unused)) static uint64_t malloc_calls;
static int64_t malloc_live; /* blocks */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAILING_MALLOC false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define FAILING_MALLOC false
#endif
#endif

#ifndef FAILING_MALLOC
static inline bool malloc_is_ours(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return !preload || !strstr(preload, "vgpreload");
}
#define FAILING_MALLOC malloc_is_ours()

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

static inline bool malloc_fails(void)
{
    malloc_calls++;
    if (malloc_fail_in == 0) {
        return false;
    }
    if (malloc_fail_in > 1) {
        malloc_fail_in--;
        return false;
    }
    malloc_fail_in = malloc_fail_for_good;
    malloc_fired = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    void *block = malloc_fails() ? NULL : __libc_malloc(bytes);
    malloc_live += block != NULL;
    return block;
}

void *calloc(size_t count, size_t bytes)
{
    void *block = malloc_fails() ? NULL : __libc_calloc(count, bytes);
    malloc_live += block != NULL;
    return block;
}

void *realloc(void *old, size_t bytes)
{
    void *block = malloc_fails() ? NULL : __libc_realloc(old, bytes);
    malloc_live += block != NULL && old == NULL;
    return block;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    void *block = malloc_fails() ? NULL : __libc_memalign(alignment, bytes);
    malloc_live += block != NULL;
    return block;
}

void free(void *block)
{
    malloc_live -= block != NULL;
    __libc_free(block);
}
#endif

#endif
