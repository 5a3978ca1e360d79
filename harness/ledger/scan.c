/*
 * scan.c - who holds the blocks of the named sites: ledger_scan_put; which blocks of a birth
 * anything reaches: reach_each. Runs in the worker, on the thread that runs the tests, or in a
 * child that ends; all other threads are stopped while memory is read.
 *
 * Roots are spread by rank: what a global holds, however far away, is said to be held by it even if
 * a stack or a register happens to point at it too; then thread-local storage, then stacks and
 * registers. Blocks are grouped by root and by the sites on the way (a list of a thousand nodes is
 * one way).
 */
#include "harness/ledger/graph.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/mapping.h"
#include "harness/ledger/reach.h"
#include "harness/ledger/roots.h"
#include "harness/ledger/site.h"
#include "harness/ledger/stop.h"
#include "harness/ledger/trace.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <string.h>

#define WAYS_MOST     1024u
#define WAYS_PER_SITE 16u

struct way { /* of the blocks of one site: by whom and through which sites they are held */
    uint32_t site, chain;
    uint32_t example; /* node: the nearest to the root */
    uint32_t depth;
    bool reached;
    int64_t blocks, bytes;
};

struct scan {
    struct graph graph;
    struct roots roots;
    struct stop stop;
    struct way *ways; /* a table by (site, chain), then sorted */
    uint32_t way_count;
};

static void block_take(void *context, const struct trace_record *record)
{
    struct scan *scan = context;
    graph_add(&scan->graph, record->address, record->size, record->site);
}

static void mapping_take(void *context, uint64_t address, uint64_t bytes, uint32_t site)
{
    struct scan *scan = context;
    graph_add(&scan->graph, address, bytes, site);
}

static uint32_t rank_of(enum wire_root kind)
{
    return kind == WIRE_ROOT_GLOBAL ? 0 : kind == WIRE_ROOT_TLS ? 1 : 2;
}

/* A root that lies in a block (an object's struct that malloc gave) is no root. */
static void roots_spread(struct scan *scan)
{
    for (uint32_t rank = 0; rank < 3; rank++) {
        for (uint32_t i = 0; i < scan->roots.count; i++) {
            const struct root *root = &scan->roots.list[i];
            if (rank_of(root->kind) != rank || graph_find(&scan->graph, root->start) != NULL) {
                continue;
            }
            if (root->kind ==
                WIRE_ROOT_REGISTER) { /* our own copy: in no list of readable memory */
                struct graph_range here = {root->start, root->end};
                const struct graph_range *all = scan->graph.readable;
                uint32_t count = scan->graph.readable_count;
                scan->graph.readable = &here;
                scan->graph.readable_count = 1;
                graph_mark(&scan->graph, root->start, root->end, GRAPH_ROOT | i);
                scan->graph.readable = all;
                scan->graph.readable_count = count;
            } else {
                graph_mark(&scan->graph, root->start, root->end, GRAPH_ROOT | i);
            }
        }
        graph_spread(&scan->graph);
    }
}

static bool memory_scan(struct scan *scan, uint64_t sp)
{
    bool done = false;
    if (!roots_begin(&scan->roots)) {
        return false;
    }
    if (stop_others(&scan->stop)) {
        uint32_t room = trace_records() + mapping_count();
        struct ledger_totals totals;
        ledger_totals_get(&totals); /* of which some are traced: more room than is needed */
        uint32_t untraced = totals.live_blocks > 0 && totals.live_blocks < INT32_MAX / 4
                                ? (uint32_t)totals.live_blocks + 64
                                : 64;
        if (roots_threads(&scan->roots, &scan->stop, sp) &&
            graph_init(&scan->graph, room, untraced, scan->roots.readable,
                       scan->roots.readable_count)) {
            trace_each(block_take, scan);
            mapping_each(mapping_take, scan);
            graph_sort(&scan->graph);
            roots_spread(scan);
            done = true;
        }
        stop_release(&scan->stop);
    }
    return done;
}

static struct way *way_find(struct scan *scan, uint32_t site, uint32_t chain, bool reached)
{
    uint32_t at = (site * 0x9e3779b1u ^ chain) % WAYS_MOST;
    for (uint32_t tried = 0; tried < WAYS_MOST; tried++, at = (at + 1) % WAYS_MOST) {
        struct way *way = &scan->ways[at];
        if (way->blocks == 0) {
            if (scan->way_count >= WAYS_MOST - 2 * WIRE_SITES_MAX && chain != 0) {
                return way_find(scan, site, 0,
                                reached); /* table full: the rest of a site is one way */
            }
            scan->way_count++;
            *way =
                (struct way){.site = site, .chain = chain, .reached = reached, .depth = UINT32_MAX};
            return way;
        }
        if (way->site == site && way->chain == chain && way->reached == reached) {
            return way;
        }
    }
    return NULL;
}

static void ways_gather(struct scan *scan, const uint32_t *sites, uint32_t site_count)
{
    for (uint32_t i = 0; i < scan->graph.count; i++) {
        const struct graph_node *node = &scan->graph.nodes[i];
        for (uint32_t s = 0; s < site_count; s++) {
            if (sites[s] != node->site) {
                continue;
            }
            bool reached = node->parent != GRAPH_UNREACHED;
            struct way *way = way_find(scan, node->site, reached ? node->chain | 1 : 1, reached);
            if (way != NULL) {
                way->blocks++;
                way->bytes += (int64_t)node->size;
                if (node->depth < way->depth) {
                    way->depth = node->depth;
                    way->example = i;
                }
            }
            break;
        }
    }
}

/* By site as asked for; then the unreached last; then most bytes first. */
static bool way_before(const struct way *a, const struct way *b)
{
    if (a->site != b->site) {
        return a->site < b->site;
    }
    if (a->reached != b->reached) {
        return a->reached;
    }
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->blocks > b->blocks;
}

static void ways_sort(struct scan *scan)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WAYS_MOST; i++) { /* close the table's gaps, inserting in order */
        struct way way = scan->ways[i];
        uint32_t at = count;
        if (way.blocks == 0) {
            continue;
        }
        for (; at > 0 && way_before(&way, &scan->ways[at - 1]); at--) {
            scan->ways[at] = scan->ways[at - 1];
        }
        scan->ways[at] = way;
        count++;
    }
    scan->way_count = count;
}

/* How far behind the block's beginning the word that holds it points. By a system call: other
 * threads run again, and the word may be gone. */
static uint32_t pointed_at(const struct graph_node *node)
{
    uint64_t word = 0;
    struct {
        uint64_t address, bytes;
    } to = {(uint64_t)(uintptr_t)&word, sizeof word}, from = {node->via, sizeof word};
    kernel_call(SYS_process_vm_readv, kernel_pid(), (long)&to, 1, (long)&from, 1, 0);
    uint64_t at = word - node->address;
    return at < node->size && at <= UINT32_MAX ? (uint32_t)at : 0;
}

static void chain_fill(const struct scan *scan, uint32_t example, struct wire_held *held)
{
    uint32_t index = example;
    const struct graph_node *node = &scan->graph.nodes[index];
    uint32_t length = node->depth;
    for (uint32_t step = length; step-- > 0;) { /* from the block outwards */
        node = &scan->graph.nodes[index];
        /* Too long: the first links from the root, and the block itself. */
        uint32_t at = step == length - 1 && length > WIRE_CHAIN_MAX ? WIRE_CHAIN_MAX - 1 : step;
        bool kept = at < WIRE_CHAIN_MAX &&
                    (step == length - 1 || at < WIRE_CHAIN_MAX - 1 || length <= WIRE_CHAIN_MAX);
        if (kept) {
            held->chain[at].site = node->site;
            held->chain[at].bytes = node->size;
            held->chain[at].at = pointed_at(node);
        }
        if ((node->parent & GRAPH_ROOT) != 0) {
            const struct root *root = &scan->roots.list[node->parent & ~GRAPH_ROOT];
            held->root = root->kind;
            held->root_address = root->kind == WIRE_ROOT_REGISTER ? 0 : node->via;
            held->thread = root->thread;
            if (root->kind == WIRE_ROOT_TLS) {
                roots_tls_object(node->via, root->pointer, &held->tls_base, &held->tls_offset);
            }
            break;
        }
        const struct graph_node *parent = &scan->graph.nodes[node->parent];
        uint32_t parent_at = step - 1;
        if (parent_at < WIRE_CHAIN_MAX) { /* where in the parent the next link begins */
            held->chain[parent_at].offset = node->via - parent->address;
        }
        index = node->parent;
    }
    held->chain_count = length < WIRE_CHAIN_MAX ? length : WIRE_CHAIN_MAX;
    held->chain[held->chain_count - 1].offset = 0;
}

static void ways_put(struct wire *wire, struct scan *scan)
{
    uint32_t of_site = 0;
    for (uint32_t i = 0; i < scan->way_count; i++) {
        struct way *way = &scan->ways[i];
        of_site = i > 0 && scan->ways[i - 1].site == way->site ? of_site + 1 : 0;
        struct wire_held held;
        WIRE_INIT(&held, WIRE_HELD);
        held.site = way->site;
        held.blocks = way->blocks;
        held.bytes = way->bytes;
        if (way->reached) {
            if (of_site >= WAYS_PER_SITE - 1) { /* the small ones are said together */
                while (i + 1 < scan->way_count && scan->ways[i + 1].site == way->site &&
                       scan->ways[i + 1].reached) {
                    held.blocks += scan->ways[++i].blocks;
                    held.bytes += scan->ways[i].bytes;
                }
            }
            chain_fill(scan, way->example, &held);
        }
        wire_put(wire, &held);
    }
}

static void scan_free(struct scan *scan)
{
    if (scan->graph.nodes != NULL) {
        graph_fini(&scan->graph);
    }
    roots_end(&scan->roots);
    meter_own_unmap(scan, sizeof *scan);
}

__attribute__((noinline)) void ledger_scan_put(struct wire *wire, const uint32_t *sites,
                                               uint32_t site_count)
{
    __builtin_unwind_init(); /* the caller's registers, onto this frame */
    int saved = errno;
    struct scan *scan = meter_own_map(sizeof *scan);
    if (scan == NULL) {
        return;
    }
    scan->ways = meter_own_map(WAYS_MOST * sizeof *scan->ways);
    if (scan->ways != NULL &&
        memory_scan(scan, (uint64_t)(uintptr_t)__builtin_frame_address(0) - 64)) {
        ways_gather(scan, sites, site_count);
        ways_sort(scan);
        ways_put(wire, scan);
    }
    if (scan->ways != NULL) {
        meter_own_unmap(scan->ways, WAYS_MOST * sizeof *scan->ways);
    }
    scan_free(scan);
    errno = saved;
}

struct reach {
    const struct graph *graph;
    uint32_t serial;
    reach_seen *each;
    void *context;
};

static void reach_look(void *context, const struct trace_record *record)
{
    const struct reach *reach = context;
    if (record->serial == reach->serial) {
        const struct graph_node *node = graph_find(reach->graph, record->address);
        reach->each(reach->context, record, node == NULL || node->parent != GRAPH_UNREACHED);
    }
}

bool reach_each(uint32_t serial, uint64_t sp, reach_seen *each, void *context)
{
    struct scan *scan = meter_own_map(sizeof *scan);
    if (scan == NULL) {
        return false;
    }
    bool done = memory_scan(scan, sp);
    if (done) {
        struct reach reach = {&scan->graph, serial, each, context};
        trace_each(reach_look, &reach);
    }
    scan_free(scan);
    return done;
}
