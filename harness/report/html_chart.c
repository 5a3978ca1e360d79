/* html_chart.c - charts of one test over its repetitions, and of variants side by side. Supervisor
 * only. */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/report/html_plane.h"
#include "harness/report/xml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values after these repetitions (NULL: each from the first on). `what` is for both, eyes and
 * readers.
 */
static void growth_svg(const char *what, const struct result_test *test, const int64_t *bytes,
                       const int64_t *at, size_t count, double height, unsigned class_, FILE *out)
{
    struct plane plane = {.width = 340,
                          .height = height,
                          .left = 62,
                          .right = 8,
                          .top = 20,
                          .bottom = 22,
                          .relative = true};
    double *values = memory_new(count, sizeof *values), *places = memory_new(count, sizeof *places);
    plane.y_most = plane.y_least = (double)bytes[0];
    for (size_t i = 0; i < count; i++) {
        values[i] = (double)bytes[i];
        places[i] = at ? (double)(at[i] - at[0]) : (double)i;
        plane.y_most = fmax(plane.y_most, values[i]);
        plane.y_least = fmin(plane.y_least, values[i]);
    }
    plane.x_last = places[count - 1];
    char first[UNIT_TEXT_BYTES], last[48], number[UNIT_TEXT_BYTES];
    struct text title = {0};
    snprintf(last, sizeof last, "%s repetitions",
             unit_count(number, at ? (double)at[count - 1] : (double)count));
    text_format(&title, "%s of %s over %s", what, test->id, last);
    plane_open(&plane, title.data, out);
    plane_axes(&plane, unit_count(first, at ? (double)at[0] : 1), last, out);
    plane_line(&plane, places, values, count, class_, out);
    fprintf(out, "<text class=\"k\" x=\"%.0f\" y=\"12\">%s</text></svg>", plane.left, what);
    text_fini(&title);
    free(values);
    free(places);
}

void html_chart_growth(const struct result_test *test, FILE *out)
{
    if (test->live_by_rep_count < 2) {
        return;
    }
    fputs("<figure>", out);
    growth_svg("Live heap", test, test->live_by_rep, test->live_at_rep, test->live_by_rep_count,
               156, 0, out);
    if (test->rss_by_rep_count > 1) {
        growth_svg("Peak RSS", test, test->rss_by_rep, NULL, test->rss_by_rep_count, 116, 1, out);
    }
    fputs("<figcaption>", out);
    xml_put(test->id, SIZE_MAX, out);
    const char *variant = describe_variant_beside(test->id, test->variant);
    if (variant[0]) {
        fputs(" [", out);
        xml_put(variant, SIZE_MAX, out);
        fputc(']', out);
    }
    fprintf(out, ": %s</figcaption></figure>\n", result_verdict_name(test->verdict));
}

static void bars_put(const struct result *result, enum result_metric metric, double most, FILE *out)
{
    double left = 92, right = 78, row = 24, width = 380;
    struct plane plane = {.width = width, .height = row * (double)result->variant_count + 6};
    plane_open(&plane, result_metrics[metric].title, out);
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
