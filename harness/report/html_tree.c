/* html_tree.c - all sites as one tree of calls, outermost caller first, largest branch first:
 * nested <details>, which open without a script. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/report/xml.h"

#include <stdlib.h>
#include <string.h>

#define TREE_SITES 2000 /* that are put into the tree */
#define TREE_WIDTH 12   /* branches of a node that are listed */

struct node {
    char *name;
    int64_t bytes, blocks;
    struct node *child, *next;
};

static void node_free(struct node *node)
{
    while (node) {
        struct node *next = node->next;
        node_free(node->child);
        free(node->name);
        free(node);
        node = next;
    }
}

static struct node *node_get(struct node *parent, const char *name)
{
    for (struct node *node = parent->child; node; node = node->next) {
        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    struct node *node = memory_new(1, sizeof *node);
    node->name = memory_copy(name);
    node->next = parent->child;
    parent->child = node;
    return node;
}

static void site_add(struct node *root, const struct result_site *site)
{
    struct text name = {0};
    struct node *node = root;
    if (site->variant[0]) {
        text_format(&name, "[%s]", site->variant);
        node = node_get(node, name.data);
        node->bytes += site->bytes;
        node->blocks += site->blocks;
    }
    for (size_t i = describe_frames_own(site->frames, site->frame_count); i-- > 0;) {
        text_reset(&name);
        describe_frame(&name, &site->frames[i]);
        node = node_get(node, text_peek(&name));
        node->bytes += site->bytes;
        node->blocks += site->blocks;
    }
    root->bytes += site->bytes;
    root->blocks += site->blocks;
    text_fini(&name);
}

static int node_compare(const void *left, const void *right)
{
    const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;
    return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : strcmp(a->name, b->name);
}

static void node_put(const struct node *node, const struct node *root, unsigned depth, FILE *out);

static void children_put(const struct node *node, const struct node *root, unsigned depth,
                         FILE *out)
{
    size_t count = 0, room = 0;
    const struct node **children = NULL;
    for (const struct node *child = node->child; child; child = child->next) {
        memory_grow(&children, &room, count + 1, sizeof(struct node *));
        children[count++] = child;
    }
    if (count > 1) {
        qsort(children, count, sizeof(struct node *), node_compare);
    }
    fputs("<ul>", out);
    for (size_t i = 0; i < count && i < TREE_WIDTH; i++) {
        node_put(children[i], root, depth, out);
    }
    if (count > TREE_WIDTH) {
        char size[UNIT_TEXT_BYTES];
        int64_t bytes = 0;
        for (size_t i = TREE_WIDTH; i < count; i++) {
            bytes += children[i]->bytes;
        }
        fprintf(out, "<li class=\"leaf dim\">%zu smaller branch%s, %s</li>", count - TREE_WIDTH,
                count - TREE_WIDTH == 1 ? "" : "es", unit_bytes(size, (double)bytes));
    }
    fputs("</ul>", out);
    free(children);
}

static void node_put(const struct node *node, const struct node *root, unsigned depth, FILE *out)
{
    char size[UNIT_TEXT_BYTES], ratio[UNIT_TEXT_BYTES];
    double share = root->bytes > 0 ? (double)node->bytes / (double)root->bytes : 0;
    fputs(node->child
              ? depth < 3 && share > 0.2 ? "<li><details open><summary>" : "<li><details><summary>"
              : "<li class=\"leaf\">",
          out);
    fprintf(out,
            "<meter min=\"0\" max=\"1\" value=\"%.4f\" aria-hidden=\"true\"></meter>"
            "<span class=\"size\">%s, %s</span> <code>",
            share, unit_bytes(size, (double)node->bytes), unit_ratio(ratio, share));
    xml_put(node->name, SIZE_MAX, out);
    fputs("</code>", out);
    if (node->child) {
        fputs("</summary>", out);
        if (depth < 60) {
            children_put(node, root, depth + 1, out);
        }
        fputs("</details>", out);
    }
    fputs("</li>", out);
}

void html_tree(const struct result *result, FILE *out)
{
    struct node root = {0};
    size_t added = 0;
    for (size_t i = 0; i < result->site_count && added < TREE_SITES; i++) {
        const struct result_site *site = &result->sites[i]; /* no bytes: descriptors, threads */
        if (!site->suppressed && site->frame_count > 0 && site->bytes > 0) {
            site_add(&root, site);
            added++;
        }
    }
    if (added == 0) {
        return;
    }
    fputs("<section aria-labelledby=\"h-tree\"><h2 id=\"h-tree\">Where it was allocated</h2>\n"
          "<p class=\"dim\">What stayed, by the calls that allocated it, outermost caller first.",
          out);
    size_t hidden =
        result->sites_hidden + (result->site_count > added ? result->site_count - added : 0);
    if (hidden > 0) {
        fprintf(out, " %zu more site%s not in the tree.", hidden, hidden == 1 ? " is" : "s are");
    }
    fputs("</p><div class=\"tree\">", out);
    children_put(&root, &root, 0, out);
    fputs("</div></section>\n", out);
    node_free(root.child);
}
