/*
 * roots.h - where a scan begins: the writable segments of every loaded object (not tidemark's, not
 * the allocator's), and of every thread the thread-local storage, the stack in use and the
 * registers. Runs in the worker, on the thread that runs the tests.
 */
#ifndef LEDGER_ROOTS_H
#define LEDGER_ROOTS_H

#include "harness/base/wire.h"
#include "harness/ledger/graph.h"
#include "harness/ledger/stop.h"

struct root {
    uint64_t start, end;
    enum wire_root kind;
    int32_t thread;
    uint64_t pointer; /* of TLS: the thread pointer beside it; else 0 */
};

struct roots {
    struct root *list;
    struct graph_range *readable; /* sorted */
    uint32_t count, room, readable_count, readable_room;
    char *maps; /* /proc/self/maps as it was read: told of in it, so it stays until the end */
    uint64_t tls_bytes; /* of all objects, at most */
};

/* Before other threads are stopped: takes the dynamic linker's lock. False when memory is out. */
bool roots_begin(struct roots *roots);
/* While they are stopped. `sp` is the caller's stack from which on it is scanned. False when the
 * kernel does not show the mappings. */
bool roots_threads(struct roots *roots, const struct stop *stop, uint64_t sp);
void roots_end(struct roots *roots);

/* The object in whose thread-local storage of the thread with that thread pointer the word at `via`
 * lies: its load bias, and where in the storage. False when it is none that was loaded at start-up.
 * Takes the dynamic linker's lock: not while threads are stopped. */
bool roots_tls_object(uint64_t via, uint64_t pointer, uint64_t *base, uint64_t *offset);

#endif
