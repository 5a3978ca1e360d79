/* html_head.c - what the page begins with: the answer in a tile, the facts of the run, the counts,
 * and links to the sections. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/describe_answer.h"
#include "harness/report/html_part.h"
#include "harness/report/xml.h"

#include <string.h>

bool html_memory_known(const struct result *result)
{
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (test->live_bytes != RESULT_UNMEASURED || test->peak_rss_bytes != RESULT_UNMEASURED) {
            return true;
        }
    }
    return false;
}

static void links_put(const struct result *result, FILE *out)
{
    fputs("<nav aria-label=\"Sections\"><a href=\"#h-findings\">Findings</a> ", out);
    fputs(html_memory_known(result) ? "<a href=\"#h-suite\">Memory over the suite</a> " : "", out);
    fputs("<a href=\"#h-tests\">All tests</a></nav>\n", out);
}

void html_name(const char *name, FILE *out)
{
    while (name[0]) {
        size_t length = strcspn(name, "/_");
        length += name[length] != '\0';
        xml_put(name, length, out);
        fputs("<wbr>", out);
        name += length;
    }
}

void html_paragraph(const char *class_, const char *text, FILE *out)
{
    if (text[0]) {
        fprintf(out, "<p class=\"%s\">", class_);
        xml_put(text, SIZE_MAX, out);
        fputs("</p>\n", out);
    }
}

static void fact_put(const char *text, bool *first, FILE *out)
{
    if (text[0]) {
        fputs(*first ? "" : " &middot; ", out);
        xml_put(text, SIZE_MAX, out);
        *first = false;
    }
}

/* Before anything else: a tile, red when something is wrong. */
static void answer_put(const struct result *result, FILE *out)
{
    static const char *const classes[] = {
        [ANSWER_GOOD] = "answer good", [ANSWER_OPEN] = "answer warn", [ANSWER_BAD] = "answer bad"};
    struct text answer = {0};
    const char *class_ = classes[describe_answer(&answer, result)];
    fprintf(out, "<p class=\"%s\">", class_);
    html_name(text_peek(&answer), out);
    fputs("</p>\n", out);
    text_fini(&answer);
}

static void header_put(const struct result *result, FILE *out)
{
    char size[UNIT_TEXT_BYTES], cap[UNIT_TEXT_BYTES + 32] = "";
    const char *name = result->scenario[0] ? result->scenario : result->suite;
    bool first = true;
    fputs("<header><button class=\"theme js\" id=\"theme\" type=\"button\">Light or dark</button>"
          "<h1>tidemark ",
          out);
    xml_put(result->command, SIZE_MAX, out);
    fputs(name[0] ? ": " : "", out);
    xml_put(name, SIZE_MAX, out);
    fputs("</h1>\n", out);
    answer_put(result, out);
    fputs("<p class=\"facts\">", out);
    if (result->cap > 0) {
        snprintf(cap, sizeof cap, "cap %s%s%s", unit_limit(size, (uint64_t)result->cap),
                 result->cap_kind[0] ? " by " : "", result->cap_kind);
    }
    const char *const facts[] = {result->way_in, result->allocator, cap, result->host,
                                 result->started};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        fact_put(facts[i], &first, out);
    }
    fputs("</p>\n", out);
}

/* What must not look like a pass. */
static void missing_put(const struct result *result, FILE *out)
{
    struct text reason = {0};
    if (result->incomplete > 0) {
        text_put(&reason, "This result is incomplete: ");
        describe_incomplete(&reason, result);
    } else if (result_nothing_judged(result)) {
        describe_nothing(&reason, result);
        reason.data[0] = 'N';
    }
    if (reason.length > 0) {
        text_put_char(&reason, '.');
        html_paragraph("bad", reason.data, out);
    }
    text_fini(&reason);
}

static void counts_put(const struct result *result, FILE *out)
{
    struct result counted = *result; /* borrowed */
    size_t verdict[VERDICT_COUNT] = {0};
    char number[UNIT_TEXT_BYTES];
    result_count(&counted);
    for (size_t i = 0; i < result->test_count; i++) {
        verdict[result->tests[i].verdict]++;
    }
    const struct {
        const char *name, *class_;
        size_t count;
        bool always;
    } rows[] = {
        {"passed", "", counted.passed, true},
        {"failed", counted.failed ? "bad" : "", counted.failed, true},
        {"skipped", "", counted.skipped, true},
        {"without a result", "bad", result->incomplete - result->cut_short, false},
        {"leak", "bad", verdict[VERDICT_LEAK], false},
        {"growth", "bad", verdict[VERDICT_GROWTH], false},
        {"accumulates", "bad", verdict[VERDICT_ACCUMULATES], false},
        {"inconclusive", "warn", verdict[VERDICT_INCONCLUSIVE], false},
        {"saturating", "good", verdict[VERDICT_SATURATING], false},
        {"clean", "good", verdict[VERDICT_CLEAN], false},
    };
    fputs("<ul class=\"counts\">", out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].always || rows[i].count > 0) {
            fprintf(out, "<li><b class=\"%s\">%s</b> %s</li>", rows[i].class_,
                    unit_count(number, (double)rows[i].count), rows[i].name);
        }
    }
    fputs("</ul>\n", out);
    missing_put(result, out);
}

void html_head(const struct result *result, FILE *out)
{
    header_put(result, out);
    counts_put(result, out);
    links_put(result, out);
    fputs("</header>\n", out);
}
