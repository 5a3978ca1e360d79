/*
 * hooks.c - the malloc family, as the program calls it. Every block passes through here, is counted
 * with the size that was asked for, and goes to the allocator below (allocator.h). Runs in the
 * worker, on any thread, also in signal handlers. What C++ calls is in hooks_new.c.
 *
 * A realloc counts as one free and one allocation, as valgrind counts it.
 */
#include "harness/ledger/hooks.h"

#include "harness/ledger/allocator.h"
#include "harness/ledger/tail.h"
#include "harness/ledger/thread.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPORT      __attribute__((visibility("default")))
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

_Atomic uint32_t hooks_depth = WIRE_COUNT;
static _Atomic uint64_t refused_before_init;
_Atomic uint64_t *hooks_refused = &refused_before_init;

static inline void count_alloc(struct thread *self, size_t requested)
{
    self->allocs++;
    self->bytes += requested;
    self->live += (int64_t)requested;
    if (UNLIKELY(self->live > self->high)) {
        thread_beyond(self);
    }
}

static inline void count_free(struct thread *self, size_t requested)
{
    self->frees++;
    self->live -= (int64_t)requested;
    if (UNLIKELY(self->live < self->low)) {
        thread_beyond(self);
    }
}

static void *refused(size_t bytes)
{
    uint64_t none = 0;
    atomic_compare_exchange_strong(hooks_refused, &none, bytes == 0 ? 1 : bytes);
    return NULL;
}

static __attribute__((noinline)) void *alloc_slow(size_t bytes)
{
    if (bytes > PTRDIFF_MAX) {
        errno = ENOMEM;
        return refused(bytes);
    }
    void *block = below.malloc(bytes + TAIL_BYTES);
    if (block == NULL) {
        return refused(bytes);
    }
    if (allocator_is_early(block)) {
        return block;
    }
    tail_put(block, below.usable(block), bytes);
    count_alloc(thread_get(), bytes);
    return block;
}

void *hooks_alloc(size_t bytes)
{
    struct thread *self = thread_self;
    if (UNLIKELY(self == NULL || bytes >= ALLOCATOR_CLASS_MOST)) {
        return alloc_slow(bytes);
    }
    void *block = below.malloc(bytes + TAIL_BYTES);
    if (UNLIKELY(block == NULL)) {
        return refused(bytes);
    }
    tail_put(block, allocator_usable(block, bytes + TAIL_BYTES), bytes);
    count_alloc(self, bytes);
    return block;
}

static void below_free(void *block, size_t usable)
{
    if (LIKELY(below.free_sized != NULL)) {
        below.free_sized(block, usable, 0);
    } else {
        below.free(block);
    }
}

/* The tail was not an everyday one: a large or aligned block, or damage. */
static __attribute__((noinline)) void free_slow(struct thread *self, void *block, size_t usable)
{
    struct tail tail;
    if (!tail_get(block, usable, &tail)) {
        self->damaged++;
        tail.requested = usable > 0 ? usable - 1 : 0; /* nearest guess; the ledger says so */
    }
    count_free(self, tail.requested);
    below_free(block, usable);
}

void hooks_free(void *block)
{
    if (UNLIKELY(block == NULL || allocator_is_early(block))) {
        return;
    }
    struct thread *self = thread_get();
    size_t usable = below.usable(block);
    size_t slack = ((const unsigned char *)block)[usable - 1];
    if (UNLIKELY(slack - 1 >= TAIL_SURE || slack > usable)) {
        free_slow(self, block, usable);
        return;
    }
    count_free(self, usable - slack);
    below_free(block, usable);
}

static size_t block_requested(void *block, size_t usable)
{
    struct tail tail;
    return tail_get(block, usable, &tail) ? tail.requested : usable - 1;
}

static void *alloc_aligned(size_t alignment, size_t bytes)
{
    if (bytes > PTRDIFF_MAX - alignment) {
        errno = ENOMEM;
        return refused(bytes);
    }
    void *block = below.memalign(alignment, bytes + TAIL_LONG_BYTES);
    if (block == NULL) {
        return refused(bytes);
    }
    if (!allocator_is_early(block)) {
        tail_put_aligned(block, below.usable(block), bytes);
        count_alloc(thread_get(), bytes);
    }
    return block;
}

static bool power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

EXPORT void *malloc(size_t bytes)
{
    return hooks_alloc(bytes);
}

EXPORT void free(void *block)
{
    hooks_free(block);
}

EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (UNLIKELY(__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)) {
        errno = ENOMEM;
        return refused(SIZE_MAX);
    }
    void *block = below.calloc(1, bytes + TAIL_BYTES);
    if (UNLIKELY(block == NULL)) {
        return refused(bytes);
    }
    if (LIKELY(!allocator_is_early(block))) {
        tail_put(block, allocator_usable(block, bytes + TAIL_BYTES), bytes);
        count_alloc(thread_get(), bytes);
    }
    return block;
}

static void *realloc_early(void *block, size_t bytes)
{
    void *moved = hooks_alloc(bytes);
    if (moved != NULL) {
        size_t old = allocator_early_bytes(block);
        memcpy(moved, block, old < bytes ? old : bytes);
    }
    return moved;
}

EXPORT void *realloc(void *block, size_t bytes)
{
    if (block == NULL) {
        return hooks_alloc(bytes);
    }
    if (bytes == 0) { /* as libc does, whatever the allocator below would do */
        hooks_free(block);
        return NULL;
    }
    if (UNLIKELY(allocator_is_early(block))) {
        return realloc_early(block, bytes);
    }
    if (bytes > PTRDIFF_MAX) {
        errno = ENOMEM;
        return refused(bytes);
    }
    struct thread *self = thread_get();
    size_t old = block_requested(block, below.usable(block));
    void *moved = below.realloc(block, bytes + TAIL_BYTES);
    if (UNLIKELY(moved == NULL)) {
        return refused(bytes);
    }
    tail_put(moved, below.usable(moved), bytes);
    count_free(self, old);
    count_alloc(self, bytes);
    return moved;
}

EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return refused(SIZE_MAX);
    }
    return realloc(block, bytes);
}

EXPORT void *memalign(size_t alignment, size_t bytes)
{
    size_t up = sizeof(void *); /* libc rounds an odd alignment up */
    while (up < alignment && up <= SIZE_MAX / 2) {
        up *= 2;
    }
    return alloc_aligned(up, bytes);
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    if (!power_of_two(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    int saved = errno;
    void *block = alloc_aligned(alignment, bytes);
    errno = saved;
    if (block == NULL) {
        return ENOMEM;
    }
    *out = block;
    return 0;
}

EXPORT void *valloc(size_t bytes)
{
    return alloc_aligned((size_t)sysconf(_SC_PAGESIZE), bytes);
}

EXPORT void *pvalloc(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (bytes > PTRDIFF_MAX) {
        errno = ENOMEM;
        return refused(bytes);
    }
    return alloc_aligned(page, (bytes + page - 1) & ~(page - 1));
}

EXPORT size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    return allocator_is_early(block) ? allocator_early_bytes(block)
                                     : block_requested(block, below.usable(block));
}
