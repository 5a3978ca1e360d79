/* html_node.c - see html_node.h. */
#include "harness/report/html_node.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/report/describe.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 256 /* of a stack, the innermost: each is a level of calls here, too */

static struct html_node *node_get(struct html_node *parent, const char *name,
                                  const struct result_site *site)
{
    struct html_node *node = parent->child;
    while (node && strcmp(node->name, name) != 0) {
        node = node->next;
    }
    if (!node) {
        node = memory_new(1, sizeof *node);
        node->name = memory_copy(name);
        node->next = parent->child;
        parent->child = node;
    }
    node->bytes += site->bytes;
    node->blocks += site->blocks;
    return node;
}

static void nodes_free(struct html_node *node)
{
    while (node) {
        struct html_node *next = node->next;
        nodes_free(node->child);
        free(node->name);
        free(node);
        node = next;
    }
}

void html_node_fini(struct html_node *root)
{
    nodes_free(root->child);
    *root = (struct html_node){0};
}

static int node_compare(const void *left, const void *right)
{
    const struct html_node *a = *(struct html_node *const *)left,
                           *b = *(struct html_node *const *)right;
    return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : strcmp(a->name, b->name);
}

static void children_sort(struct html_node *node)
{
    size_t count = 0, room = 0;
    struct html_node **children = NULL;
    for (struct html_node *child = node->child; child; child = child->next) {
        memory_grow(&children, &room, count + 1, sizeof(struct html_node *));
        children[count++] = child;
        children_sort(child);
    }
    if (count > 1) {
        qsort(children, count, sizeof(struct html_node *), node_compare);
    }
    for (size_t i = 0; i < count; i++) {
        children[i]->next = i + 1 < count ? children[i + 1] : NULL;
    }
    node->child = count > 0 ? children[0] : NULL;
    free(children);
}

static void calls_add(struct html_node *node, const struct result_site *site)
{
    struct text name = {0};
    size_t own = describe_frames_own(site->frames, site->frame_count);
    for (size_t i = own < DEPTH_MOST ? own : DEPTH_MOST; i-- > 0;) {
        text_reset(&name);
        describe_frame(&name, &site->frames[i]);
        node = node_get(node, text_peek(&name), site);
    }
    text_fini(&name);
}

static void holder_add(struct html_node *node, const struct result_site *site)
{
    struct text name = {0};
    const struct result_frame *place = describe_place(site->frames, site->frame_count);
    const char *holder = site->held_by_count > 0            ? site->held_by[0].symbol
                         : site->reach == REACH_UNREACHABLE ? "nothing points to it"
                                                            : "not known";
    node = node_get(node, holder, site);
    if (place) {
        describe_frame(&name, place);
        node_get(node, text_peek(&name), site);
    }
    text_fini(&name);
}

static size_t nodes_make(struct html_node *root, const struct result *result,
                         void (*add)(struct html_node *node, const struct result_site *site))
{
    size_t added = 0;
    *root = (struct html_node){0};
    for (size_t i = 0; i < result->site_count && added < HTML_NODE_SITES; i++) {
        const struct result_site *site = &result->sites[i]; /* no bytes: descriptors, threads */
        if (site->suppressed || site->frame_count == 0 || site->bytes <= 0) {
            continue;
        }
        struct html_node *node = root;
        if (site->variant[0]) {
            struct text name = {0};
            text_format(&name, "[%s]", site->variant);
            node = node_get(node, name.data, site);
            text_fini(&name);
        }
        add(node, site);
        root->bytes += site->bytes;
        root->blocks += site->blocks;
        added++;
    }
    children_sort(root);
    return added;
}

size_t html_node_calls(struct html_node *root, const struct result *result)
{
    return nodes_make(root, result, calls_add);
}

size_t html_node_holders(struct html_node *root, const struct result *result)
{
    return nodes_make(root, result, holder_add);
}
