/* html_chart.c - charts as static SVG, readable without scripts: a title for screen readers,
 * colours from the page's variables, dashes beside colours. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/report/xml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct plane { /* from values to places in the picture */
    double width, height, left, right, top, bottom;
    double x_last, y_most, y_least;
    bool relative; /* labels above the lowest say how much more */
};

static double plane_x(const struct plane *plane, double x)
{
    double span = plane->x_last > 0 ? plane->x_last : 1;
    return plane->left + (plane->width - plane->left - plane->right) * x / span;
}

static double plane_y(const struct plane *plane, double y)
{
    double span = plane->y_most - plane->y_least;
    return plane->height - plane->bottom -
           (plane->height - plane->top - plane->bottom) * (y - plane->y_least) /
               (span > 0 ? span : 1);
}

static void axes_put(const struct plane *plane, const char *x_first, const char *x_last, FILE *out)
{
    char size[UNIT_TEXT_BYTES];
    double base = plane->height - plane->bottom, end = plane->width - plane->right;
    double span = plane->y_most - plane->y_least;
    for (int i = 0; i <= 2; i++) {
        double value = plane->y_least + span * i / 2, y = plane_y(plane, value);
        if (i == 0 || span > 0) {
            fprintf(out,
                    "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" "
                    "text-anchor=\"end\">%s%s</text>",
                    plane->left, y, end, plane->left - 6, y + 4,
                    plane->relative && i > 0 ? "+" : "",
                    unit_bytes(size, plane->relative && i > 0 ? value - plane->y_least : value));
        }
    }
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", plane->left, base + 16, x_first);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>", end, base + 16,
            x_last);
}

static void svg_open(const struct plane *plane, const char *title, FILE *out)
{
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", plane->width,
            plane->height);
    xml_put(title, SIZE_MAX, out);
    fputs("\"><title>", out);
    xml_put(title, SIZE_MAX, out);
    fputs("</title>", out);
}

/* At most this many points a line: more cannot be seen, and a page of 100,000 points is slow. Of
 * each bucket the largest value is drawn, so that no peak is lost. */
#define LINE_POINTS 500

static void line_put(const struct plane *plane, const double *values, size_t count, unsigned class_,
                     FILE *out)
{
    size_t every = (count + LINE_POINTS - 1) / LINE_POINTS;
    char command = 'M';
    fprintf(out, "<path class=\"l l%u\" d=\"", class_ % 6);
    for (size_t i = 0; i < count; i += every) {
        size_t at = i;
        for (size_t j = i; j < count && j < i + every; j++) {
            at = isnan(values[at]) || values[j] > values[at] ? j : at;
        }
        if (!isnan(values[at])) {
            fprintf(out, "%c%.1f %.1f", command, plane_x(plane, (double)at),
                    plane_y(plane, values[at]));
            command = 'L';
        }
    }
    fputs("\"/>", out);
}

/* One value of all tests of a variant, in the order they ran. The caller frees. */
static double *series_take(const struct result *result, const char *variant, bool rss,
                           size_t *count)
{
    double *values = memory_new(result->test_count, sizeof *values);
    *count = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (strcmp(test->variant, variant) == 0) {
            int64_t value = rss ? test->peak_rss_bytes : test->live_bytes;
            values[(*count)++] = value == RESULT_UNMEASURED ? NAN : (double)value;
        }
    }
    return values;
}

#define SERIES_MAX 6 /* as many as there are colours; the rest is in the table */

static void suite_figure(const struct result *result, bool rss, FILE *out)
{
    const char *what = rss ? "Peak RSS of each test" : "Live heap at the boundary after each test";
    struct plane plane = {
        .width = 560, .height = 240, .left = 66, .right = 10, .top = 12, .bottom = 26};
    double *series[SERIES_MAX];
    size_t count[SERIES_MAX], lines = result->variant_count ? result->variant_count : 1;
    bool any = false;
    lines = lines < SERIES_MAX ? lines : SERIES_MAX;
    for (size_t v = 0; v < lines; v++) {
        const char *name = result->variant_count ? result->variants[v].name : "";
        series[v] = series_take(result, name, rss, &count[v]);
        plane.x_last = fmax(plane.x_last, count[v] ? (double)count[v] - 1 : 0);
        for (size_t i = 0; i < count[v]; i++) {
            any = any || !isnan(series[v][i]);
            plane.y_most = fmax(plane.y_most, series[v][i]);
        }
    }
    if (any) {
        char last[64], number[UNIT_TEXT_BYTES];
        snprintf(last, sizeof last, "test %s", unit_count(number, plane.x_last + 1));
        fputs("<figure>", out);
        svg_open(&plane, what, out);
        axes_put(&plane, "test 1", last, out);
        for (size_t v = 0; v < lines; v++) {
            line_put(&plane, series[v], count[v], (unsigned)v, out);
        }
        fprintf(out, "</svg><figcaption>%s, in the order they ran.", what);
        for (size_t v = 0; v < lines && result->variant_count > 1; v++) {
            fprintf(out,
                    " <span class=\"key\"><svg viewBox=\"0 0 30 8\" aria-hidden=\"true\">"
                    "<path class=\"l l%zu\" d=\"M0 4H30\"/></svg> ",
                    v % 6);
            xml_put(result->variants[v].name, SIZE_MAX, out);
            fputs("</span>", out);
        }
        fputs("</figcaption></figure>\n", out);
    }
    for (size_t v = 0; v < lines; v++) {
        free(series[v]);
    }
}

void html_chart_suite(const struct result *result, FILE *out)
{
    fputs("<div class=\"grid wide\">", out);
    suite_figure(result, false, out);
    suite_figure(result, true, out);
    fputs("</div>\n", out);
}

/* Values over repetitions, with the judged epochs as bands. `what` is for both, eyes and readers.
 */
static void growth_svg(const char *what, const struct result_test *test, const int64_t *bytes,
                       size_t count, double height, unsigned class_, FILE *out)
{
    struct plane plane = {.width = 340,
                          .height = height,
                          .left = 62,
                          .right = 8,
                          .top = 20,
                          .bottom = 22,
                          .x_last = (double)count - 1,
                          .relative = true};
    double *values = memory_new(count, sizeof *values);
    plane.y_most = plane.y_least = (double)bytes[0];
    for (size_t i = 0; i < count; i++) {
        values[i] = (double)bytes[i];
        plane.y_most = fmax(plane.y_most, values[i]);
        plane.y_least = fmin(plane.y_least, values[i]);
    }
    char last[48], number[UNIT_TEXT_BYTES];
    struct text title = {0};
    snprintf(last, sizeof last, "%s runs", unit_count(number, (double)count));
    text_format(&title, "%s of %s over %s", what, test->id, last);
    svg_open(&plane, title.data, out);
    for (size_t k = 0, from = 0; html_epochs[k] && from + 1 < count; k++) {
        size_t to = from + html_epochs[k] < count ? from + html_epochs[k] : count - 1;
        if (k % 2 == 0) {
            fprintf(out,
                    "<rect class=\"band\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\"/>",
                    plane_x(&plane, (double)from), plane.top,
                    plane_x(&plane, (double)to) - plane_x(&plane, (double)from),
                    plane.height - plane.top - plane.bottom);
        }
        from = to;
    }
    axes_put(&plane, "1", last, out);
    line_put(&plane, values, count, class_, out);
    fprintf(out, "<text class=\"k\" x=\"%.0f\" y=\"12\">%s</text></svg>", plane.left, what);
    text_fini(&title);
    free(values);
}

void html_chart_growth(const struct result_test *test, FILE *out)
{
    if (test->live_by_rep_count < 2) {
        return;
    }
    fputs("<figure>", out);
    growth_svg("Live heap", test, test->live_by_rep, test->live_by_rep_count, 156, 0, out);
    if (test->rss_by_rep_count > 1) {
        growth_svg("Peak RSS", test, test->rss_by_rep, test->rss_by_rep_count, 116, 1, out);
    }
    fputs("<figcaption>", out);
    xml_put(test->id, SIZE_MAX, out);
    if (test->variant[0]) {
        fputs(" [", out);
        xml_put(test->variant, SIZE_MAX, out);
        fputc(']', out);
    }
    fprintf(out, ": %s</figcaption></figure>\n", result_verdict_name(test->verdict));
}

static void bars_put(const struct result *result, enum result_metric metric, double most, FILE *out)
{
    double left = 92, right = 78, row = 24, width = 380;
    struct plane plane = {.width = width, .height = row * (double)result->variant_count + 6};
    svg_open(&plane, result_metrics[metric].title, out);
    for (size_t v = 0; v < result->variant_count; v++) {
        const struct result_variant *variant = &result->variants[v];
        double value = variant->metric[metric], y = row * (double)v + 4;
        double scale = most > 0 ? (width - left - right) / most : 0;
        struct text words = {0};
        size_t fit = text_fit(variant->name, 14);
        fprintf(out, "<text class=\"k\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">", left - 8,
                y + 13);
        xml_put(variant->name, fit, out);
        fputs("</text>", out);
        if (!isnan(value)) {
            double length = fmax(value * scale, 0), high = variant->high[metric];
            fprintf(out,
                    "<rect class=\"b%zu\" x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"14\"/>",
                    v % 6, left, y + 2, length);
            if (!isnan(high)) {
                double from = left + variant->low[metric] * scale, to = left + high * scale;
                fprintf(out,
                        "<path class=\"whisker\" d=\"M%.1f %.0fH%.1fM%.1f %.0fv8M%.1f %.0fv8\"/>",
                        from, y + 9, to, from, y + 5, to, y + 5);
                length = fmax(length, high * scale);
            }
            describe_metric(&words, metric, value);
            fprintf(out, "<text x=\"%.1f\" y=\"%.0f\">%s</text>", left + length + 6, y + 13,
                    text_peek(&words));
        } else {
            fprintf(out, "<text x=\"%.0f\" y=\"%.0f\">-</text>", left + 4, y + 13);
        }
        text_fini(&words);
    }
    fputs("</svg>", out);
}

void html_chart_variants(const struct result *result, FILE *out)
{
    static const enum result_metric metrics[] = {METRIC_PEAK_RSS,   METRIC_LOOKUP_P50,
                                                 METRIC_LOOKUP_P99, METRIC_ALLOCS,
                                                 METRIC_LIVE_END,   METRIC_WALL};
    fputs("<div class=\"grid middle\">", out);
    for (size_t m = 0; m < sizeof metrics / sizeof metrics[0]; m++) {
        double most = 0;
        bool interval = false;
        for (size_t v = 0; v < result->variant_count; v++) {
            most = fmax(most, result->variants[v].metric[metrics[m]]);
            most = fmax(most, result->variants[v].high[metrics[m]]);
            interval = interval || !isnan(result->variants[v].high[metrics[m]]);
        }
        if (most > 0) {
            fputs("<figure>", out);
            bars_put(result, metrics[m], most, out);
            fprintf(out, "<figcaption>%s: %s%s</figcaption></figure>\n",
                    result_metrics[metrics[m]].title, result_metrics[metrics[m]].help,
                    interval ? "; whiskers: 95 % interval" : "");
        }
    }
    fputs("</div>\n", out);
}
