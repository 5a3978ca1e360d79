/* bench.h - what the files of `tidemark bench` share: its settings, its findings, and how they are
 * shown. Supervisor only. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "harness/bench/break_even.h"
#include "harness/bench/count.h"
#include "harness/bench/measure.h"
#include "harness/bench/plot.h"
#include "harness/bench/workload.h"
#include "harness/cli/command.h"
#include "harness/trace/trace.h"

#define BENCH_CONTENDERS 32

struct bench {
    const struct command_line *line;
    struct contender contenders[BENCH_CONTENDERS]; /* 0 is the reference, 1 the A/A control */
    size_t count;
    bool wanted[WORKLOAD_KINDS];
    enum workload_kind main;
    uint32_t keys;
    uint64_t entries, seed;
    unsigned threads;
    double beyond; /* a difference counts from here on: 0.01 */
    struct measure_limits limits;
    const struct strategy_source *source;
    struct trace trace; /* --trace FILE; otherwise empty */

    struct measure measures[WORKLOAD_KINDS][BENCH_CONTENDERS];
    unsigned rounds[WORKLOAD_KINDS];
    struct break_even models[BENCH_CONTENDERS]; /* of those that cache */
    bool modelled[BENCH_CONTENDERS];
    double threads_base[BENCH_CONTENDERS]; /* break-even with all threads, NAN where not measured */
    double direct_ns;                /* a look-up without a cache, in the same loop: the least */
    double sqlite_ns;                /* the same in front of SQLite; NAN: not measured */
    char count_why[COUNT_WHY_BYTES]; /* why callgrind counted nothing; "" */
    double others;                   /* share of the processors that other programs used */
};

/* bench_workload.c; a COMMAND_USAGE was explained. */
int bench_workloads_choose(struct bench *bench);
/* A trace of more keys than the registry has brings a source of its own: for all contenders. */
void bench_trace_source(struct bench *bench);
void bench_workload_open(const struct bench *bench, enum workload_kind kind, uint64_t seed,
                         struct workload *workload);

/* bench_contenders.c; false and COMMAND_USAGE: it was said why. */
bool bench_strategies_add(struct bench *bench);
int bench_scenario_add(struct bench *bench, const char *path);
bool bench_peers_add(struct bench *bench);

/* bench_measure.c */
void bench_measure_workloads(struct bench *bench);
void bench_measure_counts(struct bench *bench);
void bench_measure_peaks(struct bench *bench);
void bench_measure_break_even(struct bench *bench);
/* In a copy that counts, or that says how much memory contender i takes: nothing else is done. */
void bench_count_worker(struct bench *bench);
int bench_alone_worker(struct bench *bench, size_t i);

/* bench_report.c */
/* What it comes to, in sentences: before the tables. */
void bench_print_answer(const struct bench *bench);
void bench_print_main(const struct bench *bench);
void bench_print_workloads(const struct bench *bench);
void bench_print_break_even(const struct bench *bench);
/* The curves of those that cache, and the sources of the sentence. */
#define BENCH_MARKS   3
#define BENCH_HTTP_NS 5e6
struct plot bench_plot(const struct bench *bench, struct plot_curve curves[BENCH_CONTENDERS],
                       struct plot_mark marks[BENCH_MARKS]);
/* bench_files.c; false: the file could not be written, which was said. */
bool bench_write_svg(const struct bench *bench, const char *path);
bool bench_write_json(const struct bench *bench, const char *path);

const char *bench_difference_name(enum difference difference);

#endif
