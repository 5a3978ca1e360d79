/*
 * preload_bench.c - the ledger as a preload of its own, for measuring and for tests of single
 * programs: no boundaries, no supervisor, one depth for the whole run. Not part of libtidemark.so.
 *
 * TIDEMARK_BENCH_DEPTH=count|trace  the depth; count when not set
 * TIDEMARK_BENCH_REPORT=FILE        totals, a line appended when a program ends
 */
#include "harness/ledger/ledger.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t begun_in; /* children of fork report nothing */

static __attribute__((constructor)) void bench_begin(void)
{
    const char *depth = getenv("TIDEMARK_BENCH_DEPTH");
    meter_init(NULL);
    ledger_init(NULL);
    begun_in = kernel_pid();
    bool watched = depth != NULL && strcmp(depth, "watch") == 0;
    bool traced = watched || (depth != NULL && strcmp(depth, "trace") == 0);
    ledger_depth_set(traced ? WIRE_TRACE : WIRE_COUNT);
    ledger_watch_set(watched);
}

static __attribute__((destructor)) void bench_end(void)
{
    char line[512];
    struct ledger_totals totals;
    const char *path = getenv("TIDEMARK_BENCH_REPORT");
    if (path == NULL || kernel_pid() != begun_in) {
        return;
    }
    ledger_totals_get(&totals);
    int length = snprintf(line, sizeof line,
                          "ledger: %llu allocs, %llu frees, %llu bytes, %lld live in %lld blocks, "
                          "%lld peak, %llu own, allocator %s\n",
                          (unsigned long long)totals.allocs, (unsigned long long)totals.frees,
                          (unsigned long long)totals.bytes, (long long)totals.live_bytes,
                          (long long)totals.live_blocks, (long long)totals.peak_live_bytes,
                          (unsigned long long)ledger_own_bytes(), ledger_allocator());
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)length) != length) {
        _exit(99);
    }
    close(fd);
}
