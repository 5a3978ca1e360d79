/* terminal_run.c - variants side by side: the first is the reference. Supervisor only. */
#include "harness/base/table.h"
#include "harness/report/terminal_part.h"

/* A column: a metric, and whether the change against the reference stands beside the value. */
static const struct run_column {
    enum result_metric metric;
    const char *title; /* '\n': second header line */
    bool change;
} run_columns[] = {
    {METRIC_PEAK_RSS, "peak\nRSS", true},
    {METRIC_ALLOCS, "allocs", true},
    {METRIC_ALLOCS_PER_LOOKUP, "allocs/\nlook-up", false},
    {METRIC_LOOKUP_P50, "look-up\np50", true},
    {METRIC_LOOKUP_P99, "look-up\np99", true},
    {METRIC_HIT_RATE, "hit\nrate", false},
    {METRIC_EVICTIONS, "evictions", false},
    {METRIC_LIVE_END, "live at\nend", false},
    {METRIC_GROWTH, "growth/\ntest", false},
};

static enum table_color verdict_color(enum result_verdict verdict)
{
    return result_verdict_bad(verdict)       ? TABLE_RED
           : verdict == VERDICT_INCONCLUSIVE ? TABLE_YELLOW
           : verdict == VERDICT_NONE         ? TABLE_PLAIN
                                             : TABLE_GREEN;
}

static void variants_print(const struct result *result, FILE *out, unsigned columns, bool color)
{
    struct table *table = table_new();
    size_t column_count = sizeof run_columns / sizeof run_columns[0];
    table_column(table, "variant", TABLE_LEFT);
    for (size_t i = 0; i < column_count; i++) {
        if (describe_measured(result, run_columns[i].metric)) {
            table_column(table, run_columns[i].title, TABLE_RIGHT);
        }
    }
    table_column(table, "verdict", TABLE_LEFT);
    bool stopped = describe_stopped(result);
    if (stopped) {
        table_column(table, "stopped\nby", TABLE_LEFT);
    }
    struct text cell = {0};
    for (size_t v = 0; v < result->variant_count; v++) {
        const struct result_variant *variant = &result->variants[v];
        table_row(table);
        table_cell(table, variant->name);
        for (size_t i = 0; i < column_count; i++) {
            const struct run_column *column = &run_columns[i];
            if (!describe_measured(result, column->metric)) {
                continue;
            }
            text_reset(&cell);
            describe_metric(&cell, column->metric, variant->metric[column->metric]);
            if (column->change && v > 0) {
                struct text change = {0};
                describe_change(&change, column->metric, &result->variants[0], variant);
                if (change.length > 0) {
                    text_format(&cell, " (%s)", change.data);
                }
                text_fini(&change);
            }
            table_cell(table, text_peek(&cell));
        }
        table_cell_color(
            table, variant->verdict == VERDICT_NONE ? "" : result_verdict_name(variant->verdict),
            verdict_color(variant->verdict));
        if (stopped) {
            table_cell(table, variant->stopped_by);
        }
    }
    text_fini(&cell);
    table_print(table, out, columns, color);
    table_free(&table);
}

static void culprit_print(const struct result *result, const struct result_variant *variant,
                          FILE *out, unsigned columns)
{
    struct text line = {0};
    describe_variant(&line, result, variant);
    size_t next = 0;
    bool sites = describe_site_next(result, "", variant->name, &next) != NULL;
    if (line.length == 0) {
        text_fini(&line);
        return;
    }
    struct text whole = {0};
    text_format(&whole, "%s: %s", variant->name, line.data);
    fputc('\n', out);
    terminal_wrapped(whole.data, 0, columns, out);
    text_fini(&whole);
    text_fini(&line);
    if (sites) {
        terminal_sites(result, "", variant->name, 0, 3, out, columns);
    } else if (variant->culprit[0]) {
        terminal_sites(result, variant->culprit, variant->name, 0, 3, out, columns);
    }
    if (variant->horizon[0]) {
        terminal_label("evidence", variant->horizon, out, columns);
    }
}

void terminal_run(const struct result *result, FILE *out, unsigned columns, bool color)
{
    fputc('\n', out);
    variants_print(result, out, columns, color);
    for (size_t i = 0; i < result->variant_count; i++) {
        culprit_print(result, &result->variants[i], out, columns);
    }
    /* Failures that no verdict of a whole variant explains. */
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (!result_verdict_bad(variant->verdict)) {
            size_t shown = terminal_findings(result, variant->name, 5, out, columns, color);
            if (shown > 5) {
                fprintf(out, "  and %zu more under %s\n", shown - 5, variant->name);
            }
        }
    }
}
