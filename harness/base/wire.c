/* wire.c - see wire.h: the worker's side, and how both map the memory. No malloc, errno kept by the
 * worker's calls. The supervisor's side is wire_read.c. */
#include "harness/base/wire.h"

#include "harness/base/wire_part.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void wire_futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void wire_futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
    syscall(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0);
}

/* By system calls: the worker's own mmap counts the program's mappings. */
struct wire *wire_map(int fd)
{
    long room = syscall(SYS_mmap, NULL, ROOM_BYTES, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1L, 0L);
    if (room == -1) {
        return NULL;
    }
    long map = syscall(SYS_mmap, room + (long)(OWN_BYTES + GUARD_BYTES), sizeof(struct wire),
                       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, (long)fd, 0L);
    if (map == -1) {
        syscall(SYS_munmap, room, ROOM_BYTES);
        return NULL;
    }
    return (struct wire *)map;
}

void wire_unmap(struct wire *wire)
{
    syscall(SYS_munmap, own_of(wire), ROOM_BYTES);
}

struct wire *wire_attach(void)
{
    int saved = errno;
    struct wire *wire = NULL;
    const char *text = getenv(WIRE_ENV);
    if (text != NULL) {
        int fd = atoi(text); /* NOLINT: written by our own supervisor; a bad fd fails to map */
        struct stat status;
        /* The number may by now be a file of somebody else's: look at its size before its content.
         */
        if (fstat(fd, &status) == 0 && (size_t)status.st_size == sizeof *wire) {
            wire = wire_map(fd);
        }
        if (wire != NULL && (wire->magic != WIRE_MAGIC || wire->version != WIRE_VERSION)) {
            wire_unmap(wire);
            wire = NULL;
        }
    }
    errno = saved;
    return wire;
}

/* unsetenv without its lock and its free: only the pointers move. */
static void environment_remove(const char *name)
{
    size_t bytes = strlen(name);
    for (char **from = environ, **to = environ; from != NULL; from++) {
        if (*from == NULL || strncmp(*from, name, bytes) != 0 || (*from)[bytes] != '=') {
            *to++ = *from;
        }
        if (*from == NULL) {
            return;
        }
    }
}

/* The value of a variable, to be written over; NULL when it is not set. */
static char *environment_find(const char *name)
{
    size_t bytes = strlen(name);
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, name, bytes) == 0 && (*at)[bytes] == '=') {
            return *at + bytes + 1;
        }
    }
    return NULL;
}

/* LD_PRELOAD as the user set it: the library is loaded here, and would only break other programs
 * that the tests start, those built with a sanitizer first of all. */
static void preload_restore(void)
{
    char *all = environment_find("LD_PRELOAD");
    const char *own = environment_find(WIRE_PRELOAD_ENV);
    size_t bytes = own == NULL ? 0 : (size_t)atoi(own); /* NOLINT: written by our own supervisor */
    if (all != NULL && bytes > 0 && bytes <= strlen(all)) {
        const char *users = all + bytes;
        if (*users == ':') {
            size_t left = strlen(users + 1) + 1;
            memmove(all, users + 1, left);
        } else if (*users == '\0') {
            environment_remove("LD_PRELOAD");
        }
    }
    environment_remove(WIRE_PRELOAD_ENV);
}

bool wire_claim(struct wire **wire)
{
    int saved = errno;
    int32_t nobody = 0;
    bool ours = atomic_compare_exchange_strong(&(*wire)->claimed, &nobody, (int32_t)getpid());
    if (ours) {
        close(atoi(getenv(WIRE_ENV))); /* NOLINT: wire_attach mapped it */
        environment_remove(WIRE_ENV);
        environment_remove(WIRE_WAY_ENV);
        preload_restore();
    } else {
        wire_unmap(*wire);
        *wire = NULL;
    }
    errno = saved;
    return ours;
}

static void ring_copy_in(struct wire *wire, uint64_t at, const unsigned char *from, size_t bytes)
{
    size_t offset = at % WIRE_RING_BYTES;
    size_t first = WIRE_RING_BYTES - offset < bytes ? WIRE_RING_BYTES - offset : bytes;
    memcpy(wire->ring + offset, from, first);
    memcpy(wire->ring, from + first, bytes - first);
}

void wire_put(struct wire *wire, const void *record)
{
    const struct wire_record *head = record;
    assert(head->bytes % 8 == 0 && head->bytes <= WIRE_RECORD_MAX);
    int saved = errno;
    uint64_t at = atomic_load_explicit(&wire->head, memory_order_relaxed);
    for (;;) {
        uint32_t seen = atomic_load(&wire->read_sequence);
        if (WIRE_RING_BYTES - (at - atomic_load(&wire->tail)) >= head->bytes) {
            break;
        }
        atomic_fetch_add(&wire->record_sequence, 1);
        wire_futex_wake(&wire->record_sequence);
        atomic_store(&wire->read_awaited, 1);
        wire_futex_wait(&wire->read_sequence, seen, NULL);
        atomic_store(&wire->read_awaited, 0);
    }
    ring_copy_in(wire, at, record, head->bytes);
    atomic_store_explicit(&wire->head, at + head->bytes, memory_order_release);
    errno = saved;
}

void wire_flush(struct wire *wire)
{
    int saved = errno;
    atomic_fetch_add(&wire->record_sequence, 1);
    wire_futex_wake(&wire->record_sequence);
    errno = saved;
}

void wire_command_wait(struct wire *wire, uint32_t *sequence, struct wire_command *command)
{
    int saved = errno;
    uint32_t now;
    /* A short spin first: the supervisor usually answers within microseconds. */
    for (int spin = 0; spin < 2000; spin++) {
        if (atomic_load(&wire->command_sequence) != *sequence) {
            break;
        }
    }
    while ((now = atomic_load(&wire->command_sequence)) == *sequence) {
        wire_futex_wait(&wire->command_sequence, now, NULL);
    }
    *sequence = now;
    *command = wire->command;
    errno = saved;
}
