/*
 * trace_fuzz.c - libFuzzer target of the readers of traces (make fuzz). The first byte chooses the
 * format, the second the columns; the rest is the file. Whatever the bytes: no crash, no hang, and
 * a trace that adds up, or a reason.
 */
#include "harness/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define FORMATS (TRACE_U64BE + 1)
#define MOST    100000 /* requests: a line of .lis may stand for billions */

static void trace_look(const struct trace *trace)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < trace->requests; i++) {
        bytes += trace->sizes ? trace->sizes[i] : 1;
        if (trace->keys[i] >= trace->unique) {
            abort();
        }
    }
    if (bytes != trace->bytes || trace->requests > MOST) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const char *const columns[] = {NULL, NULL, "1", "2", "3", "size", "0", "99"};
    struct trace_options options = {.most = MOST};
    struct trace trace;
    struct diag diag;
    char path[32];
    if (length < 2) {
        return 0;
    }
    options.format = (enum trace_format)(data[0] % FORMATS);
    options.key_column = columns[data[1] % 8];
    options.size_column = columns[data[1] / 8 % 8];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data + 2, length - 2) != (ssize_t)(length - 2)) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    diag_init(&diag);
    trace_init(&trace);
    if (trace_read(&trace, path, &options, &diag)) {
        trace_look(&trace);
    } else if (diag.count == 0) {
        abort();
    }
    trace_fini(&trace);
    diag_fini(&diag);
    close(fd);
    return 0;
}
