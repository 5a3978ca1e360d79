/* bench_files.c - what `tidemark bench` writes into files: the curves as SVG, and all figures as
 * JSON lines. Supervisor only. */
#include "harness/base/unit.h"
#include "harness/base/version.h"
#include "harness/base/whole_file.h"
#include "harness/bench/plot.h"
#include "harness/cli/bench.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static bool failed(const char *path)
{
    fprintf(stderr, "tidemark bench: %s: %s\n", path, strerror(errno));
    return false;
}

bool bench_write_svg(const struct bench *bench, const char *path)
{
    struct plot_curve curves[BENCH_CONTENDERS];
    struct plot_mark marks[BENCH_MARKS];
    char title[160], text[UNIT_TEXT_BYTES];
    struct whole_file whole;
    if (!whole_file_open(&whole, path)) {
        return failed(path);
    }
    snprintf(title, sizeof title, "When a cache of %s entries pays: %s",
             unit_count(text, (double)bench->entries), workload_abouts[bench->main]);
    struct plot plot = bench_plot(bench, curves, marks);
    plot.title = title;
    plot_svg(whole.out, &plot);
    return whole_file_close(&whole, true) || failed(path);
}

/* Left out where not measured. Names are words of tables and scenarios: letters, digits, "._-/,+%".
 */
static void json_number(FILE *file, const char *key, double value)
{
    if (isfinite(value)) {
        fprintf(file, ",\"%s\":%.10g", key, value);
    }
}

static void json_measure(FILE *file, const struct bench *bench, size_t kind, size_t i)
{
    const struct measure *measure = &bench->measures[kind][i];
    fprintf(file,
            "{\"v\":1,\"type\":\"bench\",\"workload\":\"%s\",\"variant\":\"%s\",\"rounds\":%u",
            workload_names[kind], bench->contenders[i].name, bench->rounds[kind]);
    json_number(file, "lookup_ns", measure->ns);
    json_number(file, "ratio", measure->ratio.median);
    json_number(file, "ratio_low", measure->ratio.low);
    json_number(file, "ratio_high", measure->ratio.high);
    fprintf(file, ",\"difference\":\"%s\"",
            i == 0 ? "reference"
                   : bench_difference_name(interval_difference(&measure->ratio, bench->beyond)));
    json_number(file, "hit_rate", measure->hit_rate);
    if (kind == bench->main) {
        json_number(file, "fresh_ns", measure->fresh);
        json_number(file, "dependent_ns", measure->dependent);
        json_number(file, "cold_ns", measure->cold);
        json_number(file, "batch_ns", measure->batch);
        json_number(file, "lookup_ns_p50", measure->p50);
        json_number(file, "lookup_ns_p99", measure->p99);
        json_number(file, "lookup_ns_p999", measure->p999);
        json_number(file, "million_per_s_1", measure->per_second[0]);
        json_number(file, "million_per_s_all", measure->per_second[1]);
        json_number(file, "peak_rss_bytes", measure->peak_rss_bytes);
        json_number(file, "allocs_per_lookup", measure->allocations);
        json_number(file, "instructions_counted", measure->counted);
        json_number(file, "instructions", measure->instructions);
        json_number(file, "cache_misses", measure->cache_misses);
        json_number(file, "branch_misses", measure->branch_misses);
        json_number(file, "bytes", (double)measure->bytes);
        json_number(file, "entries", (double)measure->entries);
    }
    fputs("}\n", file);
}

bool bench_write_json(const struct bench *bench, const char *path)
{
    struct whole_file whole;
    if (!whole_file_open(&whole, path)) {
        return failed(path);
    }
    FILE *file = whole.out;
    fprintf(file,
            "{\"v\":1,\"type\":\"run\",\"tool\":\"tidemark\",\"version\":\"%s\",\"command\":"
            "\"bench\",\"seed\":%llu",
            TIDEMARK_VERSION, (unsigned long long)bench->seed);
    json_number(file, "others", bench->others);
    fprintf(file, ",\"threads\":%u,\"keys\":%u}\n", bench->threads, bench->keys);
    for (size_t kind = 0; kind < WORKLOAD_KINDS; kind++) {
        for (size_t i = 0; bench->wanted[kind] && i < bench->count; i++) {
            if (!bench->measures[kind][i].refused) {
                json_measure(file, bench, kind, i);
            }
        }
    }
    for (size_t i = 0; i < bench->count; i++) {
        const struct break_even *model = &bench->models[i];
        if (bench->modelled[i]) {
            fprintf(file, "{\"v\":1,\"type\":\"break_even\",\"variant\":\"%s\"",
                    bench->contenders[i].name);
            json_number(file, "hit_rate", model->hit_rate);
            json_number(file, "hit_ns", model->hit_ns);
            json_number(file, "miss_ns", model->miss_ns);
            json_number(file, "formula_ns", model->formula_ns);
            json_number(file, "measured_ns", model->measured_ns);
            json_number(file, "threads_ns", bench->threads_base[i]);
            fputs("}\n", file);
        }
    }
    fprintf(file,
            "{\"v\":1,\"type\":\"summary\",\"passed\":%zu,\"failed\":0,\"skipped\":0,"
            "\"incomplete\":0}\n",
            bench->count);
    return whole_file_close(&whole, true) || failed(path);
}
