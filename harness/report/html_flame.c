/* html_flame.c - what stayed as a picture: a flame graph of the calls that allocated it, callers on
 * top, and a map of what holds it. Static SVG; the tree of calls below has the same figures as
 * words. The map is laid out by Bruls, Huizing and van Wijk, "Squarified treemaps", 2000.
 * Supervisor only. */
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/report/html_node.h"
#include "harness/report/html_part.h"
#include "harness/report/xml.h"

#include <math.h>
#include <string.h>

#define WIDTH      1200.0
#define ROW        22.0 /* height of a call */
#define ROWS_MOST  32
#define LEAST      1.0 /* narrower than that is not drawn */
#define LETTER     7.4 /* width of one, at the most */
#define MAP_HEIGHT 320.0
#define MAP_HEAD   20.0 /* of a holder, above what it holds */

struct box {
    double x, y, width, height;
};

/* One of three shades, the same for the same name. */
static unsigned shade_of(const char *name)
{
    unsigned hash = 5381;
    for (; *name; name++) {
        hash = hash * 33 + (unsigned char)*name;
    }
    return hash % 3;
}

static void box_put(const struct html_node *node, const struct html_node *root, struct box box,
                    double text_y, FILE *out)
{
    char size[UNIT_TEXT_BYTES], ratio[UNIT_TEXT_BYTES];
    double letters = (box.width - 6) / LETTER;
    fputs("<g><title>", out);
    xml_put(node->name, SIZE_MAX, out);
    fprintf(out, ": %s, %s</title>", unit_bytes(size, (double)node->bytes),
            unit_ratio(ratio, (double)node->bytes / (double)root->bytes));
    fprintf(out, "<rect class=\"f f%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
            shade_of(node->name), box.x, box.y, box.width, box.height);
    if (letters >= 3 && box.height >= text_y + 3) {
        fprintf(out, "<text class=\"k\" x=\"%.1f\" y=\"%.1f\">", box.x + 3, box.y + text_y);
        xml_put(node->name, text_fit(node->name, (unsigned)letters), out);
        fputs("</text>", out);
    }
    fputs("</g>", out);
}

static unsigned depth_of(const struct html_node *node, const struct html_node *root)
{
    unsigned deepest = 0;
    for (const struct html_node *child = node->child; child; child = child->next) {
        if (WIDTH * (double)child->bytes / (double)root->bytes >= LEAST) {
            unsigned depth = 1 + depth_of(child, root);
            deepest = depth > deepest ? depth : deepest;
        }
    }
    return deepest;
}

static void calls_put(const struct html_node *node, const struct html_node *root, double x,
                      unsigned row, FILE *out)
{
    for (const struct html_node *child = node->child; child && row < ROWS_MOST;
         child = child->next) {
        double width = WIDTH * (double)child->bytes / (double)root->bytes;
        if (width >= LEAST) {
            box_put(child, root, (struct box){x, ROW * row, width - 0.5, ROW - 1}, 15, out);
            calls_put(child, root, x, row + 1, out);
        }
        x += width;
    }
}

/* How far from a square the worst of some boxes is that fill a strip as wide as `side`. */
static double worst(double least, double most, double sum, double side)
{
    double strip = sum / side;
    return fmax(most / strip / strip, strip * strip / least);
}

static void map_put(const struct html_node *node, const struct html_node *root, struct box box,
                    unsigned depth, FILE *out);

/* Strips along the shorter side, each with as many boxes as make it squarer. */
static void strips_put(const struct html_node *node, const struct html_node *root, struct box box,
                       unsigned depth, FILE *out)
{
    const struct html_node *child = node->child;
    double area = box.width * box.height / (double)node->bytes; /* of a byte */
    while (child && box.width >= LEAST && box.height >= LEAST) {
        bool across = box.width >= box.height;
        double side = across ? box.height : box.width, sum = 0, least = 0;
        double most = area * (double)child->bytes;
        const struct html_node *end = child;
        for (; end; end = end->next) {
            double next = area * (double)end->bytes;
            if (sum > 0 && worst(next, most, sum + next, side) > worst(least, most, sum, side)) {
                break;
            }
            sum += next;
            least = next;
        }
        double strip = sum / side, at = 0;
        for (; child != end; child = child->next) {
            double length = area * (double)child->bytes / strip;
            struct box inner = across ? (struct box){box.x, box.y + at, strip, length}
                                      : (struct box){box.x + at, box.y, length, strip};
            map_put(child, root, inner, depth, out);
            at += length;
        }
        box.x += across ? strip : 0;
        box.y += across ? 0 : strip;
        box.width -= across ? strip : 0;
        box.height -= across ? 0 : strip;
    }
}

static void map_put(const struct html_node *node, const struct html_node *root, struct box box,
                    unsigned depth, FILE *out)
{
    if (box.width < LEAST + 1 || box.height < LEAST + 1) {
        return;
    }
    box.width -= 1;
    box.height -= 1;
    box_put(node, root, box, 15, out);
    struct box inner = {box.x + 2, box.y + MAP_HEAD, box.width - 4, box.height - MAP_HEAD - 2};
    if (node->child && inner.width > 8 && inner.height > 8) {
        strips_put(node, root, inner, depth + 1, out);
    }
}

static void svg_open(double height, const char *label, FILE *out)
{
    fprintf(out, "<svg class=\"wide\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">",
            WIDTH, height, label);
}

void html_flame(const struct result *result, FILE *out)
{
    struct html_node root;
    if (html_node_calls(&root, result) > 0) {
        unsigned rows = depth_of(&root, &root);
        rows = rows < ROWS_MOST ? rows : ROWS_MOST;
        fputs("<h3>By the calls that allocated it</h3><div class=\"scroll\">", out);
        svg_open(ROW * rows, "Flame graph of what stayed; the same figures are in the tree below",
                 out);
        calls_put(&root, &root, 0, 0, out);
        fputs("</svg></div>\n", out);
    }
    html_node_fini(&root);
    if (html_node_holders(&root, result) > 0) {
        fputs("<h3>By what holds it</h3><div class=\"scroll\">", out);
        svg_open(MAP_HEIGHT, "Map of what holds what stayed; each finding names its holder", out);
        strips_put(&root, &root, (struct box){0, 0, WIDTH, MAP_HEIGHT}, 0, out);
        fputs("</svg></div>\n", out);
    }
    html_node_fini(&root);
}
