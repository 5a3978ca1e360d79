/* bench_report.c - the tables, the sentence and the plot of `tidemark bench`. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/bench/plot.h"
#include "harness/bench/source_trace.h"
#include "harness/cli/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *bench_difference_name(enum difference difference)
{
    static const char *const names[] = {[DIFFERENCE_UNSURE] = "unsure",
                                        [DIFFERENCE_NONE] = "no difference",
                                        [DIFFERENCE_FASTER] = "faster",
                                        [DIFFERENCE_SLOWER] = "slower"};
    return names[difference];
}

/* Three digits without a unit: the column's title has it. */
static const char *number(char text[UNIT_TEXT_BYTES], double value)
{
    if (isnan(value)) {
        return NULL;
    }
    double size = fabs(value);
    snprintf(text, UNIT_TEXT_BYTES, "%.*f",
             size == 0    ? 0
             : size < 10  ? 2
             : size < 100 ? 1
                          : 0,
             value);
    return text;
}

static void ratio_cells(struct table *table, const struct bench *bench, size_t i,
                        const struct measure *measure)
{
    char text[64];
    if (i == 0) {
        table_cell(table, "1");
        table_cell(table, "reference");
        return;
    }
    enum difference difference = interval_difference(&measure->ratio, bench->beyond);
    if (isnan(measure->ratio.median)) {
        table_cell(table, NULL);
        table_cell(table, measure->refused ? "refused its bounds" : NULL);
        return;
    }
    int places = measure->ratio.median < 1.995 ? 3 : 2;
    snprintf(text, sizeof text, "%.*f [%.*f %.*f]", places, measure->ratio.median, places,
             measure->ratio.low, places, measure->ratio.high);
    table_cell(table, text);
    table_cell_color(table, bench_difference_name(difference),
                     difference == DIFFERENCE_FASTER   ? TABLE_GREEN
                     : difference == DIFFERENCE_SLOWER ? TABLE_RED
                                                       : TABLE_PLAIN);
}

/* What stands with a dash in every row needs a word. */
static bool any_events(const struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++) {
        if (!isnan(bench->measures[bench->main][i].instructions)) {
            return true;
        }
    }
    return false;
}

void bench_print_main(const struct bench *bench)
{
    char title[48], text[UNIT_TEXT_BYTES], keys[UNIT_TEXT_BYTES], requests[UNIT_TEXT_BYTES];
    struct table *table = table_new();
    if (bench->main == WORKLOAD_TRACE) {
        printf("%s, %s requests; hit rates are of all of them from an empty cache on\n",
               command_text(bench->line, "trace"),
               unit_count(requests, (double)bench->trace.requests));
    }
    printf("%s (%s)\n%s keys, caches of %s entries, values %s, %u rounds\n\n",
           workload_names[bench->main], workload_abouts[bench->main], unit_count(keys, bench->keys),
           unit_count(text, (double)bench->entries), bench->source->name,
           bench->rounds[bench->main]);
    table_column(table, "strategy", TABLE_LEFT);
    table_column(table, "look-up\nns", TABLE_RIGHT);
    snprintf(title, sizeof title, "times %.20s\n[95 %% interval]", bench->contenders[0].name);
    table_column(table, title, TABLE_RIGHT);
    table_column(table, "", TABLE_LEFT);
    table_column(table, "fresh\nns", TABLE_RIGHT);
    table_column(table, "depend.\nns", TABLE_RIGHT);
    table_column(table, "cold\nns", TABLE_RIGHT);
    table_column(table, "batch\nns", TABLE_RIGHT);
    table_column(table, "p50\nns", TABLE_RIGHT);
    table_column(table, "p99\nns", TABLE_RIGHT);
    table_column(table, "p99.9\nns", TABLE_RIGHT);
    table_column(table, "hit rate", TABLE_RIGHT);
    table_column(table, "M/s\n1 thread", TABLE_RIGHT);
    snprintf(title, sizeof title, "M/s\n%u threads", bench->threads);
    table_column(table, title, TABLE_RIGHT);
    table_column(table, "held", TABLE_RIGHT);
    table_column(table, "bytes/\nentry", TABLE_RIGHT);
    table_column(table, "peak\nRSS", TABLE_RIGHT);
    table_column(table, "allocs/\nlook-up", TABLE_RIGHT);
    table_column(table, "instr.\ncounted", TABLE_RIGHT);
    table_column(table, "instr.\nby CPU", TABLE_RIGHT);
    table_column(table, "cache\nmisses", TABLE_RIGHT);
    table_column(table, "branch\nmisses", TABLE_RIGHT);
    for (size_t i = 0; i < bench->count; i++) {
        const struct measure *measure = &bench->measures[bench->main][i];
        bool caches = bench->contenders[i].strategy->traits & STRATEGY_CACHES;
        table_row(table);
        table_cell(table, bench->contenders[i].name);
        table_cell(table, number(text, measure->ns));
        ratio_cells(table, bench, i, measure);
        table_cell(table, number(text, measure->fresh));
        table_cell(table, number(text, measure->dependent));
        table_cell(table, number(text, measure->cold));
        table_cell(table, number(text, measure->batch));
        table_cell(table, number(text, measure->p50));
        table_cell(table, number(text, measure->p99));
        table_cell(table, number(text, measure->p999));
        table_cell(table, caches ? unit_ratio(text, measure->hit_rate) : NULL);
        table_cell(table, number(text, measure->refused ? (double)NAN : measure->per_second[0]));
        table_cell(table, number(text, measure->refused ? (double)NAN : measure->per_second[1]));
        table_cell(table, caches ? unit_bytes(text, (double)measure->bytes) : NULL);
        table_cell(table, measure->entries
                              ? number(text, (double)measure->bytes / (double)measure->entries)
                              : NULL);
        table_cell(table, isnan(measure->peak_rss_bytes)
                              ? NULL
                              : unit_bytes(text, measure->peak_rss_bytes));
        table_cell(table, number(text, measure->allocations));
        table_cell(table, number(text, measure->counted));
        table_cell(table, number(text, measure->instructions));
        table_cell(table, number(text, measure->cache_misses));
        table_cell(table, number(text, measure->branch_misses));
    }
    table_print(table, stdout, table_terminal_width(stdout), bench->line->color);
    table_free(&table);
    if (!any_events(bench)) {
        printf(
            "\nInstructions by CPU, cache and branch misses: this machine does not count them.\n");
    }
    if (bench->count_why[0]) {
        printf("%sCounts missing, not counted by callgrind: %s.\n", any_events(bench) ? "\n" : "",
               bench->count_why);
    }
}

void bench_print_workloads(const struct bench *bench)
{
    char text[UNIT_TEXT_BYTES], cell[64];
    size_t kinds = 0;
    for (size_t kind = 0; kind < WORKLOAD_KINDS; kind++) {
        kinds += bench->wanted[kind];
    }
    if (kinds < 2) {
        return;
    }
    struct table *table = table_new();
    table_column(table, "ns a look-up", TABLE_LEFT);
    for (size_t kind = 0; kind < WORKLOAD_KINDS; kind++) {
        if (bench->wanted[kind]) {
            table_column(table, workload_names[kind], TABLE_RIGHT);
        }
    }
    for (size_t i = 0; i < bench->count; i++) {
        if (bench->contenders[i].control) {
            continue;
        }
        bool caches = bench->contenders[i].strategy->traits & STRATEGY_CACHES;
        table_row(table);
        table_cell(table, bench->contenders[i].name);
        for (size_t kind = 0; kind < WORKLOAD_KINDS; kind++) {
            const struct measure *measure = &bench->measures[kind][i];
            if (!bench->wanted[kind]) {
                continue;
            }
            const char *ns = number(text, measure->ns);
            if (ns && caches && !isnan(measure->hit_rate)) {
                snprintf(cell, sizeof cell, "%s (%.0f%%)", ns, measure->hit_rate * 100);
                ns = cell;
            }
            table_cell(table, ns);
        }
    }
    printf("\nIn brackets the hit rate, once warm.\n\n");
    table_print(table, stdout, table_terminal_width(stdout), bench->line->color);
    table_free(&table);
}

static const char *point(char text[UNIT_TEXT_BYTES], double ns)
{
    if (isnan(ns)) {
        return NULL;
    }
    return isinf(ns) ? "never" : ns <= 0 ? "always" : unit_ns(text, ns);
}

struct plot bench_plot(const struct bench *bench, struct plot_curve curves[BENCH_CONTENDERS],
                       struct plot_mark marks[BENCH_MARKS])
{
    struct plot plot = {.curves = curves, .marks = marks, .mark_count = BENCH_MARKS};
    for (size_t i = 0; i < bench->count; i++) {
        if (bench->modelled[i]) {
            curves[plot.curve_count++] =
                (struct plot_curve){.name = bench->contenders[i].name, .model = &bench->models[i]};
        }
    }
    marks[0].name = bench->source == &source_trace ? "the trace's source" : "registry";
    marks[0].source_ns = bench->direct_ns;
    marks[1] = (struct plot_mark){"SQLite", bench->sqlite_ns};
    marks[2] = (struct plot_mark){"HTTP", BENCH_HTTP_NS};
    return plot;
}

/* The best strategy at a source cost, or -1 when none is better than going directly. */
static bool speaks(const struct bench *bench, size_t i)
{
    /* A cache without a bound is no advice, however fast: its price is in the column `held`. */
    return bench->modelled[i] && bench->contenders[i].strategy->traits & STRATEGY_BOUNDED;
}

static int best_at(const struct bench *bench, double source)
{
    int best = -1;
    double least = source;
    for (size_t i = 0; i < bench->count; i++) {
        if (speaks(bench, i) && break_even_cost(&bench->models[i], source) < least) {
            least = break_even_cost(&bench->models[i], source);
            best = (int)i;
        }
    }
    return best;
}

static void source_sentence(const struct bench *bench, struct text *text, const char *what,
                            double source)
{
    char cost[UNIT_TEXT_BYTES], with[UNIT_TEXT_BYTES];
    if (isnan(source)) {
        return;
    }
    int best = best_at(bench, source);
    unit_ns(cost, source);
    if (best < 0) {
        text_format(text, "%s a look-up costs %s, and no bounded cache here pays. ", what, cost);
        return;
    }
    double through = break_even_cost(&bench->models[best], source);
    text_format(text, "%s a look-up costs %s; %s makes that %s, %.3g times as fast. ", what, cost,
                bench->contenders[best].name, unit_ns(with, through), source / through);
}

/* In front of the source as it is, nothing need be calculated: each cache was asked in turns with
 * going directly. What the one took at another minute than the other says nothing of the two. */
static void here_sentence(const struct bench *bench, struct text *text, const char *what)
{
    char cost[UNIT_TEXT_BYTES], with[UNIT_TEXT_BYTES];
    double least = 1 - bench->beyond;
    int best = -1;
    for (size_t i = 0; i < bench->count; i++) {
        const struct break_even *model = &bench->models[i];
        if (speaks(bench, i) && model->cost[0] / model->source[0] < least) {
            least = model->cost[0] / model->source[0];
            best = (int)i;
        }
    }
    if (best < 0) {
        text_format(text, "%s a look-up costs %s, and no bounded cache here pays. ", what,
                    unit_ns(cost, bench->direct_ns));
        return;
    }
    const struct break_even *model = &bench->models[best];
    text_format(text, "%s a look-up costs %s; %s makes that %s, %.3g times as fast. ", what,
                unit_ns(cost, model->source[0]), bench->contenders[best].name,
                unit_ns(with, model->cost[0]), 1 / least);
}

/* The first strategy to pay, and where a better one takes over. */
static void crossing_sentence(const struct bench *bench, struct text *text)
{
    char from[UNIT_TEXT_BYTES];
    double least = (double)INFINITY;
    int first = -1;
    for (size_t i = 0; i < bench->count; i++) {
        if (speaks(bench, i) && bench->models[i].formula_ns < least) {
            least = bench->models[i].formula_ns;
            first = (int)i;
        }
    }
    if (first < 0) {
        text_put(text, "With this workload no bounded cache pays at any source cost. ");
        return;
    }
    char rate[UNIT_TEXT_BYTES];
    text_format(text,
                "The first bounded cache to pay is %s, from a source cost of %s on, at a hit "
                "rate of %s",
                bench->contenders[first].name, unit_ns(from, least),
                unit_ratio(rate, bench->models[first].hit_rate));
    int far = best_at(bench, 1e9);
    if (far >= 0 && far != first) {
        const struct break_even *a = &bench->models[first], *b = &bench->models[far];
        double cross = (b->base_ns - a->base_ns) / (b->hit_rate - a->hit_rate);
        text_format(text, "; from about %s on %s, which hits more often, is ahead",
                    unit_ns(from, cross > 0 ? cross : 0), bench->contenders[far].name);
    }
    text_put(text, ". ");
}

/* The same with all threads at once, among those that are made for threads. */
static void threads_sentence(const struct bench *bench, struct text *text)
{
    char from[UNIT_TEXT_BYTES];
    int first = -1;
    for (size_t i = 0; i < bench->count; i++) {
        if (speaks(bench, i) && !isnan(bench->threads_base[i]) &&
            (first < 0 || bench->threads_base[i] < bench->threads_base[first])) {
            first = (int)i;
        }
    }
    if (first >= 0 && bench->threads > 1) {
        text_format(text, "With %u threads at once it is %s, from %s on. ", bench->threads,
                    bench->contenders[first].name, unit_ns(from, bench->threads_base[first]));
    }
}

/* Where no break-even was measured: what the fastest cache takes beside the reference. */
static void fastest_sentence(const struct bench *bench, struct text *text)
{
    const struct measure *measures = bench->measures[bench->main];
    char ns[UNIT_TEXT_BYTES], reference[UNIT_TEXT_BYTES];
    size_t best = 0;
    for (size_t i = 1; i < bench->count; i++) {
        bool wanted = !bench->contenders[i].control && !isnan(measures[i].ns) &&
                      bench->contenders[i].strategy->traits & STRATEGY_CACHES;
        if (wanted && (best == 0 || measures[i].ns < measures[best].ns)) {
            best = i;
        }
    }
    if (best > 0) {
        enum difference difference = interval_difference(&measures[best].ratio, bench->beyond);
        text_format(text, "The fastest cache, %s, takes %s a look-up, and %s %s: %s. ",
                    bench->contenders[best].name, unit_ns(ns, measures[best].ns),
                    bench->contenders[0].name, unit_ns(reference, measures[0].ns),
                    bench_difference_name(difference));
    }
}

void bench_print_answer(const struct bench *bench)
{
    struct text text = {0}, wrapped = {0};
    bool modelled = false;
    for (size_t i = 0; i < bench->count; i++) {
        modelled = modelled || bench->modelled[i];
    }
    if (modelled) {
        here_sentence(bench, &text,
                      bench->source == &source_trace
                          ? "In the trace's own source, which only counts,"
                          : "In the compiled-in registry");
        crossing_sentence(bench, &text);
        threads_sentence(bench, &text);
        source_sentence(bench, &text, "In SQLite", bench->sqlite_ns);
        source_sentence(bench, &text, "At an HTTP source of 5 ms", BENCH_HTTP_NS);
    } else {
        fastest_sentence(bench, &text);
    }
    if (text.length > 0) {
        unsigned width = table_terminal_width(stdout);
        text_wrap(&wrapped, text_peek(&text), 0, width < 100 ? width : 100);
        printf("%s\n", text_peek(&wrapped));
    }
    text_fini(&text);
    text_fini(&wrapped);
}

void bench_print_break_even(const struct bench *bench)
{
    struct plot_curve curves[BENCH_CONTENDERS];
    struct plot_mark marks[BENCH_MARKS];
    struct plot plot = bench_plot(bench, curves, marks);
    char text[UNIT_TEXT_BYTES], title[48];
    if (plot.curve_count == 0) {
        return;
    }
    struct table *table = table_new();
    table_column(table, "break-even", TABLE_LEFT);
    table_column(table, "hit rate\nr", TABLE_RIGHT);
    table_column(table, "hit\nh ns", TABLE_RIGHT);
    table_column(table, "miss extra\nm ns", TABLE_RIGHT);
    table_column(table, "pays from\nh + m(1-r)/r", TABLE_RIGHT);
    table_column(table, "pays from\nmeasured", TABLE_RIGHT);
    snprintf(title, sizeof title, "pays from\n%u threads", bench->threads);
    table_column(table, title, TABLE_RIGHT);
    for (size_t i = 0; i < bench->count; i++) {
        const struct break_even *model = &bench->models[i];
        if (!bench->modelled[i]) {
            continue;
        }
        table_row(table);
        table_cell(table, bench->contenders[i].name);
        table_cell(table, unit_ratio(text, model->hit_rate));
        table_cell(table, number(text, model->hit_ns));
        /* Out of one miss in a hundred look-ups no cost of a miss can be made out. */
        table_cell(table, number(text, model->hit_rate < 0.99 ? model->miss_ns : (double)NAN));
        table_cell(table, point(text, model->formula_ns));
        table_cell(table, point(text, model->measured_ns));
        table_cell(table, point(text, bench->threads_base[i]));
    }
    unsigned width = table_terminal_width(stdout);
    fputc('\n', stdout);
    table_print(table, stdout, width, bench->line->color);
    table_free(&table);
    fputc('\n', stdout);
    plot_terminal(stdout, &plot, width < 80 ? width : 80, bench->line->color);
}
