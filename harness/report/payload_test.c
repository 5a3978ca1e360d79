/* payload_test.c - hostile text in every field of a result, in every format: nothing of it colours
 * a terminal, begins a line, commands a CI system, or is markup. Each format is read by a reader
 * that others wrote where there is one in the house: expat, jansson. */
#include "harness/base/memory.h"
#include "harness/base/suite.h"
#include "harness/base/text.h"
#include "harness/report/case.h"
#include "harness/report/difference.h"
#include "harness/report/renderer.h"
#include "harness/report/terminal.h"
#include "harness/result/result_memcheck.h"
#include "harness/result/result_printable.h"
#include "harness/result/result_string.h"

#include <expat.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const payloads[] = {
    "plain",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred",
    "a\n::error file=a.c,line=1::pwned",
    "::warning::pwned",
    "x ::set-output name=a::b ##[error]y ##vso[task.complete]z",
    "\n##[group]x\r\nBail out! y\nnot ok 99 - z\n1..0\n# EOF\n",
    "%0A::error::x%25",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</script><!--]]>&amp;&#64;\"'><b>",
    "t|`x`|``y``|[a](http://evil.example/)|![i](www.evil.example)|@somebody|*b*|$m$",
    "bad \xff\xfe \xc0\x80 \xed\xa0\x80 end \xc2\x9b[31m \xe2\x80\xae\xe2\x80\xa8 cut \xe2\x82",
    "\\\" \\\\ # SKIP ... --- key: \"value\"",
    "{variant=\"x\"} 1\n",
    "%n%s%1000000d",
    "",
};
#define PAYLOADS (sizeof payloads / sizeof payloads[0])

/* A result with one of everything, and the payload in every string of it. */
static void result_make(struct result *result, const char *command, const char *payload)
{
    result_init(result);
    struct result_test *test = result_test_add(result);
    test->verdict = VERDICT_GROWTH;
    test->growth_bytes_per_rep = 64;
    test->order = ORDER_POLLUTED;
    test->left_bytes = 5;
    struct result_test *dead = result_test_add(result);
    dead->status = RESULT_CRASH;
    dead->frames = result_frames_new(1);
    dead->frame_count = 1;
    dead->frames[0].line = 3;
    struct result_error *error = result_error_add(result_memcheck_get(dead));
    error->frames = result_frames_new(1);
    error->frame_count = 1;
    struct result_test *skipped = result_test_add(result);
    skipped->status = RESULT_SKIP;
    for (int suite = 0; suite < 2; suite++) {
        struct result_site *site = result_site_add(result);
        site->frames = result_frames_new(1);
        site->frame_count = 1;
        site->frames[0].line = 12;
        site->held_by = result_links_new(2);
        site->held_by_count = 2;
        site->blocks = 3;
        site->bytes = 64;
    }
    struct result_variant *variant = result_variant_add(result);
    variant->verdict = VERDICT_ACCUMULATES;
    variant->metric[METRIC_PEAK_RSS] = 1e6;
    variant->metric[METRIC_GROWTH] = 10;
    result_counter_add(variant, payload, 1);
    result_expect_add(result)->line = 7;
    result_note_add(result, "%s", payload);
    result_set(&result->command, command);
}

static void slots_fill(char **const *slots, size_t count, const char *payload)
{
    for (size_t i = 0; i < count; i++) {
        result_set(slots[i], payload);
    }
}

static void result_fill(struct result *result, const char *payload)
{
    char *command = memory_copy(result->command);
    slots_fill(RESULT_STRINGS(result), payload);
    result_set(&result->command, command);
    result_set(&result->started, "2026-01-02T03:04:05Z");
    free(command);
    for (size_t i = 0; i < result->test_count; i++) {
        struct result_test *test = &result->tests[i];
        slots_fill(TEST_STRINGS(test), payload);
        char *id = memory_format("s/%s%zu", payload, i);
        result_set(&test->id, id);
        free(id);
        for (size_t f = 0; f < test->frame_count; f++) {
            slots_fill(FRAME_STRINGS(&test->frames[f]), payload);
        }
        for (size_t e = 0; test->memcheck && e < test->memcheck->list_count; e++) {
            struct result_error *error = &test->memcheck->list[e];
            slots_fill((char **const[]){&error->kind, &error->what, &error->detail}, 3, payload);
            slots_fill(FRAME_STRINGS(&error->frames[0]), payload);
        }
    }
    for (size_t i = 0; i < result->site_count; i++) {
        struct result_site *site = &result->sites[i];
        slots_fill(SITE_STRINGS(site), payload);
        result_set(&site->test, i == 0 ? result->tests[0].id : "");
        slots_fill(FRAME_STRINGS(&site->frames[0]), payload);
        for (size_t l = 0; l < site->held_by_count; l++) {
            slots_fill(LINK_STRINGS(&site->held_by[l]), payload);
        }
    }
    slots_fill(VARIANT_STRINGS(&result->variants[0]), payload);
    slots_fill(EXPECT_STRINGS(&result->expects[0]), payload);
}

/* What the renderer writes, its annotations on standard output among it. */
static char *rendered(const struct renderer *renderer, const struct result *result)
{
    struct text all = {0};
    char bytes[4096];
    size_t got;
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    if (renderer) {
        renderer->render(result, file);
    } else {
        report_terminal(result, file, 100, false);
    }
    fflush(file);
    fseek(file, 0, SEEK_END);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0) {
        text_put_bytes(&all, bytes, got);
    }
    fclose(file);
    return text_take(&all);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part))) {
        count++;
        text += strlen(part);
    }
    return count;
}

/* Lines that begin with `part`, blanks before it or not. */
static size_t lines_with(const char *text, const char *part)
{
    size_t count = 0;
    while (*text) {
        const char *at = text + strspn(text, " \t");
        count += strncmp(at, part, strlen(part)) == 0;
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return count;
}

static void bytes_check(const char *format, const char *text)
{
    size_t bad;
    ck_assert_msg(text_utf8(text, strlen(text), &bad), "%s: no UTF-8 at %zu", format, bad);
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at, d = (unsigned char)at[1];
        ck_assert_msg((c >= 0x20 || c == '\n') && c != 0x7f && !(c == 0xc2 && d < 0xa0),
                      "%s: control character %02x", format, c);
    }
}

/* Nothing of a payload adds to what the format itself has of these, whatever the payload is. */
static const struct same {
    const char *format; /* "": the terminal */
    const char *part;
    bool line; /* at the beginning of a line */
} sames[] = {
    {"", "::", true},
    {"", "##[", true},
    {"github", "::error ", true},
    {"github", "::", true},
    {"github", "##", true},
    {"html", "<script", false},
    {"html", "</script", false},
    {"html", "<img", false},
    {"html", "<b>", false},
    {"html", "<!--", false},
    {"tap", "ok ", true},
    {"tap", "not ok ", true},
    {"tap", "1..", true},
    {"tap", "Bail", true},
    {"tap", "...", true},
    {"openmetrics", "# EOF", true},
    {"markdown", "<img", false},
    {"markdown", "<script", false},
    {"markdown", "<b>", false},
    {"markdown", "http://", false},

    {"markdown", "![", false},
    {"markdown", "@s", false},
};

static void sames_check(const char *format, const char *text, const char *plain)
{
    for (size_t i = 0; i < sizeof sames / sizeof sames[0]; i++) {
        if (strcmp(sames[i].format, format) == 0) {
            size_t (*count)(const char *, const char *) = sames[i].line ? lines_with : count_of;
            const char *at = strstr(text, sames[i].part);
            ck_assert_msg(count(text, sames[i].part) == count(plain, sames[i].part),
                          "%s: '%s' is there %zu times and not %zu: %.300s", format, sames[i].part,
                          count(text, sames[i].part), count(plain, sames[i].part), at ? at : "");
        }
    }
}

static void syntax_check(const char *format, const char *text)
{
    if (strcmp(format, "junit") == 0) {
        XML_Parser parser = XML_ParserCreate(NULL);
        bool ok = XML_Parse(parser, text, (int)strlen(text), 1) == XML_STATUS_OK;
        ck_assert_msg(ok, "%s", XML_ErrorString(XML_GetErrorCode(parser)));
        XML_ParserFree(parser);
    } else if (strcmp(format, "sarif") == 0 || strcmp(format, "codequality") == 0) {
        json_error_t error;
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        ck_assert_msg(json != NULL, "%s: %s", format, error.text);
        json_decref(json);
    } else if (strcmp(format, "openmetrics") == 0) {
        /* Each line is a comment, or a name, labels and a number. */
        for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
            ck_assert_msg(*at == '#' || strncmp(at, "tidemark_", 9) == 0, "a line of metrics: %s",
                          at);
        }
    }
}

/* The command in Markdown is in a code span, where nothing is markup but its end: a fence of more
 * backticks than any run of them in it. It is cut off. */
static void code_cut(const char *format, char *text)
{
    char *code = strcmp(format, "markdown") == 0 ? strstr(text, "\nRepeat: ") : NULL;
    if (!code) {
        return;
    }
    size_t fence = strspn(code + 9, "`"), fences = 0;
    for (char *at = code + 9; *at; at += strspn(at, "`")) {
        at += strcspn(at, "`");
        fences += strspn(at, "`") >= fence;
    }
    ck_assert_msg(fences == 2, "the code span ends early: %s", code);
    *code = '\0';
}

static void payload_check(const char *command, const char *payload, const struct renderer *renderer,
                          const char *plain)
{
    struct result result;
    const char *format = renderer ? renderer->option : "";
    result_make(&result, command, payload);
    result_fill(&result, payload);
    result_make_printable(&result);
    result_count(&result);
    char *text = rendered(renderer, &result);
    bytes_check(format, text);
    syntax_check(format, text);
    code_cut(format, text);
    sames_check(format, text, plain);
    free(text);
    result_fini(&result);
}

static char *plain_of(const char *command, const struct renderer *renderer)
{
    struct result result;
    result_make(&result, command, payloads[0]);
    result_fill(&result, payloads[0]);
    result_make_printable(&result);
    result_count(&result);
    char *text = rendered(renderer, &result);
    result_fini(&result);
    return text;
}

START_TEST(no_text_is_markup_in_any_format)
{
    static const char *const commands[] = {"hunt", "run"};
    for (size_t c = 0; c < 2; c++) {
        for (const struct renderer *renderer = renderers;; renderer++) {
            bool terminal = !renderer->option;
            char *plain = plain_of(commands[c], terminal ? NULL : renderer);
            for (size_t p = 0; p < PAYLOADS; p++) {
                payload_check(commands[c], payloads[p], terminal ? NULL : renderer, plain);
            }
            free(plain);
            if (terminal) {
                break;
            }
        }
    }
}
END_TEST

START_TEST(a_table_in_markdown_keeps_its_columns)
{
    for (size_t p = 0; p < PAYLOADS; p++) {
        struct result result;
        const struct renderer *markdown = renderers;
        while (strcmp(markdown->option, "markdown") != 0) {
            markdown++;
        }
        result_make(&result, "run", payloads[p]);
        result_fill(&result, payloads[p]);
        result_make_printable(&result);
        char *text = rendered(markdown, &result), *rest = text, *line;
        while ((line = strsep(&rest, "\n"))) {
            size_t bars = 0;
            for (char *at = line; line[0] == '|' && *at; at++) {
                bars += *at == '|' && (at == line || at[-1] != '\\');
            }
            ck_assert_msg(line[0] != '|' || bars == 7 || bars == 6, "%zu bars: %s", bars, line);
        }
        free(text);
        result_fini(&result);
    }
}
END_TEST

/* The same text as it is shown, so that it can be told what was there. */
START_TEST(what_cannot_be_shown_is_written_out)
{
    static const struct {
        const char *from, *to;
    } rows[] = {{"a\x1b[31mb", "a\\x1b[31mb"},  {"a\nb\tc", "a\\nb c"},
                {"::error::x", "\\::error::x"}, {"std::vector<int>", "std::vector<int>"},
                {"bad \xff", "bad \\xff"},      {"\xc3\xa9", "\xc3\xa9"},
                {"\xc2\x9b", "\\xc2\\x9b"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        printable_put(&text, rows[i].from);
        ck_assert_str_eq(text_peek(&text), rows[i].to);
        text_fini(&text);
    }
}
END_TEST

/* Of names in a comparison, which keeps them raw to find them again. */
START_TEST(a_comparison_shows_no_control_character)
{
    for (size_t p = 0; p < PAYLOADS; p++) {
        struct result base, head;
        struct differences differences;
        result_make(&base, "hunt", payloads[p]);
        result_make(&head, "hunt", payloads[p]);
        result_fill(&base, payloads[p]);
        result_fill(&head, payloads[p]);
        base.tests[0].verdict = VERDICT_CLEAN;
        base.variants[0].verdict = VERDICT_CLEAN;
        differences_find(&differences, &base, &head, NULL, (struct difference_limits){0.01, 0.01},
                         false);
        for (int way = 0; way < 3; way++) { /* brief, in full, as Markdown */
            char *text = NULL;
            size_t length;
            FILE *out = open_memstream(&text, &length);
            if (way < 2) {
                differences_print(&differences, way == 1, out, 100, false);
            } else {
                differences_markdown(&differences, out);
            }
            fclose(out);
            ck_assert_msg(way < 2 || (!strstr(text, "<script") && !strstr(text, "http://")), "%s",
                          text);
            bytes_check("compare", text);
            ck_assert_uint_eq(lines_with(text, "::"), 0);
            free(text);
        }
        differences_fini(&differences);
        result_fini(&base);
        result_fini(&head);
    }
}
END_TEST

SUITE("payload", &no_text_is_markup_in_any_format, &a_table_in_markdown_keeps_its_columns,
      &what_cannot_be_shown_is_written_out, &a_comparison_shows_no_control_character)
