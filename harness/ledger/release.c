/* release.c - see release.h: a ring of releases, and the memory of the blocks that are held back.
 * What they had to do with each other is in release_put.c. Runs in the worker. */
#include "harness/ledger/release.h"

#include "harness/ledger/allocator.h"
#include "harness/ledger/birth.h"
#include "harness/ledger/thread.h"
#include "harness/meter/meter.h"

static struct {
    struct release *ring; /* RELEASE_MOST of them */
    uint32_t given;       /* ever: the next takes slot given % RELEASE_MOST */
    uint32_t held_first;  /* none before it is held back */
    uint64_t held_bytes;
    uint32_t since;
} seen;
static _Atomic uint32_t locked;

static struct release *slot_of(uint32_t number)
{
    return &seen.ring[number % RELEASE_MOST];
}

/* The memory of the oldest that are held back, until there is room for `bytes` and a slot. */
static void oldest_give(uint64_t bytes)
{
    while (seen.held_first < seen.given && (seen.held_bytes + bytes > RELEASE_HELD_BYTES ||
                                            seen.given - seen.held_first >= RELEASE_MOST)) {
        struct release *oldest = slot_of(seen.held_first++);
        if (oldest->start != NULL) {
            seen.held_bytes -= oldest->bytes;
            below.free(oldest->start);
            oldest->start = NULL;
        }
    }
}

static void release_add(const struct release *release)
{
    oldest_give(release->start != NULL ? release->bytes : 0);
    struct release *slot = slot_of(seen.given++);
    *slot = *release;
    slot->order = seen.given;
    seen.held_bytes += release->start != NULL ? release->bytes : 0;
}

bool release_take(const struct trace_record *was, void *start, const void *frame)
{
    struct thread *self;
    bool held = was->size <= RELEASE_HELD_BYTES / 8;
    uint32_t stack = trace_site(frame, WIRE_SITE_RELEASE);
    if (stack == 0 || !thread_lock(&locked, &self)) {
        return false;
    }
    bool on = release_on && seen.ring != NULL;
    if (on) {
        release_add(&(struct release){.address = was->address,
                                      .bytes = was->size,
                                      .start = held ? start : NULL,
                                      .born = was->site,
                                      .serial = was->serial,
                                      .stack = stack});
    }
    thread_unlock(&locked, self);
    return on && held;
}

void release_resource(uint32_t born, uint32_t serial, const void *frame)
{
    struct thread *self;
    uint32_t stack = born == 0 ? 0 : trace_site(frame, WIRE_SITE_RELEASE);
    if (stack == 0 || !thread_lock(&locked, &self)) {
        return;
    }
    if (release_on && seen.ring != NULL) {
        release_add(&(struct release){.born = born, .serial = serial, .stack = stack});
    }
    thread_unlock(&locked, self);
}

void release_begin(void)
{
    struct thread *self;
    release_drop();
    struct release *ring = meter_own_map(RELEASE_MOST * sizeof *ring);
    if (ring == NULL || !thread_lock(&locked, &self)) {
        if (ring != NULL) {
            meter_own_unmap(ring, RELEASE_MOST * sizeof *ring);
        }
        return;
    }
    seen.ring = ring;
    seen.since = birth_now();
    thread_unlock(&locked, self);
    trace_switch(TRACE_RELEASES, true);
}

void release_end(void)
{
    trace_switch(TRACE_RELEASES, false);
}

void release_drop(void)
{
    struct thread *self;
    release_end();
    if (seen.ring == NULL || !thread_lock(&locked, &self)) {
        return;
    }
    oldest_give(UINT64_MAX / 2);
    meter_own_unmap(seen.ring, RELEASE_MOST * sizeof *seen.ring);
    seen.ring = NULL;
    seen.given = seen.held_first = 0;
    seen.held_bytes = 0;
    thread_unlock(&locked, self);
}

uint32_t release_count(void)
{
    return seen.ring == NULL ? 0 : seen.given < RELEASE_MOST ? seen.given : RELEASE_MOST;
}

const struct release *release_at(uint32_t index)
{
    return slot_of(seen.given - release_count() + index);
}

uint32_t release_since(void)
{
    return seen.since;
}

void release_after_fork(void)
{
    trace_switch(TRACE_RELEASES, false);
    atomic_store(&locked, 0);
}
