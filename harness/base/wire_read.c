/*
 * wire_read.c - the supervisor's side of wire.h. Whatever lies in the shared memory may have been
 * written by a broken test: it is compared with copies out of the worker's reach, and each record
 * is copied before it is checked (wire_check.h).
 */
#include "harness/base/wire_check.h"
#include "harness/base/wire_part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void ring_copy_out(const struct wire *wire, uint64_t at, unsigned char *to, size_t bytes)
{
    size_t offset = at % WIRE_RING_BYTES;
    size_t first = WIRE_RING_BYTES - offset < bytes ? WIRE_RING_BYTES - offset : bytes;
    memcpy(to, wire->ring + offset, first);
    memcpy(to + first, wire->ring, bytes - first);
}

/* Its size is fixed: a worker that made it smaller would take the supervisor with it. */
static struct wire *wire_make(int fd)
{
    if (ftruncate(fd, sizeof(struct wire)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return NULL;
    }
    struct wire *wire = wire_map(fd);
    if (wire != NULL && mprotect(own_of(wire), OWN_BYTES, PROT_READ | PROT_WRITE) != 0) {
        wire_unmap(wire);
        wire = NULL;
    }
    return wire;
}

struct wire *wire_new(int *fd)
{
    *fd = memfd_create("tidemark-wire", MFD_ALLOW_SEALING);
    if (*fd < 0) {
        return NULL;
    }
    struct wire *wire = wire_make(*fd);
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
    wire->supervisor = own_of(wire)->supervisor = (int32_t)getpid();
    atomic_store(&wire->progress.test, WIRE_NO_TEST);
    return wire;
}

void wire_free(struct wire **wire)
{
    if (*wire != NULL) {
        wire_unmap(*wire);
        *wire = NULL;
    }
}

/* A worker claims once. */
static bool claimed_holds(const struct wire *wire, struct own *own)
{
    int32_t claimed = atomic_load(&wire->claimed);
    own->claimed = own->claimed == 0 ? claimed : own->claimed;
    return claimed == own->claimed;
}

const char *wire_damage(struct wire *wire)
{
    struct own *own = own_of(wire);
    uint64_t unread = atomic_load_explicit(&wire->head, memory_order_acquire) - own->tail;
    if (own->damage != NULL) {
        return own->damage;
    }
    if (wire->magic != WIRE_MAGIC || wire->version != WIRE_VERSION || wire->bytes != sizeof *wire ||
        wire->supervisor != own->supervisor || !claimed_holds(wire, own)) {
        own->damage = "its head was overwritten";
    } else if (atomic_load(&wire->command_sequence) != own->command_sequence ||
               memcmp(&wire->command, &own->command, sizeof own->command) != 0) {
        own->damage = "the command in it was overwritten";
    } else if (atomic_load(&wire->tail) != own->tail || unread > WIRE_RING_BYTES ||
               unread % 8 != 0) {
        own->damage = "the positions of its ring were overwritten";
    }
    return own->damage;
}

int32_t wire_claimed(const struct wire *wire)
{
    return own_of(wire)->claimed;
}

/* The record at the ring's tail, whole, in `buffer`; NULL if it is one, else what is wrong. What
 * was checked is what is used: the worker may write meanwhile. */
static const char *record_copy(const struct wire *wire, uint64_t unread, void *buffer)
{
    const struct own *own = own_of(wire);
    struct wire_record head;
    ring_copy_out(wire, own->tail, (unsigned char *)&head, sizeof head);
    if (head.bytes < sizeof head || head.bytes > WIRE_RECORD_MAX || head.bytes % 8 != 0 ||
        head.bytes > unread) {
        return "a record has no size that records can have";
    }
    ring_copy_out(wire, own->tail, buffer, head.bytes);
    memcpy(buffer, &head, sizeof head);
    return wire_record_check(buffer);
}

bool wire_get(struct wire *wire, void *buffer, bool *broken)
{
    struct own *own = own_of(wire);
    if (wire_damage(wire) != NULL) {
        *broken = true;
        return false;
    }
    uint64_t unread = atomic_load_explicit(&wire->head, memory_order_acquire) - own->tail;
    if (unread < sizeof(struct wire_record)) {
        return false;
    }
    own->damage = unread > WIRE_RING_BYTES ? "the positions of its ring were overwritten"
                                           : record_copy(wire, unread, buffer);
    if (own->damage != NULL) {
        *broken = true;
        return false;
    }
    own->tail += ((struct wire_record *)buffer)->bytes;
    atomic_store_explicit(&wire->tail, own->tail, memory_order_release);
    atomic_fetch_add(&wire->read_sequence, 1);
    if (atomic_load(&wire->read_awaited) != 0) { /* the worker looks at them the other way round */
        wire_futex_wake(&wire->read_sequence);
    }
    return true;
}

uint32_t wire_command_send(struct wire *wire, const struct wire_command *command)
{
    struct own *own = own_of(wire);
    wire->command = own->command = *command;
    own->command_sequence++;
    atomic_store(&wire->command_sequence, own->command_sequence);
    wire_futex_wake(&wire->command_sequence);
    return own->command_sequence;
}

void wire_record_wait(struct wire *wire, uint32_t seen_sequence, int timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                               .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    wire_futex_wait(&wire->record_sequence, seen_sequence, &timeout);
}
