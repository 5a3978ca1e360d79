/*
 * html.c - one self-contained page: fetches nothing (a content security policy says so), works from
 * file://, complete without scripts but for sorting and for tests beyond the first few hundred. Its
 * style and script are page.css and page.js, built in. Supervisor only.
 */
#include "harness/base/memory.h"
#include "harness/base/sha256.h"
#include "harness/base/unit.h"
#include "harness/report/case.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/report/location.h"
#include "harness/report/renderer.h"
#include "harness/report/xml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void render_html(const struct result *result, FILE *out);

/* The assembler reads the files from the root of the source tree, where make runs. */
#define PAGE_FILE(symbol, file)                                                                    \
    __asm__(".section .rodata\n" #symbol ":\n.incbin \"" file "\"\n.byte 0\n.previous\n");         \
    extern const char symbol[]
PAGE_FILE(page_css, "harness/report/page.css");
PAGE_FILE(page_js, "harness/report/page.js");

#define FINDINGS_OPEN 10  /* seen at once: the charts and the table are not far below */
#define FINDINGS_MAX  100 /* as boxes; all are in the table */
#define CURVES_MAX    12

static const char *shade(const struct result_test *test)
{
    return test->status == RESULT_SKIP ||
                   (test->status == RESULT_PASS && test->verdict == VERDICT_INCONCLUSIVE &&
                    !result_memcheck_bad(test->memcheck))
               ? "warn"
           : test->status != RESULT_PASS || result_verdict_bad(test->verdict) ||
                   result_memcheck_bad(test->memcheck)
               ? "bad"
               : "good";
}

/* A link to the line that a person wants to see first, where a browser has it. */
static void source_put(struct location location, FILE *out)
{
    struct text url = {0};
    if (location_url(&url, location)) {
        fputs("<p><a href=\"", out);
        xml_put(url.data, SIZE_MAX, out);
        fputs("\" rel=\"noreferrer\">", out);
        xml_put(location.file, SIZE_MAX, out);
        fprintf(out, ":%u</a></p>\n", location.line);
    }
    text_fini(&url);
}

static void finding_put(const struct result *result, const struct result_test *test, FILE *out)
{
    struct text text = {0};
    const char *class_ = shade(test);
    const char *name = describe_test_word(test);
    fprintf(out, "<article class=\"finding%s\"><h3><span class=\"tag %s\">%s</span> ",
            strcmp(class_, "warn") == 0 ? " w" : "", class_, name);
    html_name(test->id, out);
    const char *variant = describe_variant_beside(test->id, test->variant);
    if (variant[0]) {
        fputs(" [", out);
        xml_put(variant, SIZE_MAX, out);
        fputc(']', out);
    }
    fputs("</h3>", out);
    describe_test(&text, result, test);
    html_paragraph("", text_peek(&text), out);
    source_put(location_of_test(result, test), out);
    if (test->frame_count > 0) {
        fputs("<pre>", out);
        for (size_t i = 0; i < describe_frames_own(test->frames, test->frame_count); i++) {
            text_reset(&text);
            describe_frame(&text, &test->frames[i]);
            xml_put(text_peek(&text), SIZE_MAX, out);
            fputc('\n', out);
        }
        fputs("</pre>", out);
    }
    const struct result_site *site;
    size_t next = 0;
    for (unsigned n = 0;
         n < 3 && (site = describe_site_next(result, test->id, test->variant, &next)); n++) {
        text_reset(&text);
        describe_site(&text, site, test->repetitions);
        fputs("<pre>", out);
        xml_put(text_peek(&text), SIZE_MAX, out);
        fputs("</pre>", out);
    }
    text_reset(&text);
    describe_error_lines(&text, test, 10);
    if (text.length > 0) {
        fputs("<pre>", out);
        xml_put(text.data, SIZE_MAX, out);
        fputs("</pre>", out);
    }
    html_paragraph("dim", test->horizon, out);
    fputs("</article>\n", out);
    text_fini(&text);
}

/* A suite's verdict where it breaks the build or could not be made, and sites of the whole suite.
 */
static bool suite_put(const struct result *result, const struct result_variant *suite, FILE *out)
{
    struct text text = {0};
    const struct result_site *site;
    size_t next = 0;
    bool judged = result_suite_counts(result, suite) &&
                  (result_verdict_bad(suite->verdict) || suite->verdict == VERDICT_INCONCLUSIVE);
    if (!judged && !describe_site_next(result, "", suite->name, &next)) {
        return false;
    }
    bool warn = suite->verdict == VERDICT_INCONCLUSIVE;
    fprintf(out, "<article class=\"finding%s\"><h3>", warn ? " w" : "");
    if (judged) {
        fprintf(out, "<span class=\"tag %s\">%s</span> ", warn ? "warn" : "bad",
                result_verdict_name(suite->verdict));
    }
    fputs("The whole suite", out);
    if (suite->name[0]) {
        fputs(" [", out);
        xml_put(suite->name, SIZE_MAX, out);
        fputc(']', out);
    }
    fputs("</h3>", out);
    if (judged) {
        describe_suite(&text, result, suite);
        html_paragraph("", text_peek(&text), out);
        next = 0;
        site = describe_site_next(result, "", suite->name, &next);
        const struct result_frame *frame =
            site ? location_frame(site->frames, site->frame_count) : NULL;
        if (frame) {
            source_put(location_of_frame(frame), out);
        }
    }
    next = 0;
    for (unsigned n = 0; n < 5 && (site = describe_site_next(result, "", suite->name, &next));
         n++) {
        text_reset(&text);
        describe_site(&text, site, 0);
        fputs("<pre>", out);
        xml_put(text_peek(&text), SIZE_MAX, out);
        fputs("</pre>", out);
    }
    html_paragraph("dim", judged ? suite->horizon : "", out);
    fputs("</article>\n", out);
    text_fini(&text);
    return true;
}

/* Verdicts of suites, and findings of single tests. */
static void findings_put(const struct result *result, const size_t *order, size_t found, FILE *out)
{
    fputs("<section aria-labelledby=\"h-findings\"><h2 id=\"h-findings\">Findings</h2>\n", out);
    bool any = found > 0;
    for (size_t i = 0; i < result->variant_count; i++) {
        any = suite_put(result, &result->variants[i], out) || any;
    }
    for (size_t i = 0; i < found && i < FINDINGS_MAX; i++) {
        if (i == FINDINGS_OPEN) {
            fprintf(out, "<details class=\"more\"><summary>%zu more finding%s</summary>\n",
                    found - FINDINGS_OPEN, found - FINDINGS_OPEN == 1 ? "" : "s");
        }
        finding_put(result, &result->tests[order[i]], out);
    }
    if (found > FINDINGS_MAX) {
        fprintf(out, "<p>%zu more finding%s in the table of tests.</p>\n", found - FINDINGS_MAX,
                found - FINDINGS_MAX == 1 ? " is" : "s are");
    }
    fputs(found > FINDINGS_OPEN ? "</details>\n" : "", out);
    fputs(any ? "</section>\n"
          : case_missing(result)
              ? "<p class=\"warn\">None, because nothing is known.</p></section>\n"
              : "<p class=\"good\">None.</p></section>\n",
          out);
}

static void curves_put(const struct result *result, const size_t *order, size_t found, FILE *out)
{
    size_t drawn = 0;
    for (size_t i = 0; i < found && drawn < CURVES_MAX; i++) {
        const struct result_test *test = &result->tests[order[i]];
        if (test->live_by_rep_count > 1) {
            fputs(drawn++ == 0 ? "<section aria-labelledby=\"h-growth\"><h2 id=\"h-growth\">Growth "
                                 "over repetitions</h2>\n<p class=\"dim\">Live bytes at the "
                                 "boundary after a repetition, and the peak RSS of each of the "
                                 "first.</p><div class=\"grid\">\n"
                               : "",
                  out);
            html_chart_growth(test, out);
        }
    }
    fputs(drawn > 0 ? "</div></section>\n" : "", out);
}

/* Findings first, then the rest, both in the order they ran. Returns the number of findings. */
static size_t order_make(const struct result *result, size_t *order)
{
    size_t found = 0, at;
    for (size_t i = 0; i < result->test_count; i++) {
        if (describe_test_finding(result, &result->tests[i])) {
            order[found++] = i;
        }
    }
    at = found;
    for (size_t i = 0; i < result->test_count; i++) {
        if (!describe_test_finding(result, &result->tests[i])) {
            order[at++] = i;
        }
    }
    return found;
}

/* Who is polluted by whom, who leaves what stays. */
static void order_put(const struct result *result, FILE *out)
{
    struct text line = {0};
    size_t next = 0, shown = 0;
    while (describe_order_next(&line, result, &next)) {
        fputs(shown++ == 0 ? "<section aria-labelledby=\"h-order\"><h2 id=\"h-order\">From test to "
                             "test</h2><ul>"
                           : "",
              out);
        fputs("<li>", out);
        xml_put(line.data, SIZE_MAX, out);
        fputs("</li>", out);
        text_reset(&line);
    }
    fputs(shown > 0 ? "</ul></section>\n" : "", out);
    text_fini(&line);
}

static void end_put(const struct result *result, FILE *out)
{
    if (result->note_count > 0) {
        fputs("<section aria-labelledby=\"h-notes\"><h2 id=\"h-notes\">Notes</h2><ul>", out);
        for (size_t i = 0; i < result->note_count; i++) {
            fputs("<li>", out);
            xml_put(result->notes[i], SIZE_MAX, out);
            fputs("</li>", out);
        }
        fputs("</ul></section>\n", out);
    }
    if (result->argv[0]) {
        fputs("<section aria-labelledby=\"h-repeat\"><h2 id=\"h-repeat\">Repeat</h2><pre>", out);
        xml_put(result->argv, SIZE_MAX, out);
        fputs("</pre></section>\n", out);
    }
}

/* What the policy allows: this element, to the byte, and nothing that a name could smuggle in. The
 * element begins with a line's end. */
static void hash_put(const char *content, FILE *out)
{
    uint8_t digest[SHA256_BYTES];
    char text[SHA256_TEXT_BYTES];
    char *element = memory_format("\n%s", content);
    sha256(element, strlen(element), digest);
    fprintf(out, "'sha256-%s'", sha256_base64(digest, text));
    free(element);
}

void render_html(const struct result *result, FILE *out)
{
    size_t *order = memory_new(result->test_count, sizeof *order);
    size_t found = order_make(result, order);
    size_t count = result->test_count < HTML_TESTS ? result->test_count : HTML_TESTS;
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ",
          out);
    hash_put(page_css, out);
    fputs("; script-src ", out);
    hash_put(page_js, out);
    fputs("\">\n<title>tidemark ", out);
    xml_put(result->command, SIZE_MAX, out);
    fputc(' ', out);
    xml_put(result->scenario[0] ? result->scenario : result->suite, SIZE_MAX, out);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", page_css);
    fputs("<a class=\"skip\" href=\"#h-tests\">Skip to the table of tests</a>\n<main>\n", out);
    html_head(result, out);
    findings_put(result, order, found, out);
    order_put(result, out);
    if (html_memory_known(result)) {
        fputs(
            "<section aria-labelledby=\"h-suite\"><h2 id=\"h-suite\">Memory over the suite</h2>\n",
            out);
        html_chart_suite(result, out);
        fputs("</section>\n", out);
    }
    curves_put(result, order, found, out);
    if (result->variant_count > 0 && !result_is_hunt(result)) {
        html_table_variants(result, out);
    }
    if (result->expect_count > 0) {
        html_table_expects(result, out);
    }
    html_tree(result, out);
    html_table_tests(result, order, count, out);
    end_put(result, out);
    fputs("</main>\n", out);
    html_data(result, order, count, out);
    fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", page_js);
    free(order);
}
