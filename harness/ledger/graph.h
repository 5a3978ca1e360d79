/*
 * graph.h - the live blocks as a graph: sorted once, then marked breadth first from whatever roots
 * are given, so that every block knows the word that holds it on a shortest path. Conservative:
 * every aligned word that has the value of an address inside a block, interior ones too, holds that
 * block. Runs in the worker while all other threads are stopped. Memory: 48 bytes a block, private
 * mmap, for the time of one scan.
 */
#ifndef LEDGER_GRAPH_H
#define LEDGER_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAPH_ROOT      0x80000000u /* in `parent`: the rest is the number of a root */
#define GRAPH_UNREACHED UINT32_MAX

struct graph_node {
    uint64_t address, size;
    uint64_t via;    /* address of the word that holds it */
    uint32_t parent; /* index of the node that word is in; GRAPH_ROOT | root; GRAPH_UNREACHED */
    uint32_t site;
    uint32_t chain; /* hash of root and sites on the way, repeats of a site taken once */
    uint32_t depth;
};

/* Memory that may be read, sorted, not overlapping. */
struct graph_range {
    uint64_t start, end;
};

struct graph_run { /* nodes without a large gap between them, with an index by address */
    uint64_t start, end;
    uint32_t first, count; /* nodes */
    uint32_t bucket;       /* first of its buckets */
    uint32_t shift;        /* bytes of address a bucket stands for, log2 */
};

#define GRAPH_RUNS_MOST 512u

struct graph {
    struct graph_node *nodes, *spare;
    uint32_t *buckets; /* index of the first node that begins in or after the bucket */
    uint32_t *queue;
    struct graph_run runs[GRAPH_RUNS_MOST];
    const struct graph_range *readable;
    uint32_t readable_count;
    uint32_t count, room, run_count, bucket_room;
    uint32_t queue_head, queue_tail;
    /* Untraced blocks found on the way: nodes behind the sorted ones, and a table of their indices.
     */
    uint32_t untraced, untraced_room, *untraced_table, table_room;
    struct graph_range recent; /* readable range of the last look */
};

/* Room for `room` nodes and for `untraced` more that are found. False when there is no memory. */
bool graph_init(struct graph *graph, uint32_t room, uint32_t untraced,
                const struct graph_range *readable, uint32_t readable_count);
void graph_fini(struct graph *graph);

void graph_add(struct graph *graph, uint64_t address, uint64_t size, uint32_t site);
void graph_sort(struct graph *graph); /* after the last graph_add, before the first graph_mark */

/* Marks what the words of [start, end) hold, as held by root number `root`. Unreadable parts are
 * left out. graph_spread then goes on from there; call it before roots of lower rank are marked. */
void graph_mark(struct graph *graph, uint64_t start, uint64_t end, uint32_t root);
void graph_spread(struct graph *graph);

/* The node that contains the address, or NULL. */
struct graph_node *graph_find(const struct graph *graph, uint64_t address);

#endif
