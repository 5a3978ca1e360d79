/*
 * tally.c - what is alive, added up by site and by birth, and put on the wire. Runs in the worker,
 * on the thread that runs the tests, at boundaries only. Without watch mode (watch.h) an allocation
 * costs nothing for it, and a boundary one pass over the records.
 */
#include "harness/ledger/birth.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/site.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/watch.h"
#include "harness/meter/meter.h"

#include <stddef.h>
#include <string.h>

static bool floor_fresh = true; /* no boundary since ledger_floor_reset */
static bool watched_run;        /* the last ledger_watch_set */

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

static void sites_walk(void)
{
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

/* live_blocks and live_bytes of every site become those of now. */
static void sites_tally(void)
{
    resource_settle();
    if (watch_is_on()) {
        watch_fold();
    } else {
        sites_walk();
    }
}

void ledger_watch_set(bool on)
{
    watched_run = on && trace_on;
    if (!watched_run) {
        return;
    }
    if (!watch_is_on()) {
        resource_settle();
        watch_start(sites_walk);
    }
    watch_births_reset();
}

void ledger_floor_reset(void)
{
    if (watch_is_on()) {
        watch_floor_reset();
        return;
    }
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
    if (watch_is_on()) {
        watch_floor_update();
        return;
    }
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

static void site_values_get(const struct site *site, uint32_t number, struct watch_values *values)
{
    if (watch_is_on()) {
        watch_values_get(site, number, values);
    } else {
        *values = (struct watch_values){.live_blocks = site->live_blocks,
                                        .live_bytes = site->live_bytes,
                                        .floor_blocks = site->floor_blocks,
                                        .floor_bytes = site->floor_bytes,
                                        .family = site_family(number)};
    }
    if (!watched_run) {
        values->born_blocks = atomic_load_explicit(&site->born_blocks, memory_order_relaxed);
        values->born_bytes = atomic_load_explicit(&site->born_bytes, memory_order_relaxed);
    }
}

static void site_put(struct wire *wire, struct site *site, uint32_t number)
{
    struct wire_site record;
    struct watch_values values;
    WIRE_INIT(&record, WIRE_SITE);
    site_values_get(site, number, &values);
    record.site = number;
    record.kind = site->kind;
    record.live_blocks = values.live_blocks;
    record.live_bytes = values.live_bytes;
    record.floor_blocks = values.floor_blocks;
    record.floor_bytes = values.floor_bytes;
    record.born_blocks = values.born_blocks;
    record.born_bytes = values.born_bytes;
    record.family = values.family;
    record.cut = site->cut;
    if (site->sent == SITE_UNSENT) {
        record.frame_count = site->frame_count;
        memcpy(record.frames, site->frames, site->frame_count * sizeof record.frames[0]);
    }
    record.head.bytes =
        offsetof(struct wire_site, frames) + record.frame_count * (uint32_t)sizeof record.frames[0];
    wire_put(wire, &record);
    watch_told(site, &values);
}

void site_frames_put(struct wire *wire, uint32_t number)
{
    struct site *site = site_get(number);
    if (site != NULL && site->frames != NULL && site->sent == SITE_UNSENT) {
        site_put(wire, site, number);
        site->sent = SITE_SENT;
    }
}

static void change_put(void *wire, struct site *site, uint32_t number)
{
    site_put(wire, site, number);
    site->sent = SITE_SENT;
}

void ledger_watch_put(struct wire *wire)
{
    if (watch_is_on()) {
        watch_changes_each(change_put, wire);
    }
}

static bool site_is_held(const struct site *site, uint32_t number)
{
    struct watch_values values;
    if (site == NULL || site->frames == NULL) {
        return false;
    }
    site_values_get(site, number, &values);
    return values.live_blocks > 0 || values.floor_blocks > 0 || values.born_blocks > 0;
}

void ledger_sites_put(struct wire *wire)
{
    sites_tally();
    for (uint32_t number = 1; number <= site_count(); number++) { /* those with frames first */
        struct site *site = site_get(number);
        if (site_is_held(site, number) && site->sent == SITE_UNSENT) {
            site_put(wire, site, number);
            site->sent = SITE_SENT_NOW;
        }
    }
    for (uint32_t number = 1; number <= site_count(); number++) {
        struct site *site = site_get(number);
        if (site_is_held(site, number) && site->sent == SITE_SENT) {
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
