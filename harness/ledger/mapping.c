/* mapping.c - see mapping.h. Runs in the worker. One table, sorted by address, without overlaps. */
#include "harness/ledger/mapping.h"

#include "harness/ledger/birth.h"
#include "harness/ledger/release.h"
#include "harness/ledger/site.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"
#include "harness/ledger/watch.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <string.h>
#include <sys/mman.h>

#define HOOK       UNWIND_HOOK_SECTION /* its frames are left out of stacks */
#define ROOM_FIRST 256u

struct mapping {
    uint64_t address, bytes;
    uint32_t site, serial;
};

static struct mapping *rows;
static uint32_t count, room;
static _Atomic uint32_t locked;
static int64_t mapped_bytes, told_bytes; /* of all rows; what the meter knows */
static uint32_t told_count;

void mapping_after_fork(void)
{
    atomic_store(&locked, 0);
}

/* With the lock held, and so busy: what a site holds has changed. */
static void watch_tell(uint32_t site, int64_t blocks, int64_t bytes, bool born)
{
    struct watch *watch = trace_watch(thread_get());
    if (watch == NULL || site == 0) {
        return;
    }
    if (born) {
        watch_birth(watch, site, (uint64_t)bytes);
    } else {
        watch_change(watch, site, blocks, bytes);
    }
}

static void meter_tell(void)
{
    meter_mapping_add((int64_t)count - told_count, mapped_bytes - told_bytes);
    told_count = count;
    told_bytes = mapped_bytes;
}

static bool room_make(void)
{
    if (count < room) {
        return true;
    }
    uint32_t wanted = room == 0 ? ROOM_FIRST : room * 2;
    struct mapping *fresh = meter_own_map(wanted * sizeof *fresh);
    if (fresh == NULL) {
        return false;
    }
    if (rows != NULL) {
        memcpy(fresh, rows, count * sizeof *fresh);
        meter_own_unmap(rows, room * sizeof *rows);
    }
    rows = fresh;
    room = wanted;
    return true;
}

/* The first row that ends beyond `address`. */
static uint32_t row_at(uint64_t address)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rows[middle].address + rows[middle].bytes > address) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Puts a piece where nothing is. */
static void row_insert(const struct mapping *piece, bool born)
{
    if (piece->bytes == 0 || !room_make()) {
        return;
    }
    uint32_t at = row_at(piece->address);
    memmove(rows + at + 1, rows + at, (count - at) * sizeof *rows);
    rows[at] = *piece;
    count++;
    mapped_bytes += (int64_t)piece->bytes;
    watch_tell(piece->site, 1, (int64_t)piece->bytes, born);
}

/* Takes [start, end) away; the first piece that is touched is copied to *first, if there is one. */
static void rows_cut(uint64_t start, uint64_t end, struct mapping *first)
{
    uint32_t at = row_at(start), past = at;
    struct mapping left = {0}, right = {0};
    for (; past < count && rows[past].address < end; past++) {
        struct mapping piece = rows[past];
        if (past == at) {
            *first = piece;
        }
        mapped_bytes -= (int64_t)piece.bytes;
        watch_tell(piece.site, -1, -(int64_t)piece.bytes, false);
        if (piece.address < start) {
            left = piece;
            left.bytes = start - piece.address;
        }
        if (piece.address + piece.bytes > end) {
            right = piece;
            right.address = end;
            right.bytes = piece.address + piece.bytes - end;
        }
    }
    memmove(rows + at, rows + past, (count - past) * sizeof *rows);
    count -= past - at;
    row_insert(&left, false);
    row_insert(&right, false);
}

static uint64_t pages_up(uint64_t bytes)
{
    return (bytes + 4095) & ~(uint64_t)4095;
}

static void piece_made(uint64_t address, uint64_t bytes, uint32_t site, uint32_t serial)
{
    struct mapping covered;
    if (bytes == 0) {
        return;
    }
    rows_cut(address, address + bytes, &covered);
    row_insert(&(struct mapping){address, bytes, site, serial}, true);
}

void mapping_made(uint64_t address, uint64_t bytes, const void *frame)
{
    struct thread *self;
    uint32_t site = trace_site(frame, WIRE_SITE_MMAP);
    if (!thread_lock(&locked, &self)) {
        return;
    }
    piece_made(address, pages_up(bytes), site, birth_now());
    meter_tell();
    thread_unlock(&locked, self);
}

static HOOK void piece_gone(uint64_t address, uint64_t bytes, const void *frame)
{
    struct thread *self;
    struct mapping gone = {0};
    if (count == 0 || bytes == 0 || !thread_lock(&locked, &self)) {
        return;
    }
    rows_cut(address, address + bytes, &gone);
    meter_tell();
    thread_unlock(&locked, self);
    if (release_on && gone.site != 0 && gone.address == address) {
        release_resource(gone.site, gone.serial, frame);
    }
}

HOOK void mapping_gone(uint64_t address, uint64_t bytes)
{
    if ((address & 4095) == 0) { /* else the kernel refuses it */
        piece_gone(address, pages_up(bytes), __builtin_frame_address(0));
    }
}

long mapping_moved(uint64_t address, uint64_t old_bytes, uint64_t bytes, int flags, uint64_t wanted,
                   const void *frame)
{
    struct thread *self;
    struct mapping was = {0};
    uint32_t site = trace_site(frame, WIRE_SITE_MMAP);
    bool known = thread_lock(&locked, &self);
    long answer = kernel_call(SYS_mremap, (long)address, (long)old_bytes, (long)bytes, flags,
                              (long)wanted, 0);
    if (!known) {
        return answer;
    }
    if (!kernel_failed(answer)) {
        uint32_t at = row_at(address);
        if (at < count && rows[at].address <= address) {
            was = rows[at];
        }
        if ((flags & MREMAP_DONTUNMAP) == 0 && old_bytes != 0) {
            rows_cut(address, address + pages_up(old_bytes), &was);
        }
        piece_made((uint64_t)answer, pages_up(bytes), site,
                   was.bytes != 0 ? was.serial : birth_now());
        if (was.site != site) {
            site_join(was.site, site);
        }
        meter_tell();
    }
    thread_unlock(&locked, self);
    return answer;
}

HOOK void mapping_break(uint64_t before, uint64_t after, const void *frame)
{
    struct thread *self;
    if (after < before) {
        piece_gone(after, before - after, frame);
        return;
    }
    uint32_t site = trace_site(frame, WIRE_SITE_MMAP);
    if (after == before || !thread_lock(&locked, &self)) {
        return;
    }
    piece_made(before, after - before, site, birth_now());
    meter_tell();
    thread_unlock(&locked, self);
}

uint64_t mapping_length(uint64_t address)
{
    struct thread *self;
    uint64_t bytes = 0;
    if (thread_lock(&locked, &self)) {
        uint32_t at = row_at(address);
        bytes = at < count && rows[at].address == address ? rows[at].bytes : 0;
        thread_unlock(&locked, self);
    }
    return bytes;
}

uint32_t mapping_count(void)
{
    return count;
}

void mapping_each(mapping_seen *each, void *context)
{
    for (uint32_t i = 0; i < count; i++) {
        each(context, rows[i].address, rows[i].bytes, rows[i].site);
    }
}

void mapping_resource_each(resource_seen *each, void *context)
{
    for (uint32_t i = 0; i < count; i++) {
        each(context, &(struct resource){.id = rows[i].address,
                                         .bytes = rows[i].bytes,
                                         .site = rows[i].site,
                                         .serial = rows[i].serial,
                                         .kind = WIRE_SITE_MMAP});
    }
}

void mapping_forget_sites(void)
{
    struct thread *self;
    if (thread_lock(&locked, &self)) {
        for (uint32_t i = 0; i < count; i++) {
            rows[i].site = 0;
        }
        thread_unlock(&locked, self);
    }
}
