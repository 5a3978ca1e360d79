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
#include "harness/ledger/heap_error.h"
#include "harness/ledger/heap_place.h"
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

#define NOWHERE 4096u /* no pointer below is to be read from */

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

/* What is asked for beside the block: at trace depth a tail, too. */
static inline size_t extra_of(bool traced)
{
    return below.extra + (UNLIKELY(traced) ? HEAP_TAIL_BYTES : 0);
}

/* A block with a tail. */
static HOOK __attribute__((noinline)) void
born_traced(struct thread *self, void *block, size_t size, uint32_t shift, const void *frame)
{
    uint32_t record = trace_birth(self, block, size, frame);
    heap_tail_put(block, size);
    header_put(block, size, shift | HEADER_TAILED, record);
}

/* `start` is what the allocator gave, for a request of extra_of(traced) bytes more; `frame` the
 * hook's caller, for the stack. */
static inline void *born(struct thread *self, void *start, size_t size, bool traced,
                         const void *frame)
{
    void *block = (char *)start + HEADER_BYTES;
    if (UNLIKELY(traced)) {
        born_traced(self, block, size, HEADER_PLAIN, frame);
    } else {
        header_put(block, size, HEADER_PLAIN, 0);
    }
    if (UNLIKELY(heap_watch_on)) {
        heap_watch_note(block, size, HEAP_BORN);
    }
    count_alloc(self, size);
    return block;
}

static HOOK __attribute__((noinline)) void *alloc_slow(size_t size)
{
    if (UNLIKELY(size > SIZE_MOST)) {
        return refused_outright(size);
    }
    bool traced = trace_on;
    void *start = below.malloc(size + extra_of(traced));
    if (UNLIKELY(start == NULL)) {
        return refused(size);
    }
    if (UNLIKELY(allocator_is_early(start))) {
        return start;
    }
    return born(thread_get(), start, size, traced, __builtin_frame_address(0));
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
    born_traced(self, block, size, HEADER_PLAIN, frame);
    count_alloc(self, size);
    return block;
}

/* Trace depth's plainest case: a small block, of a stack that was met before. */
static HOOK __attribute__((noinline)) void *alloc_traced(size_t size, struct thread *self)
{
    if (UNLIKELY(size >= HOOKS_SMALL_END || self->trace == NULL || !trace_on || heap_watch_on)) {
        return alloc_slow(size);
    }
    void *start = below.malloc(size + extra_of(true));
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
    heap_tail_put(block, size);
    header_put(block, size, HEADER_PLAIN | HEADER_TAILED, record);
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

/* `tail`: bytes of it that lie behind the block. */
static inline __attribute__((always_inline)) void small_free(struct thread *self, void *block,
                                                             size_t size, size_t tail)
{
    size_t usable = allocator_class[(size + HEADER_BYTES + tail + 7) / 8];
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

/* A block with a valid size is about to go, or to be moved: was it written beyond, or was its own
 * header, in the part that no size depends on? False: it was, and it cannot be said how large the
 * allocator below thinks it is. */
static HOOK bool whole_check(void *block, size_t size)
{
    size_t same;
    uint32_t record = header_of(block)->record;
    bool tailed = header_marked(block) ? (header_of(block)->mark & HEADER_TAILED) != 0
                                       : header_tailed(block, &same);
    if (!header_marked(block) || (!tailed && record != 0)) {
        heap_error_known(WIRE_HEAP_DAMAGED, block, size, tailed ? record : 0,
                         heap_place_before(block));
        return false;
    }
    if (tailed && !heap_tail_whole(block, size)) {
        heap_error_known(WIRE_HEAP_OVERRUN, block, size, record, 0);
    }
    return true;
}

/* Its header cannot be right. Jemalloc takes any block of its own; libc's own head lies before
 * ours, and may be gone as well. */
static HOOK void free_damaged(struct thread *self, void *block, void *start)
{
    size_t size = 0;
    uint32_t record = header_of(block)->record;
    self->damaged++;
    trace_death(self, record, block, &size);
    heap_error_known(WIRE_HEAP_DAMAGED, block, size != 0 ? size : WIRE_HEAP_UNKNOWN, record,
                     heap_place_before(block));
    header_put(block, 0, header_of(block)->mark & 0xff, 0);
    header_void(block);
    count_free(self, size);
    if (below.usable_of != NULL) {
        below.free(start);
    }
}

/* It has no header of ours: from elsewhere, or not to be freed at all. */
static HOOK void free_foreign(struct thread *self, void *block)
{
    bool libc;
    self->foreign++;
    if (!heap_error_foreign(block, &libc)) {
        return;
    }
    if (libc) {
        allocator_libc_free(block);
    } else {
        below.free(block);
    }
}

/* Large, aligned, traced, or with a mark that was written over. */
static HOOK void free_whole(struct thread *self, void *block, size_t size, void *start)
{
    whole_check(block, size);
    if (header_of(block)->record != 0) { /* 0: trace depth had no room */
        trace_death(self, header_of(block)->record, block, &size);
    }
    header_void(block);
    count_free(self, size);
    below.free(start);
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
    if ((uintptr_t)block < NOWHERE) {
        free_foreign(self, block);
        return;
    }
    if (UNLIKELY(release_on) && release_kept(self, block, __builtin_frame_address(0))) {
        return;
    }
    if (UNLIKELY(heap_watch_on) && header_read(block, &size, &start) == HEADER_WHOLE) {
        heap_watch_note(block, size, HEAP_FREED);
    }
    if (header_plain(block, &size) && size < HOOKS_SMALL_END && whole_check(block, size)) {
        small_free(self, block, size, 0);
        return;
    }
    switch (header_read(block, &size, &start)) {
    case HEADER_FOREIGN:
        free_foreign(self, block);
        return;
    case HEADER_FREED:
        heap_error_known(WIRE_HEAP_FREED_TWICE, block, size, 0, 0);
        return;
    case HEADER_DAMAGED:
        free_damaged(self, block, start);
        return;
    case HEADER_WHOLE:
        free_whole(self, block, size, start);
        return;
    }
}

/* Trace depth's plainest case: a small block, whole, on a thread that has traced before. */
static HOOK __attribute__((noinline)) void free_traced(struct thread *self, void *block,
                                                       size_t size)
{
    uint32_t number = header_of(block)->record;
    if (UNLIKELY(size >= HOOKS_SMALL_END || heap_watch_on || !heap_tail_whole(block, size) ||
                 !trace_death_small(self, number, block, size))) {
        free_slow(block);
        return;
    }
    small_free(self, block, size, HEAP_TAIL_BYTES);
}

static HOOK __attribute__((noinline)) void free_odd(struct thread *self, void *block)
{
    size_t size;
    if ((uintptr_t)block >= NOWHERE && header_tailed(block, &size)) {
        free_traced(self, block, size);
    } else {
        free_slow(block);
    }
}

static inline __attribute__((always_inline)) void release(void *block)
{
    struct thread *self = thread_self;
    size_t size;
    if (UNLIKELY((uintptr_t)block < NOWHERE || !header_plain(block, &size))) {
        free_odd(self, block);
        return;
    }
    if (UNLIKELY(size >= self->small_end)) {
        free_slow(block);
        return;
    }
    small_free(self, block, size, 0);
}

void hooks_free(void *block)
{
    release(block);
}

HOOK void hooks_free_sized(void *block, size_t size)
{
    size_t was;
    void *start;
    if (UNLIKELY((uintptr_t)block >= NOWHERE && !allocator_is_early(block) &&
                 header_read(block, &was, &start) == HEADER_WHOLE && was != size)) {
        heap_error_known(WIRE_HEAP_SIZE, block, was, header_of(block)->record, size);
    }
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
    bool traced = trace_on;
    void *start = below.memalign(alignment, size + alignment + extra_of(traced) - HEADER_BYTES);
    if (start == NULL) {
        return refused(size);
    }
    if (allocator_is_early(start)) {
        return start;
    }
    struct thread *self = thread_get();
    void *block = (char *)start + alignment;
    uint32_t shift = (uint32_t)__builtin_ctzl(alignment);
    if (traced) {
        born_traced(self, block, size, shift, __builtin_frame_address(0));
    } else {
        header_put(block, size, shift, 0);
    }
    if (UNLIKELY(heap_watch_on)) {
        heap_watch_note(block, size, HEAP_BORN);
    }
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
    bool traced = trace_on;
    void *start = below.calloc(1, size + extra_of(traced));
    if (UNLIKELY(start == NULL)) {
        return refused(size);
    }
    if (UNLIKELY(allocator_is_early(start))) {
        return start;
    }
    return born(thread_get(), start, size, traced, __builtin_frame_address(0));
}

HOOK bool hooks_book(size_t size, uint32_t site)
{
    bool traced = trace_on;
    void *start = size > SIZE_MOST ? NULL : below.calloc(1, size + extra_of(traced));
    if (start == NULL || allocator_is_early(start)) {
        return false;
    }
    struct thread *self = thread_get();
    void *block = (char *)start + HEADER_BYTES;
    if (traced) {
        uint32_t record = trace_birth_at(self, block, size, site);
        heap_tail_put(block, size);
        header_put(block, size, HEADER_PLAIN | HEADER_TAILED, record);
    } else {
        header_put(block, size, HEADER_PLAIN, 0);
    }
    count_alloc(self, size);
    return true;
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

/* Of memory that the hooks never saw. */
static HOOK void *realloc_foreign(void *block, size_t size)
{
    bool libc;
    if (!heap_error_foreign(block, &libc)) {
        return alloc_slow(size); /* nothing is known of what was there */
    }
    void *moved = alloc_slow(size);
    if (moved != NULL) {
        size_t old = libc ? allocator_libc_usable(block) : below.usable(block);
        memcpy(moved, block, old < size ? old : size);
        if (libc) {
            allocator_libc_free(block);
        } else {
            below.free(block);
        }
    }
    return moved;
}

static HOOK void *realloc_freed(void *block, size_t old, size_t size)
{
    heap_error_known(WIRE_HEAP_REALLOC_FREED, block, old, 0, 0);
    void *fresh = alloc_slow(size);
    if (fresh != NULL && fresh != block) {
        memcpy(fresh, block, old < size ? old : size); /* as it was found */
    }
    return fresh;
}

static HOOK __attribute__((noinline)) void *realloc_odd(void *block, size_t size)
{
    size_t old;
    void *start;
    if (allocator_is_early(block)) {
        return realloc_moved(block, block_size(block), size);
    }
    switch (header_read(block, &old, &start)) {
    case HEADER_FOREIGN:
        return realloc_foreign(block, size);
    case HEADER_FREED:
        return realloc_freed(block, old, size);
    case HEADER_DAMAGED: /* its size is lost; the allocator knows how much there is to copy */
        old = below.usable(start) - (size_t)((char *)block - (char *)start);
        break;
    case HEADER_WHOLE:
        break;
    }
    return realloc_moved(block, old, size);
}

static HOOK void *resize(void *block, size_t size, const void *frame)
{
    size_t old;
    if (UNLIKELY(size > SIZE_MOST)) {
        return refused_outright(size);
    }
    if (UNLIKELY(allocator_is_early(block) ||
                 (!header_plain(block, &old) && !header_tailed(block, &old)))) {
        return realloc_odd(block, size);
    }
    struct thread *self = thread_get();
    uint32_t record = header_of(block)->record;
    bool traced = trace_on;
    whole_check(block, old);
    if (UNLIKELY(heap_watch_on)) {
        heap_watch_note(block, old, HEAP_FREED);
    }
    header_void(block); /* it may move, and leave its header behind */
    void *start = below.realloc((char *)block - HEADER_BYTES, size + extra_of(traced));
    if (UNLIKELY(start == NULL)) {
        header_void(block); /* back as it was */
        return refused(size);
    }
    void *moved = (char *)start + HEADER_BYTES;
    if (UNLIKELY(traced)) {
        record = trace_move(self, record, block, &old, moved, size, frame);
        heap_tail_put(moved, size);
        header_put(moved, size, HEADER_PLAIN | HEADER_TAILED, record);
    } else {
        header_put(moved, size, HEADER_PLAIN, 0);
    }
    if (UNLIKELY(heap_watch_on)) {
        heap_watch_note(moved, size, HEAP_BORN);
    }
    count_free(self, old);
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
