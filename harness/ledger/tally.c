/*
 * tally.c - what is alive, added up by site and by birth, and put on the wire. Runs in the worker,
 * on the thread that runs the tests, at boundaries only: an allocation costs nothing for it, a
 * boundary costs one pass over the records.
 */
#include "harness/ledger/birth.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/site.h"
#include "harness/ledger/trace.h"
#include "harness/meter/meter.h"

#include <string.h>

static bool floor_fresh = true; /* no boundary since ledger_floor_reset */

static void site_add(void *context, const struct trace_record *record)
{
    (void)context;
    struct site *site = site_get(record->site);
    if (site != NULL) {
        site->live_blocks++;
        site->live_bytes += (int64_t)record->size;
    }
}

static void resource_add(void *context, const struct resource *resource)
{
    (void)context;
    struct site *site = site_get(resource->site);
    if (site != NULL) {
        site->live_blocks++;
        site->live_bytes += (int64_t)resource->bytes;
    }
}

static void sites_tally(void)
{
    resource_settle();
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site != NULL) {
            site->live_blocks = 0;
            site->live_bytes = 0;
        }
    }
    trace_each(site_add, NULL);
    resource_each(resource_add, NULL);
}

void ledger_floor_reset(void)
{
    floor_fresh = true;
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site !=
            NULL) { /* a site that appears later in the epoch had nothing at its first boundary */
            site->floor_blocks = 0;
            site->floor_bytes = 0;
        }
    }
}

void ledger_floor_update(void)
{
    sites_tally();
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site == NULL) {
            continue;
        }
        if (floor_fresh || site->live_blocks < site->floor_blocks) {
            site->floor_blocks = site->live_blocks;
        }
        if (floor_fresh || site->live_bytes < site->floor_bytes) {
            site->floor_bytes = site->live_bytes;
        }
    }
    floor_fresh = false;
}

void ledger_births_set(bool on)
{
    trace_switch(TRACE_BIRTHS, false);
    for (uint32_t number = 1; on && number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site != NULL) {
            atomic_store_explicit(&site->born_blocks, 0, memory_order_relaxed);
            atomic_store_explicit(&site->born_bytes, 0, memory_order_relaxed);
        }
    }
    trace_switch(TRACE_BIRTHS, on);
}

static void site_put(struct wire *wire, struct site *site, uint32_t number)
{
    struct wire_site record;
    WIRE_INIT(&record, WIRE_SITE);
    record.site = number;
    record.kind = site->kind;
    record.live_blocks = site->live_blocks;
    record.live_bytes = site->live_bytes;
    record.floor_blocks = site->floor_blocks;
    record.floor_bytes = site->floor_bytes;
    record.born_blocks = atomic_load_explicit(&site->born_blocks, memory_order_relaxed);
    record.born_bytes = atomic_load_explicit(&site->born_bytes, memory_order_relaxed);
    record.cut = site->cut;
    if (site->sent == SITE_UNSENT) {
        record.frame_count = site->frame_count;
        memcpy(record.frames, site->frames, site->frame_count * sizeof record.frames[0]);
    }
    wire_put(wire, &record);
}

void site_frames_put(struct wire *wire, uint32_t number)
{
    struct site *site = site_get(number);
    if (site != NULL && site->frames != NULL && site->sent == SITE_UNSENT) {
        site_put(wire, site, number);
        site->sent = SITE_SENT;
    }
}

static bool site_is_held(const struct site *site)
{
    return site != NULL && site->frames != NULL &&
           (site->live_blocks > 0 || site->floor_blocks > 0 ||
            atomic_load_explicit(&site->born_blocks, memory_order_relaxed) > 0);
}

void ledger_sites_put(struct wire *wire)
{
    sites_tally();
    for (uint32_t number = 1; number <= site_count(); number++) { /* those with frames first */
        struct site *site = site_get(number);
        if (site_is_held(site) && site->sent == SITE_UNSENT) {
            site_put(wire, site, number);
            site->sent = SITE_SENT_NOW;
        }
    }
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site_is_held(site) && site->sent == SITE_SENT) {
            site_put(wire, site, number);
        } else if (site != NULL && site->sent == SITE_SENT_NOW) {
            site->sent = SITE_SENT;
        }
    }
}

/* Survivors: a table of (site, birth test), grown by doubling, for the time of one call. */
struct survivor {
    uint32_t site, birth;
    int64_t blocks, bytes;
};

struct survivors {
    struct survivor *table;
    size_t room, used; /* room is a power of two */
    bool failed;
};

static struct survivor *survivor_slot(struct survivors *all, uint32_t site, uint32_t birth)
{
    size_t at = ((size_t)site * 0x9e3779b97f4a7c15u ^ (size_t)birth * 0xd6e8feb86659fd93u) >> 20;
    for (;; at++) {
        struct survivor *slot = &all->table[at & (all->room - 1)];
        if (slot->site == 0 || (slot->site == site && slot->birth == birth)) {
            return slot;
        }
    }
}

static bool survivors_grow(struct survivors *all)
{
    struct survivors bigger = {.room = all->room == 0 ? 4096 : all->room * 2, .used = all->used};
    bigger.table = meter_own_map(bigger.room * sizeof *bigger.table);
    if (bigger.table == NULL) {
        return false;
    }
    for (size_t i = 0; i < all->room; i++) {
        if (all->table[i].site != 0) {
            *survivor_slot(&bigger, all->table[i].site, all->table[i].birth) = all->table[i];
        }
    }
    if (all->table != NULL) {
        meter_own_unmap(all->table, all->room * sizeof *all->table);
    }
    *all = bigger;
    return true;
}

static void survivors_add(struct survivors *all, uint32_t site, uint32_t serial, uint64_t bytes)
{
    if (site == 0 || all->failed) {
        return;
    }
    if (all->used * 2 >= all->room && !survivors_grow(all)) {
        all->failed = true;
        return;
    }
    uint32_t birth = birth_of(serial);
    struct survivor *slot = survivor_slot(all, site, birth);
    all->used += slot->site == 0;
    slot->site = site;
    slot->birth = birth;
    slot->blocks++;
    slot->bytes += (int64_t)bytes;
}

static void survivor_block(void *context, const struct trace_record *record)
{
    survivors_add(context, record->site, record->serial, record->size);
}

static void survivor_resource(void *context, const struct resource *resource)
{
    survivors_add(context, resource->site, resource->serial, resource->bytes);
}

void ledger_survivors_put(struct wire *wire)
{
    struct survivors all = {0};
    resource_settle();
    trace_each(survivor_block, &all);
    resource_each(survivor_resource, &all);
    for (size_t i = 0; i < all.room; i++) {
        if (all.table[i].site != 0) {
            struct wire_survivor record;
            WIRE_INIT(&record, WIRE_SURVIVOR);
            record.site = all.table[i].site;
            record.birth = all.table[i].birth;
            record.blocks = all.table[i].blocks;
            record.bytes = all.table[i].bytes;
            wire_put(wire, &record);
        }
    }
    if (all.table != NULL) {
        meter_own_unmap(all.table, all.room * sizeof *all.table);
    }
}
