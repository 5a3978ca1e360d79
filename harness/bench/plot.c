/* plot.c - see plot.h. Supervisor only. */
#include "harness/bench/plot.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From 1 ns to 10 ms, and from a twentieth of the speed to fifty times. */
#define SOURCE_LOW  1.0
#define SOURCE_HIGH 1e7
#define GAIN_LOW    0.05
#define GAIN_HIGH   50.0
#define LINES       15
#define MARGIN      8

static double gain_at(const struct break_even *model, double source)
{
    return source / break_even_cost(model, source);
}

/* 0..1 along a logarithmic axis. */
static double along(double value, double low, double high)
{
    double part = log(value / low) / log(high / low);
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static const enum table_color colors[] = {TABLE_GREEN, TABLE_YELLOW, TABLE_RED,
                                          TABLE_BOLD,  TABLE_PLAIN,  TABLE_DIM};
#define COLORS (sizeof colors / sizeof colors[0])

static char letter(size_t curve)
{
    return (char)('a' + curve % 26);
}

/* "^SQLite" under its place on the axis, "HTTP^" where that would go beyond the end; what would
 * stand in another's place is left out. */
static void marks_put(FILE *out, const struct plot *plot, unsigned columns)
{
    char *line = memory_new(columns + 1, 1);
    size_t used = 0;
    memset(line, ' ', columns);
    for (size_t i = 0; i < plot->mark_count; i++) {
        const struct plot_mark *mark = &plot->marks[i];
        size_t length = strlen(mark->name);
        if (isnan(mark->source_ns)) {
            continue;
        }
        size_t at = (size_t)lround(along(mark->source_ns, SOURCE_LOW, SOURCE_HIGH) * (columns - 1));
        bool right = at + 1 + length <= columns;
        size_t begin = right ? at : at - length;
        if (begin < used) {
            continue;
        }
        line[at] = '^';
        memcpy(line + begin + right, mark->name, length);
        used = begin + length + 2;
    }
    while (columns > 0 && line[columns - 1] == ' ') {
        line[--columns] = '\0';
    }
    if (columns > 0) {
        fprintf(out, "%*s%s\n", MARGIN, "", line);
    }
    free(line);
}

void plot_terminal(FILE *out, const struct plot *plot, unsigned width, bool color)
{
    const struct plot_curve *curves = plot->curves;
    size_t count = plot->curve_count;
    static const double marks[] = {50, 10, 1, 0.1};
    unsigned columns = width > MARGIN + 30 ? width - MARGIN : 30;
    char *grid = memory_new(LINES, columns);
    memset(grid, ' ', (size_t)LINES * columns);
    size_t one = (size_t)lround((1 - along(1, GAIN_LOW, GAIN_HIGH)) * (LINES - 1));
    memset(grid + one * columns, '-', columns);
    for (size_t i = 0; i < count; i++) {
        for (unsigned x = 0; x < columns; x++) {
            double source = SOURCE_LOW * pow(SOURCE_HIGH / SOURCE_LOW, (double)x / (columns - 1));
            double part = along(gain_at(curves[i].model, source), GAIN_LOW, GAIN_HIGH);
            if (part > 0 && part < 1) {
                grid[(size_t)lround((1 - part) * (LINES - 1)) * columns + x] = letter(i);
            }
        }
    }
    fprintf(out, "%*stimes as fast as without a cache\n", 2, "");
    for (size_t y = 0; y < LINES; y++) {
        const char *mark = "";
        char text[16];
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
            if ((size_t)lround((1 - along(marks[i], GAIN_LOW, GAIN_HIGH)) * (LINES - 1)) == y) {
                snprintf(text, sizeof text, "%gx", marks[i]);
                mark = text;
            }
        }
        size_t end = columns;
        while (end > 0 && grid[y * columns + end - 1] == ' ') {
            end--;
        }
        fprintf(out, "%6s |", mark);
        for (size_t x = 0; x < end; x++) {
            char cell = grid[y * columns + x];
            bool curve = cell >= 'a' && cell <= 'z';
            enum table_color paint = curve ? colors[(size_t)(cell - 'a') % COLORS] : TABLE_DIM;
            fprintf(out, "%s%c%s", table_color_begin(paint, color && cell != ' '), cell,
                    table_color_end(paint, color && cell != ' '));
        }
        fputc('\n', out);
    }
    fprintf(out, "%*s+", MARGIN - 1, "");
    for (unsigned x = 0; x < columns; x++) {
        fputc('-', out);
    }
    fputc('\n', out);
    marks_put(out, plot, columns);
    fprintf(out, "%*s%-*s%s\n", MARGIN, "", (int)columns - 8, "1 ns", "   10 ms");
    unsigned used = (unsigned)fprintf(out, "%*ssource cost of a look-up:", MARGIN, "");
    for (size_t i = 0; i < count; i++) {
        unsigned more = 4 + (unsigned)strlen(curves[i].name);
        if (used + more > width) {
            used = (unsigned)fprintf(out, "\n%*s", MARGIN, "") - 1;
        }
        used += more;
        fprintf(out, " %s%c%s %s%s", table_color_begin(colors[i % COLORS], color), letter(i),
                table_color_end(colors[i % COLORS], color), curves[i].name,
                i + 1 < count ? "," : "\n");
    }
    free(grid);
}

#define SVG_WIDTH  760
#define SVG_HEIGHT 420
#define SVG_LEFT   60
#define SVG_TOP    40
#define SVG_RIGHT  170
#define SVG_BOTTOM 50
#define SVG_CURVE  34 /* of the legend, a curve */

static double svg_x(double source)
{
    return SVG_LEFT + along(source, SOURCE_LOW, SOURCE_HIGH) * (SVG_WIDTH - SVG_LEFT - SVG_RIGHT);
}

static double svg_y(double gain)
{
    return SVG_TOP + (1 - along(gain, GAIN_LOW, GAIN_HIGH)) * (SVG_HEIGHT - SVG_TOP - SVG_BOTTOM);
}

static void svg_axes(FILE *out)
{
    for (int power = 0; power <= 7; power++) {
        double source = SOURCE_LOW * pow(10, power);
        char text[UNIT_TEXT_BYTES];
        fprintf(out,
                "<line class='grid' x1='%.1f' y1='%d' x2='%.1f' y2='%d'/>"
                "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n",
                svg_x(source), SVG_TOP, svg_x(source), SVG_HEIGHT - SVG_BOTTOM, svg_x(source),
                SVG_HEIGHT - SVG_BOTTOM + 18, unit_ns(text, source));
    }
    static const double gains[] = {0.1, 0.5, 1, 2, 10, 50};
    for (size_t i = 0; i < sizeof gains / sizeof gains[0]; i++) {
        fprintf(out,
                "<line class='%s' x1='%d' y1='%.1f' x2='%d' y2='%.1f'/>"
                "<text x='%d' y='%.1f' text-anchor='end'>%gx</text>\n",
                gains[i] == 1 ? "one" : "grid", SVG_LEFT, svg_y(gains[i]), SVG_WIDTH - SVG_RIGHT,
                svg_y(gains[i]), SVG_LEFT - 6, svg_y(gains[i]) + 4, gains[i]);
    }
}

/* Colours that differ in lightness, too, and a dash pattern each: colour is not the only carrier.
 */
static const char *const svg_colors[] = {"#0072b2", "#d55e00", "#009e73",
                                         "#cc79a7", "#8c6d00", "#56b4e9"};
static const char *const svg_dashes[] = {"none", "8 3", "2 3", "10 3 2 3", "5 5", "1 4"};
#define SVG_COLORS (sizeof svg_colors / sizeof svg_colors[0])

static void svg_curve(FILE *out, const struct plot_curve *curve, size_t index)
{
    const char *color = svg_colors[index % SVG_COLORS]; /* of thirty-six, no two look the same */
    const char *dash = svg_dashes[(index + index / SVG_COLORS) % SVG_COLORS];
    fprintf(out,
            "<polyline fill='none' stroke='%s' stroke-width='2' stroke-dasharray='%s' points='",
            color, dash);
    for (int step = 0; step <= 140; step++) {
        double source = SOURCE_LOW * pow(SOURCE_HIGH / SOURCE_LOW, step / 140.0);
        double gain = gain_at(curve->model, source);
        if (gain >= GAIN_LOW && gain <= GAIN_HIGH) {
            fprintf(out, "%.1f,%.1f ", svg_x(source), svg_y(gain));
        }
    }
    fputs("'/>\n", out);
    for (unsigned i = 0; i < BREAK_EVEN_STEPS; i++) {
        double gain = curve->model->source[i] / curve->model->cost[i];
        if (gain >= GAIN_LOW && gain <= GAIN_HIGH) {
            fprintf(out, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n",
                    svg_x(curve->model->source[i]), svg_y(gain), color);
        }
    }
    double y = SVG_TOP + 12 + SVG_CURVE * (double)index;
    char text[UNIT_TEXT_BYTES];
    bool never = isinf(curve->model->formula_ns);
    fprintf(out,
            "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='%s' stroke-width='2' "
            "stroke-dasharray='%s'/>"
            "<text x='%d' y='%.1f'>%s</text><text class='note' x='%d' y='%.1f'>%s%s</text>\n",
            SVG_WIDTH - SVG_RIGHT + 10, y, SVG_WIDTH - SVG_RIGHT + 40, y, color, dash,
            SVG_WIDTH - SVG_RIGHT + 46, y + 4, curve->name, SVG_WIDTH - SVG_RIGHT + 46, y + 18,
            never ? "never pays" : "pays from ",
            never ? "" : unit_ns(text, curve->model->formula_ns));
}

static void svg_marks(FILE *out, const struct plot *plot)
{
    for (size_t i = 0; i < plot->mark_count; i++) {
        const struct plot_mark *mark = &plot->marks[i];
        if (isnan(mark->source_ns)) {
            continue;
        }
        double x = svg_x(mark->source_ns);
        fprintf(out,
                "<line class='mark' x1='%.1f' y1='%d' x2='%.1f' y2='%d'/>"
                "<text class='note' x='%.1f' y='%d' text-anchor='middle'>%s</text>\n",
                x, SVG_TOP, x, SVG_HEIGHT - SVG_BOTTOM, x, SVG_TOP - 4, mark->name);
    }
}

/* Names of variants are plain words; a title may be anything. */
static void escaped_put(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

void plot_svg(FILE *out, const struct plot *plot)
{
    /* The legend may be longer than the plot is high. */
    int legend = SVG_TOP + 12 + SVG_CURVE * (int)plot->curve_count;
    fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img'>\n<title>",
            SVG_WIDTH, legend > SVG_HEIGHT ? legend : SVG_HEIGHT);
    escaped_put(out, plot->title);
    fprintf(out,
            "</title>\n<style>text{font:12px sans-serif;fill:#222}.note{fill:#666;font-size:11px}"
            ".grid{stroke:#ddd}.one{stroke:#222;stroke-width:1.5}.back{fill:#fff}"
            ".mark{stroke:#888;stroke-dasharray:3 3}"
            "@media(prefers-color-scheme:dark){text{fill:#ddd}.note{fill:#999}.grid{stroke:#333}"
            ".one{stroke:#ddd}.back{fill:#111}}</style>\n"
            "<rect class='back' width='100%%' height='100%%'/>\n<text x='%d' y='18'>",
            SVG_LEFT);
    escaped_put(out, plot->title);
    fputs("</text>\n", out);
    svg_axes(out);
    svg_marks(out, plot);
    for (size_t i = 0; i < plot->curve_count; i++) {
        svg_curve(out, &plot->curves[i], i);
    }
    fprintf(out,
            "<text x='%d' y='%d'>source cost of a look-up; lines: model, dots: "
            "measured</text>\n</svg>\n",
            SVG_LEFT, SVG_HEIGHT - 10);
}
