/*
 * site.c - where what stays was allocated, and who holds it: asked of the worker, named by symbols.
 * Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/campaign/session.h"
#include "harness/result/result_write.h"

#include <math.h>
#include <stdlib.h>

bool session_sites(struct session *session)
{
    return session_ask(session, &(struct wire_command){.op = WIRE_OP_SITES, .depth = WIRE_TRACE})
               .event == WORKER_DONE;
}

static bool was_scanned(const struct wire_command *scan, uint32_t site)
{
    for (uint32_t i = 0; i < scan->site_count; i++) {
        if (scan->sites[i] == site) {
            return true;
        }
    }
    return false;
}

bool session_scan(struct session *session, const uint32_t *sites, uint32_t count)
{
    struct wire_command *scan = &session->scanned;
    bool known = scan->site_count > 0;
    for (uint32_t i = 0; i < count && known; i++) {
        known = was_scanned(scan, sites[i]);
    }
    if (known) {
        return true;
    }
    *scan = (struct wire_command){.op = WIRE_OP_SCAN, .depth = WIRE_TRACE};
    session->seen.held_count = 0;
    for (uint32_t i = 0; i < count && i < WIRE_SITES_MAX; i++) {
        scan->sites[scan->site_count++] = sites[i];
    }
    bool answered = session_ask(session, scan).event == WORKER_DONE;
    scan->site_count = answered ? scan->site_count : 0;
    return answered;
}

/* Unreachable in the main: it is lost. Descriptors, threads and files have no one who points at
 * them. */
bool session_site_lost(const struct session *session, const struct observed_site *site)
{
    int64_t lost = 0, held = 0;
    for (size_t i = 0; i < session->seen.held_count; i++) {
        const struct wire_held *way = &session->seen.held[i];
        if (way->site == site->number) {
            *(way->root == WIRE_ROOT_NONE ? &lost : &held) +=
                way->bytes > 0 ? way->bytes : way->blocks;
        }
    }
    return site->kind >= WIRE_SITE_FD || lost > held;
}

/* "table_grow:88": the innermost line of the program's own, else of a library. */
static char *birth_name(struct session *session, uint32_t number)
{
    if (number >= session->seen.site_count || session->seen.sites[number].frame_count == 0) {
        return memory_copy("");
    }
    const struct observed_site *site = &session->seen.sites[number];
    struct result_site born;
    uint32_t own = 0;
    while (own < site->frame_count &&
           symbols_system(session->seen.symbols, site->frames[own] - 1)) {
        own++;
    }
    result_site_start(&born);
    symbols_stack(session->seen.symbols, site->frames[own < site->frame_count ? own : 0], false,
                  &born.frames, &born.frame_count);
    const struct result_frame *by = &born.frames[0];
    char *name =
        by->line ? memory_format("%s:%u", by->function, by->line) : memory_copy(by->function);
    result_site_fini(&born);
    return name;
}

static void chain_fill(struct session *session, const struct wire_held *held,
                       struct result_site *site)
{
    site->reach = held->root == WIRE_ROOT_NONE ? REACH_UNREACHABLE : REACH_HELD;
    if (held->root == WIRE_ROOT_NONE) {
        return;
    }
    site->held_by = memory_new(held->chain_count + 1u, sizeof site->held_by[0]);
    struct result_link *root = &site->held_by[site->held_by_count++];
    *root = (struct result_link){
        .symbol = memory_copy(""), .field = memory_copy(""), .module = memory_copy("")};
    for (uint32_t i = 0; i < held->chain_count; i++) {
        struct result_link *link = &site->held_by[site->held_by_count++];
        *link = (struct result_link){.field = memory_copy(""),
                                     .module = memory_copy(""),
                                     .offset = held->chain[i].offset,
                                     .bytes = held->chain[i].bytes};
        link->symbol = birth_name(session, held->chain[i].site);
    }
    symbols_held(session->seen.symbols, held, site->held_by);
}

bool session_site_suppressed(struct session *session, struct observed_site *seen)
{
    if (!session->options->suppress || session->options->suppress->count == 0) {
        return false;
    }
    if (!seen->looked_up) {
        struct result_site stack;
        result_site_start(&stack);
        for (uint32_t i = 0; i < seen->frame_count; i++) {
            symbols_stack(session->seen.symbols, seen->frames[i], false, &stack.frames,
                          &stack.frame_count);
        }
        seen->suppressed =
            suppress_find(session->options->suppress, stack.frames, stack.frame_count);
        seen->looked_up = true;
        result_site_fini(&stack);
    }
    return seen->suppressed != NULL;
}

bool session_births(struct session *session, uint32_t number)
{
    if (!session_sites(session)) {
        return false;
    }
    for (size_t i = 0; i < session->seen.site_count; i++) {
        const struct observed_site *seen = &session->seen.sites[i];
        if (seen->round != session->seen.round || seen->born_blocks == 0) {
            continue;
        }
        struct result_site *birth = result_birth_add(session->result);
        result_set(&birth->test, session->seen.tests[number].id);
        result_set(&birth->variant, session->variant->name);
        birth->blocks = seen->born_blocks;
        birth->bytes = seen->born_bytes;
        for (uint32_t f = 0; f < seen->frame_count; f++) {
            symbols_stack(session->seen.symbols, seen->frames[f], false, &birth->frames,
                          &birth->frame_count);
        }
        if (session->options->writer) {
            result_write_birth(session->options->writer, birth);
        }
    }
    return true;
}

struct result_site *session_site_add(struct session *session, const char *test,
                                     const struct observed_site *seen, unsigned rank, double whole)
{
    static const char *const kinds[] = {"heap", "mmap", "fd", "thread", "file", "child"};
    struct result_site *site = result_site_add(session->result);
    result_set(&site->test, test);
    result_set(&site->variant, session->variant->name);
    result_set(&site->kind, kinds[seen->kind % (sizeof kinds / sizeof kinds[0])]);
    site->rank = rank;
    site->bytes = seen->bytes - seen->begin_bytes;
    site->blocks = seen->blocks - seen->begin_blocks;
    site->share = whole > 0 ? (double)site->bytes / whole : NAN;
    for (uint32_t i = 0; i < seen->frame_count; i++) {
        symbols_stack(session->seen.symbols, seen->frames[i], false, &site->frames,
                      &site->frame_count);
    }
    const struct wire_held *best = NULL;
    for (size_t i = 0; i < session->seen.held_count; i++) {
        const struct wire_held *held = &session->seen.held[i];
        if (held->site == seen->number && (!best || held->bytes > best->bytes)) {
            best = held;
        }
    }
    if (best) {
        chain_fill(session, best, site);
    }
    return site;
}
