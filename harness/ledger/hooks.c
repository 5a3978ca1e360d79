/*
 * hooks.c - the malloc family, as the program calls it. Every block passes through here, is counted
 * with the size that was asked for, and goes to the allocator below (allocator.h) with a header
 * (header.h). Runs in the worker, on any thread, also in signal handlers. What C++ calls is in
 * hooks_new.c.
 *
 * A realloc counts as one free and one allocation, as valgrind counts it.
 */
#include "harness/ledger/hooks.h"

#include "harness/ledger/allocator.h"
#include "harness/ledger/header.h"
#include "harness/ledger/release.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT      __attribute__((visibility("default"))) UNWIND_HOOK_SECTION
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HOOK        UNWIND_HOOK_SECTION /* its frames are left out of stacks */
#define SIZE_MOST                                                                                  \
    (PTRDIFF_MAX >> 16) /* beyond any address space: refused before it can overflow                \
                         */

static _Atomic uint64_t refused_before_init;
_Atomic uint64_t *hooks_refused = &refused_before_init;

static inline void count_alloc(struct thread *self, size_t size)
{
    self->allocs++;
    self->bytes += size;
    if (UNLIKELY(thread_live(self) > self->high)) {
        thread_beyond(self);
    }
}

static inline void count_free(struct thread *self, size_t size)
{
    self->frees++;
    self->freed += size;
    if (UNLIKELY(thread_live(self) < self->low)) {
        thread_beyond(self);
    }
}

static void *refused(size_t size)
{
    uint64_t none = 0;
    atomic_compare_exchange_strong(hooks_refused, &none, size == 0 ? 1 : size);
    return NULL;
}

static void *refused_outright(size_t size)
{
    errno = ENOMEM;
    return refused(size);
}

/* `start` is what the allocator gave; `frame` the hook's caller, for the stack. */
static inline void *born(struct thread *self, void *start, size_t size, const void *frame)
{
    void *block = (char *)start + HEADER_BYTES;
    uint32_t record = UNLIKELY(trace_on) ? trace_birth(self, block, size, frame) : 0;
    header_put(block, size, HEADER_PLAIN, record);
    count_alloc(self, size);
    return block;
}

static HOOK __attribute__((noinline)) void *alloc_slow(size_t size)
{
    if (UNLIKELY(size > SIZE_MOST)) {
        return refused_outright(size);
    }
    void *start = below.malloc(size + below.extra);
    if (UNLIKELY(start == NULL)) {
        return refused(size);
    }
    if (UNLIKELY(allocator_is_early(start))) {
        return start;
    }
    return born(thread_get(), start, size, __builtin_frame_address(0));
}

/* A new high: apart, so that the usual way needs no frame after its call. */
static __attribute__((noinline)) void *alloc_beyond(struct thread *self, void *block)
{
    thread_beyond(self);
    return block;
}

static __attribute__((noinline)) void *alloc_walked(struct thread *self, void *block, size_t size,
                                                    const void *frame)
{
    header_put(block, size, HEADER_PLAIN, trace_birth(self, block, size, frame));
    count_alloc(self, size);
    return block;
}

/* Trace depth's plainest case: a small block, of a stack that was met before. */
static HOOK __attribute__((noinline)) void *alloc_traced(size_t size, struct thread *self)
{
    if (UNLIKELY(size >= HOOKS_SMALL_END || self->trace == NULL)) {
        return alloc_slow(size);
    }
    void *start = below.malloc(size + below.extra);
    if (UNLIKELY(start == NULL)) {
        return refused(size);
    }
    void *block = (char *)start + HEADER_BYTES;
    uint32_t record = trace_birth_small(self, block, size, __builtin_frame_address(0));
    if (UNLIKELY(record == 0)) {
        block = alloc_walked(self, block, size, __builtin_frame_address(0));
        __asm__ volatile("" : "+r"(block)); /* not a tail call: this frame is walked from */
        return block;
    }
    header_put(block, size, HEADER_PLAIN, record);
    self->allocs++;
    self->bytes += size;
    if (UNLIKELY(thread_live(self) > self->high)) {
        return alloc_beyond(self, block);
    }
    return block;
}

/* The plainest case, as short as it can be; everything else is a jump elsewhere. */
static inline __attribute__((always_inline)) void *alloc(size_t size)
{
    struct thread *self = thread_self;
    if (UNLIKELY(size >= self->small_end)) {
        return alloc_traced(size, self);
    }
    void *start = below.malloc(size + below.extra);
    if (UNLIKELY(start == NULL)) {
        return refused(size);
    }
    void *block = (char *)start + HEADER_BYTES;
    header_put(block, size, HEADER_PLAIN, 0);
    self->allocs++;
    self->bytes += size;
    if (UNLIKELY(thread_live(self) > self->high)) {
        return alloc_beyond(self, block);
    }
    return block;
}

HOOK void *hooks_alloc(size_t size)
{
    return alloc(size);
}

static __attribute__((noinline)) void free_beyond(struct thread *self, void *start, size_t usable)
{
    thread_beyond(self);
    below.free_sized(start, usable, 0);
}

static inline __attribute__((always_inline)) void small_free(struct thread *self, void *block,
                                                             size_t size)
{
    size_t usable = allocator_class[(size + HEADER_BYTES + 7) / 8];
    header_void(block);
    self->frees++;
    self->freed += size;
    if (UNLIKELY(thread_live(self) < self->low)) {
        free_beyond(self, (char *)block - HEADER_BYTES, usable);
        return;
    }
    below.free_sized((char *)block - HEADER_BYTES, usable, 0);
}

/* Who releases what is remembered: the block is counted as freed, and given back later. */
static HOOK __attribute__((noinline)) bool release_kept(struct thread *self, void *block,
                                                        const void *frame)
{
    size_t size;
    void *start;
    struct trace_record was;
    if (header_read(block, &size, &start) != HEADER_WHOLE ||
        !trace_look(header_of(block)->record, block, &was) || !release_take(&was, start, frame)) {
        return false;
    }
    trace_death(self, header_of(block)->record, block, &size);
    header_void(block);
    count_free(self, size);
    return true;
}

/* Not the everyday block: traced, large, aligned, damaged or foreign. */
static HOOK __attribute__((noinline)) void free_slow(void *block)
{
    size_t size;
    void *start;
    if (block == NULL || allocator_is_early(block)) {
        return;
    }
    struct thread *self = thread_get();
    if (UNLIKELY(release_on) && release_kept(self, block, __builtin_frame_address(0))) {
        return;
    }
    if (header_plain(block, &size) && size < HOOKS_SMALL_END) {
        if (header_of(block)->record != 0) {
            trace_death(self, header_of(block)->record, block, &size);
        }
        small_free(self, block, size);
        return;
    }
    switch (header_read(block, &size, &start)) {
    case HEADER_FOREIGN:
        self->foreign++;
        below.free(block);
        return;
    case HEADER_DAMAGED:
        self->damaged++;
        break;
    case HEADER_WHOLE:
        break;
    }
    if (header_of(block)->record != 0) {
        trace_death(self, header_of(block)->record, block, &size);
    }
    header_void(block);
    count_free(self, size);
    below.free(start);
}

/* Trace depth's plainest case: a small block, whole, on a thread that has traced before. */
static HOOK __attribute__((noinline)) void free_traced(struct thread *self, void *block,
                                                       size_t size)
{
    uint32_t number = header_of(block)->record;
    if (UNLIKELY(size >= HOOKS_SMALL_END || !trace_death_small(self, number, block, size))) {
        free_slow(block);
        return;
    }
    small_free(self, block, size);
}

/* Records need no look here: at trace depth small_end is 0. */
static inline __attribute__((always_inline)) void release(void *block)
{
    struct thread *self = thread_self;
    size_t size;
    if (UNLIKELY(block == NULL || !header_plain(block, &size))) {
        free_slow(block);
        return;
    }
    if (UNLIKELY(size >= self->small_end)) {
        free_traced(self, block, size);
        return;
    }
    small_free(self, block, size);
}

void hooks_free(void *block)
{
    release(block);
}

static size_t block_size(void *block)
{
    size_t size;
    void *start;
    if (allocator_is_early(block)) {
        return allocator_early_bytes(block);
    }
    return header_read(block, &size, &start) == HEADER_FOREIGN ? below.usable(block) : size;
}

HOOK void *hooks_alloc_aligned(size_t alignment, size_t size)
{
    if (alignment <= HEADER_BYTES) {
        return alloc_slow(size);
    }
    if (size > SIZE_MOST || alignment > SIZE_MOST) {
        return refused_outright(size);
    }
    void *start = below.memalign(alignment, size + alignment + below.extra - HEADER_BYTES);
    if (start == NULL) {
        return refused(size);
    }
    if (allocator_is_early(start)) {
        return start;
    }
    struct thread *self = thread_get();
    void *block = (char *)start + alignment;
    uint32_t record = 0;
    if (trace_on) {
        record = trace_birth(self, block, size, __builtin_frame_address(0));
    }
    header_put(block, size, (uint32_t)__builtin_ctzl(alignment), record);
    count_alloc(self, size);
    return block;
}

EXPORT void *malloc(size_t size)
{
    return alloc(size);
}

#if defined(__clang__) /* knows no attribute copy, and does not warn without it */
#define COPY_OF(function)
#else
#define COPY_OF(function) copy(function),
#endif

/* This one, whatever the name `malloc` means in the process: the same address. */
void *hooks_malloc(size_t size)
    __attribute__((alias("malloc"), COPY_OF(malloc) visibility("hidden")));

EXPORT void free(void *block)
{
    release(block);
}

EXPORT void *calloc(size_t count, size_t each)
{
    size_t size;
    if (UNLIKELY(__builtin_mul_overflow(count, each, &size) || size > SIZE_MOST)) {
        return refused_outright(SIZE_MAX);
    }
    void *start = below.calloc(1, size + below.extra);
    if (UNLIKELY(start == NULL)) {
        return refused(size);
    }
    if (UNLIKELY(allocator_is_early(start))) {
        return start;
    }
    return born(thread_get(), start, size, __builtin_frame_address(0));
}

/* Its number at trace depth; 0 when it has none. */
static uint32_t block_number(void *block)
{
    size_t size;
    void *start;
    return trace_on && !allocator_is_early(block) &&
                   header_read(block, &size, &start) == HEADER_WHOLE
               ? header_of(block)->record
               : 0;
}

/* A block that cannot grow where it is: aligned, damaged, early or foreign. Moved to a plain one.
 */
static HOOK void *realloc_moved(void *block, size_t old, size_t size)
{
    void *moved = alloc_slow(size);
    if (moved != NULL) {
        memcpy(moved, block, old < size ? old : size);
        trace_follow(thread_get(), block_number(block), block, block_number(moved), moved);
        free_slow(block);
    }
    return moved;
}

static HOOK __attribute__((noinline)) void *realloc_odd(void *block, size_t size)
{
    size_t old;
    void *start;
    if (allocator_is_early(block) || header_read(block, &old, &start) != HEADER_DAMAGED) {
        return realloc_moved(block, block_size(block), size);
    }
    /* The size is lost; the allocator knows how much there is to copy. */
    return realloc_moved(block, below.usable(start) - (size_t)((char *)block - (char *)start),
                         size);
}

static HOOK void *resize(void *block, size_t size, const void *frame)
{
    size_t old;
    if (UNLIKELY(size > SIZE_MOST)) {
        return refused_outright(size);
    }
    if (UNLIKELY(allocator_is_early(block) || !header_plain(block, &old))) {
        return realloc_odd(block, size);
    }
    struct thread *self = thread_get();
    uint32_t record = header_of(block)->record;
    header_void(block); /* it may move, and leave its header behind */
    void *start = below.realloc((char *)block - HEADER_BYTES, size + below.extra);
    if (UNLIKELY(start == NULL)) {
        header_put(block, old, HEADER_PLAIN, record);
        return refused(size);
    }
    void *moved = (char *)start + HEADER_BYTES;
    record = UNLIKELY(trace_on) ? trace_move(self, record, block, &old, moved, size, frame) : 0;
    count_free(self, old);
    header_put(moved, size, HEADER_PLAIN, record);
    count_alloc(self, size);
    return moved;
}

EXPORT void *realloc(void *block, size_t size)
{
    if (block == NULL) {
        return alloc_slow(size);
    }
    if (size == 0) { /* as libc does, whatever the allocator below would do */
        release(block);
        return NULL;
    }
    return resize(block, size, __builtin_frame_address(0));
}

EXPORT void *reallocarray(void *block, size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size)) {
        return refused_outright(SIZE_MAX);
    }
    return realloc(block, size);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    size_t up = 1; /* libc rounds an odd alignment up */
    while (up < alignment && up <= SIZE_MAX / 2) {
        up *= 2;
    }
    return hooks_alloc_aligned(up, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    int saved = errno;
    void *block = hooks_alloc_aligned(alignment, size);
    errno = saved;
    if (block == NULL) {
        return ENOMEM;
    }
    *out = block;
    return 0;
}

EXPORT void *valloc(size_t size)
{
    return hooks_alloc_aligned((size_t)sysconf(_SC_PAGESIZE), size);
}

EXPORT void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MOST) {
        return refused_outright(size);
    }
    return memalign(page, (size + page - 1) & ~(page - 1)); /* by name: valgrind takes its place */
}

EXPORT size_t malloc_usable_size(void *block)
{
    return block == NULL ? 0 : block_size(block);
}
