/* bench_test.c - workloads, contenders, the break-even formula and the plots. Nothing here depends
 * on how fast the machine is. */
#include "harness/base/suite.h"
#include "harness/bench/break_even.h"
#include "harness/bench/measure.h"
#include "harness/bench/plot.h"
#include "harness/bench/source_trace.h"
#include "registry/cache/source_registry.h"

#include <math.h>
#include <string.h>

#define REQUESTS 20000

static uint32_t index_of(struct registry_text key)
{
    return registry_find(key.data, key.length);
}

START_TEST(every_workload_asks_for_what_it_says)
{
    for (unsigned kind = 0; kind < WORKLOAD_TRACE; kind++) {
        struct workload workload;
        workload_init(&workload, (enum workload_kind)kind, 1000, 100, REQUESTS, 3);
        struct window *window = window_new(&workload);
        static unsigned asked[100000];
        memset(asked, 0, sizeof asked);
        unsigned distinct = 0, most = 0, absent = 0;
        for (size_t from = 0; from < 16000; from += 4000) {
            window_fill(window, from, 4000);
            for (size_t i = 0; i < 4000; i++) {
                registry_index index = index_of(window->requests[i]);
                if (index == REGISTRY_NONE) {
                    absent++;
                    continue;
                }
                ck_assert_uint_lt(index, 1000);
                distinct += asked[index]++ == 0;
                most = asked[index] > most ? asked[index] : most;
            }
        }
        ck_assert_uint_eq(absent, kind == WORKLOAD_MISSES ? 16000 : 0);
        switch (kind) {
        case WORKLOAD_ZIPF: /* the first of 1,000 ranks gets 1/7.7 of all */
            ck_assert_msg(most > 1800 && most < 2400, "%u", most);
            break;
        case WORKLOAD_UNIFORM:
            ck_assert_uint_eq(distinct, 1000);
            ck_assert_uint_lt(most, 40);
            break;
        case WORKLOAD_SCAN:
            ck_assert_uint_eq(distinct, 1000);
            ck_assert_uint_eq(most, 16);
            break;
        case WORKLOAD_LOOP:
            ck_assert_uint_eq(distinct, 111);
            break;
        case WORKLOAD_RESIDENT:
            ck_assert_uint_eq(distinct, 50);
            break;
        default:
            ck_assert_uint_eq(distinct, 0);
        }
        window_free(&window);
        ck_assert_ptr_null(window);
        workload_fini(&workload);
    }
}
END_TEST

START_TEST(a_trace_is_asked_as_it_comes)
{
    static const uint32_t small[] = {0, 1, 0, 2, 1}, big[] = {7, 99999, 7, 0, 3};
    struct workload workload;
    workload_init_trace(&workload, WORKLOAD_TRACE, small, 5, 3, 2, 1);
    struct window *window = window_new(&workload);
    window_fill(window, 0, 7);
    registry_index index[7];
    for (size_t i = 0; i < 7; i++) {
        index[i] = index_of(window->requests[i]);
        ck_assert_uint_lt(index[i], 3);
    }
    ck_assert(index[0] == index[2] && index[1] == index[4] && index[0] == index[5]);
    ck_assert(index[0] != index[1] && index[1] != index[3] && index[0] != index[3]);
    window_free(&window);
    workload_fini(&workload);

    workload_init_trace(&workload, WORKLOAD_TRACE, big, 5, 100000, 2, 1);
    window = window_new(&workload);
    window_fill(window, 0, 5);
    for (size_t i = 0; i < 5; i++) {
        struct registry_text key = window->requests[i];
        struct strategy_value value;
        ck_assert(source_trace.load(source_trace.context, key.data, key.length, &value));
        ck_assert_uint_eq(value.bytes, sizeof(uint32_t));
        ck_assert_mem_eq(value.data, &big[i], sizeof big[i]);
        ck_assert(!source_trace.load(source_trace.context, key.data, key.length - 1, &value));
    }
    window_free(&window);
    workload_fini(&workload);
    workload_init_trace(&workload, WORKLOAD_MISSES, big, 5, 100000, 2, 1);
    window = window_new(&workload);
    window_fill(window, 0, 5);
    for (size_t i = 0; i < 5; i++) {
        struct strategy_value value;
        ck_assert(
            !source_trace.load(NULL, window->requests[i].data, window->requests[i].length, &value));
    }
    window_free(&window);
    workload_fini(&workload);
}
END_TEST

START_TEST(a_request_has_bytes_of_its_own)
{
    struct workload workload;
    workload_init(&workload, WORKLOAD_UNIFORM, 50, 10, 100, 1);
    struct window *window = window_new(&workload);
    window_fill(window, 90, 20); /* wraps around */
    ck_assert_uint_eq(window->count, 20);
    for (size_t i = 0; i < 20; i++) {
        registry_index index = index_of(window->requests[i]);
        ck_assert_ptr_ne(window->requests[i].data, registry_key(index).data);
    }
    window_free(&window);
    workload_fini(&workload);
}
END_TEST

START_TEST(rounds_count_hits_and_sizes_as_the_strategy_does)
{
    struct workload workload;
    struct contender contenders[3] = {
        {.strategy = strategies[0], .source = &source_registry_packed},
        {.strategy = strategies[0], .source = &source_registry_packed},
        {.strategy = strategy_find("lru"), .source = &source_registry_packed}};
    struct measure measures[3] = {0};
    struct measure_limits limits = {.rounds_min = 6, .rounds_max = 6};
    size_t count = contenders[2].strategy ? 3 : 2;
    contenders[2].options.entries = 500;
    workload_init(&workload, WORKLOAD_LOOP, 2000, 500, 200000, 1);
    ck_assert_uint_eq(measure_rounds(contenders, count, &workload, &limits, measures), 6);
    for (size_t i = 0; i < count; i++) {
        ck_assert(measures[i].ns > 0 && measures[i].ratio.low <= measures[i].ratio.median &&
                  measures[i].ratio.median <= measures[i].ratio.high);
    }
    ck_assert_double_eq(measures[0].ratio.median, 1);
    if (count == 3) { /* a loop longer than the cache: LRU never hits */
        ck_assert_double_eq(measures[2].hit_rate, 0);
        ck_assert_uint_eq(measures[2].entries, 500);
        ck_assert_uint_gt(measures[2].bytes, 500);
    }
    workload_fini(&workload);
}
END_TEST

START_TEST(a_slowed_contender_takes_longer_by_what_was_planted)
{
    struct workload workload;
    struct contender contender = {
        .strategy = strategies[0], .source = &source_registry_packed, .extra = 4};
    workload_init(&workload, WORKLOAD_SCAN, 2000, 500, 10000, 1);
    struct window *window = window_new(&workload);
    window_fill(window, 0, WINDOW_REQUESTS);
    ck_assert(contender_begin(&contender));
    double least = (double)INFINITY, slow = (double)INFINITY;
    for (int i = 0; i < 200; i++) { /* the least of many: other programs cannot make it less */
        contender.extra = 0;
        double ns = contender_time(&contender, window);
        least = ns < least ? ns : least;
        contender.extra = 4;
        ns = contender_time(&contender, window);
        slow = ns < slow ? ns : slow;
    }
    ck_assert_double_ge(slow / least, 3); /* five times the work, and what both share */
    contender_end(&contender);
    ck_assert_ptr_null(contender.state);
    window_free(&window);
    workload_fini(&workload);
}
END_TEST

START_TEST(the_formula_is_the_one_of_the_manual)
{
    static const struct {
        double hit, miss, rate, expected;
    } rows[] = {
        {20, 30, 1, 20},
        {20, 30, 0.5, 50},
        {15, 60, 0.8, 30},
        {10, -20, 0.5, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double found = break_even_formula(rows[i].hit, rows[i].miss, rows[i].rate);
        ck_assert_double_eq_tol(found, rows[i].expected, 1e-9);
        /* At its break-even a look-up costs as much through the cache as without. */
        struct break_even model = {.hit_rate = rows[i].rate,
                                   .base_ns = rows[i].rate * rows[i].hit +
                                              (1 - rows[i].rate) * rows[i].miss};
        if (found > 0) {
            ck_assert_double_eq_tol(break_even_cost(&model, found), found, 1e-9);
        }
    }
    ck_assert(isinf(break_even_formula(20, 30, 0)));
}
END_TEST

static void plot_write(FILE *out, bool svg)
{
    struct break_even model = {.hit_rate = 0.9, .base_ns = 30, .formula_ns = 33.3};
    for (unsigned i = 0; i < BREAK_EVEN_STEPS; i++) {
        model.source[i] = 10 * pow(2, i);
        model.cost[i] = break_even_cost(&model, model.source[i]);
    }
    struct plot_curve curve = {.name = "lru", .model = &model};
    static const struct plot_mark marks[] = {
        {"registry", 33.3}, {"beside", 40}, {"unknown", (double)NAN}, {"HTTP", 5e6}};
    struct plot plot = {
        .title = "a & b", .curves = &curve, .curve_count = 1, .marks = marks, .mark_count = 4};
    if (svg) {
        plot_svg(out, &plot);
    } else {
        plot_terminal(out, &plot, 80, false);
    }
}

START_TEST(the_terminal_plot_crosses_one_at_the_break_even)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    plot_write(out, false);
    fclose(out);
    char *line = strstr(text, "1x |---");
    ck_assert_ptr_nonnull(line);
    char *a = strchr(line, 'a');
    ck_assert_ptr_nonnull(a);
    /* 33 ns is ln(33)/ln(1e7) = 22 % of 72 columns: 16, give or take the height of a line. */
    long column = a - strchr(line, '|') - 1;
    ck_assert_msg(column >= 13 && column <= 19, "crosses in column %ld", column);
    /* The known sources stand under the axis; one in another's place, or of no cost, does not. */
    char *marks = strstr(text, "^registry");
    ck_assert_ptr_nonnull(marks);
    ck_assert_uint_eq(strcspn(marks, "\n"), 68 - 15 + 1); /* columns of 5 ms and of 33 ns */
    ck_assert_ptr_nonnull(strstr(marks, "HTTP^\n"));
    ck_assert_ptr_null(strstr(text, "beside"));
    ck_assert_ptr_null(strstr(text, "unknown"));
    for (char *at = text, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        ck_assert_int_le(end - at, 80);
        ck_assert(end == at || end[-1] != ' ');
    }
    free(text);
}
END_TEST

START_TEST(the_svg_holds_line_dots_and_the_escaped_title)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    plot_write(out, true);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "<title>a &amp; b</title>"));
    ck_assert_ptr_nonnull(strstr(text, "<polyline"));
    ck_assert_ptr_nonnull(strstr(text, "<circle"));
    ck_assert_ptr_nonnull(strstr(text, "pays from 33.3 ns"));
    ck_assert_ptr_nonnull(strstr(text, ">HTTP</text>"));
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_nonnull(strstr(text, "prefers-color-scheme:dark"));
    ck_assert_str_eq(text + length - 7, "</svg>\n");
    free(text);
}
END_TEST

SUITE("bench", &every_workload_asks_for_what_it_says, &a_trace_is_asked_as_it_comes,
      &a_request_has_bytes_of_its_own, &rounds_count_hits_and_sizes_as_the_strategy_does,
      &a_slowed_contender_takes_longer_by_what_was_planted, &the_formula_is_the_one_of_the_manual,
      &the_terminal_plot_crosses_one_at_the_break_even,
      &the_svg_holds_line_dots_and_the_escaped_title)
