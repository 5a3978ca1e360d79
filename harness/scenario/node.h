/*
 * node.h - a YAML file as a tree of nodes, each with its exact position. One step below the
 * scenario: knows YAML, bounds and duplicates, nothing of what the keys mean.
 *
 * Why not libcyaml's loader here: it stops at the first error, keeps no positions of values once
 * loaded, and expands aliases without a bound. libyaml's events have a position each.
 *
 * Bounds (each broken one is a diagnostic): a file of 1 MiB, 32 levels, 10,000 values after aliases
 * are expanded. No tags, no merge keys, one document. Supervisor only.
 */
#ifndef SCENARIO_NODE_H
#define SCENARIO_NODE_H

#include "harness/base/diag.h"

#include <stdbool.h>
#include <stddef.h>

#define DOCUMENT_BYTES_MAX  (1u << 20)
#define DOCUMENT_LEVELS_MAX 32u
#define DOCUMENT_VALUES_MAX 10000u

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    char *text;  /* scalar, NUL-terminated; never holds a NUL byte itself */
    bool quoted; /* 'x' or "x": a word even where it looks like nothing */
    unsigned line, column;
    struct node **items; /* list: values; map: key, value, key, value ... */
    size_t count, room;  /* of items */
    size_t weight;       /* values below and including this one, aliases expanded */
};

struct document {
    struct node **nodes; /* all, to be freed */
    size_t node_count, node_room;
    struct node *root;
};

/* False: diagnostics were added; the document is empty then. Call document_fini in any case. */
bool document_read(struct document *document, const char *path, struct diag *diag);
bool document_parse(struct document *document, const char *path, const char *bytes, size_t length,
                    struct diag *diag);
void document_fini(struct document *document);

/* `text` as it may be shown in a message: at most 40 columns, control characters as '?'. */
#define NODE_SHOWN_BYTES 180
const char *node_shown(const char *text, char shown[NODE_SHOWN_BYTES]);

#endif
