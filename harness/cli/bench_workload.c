/* bench_workload.c - which requests `tidemark bench` asks: made up, or those of a trace. Supervisor
 * only. */
#include "harness/bench/alone.h"
#include "harness/bench/source_trace.h"
#include "harness/cli/bench.h"
#include "registry/registry.h"

#include <string.h>

#define REQUESTS   (1u << 20) /* so many that none comes again soon, see measure.h */
#define TRACE_MOST (1u << 25) /* requests that are read of a trace */
#define TRACE_SOME (1u << 20) /* in a copy that is there for the first of them only */

static bool trace_take(struct bench *bench, const char *path)
{
    size_t alone;
    struct trace_options options = {.most = count_wanted() || alone_wanted(&alone) ? TRACE_SOME
                                                                                   : TRACE_MOST,
                                    .key_column = command_text(bench->line, "key-column"),
                                    .size_column = command_text(bench->line, "size-column")};
    const char *format = command_text(bench->line, "format");
    struct diag diag;
    for (int i = 0; format && trace_format_names[i]; i++) {
        if (strcmp(trace_format_names[i], format) == 0) {
            options.format = (enum trace_format)i;
        }
    }
    diag_init(&diag);
    trace_init(&bench->trace);
    bool good = trace_read(&bench->trace, path, &options, &diag);
    diag_print(&diag, stderr);
    diag_fini(&diag);
    if (good && bench->trace.requests == TRACE_MOST) {
        fprintf(stderr, "tidemark bench: %s: its first %u requests only\n", path, TRACE_MOST);
    }
    return good;
}

int bench_workloads_choose(struct bench *bench)
{
    const char *path = command_text(bench->line, "trace");
    if (path && !trace_take(bench, path)) {
        return COMMAND_USAGE;
    }
    if (bench->trace.unique > registry_count() && command_flag(bench->line, "materialised")) {
        return command_usage_error(bench->line,
                                   "--materialised: the trace has %u keys, the registry %u models",
                                   bench->trace.unique, registry_count());
    }
    for (size_t n = 0; command_text_at(bench->line, "workload", n); n++) {
        for (size_t kind = 0; kind < WORKLOAD_KINDS; kind++) {
            if (strcmp(workload_names[kind], command_text_at(bench->line, "workload", n)) == 0) {
                bench->wanted[kind] = true;
                bench->main = n == 0 ? (enum workload_kind)kind : bench->main;
            }
        }
    }
    if (bench->wanted[WORKLOAD_TRACE] && !path) {
        return command_usage_error(bench->line, "--workload trace: which? --trace FILE");
    }
    if (path) {
        bench->wanted[WORKLOAD_TRACE] = true;
        bench->main = WORKLOAD_TRACE;
        bench->keys = bench->trace.unique;
    } else if (!command_text_at(bench->line, "workload", 0)) {
        for (size_t kind = 0; kind < WORKLOAD_TRACE; kind++) {
            bench->wanted[kind] = true;
        }
    }
    return COMMAND_MET;
}

void bench_trace_source(struct bench *bench)
{
    if (bench->trace.unique > registry_count()) {
        bench->source = &source_trace;
        for (size_t i = 0; i < bench->count; i++) {
            bench->contenders[i].source = bench->source;
        }
    }
}

void bench_workload_open(const struct bench *bench, enum workload_kind kind, uint64_t seed,
                         struct workload *workload)
{
    size_t alone, made_up = alone_wanted(&alone) ? ALONE_REQUESTS : REQUESTS;
    workload_init_trace(workload, kind, bench->trace.keys,
                        kind == WORKLOAD_TRACE ? (size_t)bench->trace.requests : made_up,
                        bench->keys, bench->entries, seed);
}
