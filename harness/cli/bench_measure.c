/* bench_measure.c - everything that `tidemark bench` finds out, in the order in which it does:
 * rounds and details of each workload, instructions and allocations, peaks of memory, break-even.
 * Supervisor, and its copies (count.h, alone.h). */
#include "harness/bench/alone.h"
#include "harness/bench/source_sqlite.h"
#include "harness/bench/source_trace.h"
#include "harness/cli/bench.h"

#include <math.h>
#include <stdio.h>

static void progress(const struct bench *bench, const char *what)
{
    if (!bench->line->quiet) {
        fprintf(stderr, "tidemark bench: %s\n", what);
    }
}

static void details_measure(struct bench *bench, const struct workload *workload)
{
    uint64_t piece = bench->limits.time_ns / 50;
    for (size_t i = 0; i < bench->count; i++) {
        struct contender *contender = &bench->contenders[i];
        struct measure *measure = &bench->measures[workload->kind][i];
        if (measure->refused) {
            continue;
        }
        measure_latency(contender, workload, measure);
        measure_events(contender, workload, measure);
        measure->per_second[0] = measure->per_second[1] = (double)NAN;
        for (unsigned repeat = 0; repeat < 3; repeat++) { /* other programs can only take away */
            measure->per_second[0] =
                fmax(measure->per_second[0], measure_threads(contender, workload, 1, piece));
            measure->per_second[1] =
                fmax(measure->per_second[1],
                     measure_threads(contender, workload, bench->threads, piece));
        }
    }
}

/* The rounds see a trace's first requests, again and again. Its hit rate is that of all of it, from
 * an empty cache on. */
static void trace_measure(struct bench *bench, const struct workload *workload)
{
    struct window *window = window_new(workload);
    for (size_t i = 0; i < bench->count; i++) {
        struct contender *contender = &bench->contenders[i];
        struct strategy_statistics counted;
        if (bench->measures[WORKLOAD_TRACE][i].refused || !contender_begin(contender)) {
            continue;
        }
        contender_run(contender, window, 0, workload->count);
        contender->strategy->statistics(contender->state, &counted);
        contender_end(contender);
        uint64_t asked = counted.hits + counted.misses;
        bench->measures[WORKLOAD_TRACE][i].hit_rate =
            asked ? (double)counted.hits / (double)asked : (double)NAN;
    }
    window_free(&window);
}

void bench_measure_workloads(struct bench *bench)
{
    for (unsigned kind = 0; kind < WORKLOAD_KINDS; kind++) {
        struct workload workload;
        if (!bench->wanted[kind]) {
            continue;
        }
        char what[80];
        snprintf(what, sizeof what, "%s: %s", workload_names[kind], workload_abouts[kind]);
        progress(bench, what);
        bench_workload_open(bench, (enum workload_kind)kind, bench->seed, &workload);
        bench->rounds[kind] = measure_rounds(bench->contenders, bench->count, &workload,
                                             &bench->limits, bench->measures[kind]);
        if (kind == bench->main) {
            details_measure(bench, &workload);
        }
        if (kind == WORKLOAD_TRACE) {
            trace_measure(bench, &workload);
        }
        workload_fini(&workload);
    }
}

/* In the copy under valgrind: the requests that the rounds begin with, and no more of them. */
void bench_count_worker(struct bench *bench)
{
    struct workload workload;
    bench_workload_open(bench, bench->main, bench->seed, &workload);
    count_run(bench->contenders, bench->count, &workload);
    workload_fini(&workload);
}

void bench_measure_counts(struct bench *bench)
{
    struct counts counted[BENCH_CONTENDERS];
    bool want = !command_flag(bench->line, "no-count");
    snprintf(bench->count_why, sizeof bench->count_why, "--no-count");
    if (want) {
        progress(bench, "instructions and allocations, counted by callgrind");
        if (count_measure(bench->line->argv, counted, bench->count, bench->count_why)) {
            bench->count_why[0] = '\0';
        }
    }
    for (size_t i = 0; i < bench->count; i++) {
        struct measure *measure = &bench->measures[bench->main][i];
        measure->counted = want ? counted[i].instructions : (double)NAN;
        measure->allocations = want ? counted[i].allocations : (double)NAN;
    }
}

void bench_measure_peaks(struct bench *bench)
{
    progress(bench, "peak memory, a process each");
    for (size_t i = 0; i < bench->count; i++) {
        struct measure *measure = &bench->measures[bench->main][i];
        measure->peak_rss_bytes =
            measure->refused ? (double)NAN : alone_measure(bench->line->argv, i);
    }
}

/* In a copy that says how much memory one contender takes. */
int bench_alone_worker(struct bench *bench, size_t i)
{
    struct workload workload;
    if (i >= bench->count) {
        return COMMAND_USAGE;
    }
    bench_workload_open(bench, bench->main, bench->seed, &workload);
    bool good = alone_run(&bench->contenders[i], &workload);
    workload_fini(&workload);
    return good ? COMMAND_MET : COMMAND_OURS;
}

/* What the same look-ups cost when the source is an SQLite table in memory. */
static void sqlite_measure(struct bench *bench, const struct workload *workload)
{
    struct source_sqlite sqlite;
    if (bench->source == &source_trace || !source_sqlite_init(&sqlite, bench->keys)) {
        return;
    }
    struct contender contender = {.strategy = strategies[0], .source = &sqlite.source};
    if (contender_begin(&contender)) {
        struct window *window = window_new(workload);
        contender_run(&contender, window, 0, 4000);
        bench->sqlite_ns = contender_run(&contender, window, 4000, 20000) / 20000;
        window_free(&window);
        contender_end(&contender);
    }
    source_sqlite_fini(&sqlite);
}

/* With all threads at once: the same formula from throughput, h and m as one figure. */
static void threads_model(struct bench *bench, size_t i)
{
    double direct = bench->measures[bench->main][0].per_second[1];
    double cached = bench->measures[bench->main][i].per_second[1];
    double rate = bench->models[i].hit_rate, per = 1e3 * bench->threads;
    bench->threads_base[i] = (double)NAN;
    if (!isnan(direct) && !isnan(cached) && rate > 0) {
        double base = per / cached - (1 - rate) * per / direct;
        bench->threads_base[i] = base > 0 ? base / rate : 0;
    }
}

void bench_measure_break_even(struct bench *bench)
{
    struct workload workload, resident;
    progress(bench, "break-even: the source made slower step by step");
    bench_workload_open(bench, bench->main, bench->seed, &workload);
    bench_workload_open(bench, WORKLOAD_RESIDENT, bench->seed, &resident);
    for (size_t i = 0; i < bench->count; i++) {
        const struct contender *contender = &bench->contenders[i];
        if (contender->control || contender->extra > 0 || bench->measures[bench->main][i].refused ||
            !(contender->strategy->traits & STRATEGY_CACHES)) {
            continue;
        }
        bench->modelled[i] =
            break_even_measure(strategies[0], contender, &workload, &resident, &bench->models[i]);
        if (bench->modelled[i]) {
            bench->direct_ns = fmin(bench->direct_ns, bench->models[i].source[0]);
            threads_model(bench, i);
        }
    }
    sqlite_measure(bench, &workload);
    workload_fini(&workload);
    workload_fini(&resident);
}
