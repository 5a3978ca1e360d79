/* html_data.c - the columns of the table of tests, and the data that the page's script reads: one
 * row a test, details only for tests that have some. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"
#include "harness/report/html_part.h"
#include "harness/result/json_write.h"

#include <math.h>
#include <string.h>

const struct html_column html_columns[] = {
    {"id", "test", "text"},
    {"variant", "variant", "text"},
    {"status", "status", "word"},
    {"verdict", "verdict", "word"},
    {"repetitions", "repetitions", "count"},
    {"allocs", "allocs", "count"},
    {"retained_bytes", "kept", "bytes"},
    {"growth_bytes_per_rep", "a repetition", "bytes"},
    {"peak_live_bytes", "peak live", "bytes"},
    {"peak_rss_bytes", "peak RSS", "bytes"},
    {"wall_ns", "time", "ns"},
    {NULL, NULL, NULL},
};

static const char *cell_word(const struct result_test *test, size_t column)
{
    switch (column) {
    case 0:
        return test->id;
    case 1:
        return test->variant;
    case 2:
        return result_status_name(test->status);
    case 3:
        return test->verdict == VERDICT_NONE ? "" : result_verdict_name(test->verdict);
    default:
        return NULL;
    }
}

static double cell_number(const struct result_test *test, size_t column)
{
    const int64_t values[] = {test->repetitions, test->allocs,          test->retained_bytes,
                              RESULT_UNMEASURED, test->peak_live_bytes, test->peak_rss_bytes,
                              test->wall_ns};
    if (column == 7) {
        return test->growth_bytes_per_rep;
    }
    if (column < 4 || column - 4 >= sizeof values / sizeof values[0]) {
        return NAN;
    }
    int64_t value = values[column - 4];
    return value == RESULT_UNMEASURED ? NAN : (double)value;
}

void html_cell_json(struct text *text, const struct result_test *test, size_t column)
{
    const char *word = cell_word(test, column);
    double number = word ? 0 : cell_number(test, column);
    if (word) {
        json_text(text, NULL, word);
    } else if (isnan(number)) {
        text_put(text, text->data[text->length - 1] == '[' ? "null" : ",null");
    } else {
        json_number(text, NULL, number);
    }
}

void html_cell_words(struct text *text, const struct result_test *test, size_t column)
{
    char size[UNIT_TEXT_BYTES];
    const char *word = cell_word(test, column);
    if (word) {
        text_put(text, word[0] ? word : "-");
        return;
    }
    double number = cell_number(test, column);
    const char *kind = html_columns[column].kind;
    text_put(text, isnan(number)                ? "-"
                   : strcmp(kind, "bytes") == 0 ? unit_bytes(size, number)
                   : strcmp(kind, "ns") == 0    ? unit_ns(size, number)
                                                : unit_count(size, number));
}

/* {"at": [...], "values": [...]}: after which repetitions, and what was there. */
static void curve_put(struct text *text, const char *key, const int64_t *values, const int64_t *at,
                      size_t count)
{
    size_t every = (count + HTML_POINTS - 1) / HTML_POINTS;
    if (count < 2) {
        return;
    }
    json_open(text, key, '{');
    json_open(text, "at", '[');
    for (size_t i = 0; i < count; i += every) {
        json_signed(text, NULL, at ? at[i] : (int64_t)i + 1);
    }
    json_close(text, ']');
    json_open(text, "values", '[');
    for (size_t i = 0; i < count; i += every) {
        json_signed(text, NULL, values[i]);
    }
    json_close(text, ']');
    json_close(text, '}');
}

#define SITES_OF_A_TEST 5

static void sites_put(struct text *text, const struct result *result,
                      const struct result_test *test)
{
    const struct result_site *site;
    size_t next = 0, shown = 0;
    while (shown < SITES_OF_A_TEST &&
           (site = describe_site_next(result, test->id, test->variant, &next))) {
        struct text body = {0};
        describe_site(&body, site, test->repetitions);
        if (shown++ == 0) {
            json_open(text, "sites", '[');
        }
        json_text(text, NULL, text_peek(&body));
        text_fini(&body);
    }
    if (shown > 0) {
        json_close(text, ']');
    }
}

static void stack_put(struct text *text, const struct result_test *test)
{
    struct text body = {0};
    for (size_t i = 0; i < describe_frames_own(test->frames, test->frame_count); i++) {
        describe_frame(&body, &test->frames[i]);
        text_put_char(&body, '\n');
    }
    if (body.length > 0) {
        json_text(text, "stack", body.data);
    }
    text_fini(&body);
}

/* "</script>" and "<!--" must not stand in the element, so no '<' does. */
static void script_put(const struct text *text, FILE *out)
{
    const char *at = text_peek(text);
    for (size_t plain; *at; at += plain) {
        plain = strcspn(at, "<");
        fwrite(at, 1, plain, out);
        if (at[plain] == '<') {
            fputs("\\u003c", out);
            plain++;
        }
    }
}

static void rows_put(struct text *text, const struct result *result, const size_t *order,
                     size_t count, FILE *out)
{
    json_open(text, "tests", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(text, NULL, '[');
        for (size_t c = 0; html_columns[c].key; c++) {
            html_cell_json(text, &result->tests[order[i]], c);
        }
        json_close(text, ']');
        if (text->length > 1 << 16) { /* the last byte stays: commas are decided by it */
            struct text head = {.data = text->data, .length = text->length - 1};
            char last = text->data[text->length - 1];
            text->data[text->length - 1] = '\0';
            script_put(&head, out);
            text_reset(text);
            text_put_char(text, last);
        }
    }
    json_close(text, ']');
}

void html_data(const struct result *result, const size_t *order, size_t count, FILE *out)
{
    struct text text = {0};
    fputs("<script type=\"application/json\" id=\"data\">", out);
    json_open(&text, NULL, '{');
    json_open(&text, "columns", '[');
    for (size_t c = 0; html_columns[c].key; c++) {
        json_open(&text, NULL, '{');
        json_text(&text, "key", html_columns[c].key);
        json_text(&text, "title", html_columns[c].title);
        json_text(&text, "kind", html_columns[c].kind);
        json_close(&text, '}');
    }
    json_close(&text, ']');
    rows_put(&text, result, order, count, out);
    json_open(&text, "details", '{');
    for (size_t i = 0; i < count; i++) {
        const struct result_test *test = &result->tests[order[i]];
        char key[24];
        if (!describe_test_finding(result, test) && !test->horizon[0] && !test->live_by_rep_count) {
            continue;
        }
        struct text says = {0};
        snprintf(key, sizeof key, "%zu", i);
        describe_test(&says, result, test);
        json_open(&text, key, '{');
        json_text(&text, "says", text_peek(&says));
        if (test->horizon[0]) {
            json_text(&text, "horizon", test->horizon);
        }
        curve_put(&text, "live", test->live_by_rep, test->live_at_rep, test->live_by_rep_count);
        curve_put(&text, "rss", test->rss_by_rep, NULL, test->rss_by_rep_count);
        stack_put(&text, test);
        sites_put(&text, result, test);
        json_close(&text, '}');
        text_fini(&says);
    }
    json_close(&text, '}');
    json_close(&text, '}');
    script_put(&text, out);
    fputs("</script>\n", out);
    text_fini(&text);
}
