/* heap_error.c - see heap_error.h. Runs in the worker. Where a pointer lies is asked of
 * heap_place.c. */
#include "harness/ledger/heap_error.h"

#include "harness/ledger/allocator.h"
#include "harness/ledger/heap_place.h"
#include "harness/ledger/hooks.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/site.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <string.h>

#define WATCHED_BLOCKS 8192u /* a power of two */
#define WATCHED_FRAMES 12u
#define OWN_FRAMES     12u

bool heap_watch_on;
static struct wire_heap *noted; /* NULL: nobody wants to know */
static bool native;

struct watched {
    const void *block;
    size_t bytes;
    bool freed; /* last */
    uint32_t count[2];
    uint64_t frames[2][WATCHED_FRAMES];
};
static struct watched *watched;

void heap_error_init(struct wire *wire)
{
    noted = wire == NULL ? NULL : &wire->heap;
}

void heap_error_native(void)
{
    native = true;
}

/* The stack that called the hook, without what is ours. */
static uint32_t stack_here(uint64_t *frames, uint32_t most)
{
    uint64_t all[WIRE_FRAMES_MAX + OWN_FRAMES];
    uint32_t count = 0;
    uint32_t found = ledger_unwind(all, most + OWN_FRAMES, NULL);
    for (uint32_t i = 0; i < found && count < most; i++) {
        if (!unwind_is_own(all[i] - 1)) {
            frames[count++] = all[i];
        }
    }
    return count;
}

static struct watched *watched_of(const void *block)
{
    size_t mixed = (uintptr_t)block * 0x9e3779b97f4a7c15u >> 40;
    return &watched[mixed % WATCHED_BLOCKS];
}

void heap_watch_note(const void *block, size_t bytes, enum heap_watched what)
{
    struct watched *row = watched_of(block);
    int saved = errno;
    if (row->block != block || what == HEAP_BORN) {
        *row = (struct watched){.block = block};
    }
    row->bytes = bytes;
    row->freed = what == HEAP_FREED;
    row->count[what] = stack_here(row->frames[what], WATCHED_FRAMES);
    errno = saved;
}

static void watch_begin(void)
{
    watched = watched != NULL ? watched : meter_own_map(WATCHED_BLOCKS * sizeof *watched);
    if (watched != NULL && !heap_watch_on) {
        heap_watch_on = true;
        thread_small_set(0);
    }
}

void heap_watch_end(void)
{
    if (heap_watch_on) {
        heap_watch_on = false; /* trace_set sets the sizes of the fast way again */
        memset(watched, 0, WATCHED_BLOCKS * sizeof *watched);
    }
}

/* Blocks whose damage was told and cannot be mended: whoever frees them is not to blame again. */
#define TOLD_MOST 64u
static _Atomic uint64_t told[TOLD_MOST];
static _Atomic uint32_t told_count;

static bool told_before(const void *block)
{
    uint64_t address = (uint64_t)(uintptr_t)block;
    for (uint32_t i = 0; i < TOLD_MOST; i++) {
        if (atomic_compare_exchange_strong(&told[i], &(uint64_t){address}, 0)) {
            return true;
        }
    }
    return false;
}

static void told_add(const void *block)
{
    told[atomic_fetch_add(&told_count, 1) % TOLD_MOST] = (uint64_t)(uintptr_t)block;
}

static void stacks_fill(struct wire_heap_error *error, uint32_t record, bool here)
{
    struct trace_record was;
    const void *block =
        (const void *)(uintptr_t)(error->kind == WIRE_HEAP_MIDDLE ? error->block : error->pointer);
    const struct watched *row = heap_watch_on ? watched_of(block) : NULL;
    if (row != NULL && row->block == block) {
        bool odd = error->kind == WIRE_HEAP_DAMAGED || error->kind == WIRE_HEAP_FOREIGN;
        if (row->freed && odd && here) { /* the allocator below wrote over its header since */
            error->kind = WIRE_HEAP_FREED_TWICE;
        }
        error->bytes = error->bytes == WIRE_HEAP_UNKNOWN ? row->bytes : error->bytes;
        error->born_count = row->count[HEAP_BORN];
        error->freed_count = row->count[HEAP_FREED];
        memcpy(error->born, row->frames[HEAP_BORN], sizeof row->frames[HEAP_BORN]);
        memcpy(error->freed, row->frames[HEAP_FREED], sizeof row->frames[HEAP_FREED]);
    } else if (trace_look(record, (const void *)(uintptr_t)error->block, &was) &&
               site_get(was.site) != NULL) {
        const struct site *site = site_get(was.site);
        error->born_count = site->frame_count;
        memcpy(error->born, site->frames, site->frame_count * sizeof error->born[0]);
    }
    error->here_count = here ? stack_here(error->here, WIRE_FRAMES_MAX) : 0;
}

/* `here`: it is done now, by who calls the hook. */
static void error_note(const struct wire_heap_error *what, uint32_t record, bool here)
{
    int saved = errno;
    uint32_t slot = noted == NULL ? WIRE_HEAP_MOST : atomic_fetch_add(&noted->taken, 1);
    if (slot < WIRE_HEAP_MOST) {
        struct wire_heap_error *error = &noted->errors[slot];
        *error = *what;
        WIRE_INIT(error, WIRE_HEAP_ERROR);
        error->kind = what->kind;
        error->pointer = what->pointer;
        error->block = what->block;
        error->bytes = what->bytes;
        error->other = what->other;
        error->unsure = what->unsure;
        stacks_fill(error, record, here);
        atomic_store(&noted->filled[slot], 1);
    }
    watch_begin();
    errno = saved;
}

void heap_error_known(enum wire_heap_kind kind, const void *block, size_t bytes, uint32_t record,
                      uint64_t other)
{
    error_note(&(struct wire_heap_error){.kind = kind,
                                         .pointer = (uint64_t)(uintptr_t)block,
                                         .block = (uint64_t)(uintptr_t)block,
                                         .bytes = bytes,
                                         .other = other},
               record, true);
}

bool heap_error_foreign(void *pointer, bool *libc)
{
    struct heap_place place;
    int saved = errno;
    *libc = false;
    if (told_before(pointer)) {
        return false;
    }
    heap_place_find(pointer, native, &place);
    errno = saved;
    *libc = place.owner == HEAP_LIBC;
    if (place.owner == HEAP_LIBC || place.owner == HEAP_BELOW) {
        return true;
    }
    enum wire_heap_kind kind = place.owner == HEAP_MIDDLE    ? WIRE_HEAP_MIDDLE
                               : place.owner == HEAP_DAMAGED ? WIRE_HEAP_DAMAGED
                                                             : WIRE_HEAP_FOREIGN;
    if (kind == WIRE_HEAP_DAMAGED) { /* of a traced one the size is known, and the record goes */
        size_t size = 0;
        trace_death(thread_get(), 0, pointer, &size);
        place.bytes = size != 0 ? size : place.bytes;
    }
    uint32_t record =
        kind == WIRE_HEAP_MIDDLE ? header_of((const void *)(uintptr_t)place.block)->record : 0;
    error_note(&(struct wire_heap_error){.kind = kind,
                                         .pointer = (uint64_t)(uintptr_t)pointer,
                                         .block = place.block,
                                         .bytes = place.bytes,
                                         .other = place.other,
                                         .unsure = below.usable_of == NULL},
               record, true);
    return false;
}

void heap_tail_put(void *block, size_t bytes)
{
    uint64_t tail = heap_tail(block);
    memcpy((char *)block + bytes, &tail, sizeof tail);
}

bool heap_tail_whole(const void *block, size_t bytes)
{
    uint64_t tail;
    memcpy(&tail, (const char *)block + bytes, sizeof tail);
    return tail == heap_tail(block);
}

static void look_note(enum wire_heap_kind kind, const struct trace_record *record, uint32_t number)
{
    error_note(&(struct wire_heap_error){.kind = kind,
                                         .pointer = record->address,
                                         .block = record->address,
                                         .bytes = record->size},
               number, false);
}

/* What is found is mended as far as it can be: nobody else is to be blamed for it later. */
static void record_look(void *context, const struct trace_record *record)
{
    (void)context;
    size_t size;
    void *start, *block = (void *)(uintptr_t)record->address;
    struct header *header = header_of(block);
    bool marked = header_marked(block) && (header->mark & HEADER_TAILED) != 0;
    if (!marked || header_read(block, &size, &start) != HEADER_WHOLE || size != record->size) {
        look_note(WIRE_HEAP_DAMAGED, record, 0);
        trace_death(thread_get(), 0, block, &(size_t){0});
        if (marked) {
            header_put(block, record->size, header->mark & 0xff, 0);
            heap_tail_put(block, record->size);
        } else {
            told_add(block);
        }
    } else if (!heap_tail_whole(block, size)) {
        look_note(WIRE_HEAP_OVERRUN, record, header->record);
        heap_tail_put(block, size);
    }
}

void heap_error_look(void)
{
    if (noted != NULL && trace_on && (meter_alone() || meter_threads() == 1)) {
        trace_each(record_look, NULL);
    }
}

uint32_t heap_error_put(struct wire *wire, uint32_t test, char *message, size_t room)
{
    uint32_t put = 0;
    uint32_t taken = noted == NULL ? 0 : atomic_load(&noted->taken);
    for (uint32_t i = 0; i < taken && i < WIRE_HEAP_MOST; i++) {
        if (atomic_load(&noted->filled[i]) != 0) {
            noted->errors[i].test = test;
            if (put++ == 0) {
                wire_heap_describe(&noted->errors[i], message, room);
            }
            wire_put(wire, &noted->errors[i]);
            atomic_store(&noted->filled[i], 0);
        }
    }
    if (taken > 0) {
        atomic_store(&noted->taken, 0);
    }
    return put;
}
