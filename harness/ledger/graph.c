/* graph.c - see graph.h. Runs in the worker. */
#include "harness/ledger/graph.h"

#include "harness/ledger/header.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <fcntl.h>
#include <string.h>

#define RUN_GAP      (64u << 20)
#define RADIX_BITS   11u
#define RADIX        (1u << RADIX_BITS)
#define PAGE         4096u
#define LARGE        (1u << 20)
#define BUCKET_SPARE 8u
#define LOWEST       65536u /* no block of anyone's below, nor beyond */
#define HIGHEST      ((uint64_t)1 << 47)

bool graph_init(struct graph *graph, uint32_t room, uint32_t untraced,
                const struct graph_range *readable, uint32_t readable_count)
{
    memset(graph, 0, sizeof *graph);
    room += untraced;
    graph->room = room;
    graph->untraced_room = untraced;
    graph->table_room = 64;
    while (graph->table_room < 2 * untraced) {
        graph->table_room *= 2;
    }
    graph->readable = readable;
    graph->readable_count = readable_count;
    graph->bucket_room = 2 * room + GRAPH_RUNS_MOST * BUCKET_SPARE;
    graph->nodes = meter_own_map((room + 1) * sizeof *graph->nodes);
    graph->spare = meter_own_map((room + 1) * sizeof *graph->spare);
    graph->buckets = meter_own_map(graph->bucket_room * sizeof *graph->buckets);
    graph->queue = meter_own_map((room + 1) * sizeof *graph->queue);
    graph->untraced_table = meter_own_map(graph->table_room * sizeof *graph->untraced_table);
    if (graph->untraced_table == NULL || graph->nodes == NULL || graph->spare == NULL ||
        graph->buckets == NULL || graph->queue == NULL) {
        graph_fini(graph);
        return false;
    }
    return true;
}

static void own_free(void *map, size_t bytes)
{
    if (map != NULL) {
        meter_own_unmap(map, bytes);
    }
}

void graph_fini(struct graph *graph)
{
    own_free(graph->nodes, (graph->room + 1) * sizeof *graph->nodes);
    own_free(graph->spare, (graph->room + 1) * sizeof *graph->spare);
    own_free(graph->buckets, graph->bucket_room * sizeof *graph->buckets);
    own_free(graph->queue, (graph->room + 1) * sizeof *graph->queue);
    own_free(graph->untraced_table, graph->table_room * sizeof *graph->untraced_table);
    memset(graph, 0, sizeof *graph);
}

void graph_add(struct graph *graph, uint64_t address, uint64_t size, uint32_t site)
{
    if (graph->count < graph->room - graph->untraced_room) {
        graph->nodes[graph->count++] = (struct graph_node){
            .address = address, .size = size, .parent = GRAPH_UNREACHED, .site = site};
    }
}

/* By address, least significant digits first; digits that are the same everywhere are left out. */
static void nodes_sort(struct graph *graph)
{
    static uint32_t starts[RADIX];
    uint64_t all_or = 0, all_and = UINT64_MAX;
    for (uint32_t i = 0; i < graph->count; i++) {
        all_or |= graph->nodes[i].address;
        all_and &= graph->nodes[i].address;
    }
    uint64_t differs = all_or ^ all_and;
    for (unsigned shift = 3; shift < 48; shift += RADIX_BITS) {
        if (((differs >> shift) & (RADIX - 1)) == 0) {
            continue;
        }
        memset(starts, 0, sizeof starts);
        for (uint32_t i = 0; i < graph->count; i++) {
            starts[(graph->nodes[i].address >> shift) & (RADIX - 1)]++;
        }
        uint32_t sum = 0;
        for (uint32_t digit = 0; digit < RADIX; digit++) {
            uint32_t here = starts[digit];
            starts[digit] = sum;
            sum += here;
        }
        for (uint32_t i = 0; i < graph->count; i++) {
            uint32_t digit = (graph->nodes[i].address >> shift) & (RADIX - 1);
            graph->spare[starts[digit]++] = graph->nodes[i];
        }
        struct graph_node *swap = graph->nodes;
        graph->nodes = graph->spare;
        graph->spare = swap;
    }
}

static void run_index(struct graph *graph, struct graph_run *run, uint32_t *bucket)
{
    const struct graph_node *last = &graph->nodes[run->first + run->count - 1];
    run->start = graph->nodes[run->first].address;
    run->end = last->address + last->size + 1;
    run->bucket = *bucket;
    uint64_t most = 2 * (uint64_t)run->count;
    while (((last->address - run->start) >> run->shift) >= most) {
        run->shift++;
    }
    uint32_t buckets = (uint32_t)((last->address - run->start) >> run->shift) + 1;
    uint32_t node = run->first;
    for (uint32_t i = 0; i < buckets; i++) {
        uint64_t start = run->start + ((uint64_t)i << run->shift);
        while (node < run->first + run->count && graph->nodes[node].address < start) {
            node++;
        }
        graph->buckets[run->bucket + i] = node;
    }
    graph->buckets[run->bucket + buckets] = run->first + run->count;
    *bucket += buckets + 1;
}

void graph_sort(struct graph *graph)
{
    uint32_t bucket = 0;
    nodes_sort(graph);
    for (uint32_t i = 0; i < graph->count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (i == 0 || (node->address - node[-1].address > RUN_GAP + node[-1].size &&
                       graph->run_count < GRAPH_RUNS_MOST)) {
            graph->runs[graph->run_count++] = (struct graph_run){.first = i};
        }
        graph->runs[graph->run_count - 1].count++;
    }
    for (uint32_t i = 0; i < graph->run_count; i++) {
        run_index(graph, &graph->runs[i], &bucket);
    }
}

static inline struct graph_node *run_find(const struct graph *graph, const struct graph_run *run,
                                          uint64_t address)
{
    uint64_t offset = (address - run->start) >> run->shift;
    uint64_t most = (graph->nodes[run->first + run->count - 1].address - run->start) >> run->shift;
    uint32_t bucket = run->bucket + (uint32_t)(offset < most ? offset : most);
    /* The last node that begins at or before the address: between two bucket's first nodes. */
    uint32_t low = graph->buckets[bucket], high = graph->buckets[bucket + 1];
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (graph->nodes[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == run->first) {
        return NULL;
    }
    struct graph_node *node = &graph->nodes[low - 1];
    return address - node->address < node->size + (node->size == 0) ? node : NULL;
}

struct graph_node *graph_find(const struct graph *graph, uint64_t address)
{
    uint32_t low = 0, high = graph->run_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (graph->runs[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || address >= graph->runs[low - 1].end) {
        return NULL;
    }
    return run_find(graph, &graph->runs[low - 1], address);
}

static uint32_t chain_mix(uint32_t chain, uint32_t with)
{
    uint32_t hash = (chain ^ with) * 0x9e3779b1u;
    return hash ^ hash >> 15;
}

static void node_reach(struct graph *graph, struct graph_node *node, uint64_t via, uint32_t parent)
{
    node->via = via;
    node->parent = parent;
    if ((parent & GRAPH_ROOT) != 0) {
        node->chain = chain_mix(chain_mix(parent, (uint32_t)(via >> 3)), node->site);
        node->depth = 1;
    } else {
        const struct graph_node *from = &graph->nodes[parent];
        node->chain = from->site == node->site ? from->chain : chain_mix(from->chain, node->site);
        node->depth = from->depth + 1;
    }
    graph->queue[graph->queue_tail++] = (uint32_t)(node - graph->nodes);
}

/* The first range that ends after `address`. */
static uint32_t readable_search(const struct graph *graph, uint64_t address)
{
    uint32_t low = 0, high = graph->readable_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (graph->readable[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Is `word` the first byte of a live block that the sorted nodes do not have? Its header says so
 * with 40 bits of check. */
static struct graph_node *untraced_find(struct graph *graph, uint64_t word)
{
    if (word % 16 != 0 || word - LOWEST >= HIGHEST - LOWEST || graph->untraced_room == 0) {
        return NULL;
    }
    uint64_t header = word - HEADER_BYTES;
    if (header - graph->recent.start >= graph->recent.end - graph->recent.start) {
        uint32_t i = readable_search(graph, header);
        if (i == graph->readable_count || graph->readable[i].start > header) {
            return NULL;
        }
        graph->recent = graph->readable[i];
    }
    size_t size;
    void *start;
    void *block = (void *)(uintptr_t)word;
    uint32_t mark = header_of(block)->mark;
    if (mark != header_mark(block, mark & 0xff) ||
        header_read(block, &size, &start) != HEADER_WHOLE) {
        return NULL;
    }
    for (uint32_t at = (uint32_t)(word >> 4) * 0x9e3779b1u;; at++) {
        uint32_t *slot = &graph->untraced_table[at % graph->table_room];
        if (*slot == 0) {
            if (graph->untraced == graph->untraced_room) {
                return NULL;
            }
            *slot = graph->count + graph->untraced++ + 1;
            graph->nodes[*slot - 1] =
                (struct graph_node){.address = word, .size = size, .parent = GRAPH_UNREACHED};
        }
        if (graph->nodes[*slot - 1].address == word) {
            return &graph->nodes[*slot - 1];
        }
    }
}

static void words_mark(struct graph *graph, uint64_t start, uint64_t end, uint32_t parent)
{
    uint64_t low = 0, span = 0;
    if (graph->run_count > 0) {
        low = graph->runs[0].start;
        span = graph->runs[graph->run_count - 1].end - low;
    }
    for (uint64_t at = (start + 7) & ~(uint64_t)7; at + 8 <= end; at += 8) {
        uint64_t word = *(const volatile uint64_t *)(uintptr_t)at;
        struct graph_node *node = word - low < span ? graph_find(graph, word) : NULL;
        if (node == NULL) {
            node = untraced_find(graph, word);
        }
        if (node != NULL && node->parent == GRAPH_UNREACHED) {
            node_reach(graph, node, at, parent);
        }
    }
}

/* Large memory is read only where there are pages: what was never touched holds nothing. */
static void pages_mark(struct graph *graph, uint64_t start, uint64_t end, uint32_t parent)
{
    static uint64_t entries[512]; /* of /proc/self/pagemap: bit 63 present, bit 62 swapped */
    int fd = end - start >= LARGE ? kernel_open("/proc/self/pagemap", O_RDONLY) : -1;
    if (fd < 0) {
        words_mark(graph, start, end, parent);
        return;
    }
    for (uint64_t at = start; at < end;) {
        long got = kernel_call(SYS_pread64, fd, (long)entries, sizeof entries,
                               (long)(at / PAGE * sizeof entries[0]), 0, 0);
        if (got < (long)sizeof entries[0]) {
            words_mark(graph, at, end, parent);
            break;
        }
        for (size_t i = 0; i < (size_t)got / sizeof entries[0] && at < end; i++) {
            uint64_t next = (at / PAGE + 1) * PAGE;
            next = next < end ? next : end;
            if (entries[i] >> 62 != 0) {
                words_mark(graph, at, next, parent);
            }
            at = next;
        }
    }
    kernel_close(fd);
}

void graph_mark(struct graph *graph, uint64_t start, uint64_t end, uint32_t root)
{
    if (graph->count == 0) {
        return;
    }
    for (uint32_t i = readable_search(graph, start); i < graph->readable_count; i++) {
        const struct graph_range *range = &graph->readable[i];
        if (range->start >= end) {
            break;
        }
        pages_mark(graph, range->start > start ? range->start : start,
                   range->end < end ? range->end : end, root);
    }
}

void graph_spread(struct graph *graph)
{
    while (graph->queue_head < graph->queue_tail) {
        uint32_t index = graph->queue[graph->queue_head++];
        const struct graph_node *node = &graph->nodes[index];
        if (node->size < PAGE) { /* no program protects parts of a page */
            words_mark(graph, node->address, node->address + node->size, index);
        } else {
            graph_mark(graph, node->address, node->address + node->size, index);
        }
    }
}
