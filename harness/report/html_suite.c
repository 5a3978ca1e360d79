/* html_suite.c - charts over the suite: live heap and peak RSS after each test, with the cap of
 * memory, and where what grows leads to. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/report/html_plane.h"
#include "harness/report/xml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a figure is of. A hunt repeats its tests in workers that are replaced, so what is live there
 * says nothing of the suite; what the tests of a pass left does, where that was measured. */
enum subject { SUBJECT_LIVE, SUBJECT_LEFT, SUBJECT_RSS };

static bool left_known(const struct result *result)
{
    for (size_t i = 0; i < result->test_count; i++) {
        if (result->tests[i].left_bytes != RESULT_UNMEASURED && result->tests[i].left_bytes > 0) {
            return true;
        }
    }
    return false;
}

/* One value of all tests of a variant, in the order they ran. The caller frees. */
static double *series_take(const struct result *result, const char *variant, enum subject subject,
                           size_t *count)
{
    double *values = memory_new(result->test_count, sizeof *values), sum = 0;
    *count = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (strcmp(test->variant, variant) != 0) {
            continue;
        }
        int64_t value = subject == SUBJECT_RSS    ? test->peak_rss_bytes
                        : subject == SUBJECT_LEFT ? test->left_bytes
                                                  : test->live_bytes;
        bool known = value != RESULT_UNMEASURED;
        sum += known ? (double)value : 0;
        values[(*count)++] = !known ? (double)NAN : subject == SUBJECT_LEFT ? sum : (double)value;
    }
    return values;
}

#define SERIES_MAX 6 /* as many as there are colours; the rest is in the table */

/* What is drawn into one figure. */
struct lines {
    const struct result *result;
    const struct result_variant *variants[SERIES_MAX];
    double *series[SERIES_MAX];
    size_t count[SERIES_MAX], lines;
    enum subject subject;
};

static bool stopped(const struct result_variant *variant)
{
    return variant && variant->stopped_by[0];
}

static void lines_add(struct lines *lines, const struct result_variant *variant)
{
    size_t at = lines->lines++;
    lines->variants[at] = variant;
    lines->series[at] =
        series_take(lines->result, variant ? variant->name : "", lines->subject, &lines->count[at]);
}

static void lines_fini(struct lines *lines)
{
    for (size_t v = 0; v < lines->lines; v++) {
        free(lines->series[v]);
    }
}

/* The rate at which a variant grows by its verdict; 0: it does not, or nobody knows. */
static double slope_of(const struct lines *lines, size_t v)
{
    const struct result_variant *variant = lines->variants[v];
    double slope = variant && result_verdict_bad(variant->verdict) && lines->subject != SUBJECT_RSS
                       ? variant->metric[METRIC_GROWTH]
                       : (double)NAN;
    return isnan(slope) || slope <= 0 ? 0 : slope;
}

/* The last value that was measured, and where. Returns false if there is none. */
static bool last_of(const double *values, size_t count, size_t *at)
{
    for (size_t i = count; i-- > 0;) {
        if (!isnan(values[i])) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* From the last boundary on as it grew until then: to the edge, or to the cap. */
static void ahead_put(const struct lines *lines, size_t v, const struct plane *plane, FILE *out)
{
    size_t from;
    double slope = slope_of(lines, v), cap = (double)lines->result->cap;
    if (slope == 0 || !last_of(lines->series[v], lines->count[v], &from)) {
        return;
    }
    double y = lines->series[v][from], to = plane->x_last;
    double most = cap > 0 && cap < plane->y_most ? cap : plane->y_most;
    to = y + slope * (to - (double)from) > most ? (double)from + (most - y) / slope : to;
    if (to > (double)from) {
        fprintf(out, "<path class=\"l l%zu ahead\" d=\"M%.1f %.1fL%.1f %.1f\"/>", v % 6,
                plane_x(plane, (double)from), plane_y(plane, y), plane_x(plane, to),
                plane_y(plane, y + slope * (to - (double)from)));
    }
}

/* What grows is drawn on to its cap, if that is not far away, else a quarter further. */
static void plane_reach(const struct lines *lines, struct plane *plane)
{
    double cap = (double)lines->result->cap, measured = plane->x_last, most = plane->y_most;
    for (size_t v = 0; v < lines->lines; v++) {
        size_t from;
        double slope = slope_of(lines, v);
        if (slope == 0 || !last_of(lines->series[v], lines->count[v], &from)) {
            continue;
        }
        double y = lines->series[v][from], full = (double)from + (cap - y) / slope;
        bool near = cap > 0 && full <= 3 * measured;
        plane->x_last = fmax(plane->x_last, near ? full * 1.05 : measured * 1.25);
        most = near ? fmax(most, cap) : fmax(most, y + slope * (plane->x_last - (double)from));
    }
    plane->y_most = cap > 0 && most > cap * 0.6 ? fmax(most, cap * 1.08) : most;
}

static void cap_put(const struct result *result, const struct plane *plane, FILE *out)
{
    char size[UNIT_TEXT_BYTES];
    if (result->cap > 0 && (double)result->cap <= plane->y_most) {
        double y = plane_y(plane, (double)result->cap);
        fprintf(out,
                "<path class=\"cap\" d=\"M%.1f %.1fH%.1f\"/><text class=\"capped\" x=\"%.1f\" "
                "y=\"%.1f\">cap %s</text>",
                plane->left, y, plane->width - plane->right, plane->left + 6, y + 13,
                unit_limit(size, (uint64_t)result->cap));
    }
}

static void key_put(const struct lines *lines, size_t v, FILE *out)
{
    fprintf(out,
            " <span class=\"key\"><svg viewBox=\"0 0 30 8\" aria-hidden=\"true\">"
            "<path class=\"l l%zu\" d=\"M0 4H30\"/></svg> ",
            v % 6);
    xml_put(lines->variants[v]->name, SIZE_MAX, out);
    fputs("</span>", out);
}

static void caption_put(const struct lines *lines, const char *title, bool ahead, FILE *out)
{
    const struct result_variant *alone = lines->lines == 1 ? lines->variants[0] : NULL;
    fputs("</svg><figcaption>", out);
    xml_put(title, SIZE_MAX, out);
    fputs(", in the order they ran", out);
    if (lines->subject != SUBJECT_LEFT && result_is_hunt(lines->result)) {
        fputs("; each was repeated, and where it falls a new worker began", out);
    }
    fputs(ahead ? ". Dotted: if it goes on as it grew." : ".", out);
    if (stopped(alone) && lines->subject != SUBJECT_RSS) {
        fputs(" It was stopped by: ", out);
        xml_put(alone->stopped_by, SIZE_MAX, out);
        fputc('.', out);
    }
    for (size_t v = 0; v < lines->lines && lines->lines > 1; v++) {
        key_put(lines, v, out);
    }
    fputs("</figcaption></figure>\n", out);
}

static const char *const titles[] = {[SUBJECT_LIVE] = "Live heap at the boundary after each test",
                                     [SUBJECT_LEFT] =
                                         "Live heap that the tests of one pass left, added up",
                                     [SUBJECT_RSS] = "Peak RSS of each test"};

static void lines_figure(const struct lines *lines, FILE *out)
{
    struct plane plane = {
        .width = 560, .height = 240, .left = 92, .right = 10, .top = 14, .bottom = 28};
    bool any = false, ahead = false;
    for (size_t v = 0; v < lines->lines; v++) {
        plane.x_last = fmax(plane.x_last, lines->count[v] ? (double)lines->count[v] - 1 : 0);
        ahead = ahead || slope_of(lines, v) > 0;
        for (size_t i = 0; i < lines->count[v]; i++) {
            any = any || !isnan(lines->series[v][i]);
            plane.y_most = fmax(plane.y_most, lines->series[v][i]);
        }
    }
    if (!any) {
        return;
    }
    plane_reach(lines, &plane);
    char last[64], number[UNIT_TEXT_BYTES];
    struct text title = {0};
    snprintf(last, sizeof last, "test %s", unit_count(number, floor(plane.x_last) + 1));
    text_put(&title, titles[lines->subject]);
    if (lines->lines == 1 && lines->variants[0] && lines->variants[0]->name[0]) {
        text_format(&title, ", %s", lines->variants[0]->name);
    }
    fputs("<figure>", out);
    plane_open(&plane, title.data, out);
    plane_axes(&plane, "test 1", last, out);
    cap_put(lines->result, &plane, out);
    for (size_t v = 0; v < lines->lines; v++) {
        plane_line(&plane, NULL, lines->series[v], lines->count[v], (unsigned)v, out);
        ahead_put(lines, v, &plane, out);
    }
    caption_put(lines, title.data, ahead, out);
    text_fini(&title);
}

/* Variants that ran to their end share a figure. One that was stopped has its own: beside the
 * others its few tests would be a spike. */
static void suite_figures(const struct result *result, enum subject subject, FILE *out)
{
    struct lines whole = {.result = result, .subject = subject};
    size_t count = result->variant_count < SERIES_MAX ? result->variant_count : SERIES_MAX;
    for (size_t v = 0; v < count; v++) {
        if (!stopped(&result->variants[v])) {
            lines_add(&whole, &result->variants[v]);
        }
    }
    if (count == 0) {
        lines_add(&whole, NULL);
    }
    lines_figure(&whole, out);
    lines_fini(&whole);
    for (size_t v = 0; v < count; v++) {
        if (stopped(&result->variants[v])) {
            struct lines one = {.result = result, .subject = subject};
            lines_add(&one, &result->variants[v]);
            lines_figure(&one, out);
            lines_fini(&one);
        }
    }
}

void html_chart_suite(const struct result *result, FILE *out)
{
    fputs("<div class=\"grid wide\">", out);
    bool left = result_is_hunt(result) && left_known(result);
    suite_figures(result, left ? SUBJECT_LEFT : SUBJECT_LIVE, out);
    suite_figures(result, SUBJECT_RSS, out);
    fputs("</div>\n", out);
}
