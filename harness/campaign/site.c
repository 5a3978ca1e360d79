/*
 * site.c - where what stays was allocated, and who holds it: asked of the worker, named by symbols.
 * Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/result/result_write.h"
#include "harness/campaign/session.h"

#include <math.h>
#include <stdlib.h>

#define TRACE_TESTS 6 /* few enough to stay below the cap */
#define TRACE_SITES 5

bool session_sites(struct session *session)
{
    enum worker_event event;
    session->site_round++;
    return session_command(
        session, &(struct wire_command){.op = WIRE_OP_SITES, .depth = WIRE_TRACE}, &event);
}

bool session_scan(struct session *session, const uint32_t *sites, uint32_t count)
{
    enum worker_event event;
    struct wire_command scan = {.op = WIRE_OP_SCAN, .depth = WIRE_TRACE};
    session->held_count = 0;
    for (uint32_t i = 0; i < count && i < WIRE_SITES_MAX; i++) {
        scan.sites[scan.site_count++] = sites[i];
    }
    return session_command(session, &scan, &event);
}

/* "table_grow:88": the innermost line of the program's own, else of a library. */
static char *birth_name(struct session *session, uint32_t number)
{
    if (number >= session->site_count || session->sites[number].frame_count == 0) {
        return memory_copy("");
    }
    const struct session_site *site = &session->sites[number];
    struct result_site born;
    uint32_t own = 0;
    while (own < site->frame_count && symbols_system(session->symbols, site->frames[own] - 1)) {
        own++;
    }
    result_site_start(&born);
    symbols_stack(session->symbols, site->frames[own < site->frame_count ? own : 0], false,
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
    symbols_held(session->symbols, held, site->held_by);
}

bool session_site_suppressed(struct session *session, struct session_site *seen)
{
    if (!session->options->suppress || session->options->suppress->count == 0) {
        return false;
    }
    if (!seen->looked_up) {
        struct result_site stack;
        result_site_start(&stack);
        for (uint32_t i = 0; i < seen->frame_count; i++) {
            symbols_stack(session->symbols, seen->frames[i], false, &stack.frames,
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
    for (size_t i = 0; i < session->site_count; i++) {
        const struct session_site *seen = &session->sites[i];
        if (seen->told != session->site_round || seen->born_blocks == 0) {
            continue;
        }
        struct result_site *birth = result_birth_add(session->result);
        result_set(&birth->test, session->names[number].id);
        result_set(&birth->variant, session->variant->name);
        birth->blocks = seen->born_blocks;
        birth->bytes = seen->born_bytes;
        for (uint32_t f = 0; f < seen->frame_count; f++) {
            symbols_stack(session->symbols, seen->frames[f], false, &birth->frames,
                          &birth->frame_count);
        }
        if (session->options->writer) {
            result_write_birth(session->options->writer, birth);
        }
    }
    return true;
}

struct result_site *session_site_add(struct session *session, const char *test,
                                     const struct session_site *seen, unsigned rank, double whole)
{
    static const char *const kinds[] = {"heap", "mmap", "fd", "thread", "file"};
    struct result_site *site = result_site_add(session->result);
    result_set(&site->test, test);
    result_set(&site->variant, session->variant->name);
    result_set(&site->kind, kinds[seen->kind % 5]);
    site->rank = rank;
    site->bytes = seen->bytes;
    site->blocks = seen->blocks;
    site->share = whole > 0 ? (double)seen->bytes / whole : NAN;
    for (uint32_t i = 0; i < seen->frame_count; i++) {
        symbols_stack(session->symbols, seen->frames[i], false, &site->frames, &site->frame_count);
    }
    const struct wire_held *best = NULL;
    for (size_t i = 0; i < session->held_count; i++) {
        const struct wire_held *held = &session->held[i];
        if (held->site == seen->number && (!best || held->bytes > best->bytes)) {
            best = held;
        }
    }
    if (best) {
        chain_fill(session, best, site);
    }
    return site;
}

static int compare_bytes(const void *a, const void *b)
{
    const struct session_site *x = *(struct session_site *const *)a;
    const struct session_site *y = *(struct session_site *const *)b;
    return x->bytes < y->bytes   ? 1
           : x->bytes > y->bytes ? -1
                                 : (x->number > y->number) - (x->number < y->number);
}

/* The largest heap sites of a worker that has run some tests. */
static void trace_take(struct session *traced)
{
    struct session_site **sorted =
        memory_new(traced->site_count, sizeof *sorted); /* NOLINT(bugprone-sizeof-expression) */
    uint32_t numbers[TRACE_SITES] = {0}, count = 0;
    double whole = 0;
    size_t known = 0;
    for (size_t i = 0; i < traced->site_count; i++) {
        if (traced->sites[i].told == traced->site_round &&
            traced->sites[i].kind == WIRE_SITE_HEAP &&
            !session_site_suppressed(traced, &traced->sites[i])) {
            whole += (double)traced->sites[i].bytes;
            sorted[known++] = &traced->sites[i];
        }
    }
    qsort(sorted, known, sizeof *sorted, /* NOLINT(bugprone-sizeof-expression) */
          compare_bytes);
    for (; count < known && count < TRACE_SITES && sorted[count]->bytes > 0; count++) {
        numbers[count] = sorted[count]->number;
    }
    session_scan(traced, numbers, count);
    for (uint32_t i = 0; i < count; i++) {
        struct result_site *site = session_site_add(traced, "", sorted[i], i + 1, whole);
        site->verdict = VERDICT_ACCUMULATES;
        if (traced->options->writer) {
            result_write_site(traced->options->writer, site);
        }
    }
    free(sorted);
}

void session_trace(struct session *session)
{
    struct session traced;
    uint32_t tests = (uint32_t)session->live_count;
    session_init(&traced, session->plan, session->variant, session->options, session->result);
    traced.quiet = true;
    if (session_begin(&traced)) {
        session_serve(&traced, 0, tests < TRACE_TESTS ? tests : TRACE_TESTS);
        if (!traced.worker.ended && session_sites(&traced)) {
            trace_take(&traced);
        }
        worker_fini(&traced.worker);
    }
    session_fini(&traced);
}
