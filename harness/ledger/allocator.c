/* allocator.c - see allocator.h. Runs in the worker. */
#include "harness/ledger/allocator.h"

#include "harness/ledger/cfi.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

unsigned char allocator_early[ALLOCATOR_EARLY_BYTES] __attribute__((aligned(64)));
uint16_t allocator_class[ALLOCATOR_CLASSES];
static _Atomic size_t early_used;

static void *early_memalign(size_t alignment, size_t bytes)
{
    /* Layout: size_t with the requested bytes, then the block. */
    size_t at = atomic_load(&early_used), start, end;
    do {
        start = (at + sizeof(size_t) + alignment - 1) & ~(alignment - 1);
        end = start + bytes;
        if (bytes > ALLOCATOR_EARLY_BYTES || end > ALLOCATOR_EARLY_BYTES) {
            errno = ENOMEM;
            return NULL;
        }
    } while (!atomic_compare_exchange_weak(&early_used, &at, end));
    memcpy(allocator_early + start - sizeof bytes, &bytes, sizeof bytes);
    return allocator_early + start;
}

size_t allocator_early_bytes(const void *block)
{
    size_t bytes;
    memcpy(&bytes, (const unsigned char *)block - sizeof bytes, sizeof bytes);
    return bytes;
}

static bool allocator_find(void);

static void *first_malloc(size_t bytes)
{
    return allocator_find() ? below.malloc(bytes) : early_memalign(16, bytes);
}

static void *first_calloc(size_t count, size_t bytes)
{
    return allocator_find() ? below.calloc(count, bytes) : early_memalign(16, count * bytes);
}

static void *first_realloc(void *block, size_t bytes)
{
    return allocator_find() ? below.realloc(block, bytes) : NULL;
}

static void *first_memalign(size_t alignment, size_t bytes)
{
    return allocator_find() ? below.memalign(alignment, bytes) : early_memalign(alignment, bytes);
}

static void first_free(void *block)
{
    if (allocator_find()) {
        below.free(block);
    }
}

static size_t first_usable(void *block)
{
    return allocator_find() ? below.usable(block) : 0;
}

static void free_by_size(void *block, size_t usable, int flags)
{
    (void)usable;
    (void)flags;
    below.free(block);
}

/* Until the first call, every entry finds the real ones: the hot path needs no test. */
struct allocator below = {
    .malloc = first_malloc,
    .calloc = first_calloc,
    .realloc = first_realloc,
    .memalign = first_memalign,
    .free = first_free,
    .usable = first_usable,
    .free_sized = free_by_size,
    .extra = HEADER_BYTES + ALLOCATOR_CHUNK_BYTES,
    .name = "glibc",
};

static uintptr_t code_start, code_end; /* the allocator's object, when it is not libc */

bool allocator_calls(const void *from)
{
    if (below.malloc == first_malloc) { /* nobody allocated yet: it is preparing itself */
        return true;
    }
    return (uintptr_t)from - code_start < code_end - code_start;
}

static void *symbol_find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void classes_fill(void)
{
    for (size_t i = 0; i < ALLOCATOR_CLASSES; i++) {
        size_t usable = below.usable_of(i == 0 ? 1 : i * 8, 0);
        allocator_class[i] = (uint16_t)(usable <= UINT16_MAX ? usable : 0);
    }
}

/* False only for calls that dlsym itself makes. Two threads may both look: they find the same. */
static bool allocator_find(void)
{
    static __thread bool here;
    if (here) {
        return false;
    }
    here = true;
    int saved = errno;
    struct allocator found = {
        .malloc = (void *(*)(size_t))symbol_find("malloc"),
        .calloc = (void *(*)(size_t, size_t))symbol_find("calloc"),
        .realloc = (void *(*)(void *, size_t))symbol_find("realloc"),
        .memalign = (void *(*)(size_t, size_t))symbol_find("memalign"),
        .free = (void (*)(void *))symbol_find("free"),
        .usable = (size_t(*)(void *))symbol_find("malloc_usable_size"),
        .free_sized = free_by_size,
        .extra = HEADER_BYTES + ALLOCATOR_CHUNK_BYTES,
        .name = "glibc",
    };
    if (symbol_find("mallctl") != NULL) {
        found.free_sized = (void (*)(void *, size_t, int))symbol_find("sdallocx");
        found.usable_of = (size_t(*)(size_t, int))symbol_find("nallocx");
        found.extra = HEADER_BYTES;
        found.name = "jemalloc";
        uint64_t start, end;
        if (cfi_object((uint64_t)(uintptr_t)found.free_sized, &start, &end)) {
            code_start = (uintptr_t)start;
            code_end = (uintptr_t)end;
        }
    }
    below = found;
    if (below.usable_of != NULL) {
        classes_fill();
    }
    errno = saved;
    here = false;
    return true;
}

void allocator_prepare(void)
{
    if (below.malloc == first_malloc) {
        allocator_find();
    }
}

void allocator_libc_free(void *block)
{
    void (*libc_free)(void *) = (void (*)(void *))symbol_find("__libc_free");
    if (libc_free != NULL) { /* else it stays */
        libc_free(block);
    }
}

/* The head of a chunk of glibc's: its size, with three flags, stands before it. */
size_t allocator_libc_usable(void *block)
{
    size_t word;
    memcpy(&word, (const char *)block - sizeof word, sizeof word);
    bool mapped = (word & 2) != 0;
    return (word & ~(size_t)7) - (mapped ? 2 : 1) * sizeof word;
}

#define RANGES_MOST 1024u

/* Never removed but emptied: a reader needs no lock. A range that is being changed is empty for a
 * moment. */
static struct {
    _Atomic uint64_t start, end;
} ranges[RANGES_MOST];
static _Atomic uint32_t range_count;

void allocator_mapped(uint64_t start, uint64_t bytes)
{
    uint32_t count = atomic_load(&range_count);
    for (uint32_t i = 0; i < count && i < RANGES_MOST; i++) {
        uint64_t end = start;
        if (atomic_compare_exchange_strong(&ranges[i].end, &end, start + bytes)) {
            return; /* it goes on where another ended */
        }
    }
    uint32_t at = atomic_fetch_add(&range_count, 1);
    if (at < RANGES_MOST) {
        atomic_store(&ranges[at].start, start);
        atomic_store(&ranges[at].end, start + bytes);
    }
}

void allocator_unmapped(uint64_t start, uint64_t bytes)
{
    uint32_t count = atomic_load(&range_count);
    for (uint32_t i = 0; i < count && i < RANGES_MOST; i++) {
        uint64_t first = atomic_load(&ranges[i].start), end = atomic_load(&ranges[i].end);
        if (start >= end || start + bytes <= first) {
            continue;
        }
        atomic_store(&ranges[i].end, start > first ? start : first);
        if (start + bytes < end) {
            allocator_mapped(start + bytes, end - (start + bytes));
        }
    }
}

bool allocator_has(const void *pointer)
{
    uint64_t address = (uint64_t)(uintptr_t)pointer;
    uint32_t count = atomic_load(&range_count);
    bool has = count > RANGES_MOST;
    for (uint32_t i = 0; !has && i < count; i++) {
        has = address >= atomic_load(&ranges[i].start) && address < atomic_load(&ranges[i].end);
    }
    return has;
}
