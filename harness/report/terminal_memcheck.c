/* terminal_memcheck.c - both tools' findings in one table, and memcheck's errors with their stacks.
 * Supervisor only. */
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/report/terminal_part.h"

#include <math.h>
#include <string.h>

#define ROWS_MAX   100
#define ERRORS_MAX 5 /* of a test */

static bool row_wanted(const struct result *result, const struct result_test *test)
{
    const struct result_memcheck *seen = test->memcheck;
    return (seen && (result_memcheck_bad(seen) || result_memcheck_stopped(seen) ||
                     seen->possible_blocks > 0)) ||
           describe_test_finding(result, test);
}

/* Of all rows: what a column or a name needs to know. */
struct rows {
    size_t count, silent;
    bool ran, indirect, possible;
    bool variants; /* names need them */
    bool unique;   /* the last parts of the ids tell the rows apart */
};

static const char *last_part(const char *id)
{
    const char *slash = strrchr(id, '/');
    return slash ? slash + 1 : id;
}

static struct rows rows_look(const struct result *result)
{
    struct rows rows = {.unique = true};
    const char *names[ROWS_MAX];
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        rows.ran = rows.ran || test->memcheck;
        if (!row_wanted(result, test)) {
            rows.silent++;
            continue;
        }
        rows.indirect = rows.indirect || (test->memcheck && test->memcheck->indirect_blocks > 0);
        rows.possible = rows.possible || (test->memcheck && test->memcheck->possible_blocks > 0);
        rows.variants = rows.variants || test->variant[0];
        for (size_t k = 0; k < rows.count && k < ROWS_MAX; k++) {
            rows.unique = rows.unique && strcmp(names[k], last_part(test->id)) != 0;
        }
        if (rows.count < ROWS_MAX) {
            names[rows.count] = last_part(test->id);
        }
        rows.count++;
    }
    return rows;
}

static void number_cell(struct table *table, bool known, int64_t value, bool bytes, bool bad)
{
    char text[UNIT_TEXT_BYTES];
    if (!known) {
        table_cell(table, NULL);
        return;
    }
    table_cell_color(table,
                     bytes ? unit_bytes(text, (double)value) : unit_count(text, (double)value),
                     bad && value > 0 ? TABLE_RED : TABLE_PLAIN);
}

static void row_put(struct table *table, const struct rows *rows, const struct result_test *test)
{
    static const struct result_memcheck none;
    const struct result_memcheck *seen = test->memcheck ? test->memcheck : &none;
    bool known = test->memcheck != NULL, died = test->status != RESULT_PASS;
    char size[UNIT_TEXT_BYTES];
    const char *word = died                            ? result_status_name(test->status)
                       : test->verdict == VERDICT_NONE ? ""
                                                       : result_verdict_name(test->verdict);
    bool bad = died || result_verdict_bad(test->verdict);
    bool rate = !isnan(test->growth_bytes_per_rep);
    struct text name = {0};
    text_put(&name, rows->unique && !rows->variants ? last_part(test->id) : test->id);
    const char *variant = describe_variant_beside(test->id, test->variant);
    if (variant[0]) {
        text_format(&name, " [%s]", variant);
    }
    table_row(table);
    table_cell(table, name.data);
    table_cell_color(table, word, bad ? TABLE_RED : TABLE_PLAIN);
    table_cell(table, rate ? unit_bytes(size, test->growth_bytes_per_rep) : NULL);
    if (known && result_memcheck_stopped(seen)) {
        table_cell_color(table, result_status_name(seen->status),
                         result_memcheck_bad(seen) ? TABLE_RED : TABLE_YELLOW);
    } else {
        number_cell(table, known, seen->errors, false, true);
    }
    number_cell(table, known, seen->definite_bytes, true, true);
    if (rows->indirect) {
        number_cell(table, known, seen->indirect_bytes, true, true);
    }
    if (rows->possible) {
        number_cell(table, known, seen->possible_bytes, true, false);
    }
    text_fini(&name);
}

/* Tests that pass, but not under memcheck, and are no findings for it. */
static void stopped_print(const struct result *result, FILE *out, unsigned columns)
{
    struct text text = {0};
    for (size_t i = 0, shown = 0; i < result->test_count && shown < ROWS_MAX; i++) {
        const struct result_test *test = &result->tests[i];
        if (result_memcheck_stopped(test->memcheck) && !describe_test_finding(result, test)) {
            text_reset(&text);
            text_format(&text, "%s: under memcheck it ", test->id);
            describe_memcheck(&text, test->memcheck);
            terminal_wrapped(text.data, 0, columns, out);
            shown++;
        }
    }
    text_fini(&text);
}

void terminal_memcheck(const struct result *result, FILE *out, unsigned columns, bool color)
{
    struct rows rows = rows_look(result);
    size_t shown = 0;
    char number[UNIT_TEXT_BYTES];
    if (!rows.ran) {
        return;
    }
    struct table *table = table_new();
    table_column(table, "\ntest", TABLE_LEFT);
    table_column(table, "tidemark\nverdict", TABLE_LEFT);
    table_column(table, "\neach", TABLE_RIGHT);
    table_column(table, "memcheck\nerrors", TABLE_RIGHT);
    table_column(table, "\nlost", TABLE_RIGHT);
    if (rows.indirect) {
        table_column(table, "lost\nindirectly", TABLE_RIGHT);
    }
    if (rows.possible) {
        table_column(table, "possibly\nlost", TABLE_RIGHT);
    }
    for (size_t i = 0; i < result->test_count && shown < ROWS_MAX; i++) {
        if (row_wanted(result, &result->tests[i])) {
            row_put(table, &rows, &result->tests[i]);
            shown++;
        }
    }
    fputc('\n', out);
    if (shown > 0) {
        table_print(table, out, columns, color);
    }
    if (rows.count > shown) {
        fprintf(out, "%s more rows are not shown; all of them: tidemark report --html\n",
                unit_count(number, (double)(rows.count - shown)));
    }
    if (rows.silent > 0) {
        fprintf(out, "%s%s test%s: neither tidemark nor memcheck found anything\n",
                unit_count(number, (double)rows.silent), shown > 0 ? " more" : "",
                rows.silent == 1 ? "" : "s");
    }
    table_free(&table);
    stopped_print(result, out, columns);
}

void terminal_errors(const struct result_test *test, FILE *out, unsigned columns)
{
    size_t count = test->memcheck ? test->memcheck->list_count : 0;
    struct text text = {0};
    for (size_t i = 0; i < count && i < ERRORS_MAX; i++) {
        const struct result_error *error = &test->memcheck->list[i];
        text_reset(&text);
        describe_error(&text, error);
        fputs(i > 0 ? "\n" : "", out);
        terminal_label("memcheck", text_peek(&text), out, columns);
        terminal_stack(result_error_is_leak(error) ? "allocated by" : "at", error->frames,
                       error->frame_count, out, columns);
    }
    if (count > ERRORS_MAX) {
        text_reset(&text);
        text_format(&text, "%zu more of memcheck's findings", count - ERRORS_MAX);
        terminal_label("not shown", text.data, out, columns);
    }
    text_fini(&text);
}
