/* html_node.h - what stayed, as a tree whose branches add up: for the tree of calls, the flame
 * graph and the map of the page. Supervisor only; memory as base/memory.h. */
#ifndef REPORT_HTML_NODE_H
#define REPORT_HTML_NODE_H

#include "harness/result/result.h"

struct html_node {
    char *name;
    int64_t bytes, blocks;
    struct html_node *child, *next; /* largest first */
};

/* By the calls that allocated it, outermost caller first; above them the variant, if there is one.
 * The root has no name. Returns how many sites went in: at most HTML_NODE_SITES, none without
 * bytes. */
#define HTML_NODE_SITES 2000
size_t html_node_calls(struct html_node *root, const struct result *result);
/* By the variable that holds it, then by the line that allocated it. */
size_t html_node_holders(struct html_node *root, const struct result *result);
void html_node_fini(struct html_node *root);

#endif
