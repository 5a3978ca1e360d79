/* html_table.c - the page's tables: variants, expectations, tests. They are complete without
 * scripts but for tests beyond the first few hundred. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/report/xml.h"

#include <string.h>

void html_table_variants(const struct result *result, FILE *out)
{
    static const enum result_metric columns[] = {
        METRIC_PEAK_RSS,   METRIC_ALLOCS,     METRIC_ALLOCS_PER_LOOKUP,
        METRIC_LOOKUP_P50, METRIC_LOOKUP_P99, METRIC_HIT_RATE,
        METRIC_EVICTIONS,  METRIC_LIVE_END,   METRIC_GROWTH};
    size_t count = sizeof columns / sizeof columns[0];
    fputs("<section aria-labelledby=\"h-variants\"><h2 id=\"h-variants\">Variants</h2>\n"
          "<div class=\"scroll\"><table><caption>The first is the reference; changes stand where "
          "they are significant.</caption><thead><tr><th scope=\"col\">variant</th>",
          out);
    for (size_t i = 0; i < count; i++) {
        if (describe_measured(result, columns[i])) {
            fprintf(out, "<th scope=\"col\" class=\"n\">%s</th>", result_metrics[columns[i]].title);
        }
    }
    bool stopped = describe_stopped(result);
    fprintf(out, "<th scope=\"col\">verdict</th>%s</tr></thead><tbody>\n",
            stopped ? "<th scope=\"col\">stopped by</th>" : "");
    for (size_t v = 0; v < result->variant_count; v++) {
        const struct result_variant *variant = &result->variants[v];
        fputs("<tr><th scope=\"row\">", out);
        xml_put(variant->name[0] ? variant->name : "all tests", SIZE_MAX, out);
        fputs("</th>", out);
        for (size_t i = 0; i < count; i++) {
            struct text cell = {0}, change = {0};
            if (!describe_measured(result, columns[i])) {
                continue;
            }
            describe_metric(&cell, columns[i], variant->metric[columns[i]]);
            describe_change(&change, columns[i], &result->variants[0], variant);
            fprintf(out, "<td class=\"n\">%s", text_peek(&cell));
            if (v > 0 && change.length > 0) {
                fprintf(out, "<br><span class=\"dim\">%s</span>", change.data);
            }
            fputs("</td>", out);
            text_fini(&cell);
            text_fini(&change);
        }
        const char *name =
            variant->verdict == VERDICT_NONE ? "-" : result_verdict_name(variant->verdict);
        fprintf(out, "<td><span class=\"tag %s\">%s</span></td>",
                result_verdict_bad(variant->verdict) ? "bad" : "good", name);
        if (stopped) {
            fputs("<td>", out);
            xml_put(variant->stopped_by[0] ? variant->stopped_by : "-", SIZE_MAX, out);
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    for (size_t v = 0; v < result->variant_count; v++) {
        struct text says = {0};
        describe_variant(&says, result, &result->variants[v]);
        if (says.length > 0) {
            fputs("<p><b>", out);
            xml_put(result->variants[v].name, SIZE_MAX, out);
            fputs("</b> ", out);
            xml_put(says.data, SIZE_MAX, out);
            fputs(".</p>\n", out);
        }
        text_fini(&says);
    }
    html_chart_variants(result, out);
    fputs("</section>\n", out);
}

void html_table_expects(const struct result *result, FILE *out)
{
    fputs("<section aria-labelledby=\"h-expect\"><h2 id=\"h-expect\">Expectations</h2>\n"
          "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">met</th><th scope=\"col\">"
          "variant</th><th scope=\"col\">metric</th><th scope=\"col\">limit</th><th scope=\"col\">"
          "actual</th><th scope=\"col\">where</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect *expect = &result->expects[i];
        struct text limit = {0};
        describe_limit(&limit, expect);
        const char *const cells[] = {expect->variant, expect->metric, text_peek(&limit),
                                     expect->actual};
        fprintf(out, "<tr><td><span class=\"tag %s\">%s</span></td>",
                expect->ok                     ? "good"
                : result_expect_broken(expect) ? "bad"
                                               : "warn",
                result_expect_name(expect));
        for (size_t c = 0; c < 4; c++) {
            fputs("<td>", out);
            xml_put(cells[c], SIZE_MAX, out);
            fputs("</td>", out);
        }
        fputs("<td class=\"where mono\">", out);
        xml_put(expect->file, SIZE_MAX, out);
        fprintf(out, ":%u</td></tr>\n", expect->line);
        text_fini(&limit);
    }
    fputs("</tbody></table></div></section>\n", out);
}

void html_table_tests(const struct result *result, const size_t *order, size_t count, FILE *out)
{
    char number[UNIT_TEXT_BYTES];
    fprintf(out,
            "<section aria-labelledby=\"h-tests\"><h2 id=\"h-tests\">All tests</h2>\n"
            "<div class=\"controls js\"><label>Name (press /) <input id=\"find\" "
            "type=\"search\"></label>"
            "<label>Verdict or status <select id=\"only\"><option value=\"\">all</option></select>"
            "</label>%s<span class=\"status\" id=\"shown\" role=\"status\" aria-live=\"polite\">"
            "</span><button id=\"prev\" type=\"button\">Previous</button>"
            "<button id=\"next\" type=\"button\">Next</button></div>\n",
            result->variant_count > 1 ? "<label>Variant <select id=\"which\"><option value=\"\">all"
                                        "</option></select></label>"
                                      : "");
    fputs("<div class=\"scroll\"><table id=\"tests\"><caption>Figures are of one repetition, test "
          "and fixtures; kept is what was still there at the boundary.</caption><thead><tr>",
          out);
    for (size_t c = 0; html_columns[c].key; c++) {
        const char *kind = html_columns[c].kind;
        bool word = strcmp(kind, "text") == 0 || strcmp(kind, "word") == 0;
        fprintf(out, "<th scope=\"col\"%s>%s</th>", word ? "" : " class=\"n\"",
                html_columns[c].title);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (size_t i = 0; i < count && i < HTML_STATIC; i++) {
        const struct result_test *test = &result->tests[order[i]];
        fputs("<tr>", out);
        for (size_t c = 0; html_columns[c].key; c++) {
            struct text cell = {0};
            bool word = strcmp(html_columns[c].kind, "word") == 0;
            html_cell_words(&cell, test, c);
            fputs(c == 0                                              ? "<td class=\"id mono\">"
                  : word || strcmp(html_columns[c].kind, "text") == 0 ? "<td>"
                                                                      : "<td class=\"n\">",
                  out);
            xml_put(text_peek(&cell), SIZE_MAX, out);
            fputs("</td>", out);
            text_fini(&cell);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    if (count > HTML_STATIC) {
        fprintf(out, "<p class=\"nojs dim\">The first %d of %s tests; scripts show the rest.</p>\n",
                HTML_STATIC, unit_count(number, (double)count));
    }
    if (result->test_count > count) {
        fprintf(out,
                "<p class=\"dim\">%s more tests, without findings, are only in the result "
                "file.</p>\n",
                unit_count(number, (double)(result->test_count - count)));
    }
    fputs("</section>\n", out);
}
