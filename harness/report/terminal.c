/* terminal.c - see terminal.h: head and end, which run and hunt share, and the expectations.
 * terminal_run.c and terminal_hunt.c have what stands between. Supervisor only. */
#include "harness/report/terminal.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/base/version.h"
#include "harness/report/describe_answer.h"
#include "harness/report/terminal_part.h"

#include <string.h>

void terminal_wrapped(const char *string, unsigned indent, unsigned columns, FILE *out)
{
    struct text text = {0};
    text_wrap(&text, string, indent, columns);
    fputs(text_peek(&text), out);
    text_fini(&text);
}

/* Facts with dots between them, broken at the dots. */
static void fact_put(struct text *line, const char *fact, unsigned columns, FILE *out)
{
    if (!fact[0]) {
        return;
    }
    if (line->length > 0) {
        if (text_width(line->data) + 3 + text_width(fact) > columns) {
            fprintf(out, "%s\n", line->data);
            text_reset(line);
            text_put(line, "  ");
        } else {
            text_put(line, " \xc2\xb7 ");
        }
    }
    text_put(line, fact);
}

static size_t tests_distinct(const struct result *result)
{
    size_t most = 0;
    for (size_t i = 0; i < result->variant_count; i++) {
        double tests = result->variants[i].metric[METRIC_TESTS];
        most = tests > (double)most ? (size_t)tests : most;
    }
    size_t first = 0; /* a run without variants, or whose variants were not counted */
    for (size_t i = 0; i < result->test_count; i++) {
        first += strcmp(result->tests[i].variant, result->tests[0].variant) == 0;
    }
    return first > most ? first : most;
}

static void head_print(const struct result *result, FILE *out, unsigned columns)
{
    struct text line = {0}, fact = {0};
    char size[UNIT_TEXT_BYTES];
    text_format(&fact, "tidemark %s %s",
                result->tool_version[0] ? result->tool_version : TIDEMARK_VERSION, result->command);
    fact_put(&line, text_peek(&fact), columns, out);
    fact_put(&line, result->scenario, columns, out);
    if (result->suite[0] && !strstr(result->scenario, result->suite)) {
        text_reset(&fact);
        text_format(&fact, "suite %s", result->suite);
        fact_put(&line, fact.data, columns, out);
    }
    text_reset(&fact);
    size_t judged, programs = result_programs(result, &judged);
    size_t tests = programs > 0 ? result->test_count : tests_distinct(result);
    text_format(&fact, "%s test%s", unit_count(size, (double)tests), tests == 1 ? "" : "s");
    if (programs > 0) {
        text_format(&fact, " in %zu program%s", programs, programs == 1 ? "" : "s");
    } else if (result->variant_count > 1) {
        text_format(&fact, " x %zu variants", result->variant_count);
    }
    fact_put(&line, fact.data, columns, out);
    if (result->shard[0]) {
        text_reset(&fact);
        text_format(&fact, "shard %s", result->shard);
        fact_put(&line, fact.data, columns, out);
    }
    fact_put(&line, result->way_in, columns, out);
    fact_put(&line, result->allocator, columns, out);
    if (result->cap > 0) {
        text_reset(&fact);
        text_format(&fact, "cap %s", unit_limit(size, (uint64_t)result->cap));
        if (result->cap_kind[0]) {
            text_format(&fact, " by %s", result->cap_kind);
        }
        fact_put(&line, fact.data, columns, out);
    }
    fprintf(out, "%s\n", text_peek(&line));
    text_fini(&line);
    text_fini(&fact);
}

/* "BROKEN" stands out by more than colour. */
static void expect_cells(struct table *table, const struct result_expect *expect, bool one_file)
{
    char where[256];
    if (one_file) {
        snprintf(where, sizeof where, ":%u", expect->line);
    } else {
        snprintf(where, sizeof where, "%s:%u", expect->file, expect->line);
    }
    table_row(table);
    table_cell_color(table, where, TABLE_DIM);
    if (result_expect_broken(expect)) {
        table_cell_color(table, "BROKEN", TABLE_RED);
    } else {
        table_cell_color(table, result_expect_name(expect),
                         expect->ok ? TABLE_GREEN : TABLE_YELLOW);
    }
    table_cell(table, expect->variant);
    table_cell(table, expect->metric);
    struct text limit = {0};
    describe_limit(&limit, expect);
    table_cell(table, text_peek(&limit));
    text_fini(&limit);
    table_cell(table, expect->actual);
}

static void expects_print(const struct result *result, FILE *out, unsigned columns, bool color)
{
    struct table *table = table_new();
    const char *file = result->expects[0].file;
    bool one_file = true;
    for (size_t i = 1; i < result->expect_count; i++) {
        one_file = one_file && strcmp(result->expects[i].file, file) == 0;
    }
    table_column(table, "line", TABLE_LEFT);
    table_column(table, "", TABLE_LEFT);
    table_column(table, "variant", TABLE_LEFT);
    table_column(table, "metric", TABLE_LEFT);
    table_column(table, "limit", TABLE_RIGHT);
    table_column(table, "actual", TABLE_RIGHT);
    for (size_t i = 0; i < result->expect_count; i++) {
        expect_cells(table, &result->expects[i], one_file);
    }
    fputc('\n', out);
    if (one_file) {
        fprintf(out, "expectations of %s\n", file);
    }
    table_print(table, out, columns, color);
    table_free(&table);
    for (size_t i = 0; i < result->expect_count; i++) { /* in full, for an editor to jump to */
        const struct result_expect *expect = &result->expects[i];
        if (!expect->ok) {
            struct text line = {0};
            text_format(&line, "%s:%u: ", expect->file, expect->line);
            describe_expect(&line, expect);
            terminal_wrapped(line.data, 0, columns, out);
            text_fini(&line);
        }
    }
}

/* The first one behind a blank line. */
static void note_print(const char *note, size_t shown, FILE *out, unsigned columns)
{
    struct text text = {0};
    text_wrap(&text, note, 6, columns);
    fprintf(out, "%snote: %s", shown == 0 ? "\n" : "", text.length > 6 ? text.data + 6 : "\n");
    text_fini(&text);
}

/* A program of a project that was not hunted has a case of its name, and why. */
static bool is_unhunted(const struct result_test *test)
{
    return test->status == RESULT_SKIP && test->variant[0] && strcmp(test->id, test->variant) == 0;
}

/* The programs that were not hunted, by the reasons. */
static void unhunted_print(const struct result *result, FILE *out, unsigned columns)
{
    for (size_t i = 0; i < result->test_count && result_is_hunt(result); i++) {
        size_t first = 0;
        const char *why = result->tests[i].message;
        while (!is_unhunted(&result->tests[first]) ||
               strcmp(result->tests[first].message, why) != 0) {
            if (first++ == i) {
                break;
            }
        }
        if (first != i) {
            continue; /* another reason, or one that was shown */
        }
        struct text text = {0};
        text_format(&text, "not hunted: %s", why);
        fputc('\n', out);
        terminal_wrapped(text.data, 0, columns, out);
        for (size_t k = i; k < result->test_count; k++) {
            if (is_unhunted(&result->tests[k]) && strcmp(result->tests[k].message, why) == 0) {
                fprintf(out, "    %s\n", result->tests[k].id);
            }
        }
        text_fini(&text);
    }
}

static void tail_print(const struct result *result, FILE *out, unsigned columns)
{
    struct text order = {0};
    size_t next = 0, shown = 0;
    unhunted_print(result, out, columns);
    while (describe_order_next(&order, result, &next)) {
        note_print(order.data, shown++, out, columns);
        text_reset(&order);
    }
    text_fini(&order);
    for (size_t i = 0; i < result->note_count; i++) {
        note_print(result->notes[i], shown++, out, columns);
    }
    fputc('\n', out);
    if (result->argv[0]) {
        fprintf(out, "repeat: %s\n", result->argv);
    }
    if (result->incomplete > 0) {
        struct text line = {0};
        text_put(&line, "INCOMPLETE: ");
        describe_incomplete(&line, result);
        terminal_wrapped(line.data, 0, columns, out);
        text_fini(&line);
    } else if (result_nothing_judged(result)) {
        struct text line = {0};
        describe_nothing(&line, result);
        terminal_wrapped(line.data, 0, columns, out);
        text_fini(&line);
    }
    fprintf(out, "%zu passed, %zu failed, %zu skipped\n", result->passed, result->failed,
            result->skipped);
}

/* In colour, but the words say all of it. */
static void answer_print(const struct result *result, FILE *out, unsigned columns, bool color)
{
    struct text answer = {0}, wrapped = {0};
    static const enum table_color shades[] = {
        [ANSWER_GOOD] = TABLE_GREEN, [ANSWER_OPEN] = TABLE_YELLOW, [ANSWER_BAD] = TABLE_RED};
    enum table_color shade = shades[describe_answer(&answer, result)];
    text_wrap(&wrapped, text_peek(&answer), 0, columns);
    for (char *rest = wrapped.data, *line; (line = strsep(&rest, "\n")) && line[0];) {
        fprintf(out, "%s%s%s\n", table_color_begin(shade, color), line,
                table_color_end(shade, color));
    }
    fputc('\n', out);
    text_fini(&answer);
    text_fini(&wrapped);
}

void report_terminal(const struct result *result, FILE *out, unsigned columns, bool color)
{
    answer_print(result, out, columns, color);
    head_print(result, out, columns);
    if (result->variant_count > 0 && strcmp(result->command, "hunt") != 0) {
        terminal_run(result, out, columns, color);
    } else {
        terminal_hunt(result, out, columns, color);
    }
    if (result->expect_count > 0) {
        expects_print(result, out, columns, color);
    }
    tail_print(result, out, columns);
}
