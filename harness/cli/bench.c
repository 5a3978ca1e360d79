/*
 * bench.c - `tidemark bench`: what a look-up costs directly and through each strategy, whether the
 * difference is real, and from what source cost on a cache pays. Runs everything in this process:
 * no test program, no preload. Supervisor only.
 */
#include "harness/cli/bench.h"
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/bench/alone.h"
#include "registry/cache/source_registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
    {"strategy", 's', OPTION_TEXT, "NAME",
     "measure this strategy, or that of a plug-in, ./mine.so; repeat for several; default: all",
     NULL, true},
    {"reference", 'r', OPTION_TEXT, "NAME", "what the others are held against, default direct",
     NULL, false},
    {"peers", 'p', OPTION_FLAG, NULL,
     "other people's tables and caches as well, those that `make bench-peers` built", NULL, false},
    {"trace", 0, OPTION_FILE, "FILE",
     "ask what this trace asks; formats as of tidemark whatif, compressed or not", NULL, false},
    {"format", 'f', OPTION_WORD, "NAME", "format of the trace, when its name does not tell",
     trace_format_names, false},
    {"key-column", 0, OPTION_TEXT, "COLUMN",
     "of a trace of several columns: which is the key, by its number or its heading", NULL, false},
    {"size-column", 0, OPTION_TEXT, "COLUMN", "and which is its size in bytes", NULL, false},
    {"workload", 'w', OPTION_WORD, "NAME",
     "how keys are drawn; repeat for several, the first is the one in detail; default: all",
     workload_names, true},
    {"entries", 'e', OPTION_INTEGER, "N", "entries that a cache holds, default 8000", NULL, false},
    {"bytes", 0, OPTION_SIZE, "SIZE", "bytes that a cache holds", NULL, false},
    {"keys", 'k', OPTION_INTEGER, "N", "keys that are asked for, default all of the registry", NULL,
     false},
    {"threads", 't', OPTION_INTEGER, "N",
     "threads of the throughput column, default the processors", NULL, false},
    {"materialised", 'm', OPTION_FLAG, NULL,
     "values are whole model records of 4.9 KB, built by each load, instead of record numbers",
     NULL, false},
    {"time", 0, OPTION_DURATION, "TIME",
     "longest processor time for one workload's rounds, default 2 s", NULL, false},
    {"rounds", 0, OPTION_INTEGER, "N",
     "exactly so many rounds, instead of until the intervals are narrow", NULL, false},
    {"beyond", 0, OPTION_NUMBER, "X", "a difference counts beyond this, default 1 %", NULL, false},
    {"plant", 0, OPTION_NUMBER, "X", "add a contender that is the reference, slower by X", NULL,
     false},
    {"self-test", 0, OPTION_INTEGER, "N",
     "N times: the reference against itself and against itself 2 % slower; counts what is found",
     NULL, false},
    {"no-count", 0, OPTION_FLAG, NULL, "do not count instructions under valgrind", NULL, false},
    {"no-break-even", 0, OPTION_FLAG, NULL, "leave out the break-even part", NULL, false},
    {"svg", 0, OPTION_FILE, "FILE", "draw the break-even curves into FILE", NULL, false},
    {"seed", 0, OPTION_INTEGER, "N", "of the random requests, default 1", NULL, false},
    {0},
};

static int settings_take(struct bench *bench)
{
    const struct command_line *line = bench->line;
    uint64_t keys = command_integer(line, "keys", registry_count());
    uint64_t threads = command_integer(line, "threads", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    uint64_t rounds = command_integer(line, "rounds", 0);
    if (keys == 0 || keys > registry_count()) {
        return command_usage_error(line, "--keys %llu: the registry has 1 to %u",
                                   (unsigned long long)keys, registry_count());
    }
    if (threads == 0 || threads > 256) {
        return command_usage_error(line, "--threads %llu: 1 to 256", (unsigned long long)threads);
    }
    if (command_text(line, "rounds") && (rounds < INTERVAL_LEAST || rounds > 10000)) {
        return command_usage_error(line, "--rounds %llu: %d to 10,000; fewer give no interval",
                                   (unsigned long long)rounds, INTERVAL_LEAST);
    }
    bench->keys = (uint32_t)keys;
    bench->threads = (unsigned)threads;
    bench->entries = command_integer(line, "entries", 8000);
    bench->seed = command_integer(line, "seed", 1);
    bench->beyond = command_number(line, "beyond", 0.01);
    bench->limits = measure_default;
    bench->limits.time_ns = command_integer(line, "time", bench->limits.time_ns);
    if (rounds) {
        bench->limits.rounds_min = bench->limits.rounds_max = (unsigned)rounds;
    }
    bench->source = command_flag(line, "materialised") ? &source_registry_materialised
                                                       : &source_registry_packed;
    bench->main = WORKLOAD_ZIPF;
    bench->direct_ns = bench->sqlite_ns = (double)NAN;
    return bench_workloads_choose(bench);
}

static int self_test(struct bench *bench, uint64_t times)
{
    uint64_t wrong = 0, found = 0;
    bench->contenders[2] = bench->contenders[0];
    bench->contenders[2].extra = 0.02;
    bench->count = 3;
    if (!command_text(bench->line, "time")) { /* one pair of rows only: patience is cheap */
        bench->limits.time_ns = 30000000000;
    }
    for (uint64_t i = 0; i < times; i++) {
        struct workload workload;
        struct measure measures[3] = {0};
        bench_workload_open(bench, bench->main, bench->seed + i, &workload);
        measure_rounds(bench->contenders, 3, &workload, &bench->limits, measures);
        enum difference same = interval_difference(&measures[1].ratio, bench->beyond);
        enum difference slow = interval_difference(&measures[2].ratio, bench->beyond);
        wrong += same == DIFFERENCE_FASTER || same == DIFFERENCE_SLOWER;
        found += slow == DIFFERENCE_SLOWER;
        if (bench->line->verbose) {
            fprintf(stderr, "run %llu: itself %.4f [%.4f %.4f], planted %.4f [%.4f %.4f]\n",
                    (unsigned long long)i + 1, measures[1].ratio.median, measures[1].ratio.low,
                    measures[1].ratio.high, measures[2].ratio.median, measures[2].ratio.low,
                    measures[2].ratio.high);
        }
        workload_fini(&workload);
    }
    bool good = wrong * 20 <= times && found * 20 >= times * 19;
    printf("%s against itself: a difference in %llu of %llu runs (at most 5 of 100 may be)\n",
           bench->contenders[0].name, (unsigned long long)wrong, (unsigned long long)times);
    printf(
        "%s against itself 2 %% slower: found in %llu of %llu runs (at least 95 of 100 must be)\n",
        bench->contenders[0].name, (unsigned long long)found, (unsigned long long)times);
    printf("%d passed, %d failed, 0 skipped\n", good, !good);
    return good ? COMMAND_MET : COMMAND_BROKEN;
}

static int closing(const struct bench *bench)
{
    size_t refused = 0, unequal = 0;
    for (size_t i = 0; i < bench->count; i++) {
        refused += bench->measures[bench->main][i].refused;
        enum difference control =
            interval_difference(&bench->measures[bench->main][i].ratio, bench->beyond);
        unequal += bench->contenders[i].control &&
                   (control == DIFFERENCE_FASTER || control == DIFFERENCE_SLOWER);
    }
    if (unequal) {
        printf("The reference differs from itself: no figure above is worth quoting.\n"
               "Run it again on a quiet machine.\n");
    }
    printf("%zu passed, %zu failed, %zu skipped\n", bench->count - refused - unequal, unequal,
           refused);
    return unequal ? COMMAND_BROKEN : COMMAND_MET;
}

static void machine_watch(struct bench *bench)
{
    bench->others = measure_others();
    if (bench->others > 0.1) {
        fprintf(
            stderr,
            "tidemark bench: the machine was busy: other programs used %.0f %% of its processors;\n"
            "                intervals are wider for it\n",
            bench->others * 100);
    }
}

/* A cache that answers wrongly is not to be timed. Keys that are there, and keys that are not. */
static int answers_check(struct bench *bench)
{
    static const enum workload_kind kinds[] = {WORKLOAD_UNIFORM, WORKLOAD_MISSES};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct workload workload;
        bench_workload_open(bench, kinds[k], bench->seed, &workload);
        workload.count = workload.count < 65536 ? workload.count : 65536;
        for (size_t i = 0; i < bench->count; i++) {
            struct registry_text key;
            if (!contender_check(&bench->contenders[i], &workload, &key)) {
                fprintf(stderr,
                        "tidemark bench: %s: for '%.*s' it does not give what the source gives\n",
                        bench->contenders[i].name, (int)key.length, key.data);
                workload_fini(&workload);
                return COMMAND_BROKEN;
            }
        }
        workload_fini(&workload);
    }
    return COMMAND_MET;
}

static int bench_run(struct command_line *line)
{
    struct bench *bench = memory_new(1, sizeof *bench);
    bench->line = line;
    int status = settings_take(bench);
    if (status == COMMAND_MET && line->operand_count) {
        status = bench_scenario_add(bench, line->operands[0]);
    } else if (status == COMMAND_MET && !bench_strategies_add(bench)) {
        status = COMMAND_USAGE;
    }
    if (status == COMMAND_MET) {
        bench_trace_source(bench);
    }
    if (status == COMMAND_MET && command_flag(line, "peers") && !bench_peers_add(bench)) {
        status = COMMAND_USAGE;
    }
    if (status != COMMAND_MET) {
        goto out;
    }
    if (count_wanted()) {
        bench_count_worker(bench);
        goto out;
    }
    size_t alone;
    if (alone_wanted(&alone)) {
        status = bench_alone_worker(bench, alone);
        goto out;
    }
    status = answers_check(bench);
    if (status != COMMAND_MET) {
        goto out;
    }
    measure_others();
    if (command_integer(line, "self-test", 0)) {
        status = self_test(bench, command_integer(line, "self-test", 0));
        machine_watch(bench);
        goto out;
    }
    bench_measure_workloads(bench);
    bench_measure_counts(bench);
    bench_measure_peaks(bench);
    if (!command_flag(line, "no-break-even")) {
        bench_measure_break_even(bench);
    }
    machine_watch(bench);
    bench_print_answer(bench);
    bench_print_main(bench);
    bench_print_workloads(bench);
    if (!command_flag(line, "no-break-even")) {
        bench_print_break_even(bench);
    }
    const char *svg = command_text(line, "svg");
    bool written = !svg || bench_write_svg(bench, svg);
    written = (!line->json || bench_write_json(bench, line->json)) && written;
    status = closing(bench);
    status = written ? status : COMMAND_OURS;
out:
    trace_fini(&bench->trace);
    free(bench);
    return status;
}

static const char *const examples[] = {
    "tidemark bench\tevery strategy, every workload, the break-even curve",
    "tidemark bench -s lru -s sieve --entries 1000\ttwo caches of a thousand entries",
    "tidemark bench --materialised -s lru\tvalues that take work to build: here a cache may pay",
    "tidemark bench scenarios/registry-60gb-strategies.yaml\tthe variants of a scenario",
    "tidemark bench --trace oltp.lis.zst -s lru -s arc --entries 2000\tthe requests of a trace",
    "tidemark bench --self-test 100\twhat the bench itself is worth today on this machine",
    NULL};

const struct command command_bench = {
    .name = "bench",
    .about = "what a look-up costs through each strategy, and from when on a cache pays",
    .operands = "[SCENARIO]",
    .operand_max = 1,
    .options = options,
    .detail =
        "Measures look-ups in the compiled-in registry, directly and through each caching "
        "strategy: cost, "
        "percentiles, throughput by threads, hit rate. Contenders run in interleaved rounds with a "
        "fresh "
        "state each; a difference counts only where the whole 95 % interval of the ratio lies "
        "beyond 1 %.\n"
        "The row 'again' is the reference a second time, the A/A control: when it differs from "
        "itself, the "
        "machine was too busy, and the status is 1.\n"
        "Then the source is made slower step by step: a cache pays when the source costs more than "
        "h + m (1 - r) / r, with hit cost h, extra miss cost m and hit rate r; formula and "
        "measurement "
        "stand side by side.",
    .examples = examples,
    .run = bench_run,
};
