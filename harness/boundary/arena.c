/* arena.c - see arena.h. mmap goes to the kernel directly: the library's own mmap counts mappings.
 */
#include "harness/boundary/arena.h"

#include "harness/meter/kernel.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARENA_CHUNK (256u << 10)

static atomic_flag arena_lock = ATOMIC_FLAG_INIT;
static unsigned char *arena_next;
static size_t arena_left;
static _Atomic uint64_t arena_mapped;

static void *arena_map(size_t bytes, int share)
{
    void *map = kernel_map_as(bytes, share);
    if (map == NULL) {
        static const char text[] = "tidemark: no memory left for tidemark itself in the worker\n";
        ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
        (void)written;
        syscall(SYS_exit_group, 99);
    }
    atomic_fetch_add(&arena_mapped, bytes);
    return map;
}

void *arena_get(size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > ARENA_CHUNK / 4) {
        return arena_map((bytes + 4095) & ~(size_t)4095, MAP_PRIVATE);
    }
    while (atomic_flag_test_and_set_explicit(&arena_lock, memory_order_acquire)) {
    }
    if (arena_left < bytes) {
        arena_next = arena_map(ARENA_CHUNK, MAP_PRIVATE);
        arena_left = ARENA_CHUNK;
    }
    void *got = arena_next;
    arena_next += bytes;
    arena_left -= bytes;
    atomic_flag_clear_explicit(&arena_lock, memory_order_release);
    return got;
}

char *arena_dup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_get(bytes), text, bytes);
}

void *arena_grow(void *list, uint32_t count, uint32_t *room, size_t bytes)
{
    if (count < *room) {
        return list;
    }
    *room = *room == 0 ? 256 : *room * 2;
    void *more = arena_get(*room * bytes);
    return count == 0 ? more : memcpy(more, list, count * bytes);
}

void *arena_shared_get(size_t bytes)
{
    return arena_map((bytes + 4095) & ~(size_t)4095, MAP_SHARED);
}

uint64_t arena_bytes(void)
{
    return atomic_load(&arena_mapped);
}
