/* html_tree.c - what stayed: its pictures, then all sites as one tree of calls, outermost caller
 * first, largest branch first: nested <details>, which open without a script. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/html_node.h"
#include "harness/report/html_part.h"
#include "harness/report/xml.h"

#include <string.h>

#define TREE_WIDTH 12 /* branches of a node that are listed */

static void node_put(const struct html_node *node, const struct html_node *root, unsigned depth,
                     FILE *out);

static void children_put(const struct html_node *node, const struct html_node *root, unsigned depth,
                         FILE *out)
{
    size_t count = 0, shown = 0;
    int64_t bytes = 0;
    fputs("<ul>", out);
    for (const struct html_node *child = node->child; child; child = child->next) {
        count++;
        if (shown < TREE_WIDTH) {
            node_put(child, root, depth, out);
            shown++;
        } else {
            bytes += child->bytes;
        }
    }
    if (count > shown) {
        char size[UNIT_TEXT_BYTES];
        fprintf(out, "<li class=\"leaf dim\">%zu smaller branch%s, %s</li>", count - shown,
                count - shown == 1 ? "" : "es", unit_bytes(size, (double)bytes));
    }
    fputs("</ul>", out);
}

static void node_put(const struct html_node *node, const struct html_node *root, unsigned depth,
                     FILE *out)
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
    struct html_node root;
    size_t added = html_node_calls(&root, result);
    if (added == 0) {
        html_node_fini(&root);
        return;
    }
    fputs("<section aria-labelledby=\"h-tree\"><h2 id=\"h-tree\">What stayed</h2>\n", out);
    html_flame(result, out);
    fputs("<h3>The same as a tree of calls</h3><p class=\"dim\">Outermost caller first.", out);
    size_t hidden =
        result->sites_hidden + (result->site_count > added ? result->site_count - added : 0);
    if (hidden > 0) {
        fprintf(out, " %zu more site%s not in the tree.", hidden, hidden == 1 ? " is" : "s are");
    }
    fputs("</p><div class=\"tree\">", out);
    children_put(&root, &root, 0, out);
    fputs("</div></section>\n", out);
    html_node_fini(&root);
}
