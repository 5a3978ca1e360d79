/* wire.c - see wire.h. Runs in supervisor and worker: no malloc, errno kept by the worker's calls.
 */
#include "harness/base/wire.h"

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

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
    syscall(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0);
}

static struct wire *wire_map(int fd)
{
    void *map = mmap(NULL, sizeof(struct wire), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
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
            munmap(wire, sizeof *wire);
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

bool wire_claim(struct wire **wire)
{
    int saved = errno;
    int32_t nobody = 0;
    bool ours = atomic_compare_exchange_strong(&(*wire)->claimed, &nobody, (int32_t)getpid());
    if (ours) {
        close(atoi(getenv(WIRE_ENV))); /* NOLINT: wire_attach mapped it */
        environment_remove(WIRE_ENV);
        environment_remove(WIRE_WAY_ENV);
    } else {
        munmap(*wire, sizeof **wire);
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

static void ring_copy_out(const struct wire *wire, uint64_t at, unsigned char *to, size_t bytes)
{
    size_t offset = at % WIRE_RING_BYTES;
    size_t first = WIRE_RING_BYTES - offset < bytes ? WIRE_RING_BYTES - offset : bytes;
    memcpy(to, wire->ring + offset, first);
    memcpy(to + first, wire->ring, bytes - first);
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
        futex_wake(&wire->record_sequence);
        atomic_store(&wire->read_awaited, 1);
        futex_wait(&wire->read_sequence, seen, NULL);
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
    futex_wake(&wire->record_sequence);
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
        futex_wait(&wire->command_sequence, now, NULL);
    }
    *sequence = now;
    *command = wire->command;
    errno = saved;
}

struct wire *wire_new(int *fd)
{
    *fd = memfd_create("tidemark-wire", 0);
    if (*fd < 0) {
        return NULL;
    }
    struct wire *wire = ftruncate(*fd, sizeof(struct wire)) == 0 ? wire_map(*fd) : NULL;
    if (wire == NULL) {
        int saved = errno;
        close(*fd);
        *fd = -1;
        errno = saved;
        return NULL;
    }
    wire->magic = WIRE_MAGIC;
    wire->version = WIRE_VERSION;
    wire->bytes = sizeof *wire;
    wire->supervisor = (int32_t)getpid();
    atomic_store(&wire->progress.test, WIRE_NO_TEST);
    return wire;
}

void wire_free(struct wire **wire)
{
    if (*wire != NULL) {
        munmap(*wire, sizeof **wire);
        *wire = NULL;
    }
}

bool wire_get(struct wire *wire, void *buffer, bool *broken)
{
    uint64_t at = atomic_load_explicit(&wire->tail, memory_order_relaxed);
    uint64_t available = atomic_load_explicit(&wire->head, memory_order_acquire) - at;
    struct wire_record head;
    if (available < sizeof head) {
        return false;
    }
    ring_copy_out(wire, at, (unsigned char *)&head, sizeof head);
    if (head.bytes < sizeof head || head.bytes > WIRE_RECORD_MAX || head.bytes % 8 != 0 ||
        head.bytes > available || available > WIRE_RING_BYTES) {
        *broken = true;
        return false;
    }
    ring_copy_out(wire, at, buffer, head.bytes);
    atomic_store_explicit(&wire->tail, at + head.bytes, memory_order_release);
    atomic_fetch_add(&wire->read_sequence, 1);
    if (atomic_load(&wire->read_awaited) != 0) { /* after the sequence: the worker looks the other
                                                    way round */
        futex_wake(&wire->read_sequence);
    }
    return true;
}

void wire_command_send(struct wire *wire, const struct wire_command *command)
{
    wire->command = *command;
    atomic_fetch_add(&wire->command_sequence, 1);
    futex_wake(&wire->command_sequence);
}

void wire_record_wait(struct wire *wire, uint32_t seen_sequence, int timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                               .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    futex_wait(&wire->record_sequence, seen_sequence, &timeout);
}
