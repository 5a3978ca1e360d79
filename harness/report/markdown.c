/* markdown.c - a comment for a pull request: the answer first, variants, what broke, and
 * the rest folded away. Keeps under 60,000 bytes (a comment on GitHub holds 65,536). Also the body
 * of GitHub's step summary. Supervisor only. */
#include "harness/report/markdown.h"
#include "harness/base/unit.h"
#include "harness/report/case.h"
#include "harness/report/describe.h"
#include "harness/report/describe_answer.h"
#include "harness/report/location.h"
#include "harness/report/renderer.h"

#include <math.h>
#include <string.h>

void render_markdown(const struct result *result, FILE *out);

#define MARKDOWN_BYTES 60000
#define ERRORS_SHOWN   3 /* of memcheck, for a test */

/* What GitHub makes of a text although no markup is in it: links, and people who are called. */
static size_t link_put(struct text *text, const char *at)
{
    static const char *const words[][2] = {
        {"@", "@<!-- -->"}, {"://", ":<!-- -->//"}, {"www.", "www<!-- -->."}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i][0]);
        if (strncasecmp(at, words[i][0], length) == 0) {
            text_put(text, words[i][1]);
            return length;
        }
    }
    return 0;
}

void markdown_plain(struct text *text, const char *string)
{
    for (size_t step; *string; string += step) {
        unsigned char c = (unsigned char)*string;
        step = link_put(text, string);
        if (step > 0) {
            continue;
        }
        step = 1;
        if (c == '<' || c == '>' || c == '&') {
            text_put(text, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
        } else if (c < 0x20) {
            text_put_char(text, ' ');
        } else {
            if (strchr("\\`*_{}[]#|~$!", c)) {
                text_put_char(text, '\\');
            }
            text_put_char(text, (char)c);
        }
    }
}

/* A code span: its fence is longer than any run of backticks in it. */
static void code_put(struct text *text, const char *code)
{
    size_t longest = 1, run = 0;
    for (const char *at = code; *at; at++) {
        run = *at == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++) {
        text_put_char(text, '`');
    }
    text_put_char(text, ' ');
    for (; *code; code++) {
        text_put_char(text, (unsigned char)*code < 0x20 ? ' ' : *code);
    }
    text_put_char(text, ' ');
    for (size_t i = 0; i <= longest; i++) {
        text_put_char(text, '`');
    }
}

static void variants_put(struct text *text, const struct result *result)
{
    static const enum result_metric columns[] = {
        METRIC_PEAK_RSS,   METRIC_ALLOCS,   METRIC_ALLOCS_PER_LOOKUP, METRIC_LOOKUP_P50,
        METRIC_LOOKUP_P99, METRIC_HIT_RATE, METRIC_LIVE_END,          METRIC_GROWTH};
    size_t count = sizeof columns / sizeof columns[0];
    bool hunt = result_is_hunt(result); /* then they are programs, and no one is like another */
    text_put(text, hunt ? "\n| program |" : "\n| variant |");
    bool stopped = describe_stopped(result);
    struct text rule = {0};
    for (size_t i = 0; i < count; i++) {
        if (describe_measured(result, columns[i])) {
            text_format(text, " %s |", result_metrics[columns[i]].title);
            text_put(&rule, "--:|");
        }
    }
    text_format(text, " verdict |%s\n|:--|%s:--|%s\n", stopped ? " stopped by |" : "",
                text_peek(&rule), stopped ? ":--|" : "");
    text_fini(&rule);
    for (size_t v = 0; v < result->variant_count; v++) {
        const struct result_variant *variant = &result->variants[v];
        text_put(text, "| ");
        markdown_plain(text, variant->name[0] ? variant->name : "all");
        text_put(text, " |");
        for (size_t i = 0; i < count; i++) {
            struct text change = {0};
            if (!describe_measured(result, columns[i])) {
                continue;
            }
            text_put_char(text, ' ');
            describe_metric(text, columns[i], variant->metric[columns[i]]);
            describe_change(&change, columns[i], &result->variants[0], variant);
            if (v > 0 && !hunt && change.length > 0) {
                text_format(text, " (%s)", change.data);
            }
            text_fini(&change);
            text_put(text, " |");
        }
        text_format(text, " %s |",
                    variant->verdict == VERDICT_NONE ? "-" : result_verdict_name(variant->verdict));
        if (stopped) {
            text_put_char(text, ' ');
            markdown_plain(text, variant->stopped_by[0] ? variant->stopped_by : "-");
            text_put(text, " |");
        }
        text_put_char(text, '\n');
    }
}

/* A message may be a page of its own; all of it is in the result and on the HTML page. */
#define MESSAGE_BYTES 1000

static void clipped_put(struct text *text, const char *message)
{
    struct text head = {0};
    size_t length = strlen(message), bad = 0;
    if (length > MESSAGE_BYTES) {
        length = MESSAGE_BYTES;
        if (!text_utf8(message, length, &bad)) {
            length = bad; /* not half a character */
        }
        text_put_bytes(&head, message, length);
        text_put(&head, " ...");
        message = head.data;
    }
    markdown_plain(text, message);
    text_fini(&head);
}

static void site_put(struct text *text, const struct result_site *site)
{
    struct text line = {0};
    const struct result_frame *place = describe_place(site->frames, site->frame_count);
    if (place) {
        text_format(text, "; %s ", describe_origin(site));
        describe_frame(&line, place);
        markdown_plain(text, line.data);
    }
    if (site->held_by_count > 0) {
        text_reset(&line);
        text_put(text, "; held by ");
        describe_held(&line, site);
        markdown_plain(text, line.data);
    }
    if (site->released_by_count > 0) {
        text_reset(&line);
        text_put(text, "; ");
        describe_release(&line, site, &site->released_by[0]);
        markdown_plain(text, line.data);
    }
    text_fini(&line);
}

static void errors_put(struct text *text, const struct result_test *test)
{
    struct text line = {0};
    for (size_t i = 0; test->memcheck && i < test->memcheck->list_count && i < ERRORS_SHOWN; i++) {
        const struct result_error *error = &test->memcheck->list[i];
        text_reset(&line);
        describe_error(&line, error);
        if (error->frame_count > 0) {
            text_put(&line, ", at ");
            describe_frame(&line, describe_place(error->frames, error->frame_count));
        }
        text_put(text, "\n  - memcheck: ");
        markdown_plain(text, line.data);
    }
    text_fini(&line);
}

static void finding_put(struct text *text, const struct result *result,
                        const struct report_case *found)
{
    struct text line = {0};
    const struct result_site *site = found->test ? case_site(result, found) : NULL;
    text_format(text, "- **%s** ", found->word);
    if (found->kind != CASE_MISSING) {
        markdown_plain(text, found->name);
    }
    if (found->variant[0]) {
        text_put(text, " \\[");
        markdown_plain(text, found->variant);
        text_put(text, "\\]");
    }
    case_describe(&line, result, found);
    text_put(text, ": ");
    clipped_put(text, text_peek(&line));
    text_fini(&line);
    if (site) {
        site_put(text, site);
    }
    if (found->test) {
        errors_put(text, found->test);
    }
    text_put_char(text, '\n');
}

/* The suite's verdict comes before those of its tests, which may be hundreds. */
static void findings_put(struct text *text, const struct result *result, size_t bytes)
{
    struct report_case found;
    size_t count = 0, shown = 0;
    for (int tests = 0; tests <= 1; tests++) {
        for (size_t at = 0; case_next(result, &at, &found);) {
            if (!found.finding || found.kind == CASE_EXPECT ||
                (found.kind == CASE_TEST) != (tests == 1)) {
                continue;
            }
            if (count++ == 0) {
                text_put(text, "\n");
            }
            size_t before = text->length;
            if (before < bytes) {
                finding_put(text, result, &found);
                shown++;
            }
            if (text->length > bytes && before < bytes) {
                text->length = before;
                text->data[before] = '\0';
                bytes = before; /* and none of the shorter ones after it: in order, or not at all */
                shown--;
            }
        }
    }
    if (shown < count) {
        text_format(text, "- and %zu more finding%s\n", count - shown,
                    count - shown == 1 ? "" : "s");
    }
}

static void order_put(struct text *text, const struct result *result, size_t bytes)
{
    struct text line = {0};
    size_t next = 0, shown = 0;
    while (text->length < bytes && describe_order_next(&line, result, &next)) {
        text_put(text, shown++ == 0 ? "\n- " : "- ");
        markdown_plain(text, line.data);
        text_put_char(text, '\n');
        text_reset(&line);
    }
    text_fini(&line);
}

static void expects_put(struct text *text, const struct result *result, size_t bytes)
{
    if (result->expect_count == 0) {
        return;
    }
    size_t broken = 0;
    for (size_t i = 0; i < result->expect_count; i++) {
        broken += result_expect_broken(&result->expects[i]);
    }
    text_format(text,
                "\n<details%s><summary>%zu of %zu expectations met</summary>\n\n"
                "| | variant | metric | limit | actual | where |\n|--|:--|:--|--:|--:|:--|\n",
                broken ? " open" : "", result->expect_count - broken, result->expect_count);
    for (size_t i = 0; i < result->expect_count && text->length < bytes; i++) {
        const struct result_expect *expect = &result->expects[i];
        struct text limit = {0};
        describe_limit(&limit, expect);
        const char *const cells[] = {expect->variant, expect->metric, text_peek(&limit),
                                     expect->actual};
        text_format(text, expect->ok ? "| %s |" : "| **%s** |", result_expect_name(expect));
        for (size_t c = 0; c < 4; c++) {
            text_put_char(text, ' ');
            markdown_plain(text, cells[c]);
            text_put(text, " |");
        }
        text_put_char(text, ' ');
        markdown_plain(text, location_relative(expect->file));
        text_format(text, ":%u |\n", expect->line);
        text_fini(&limit);
    }
    text_put(text, "\n</details>\n");
}

void markdown_put(struct text *text, const struct result *result, size_t bytes)
{
    struct result counted = *result; /* borrowed */
    struct text answer = {0};
    result_count(&counted);
    text_format(text, "### tidemark: %zu passed, %zu failed, %zu skipped%s\n", counted.passed,
                counted.failed, counted.skipped,
                result->incomplete              ? ", **incomplete**"
                : result_nothing_judged(result) ? ", **nothing was judged**"
                                                : "");
    describe_answer(&answer, result);
    text_put(text, "\n**");
    markdown_plain(text, answer.data);
    text_put(text, "**\n");
    text_fini(&answer);
    if (result->variant_count > 1 || (result->variant_count == 1 && result->variants[0].name[0])) {
        variants_put(text, result);
    }
    findings_put(text, result, bytes * 2 / 3);
    order_put(text, result, bytes * 3 / 4);
    expects_put(text, result, bytes * 9 / 10);
    if (result->argv[0]) {
        text_put(text, "\nRepeat: ");
        code_put(text, result->argv);
        text_put_char(text, '\n');
    }
}

void render_markdown(const struct result *result, FILE *out)
{
    struct text text = {0};
    markdown_put(&text, result, MARKDOWN_BYTES);
    fputs(text_peek(&text), out);
    text_fini(&text);
}
