/*
 * verify_bench.c - is each stack what glibc's backtrace() says? Part of libverify.so only, which is
 * the preload of preload_bench.c with -DLEDGER_VERIFY: every traced birth comes here, whether its
 * stack was walked or recalled. `make bench-stacks`.
 *
 * TIDEMARK_BENCH_VERIFY=FILE  how many stacks were compared and how many differed, a line appended
 *                             when the program ends; the first that differ go to standard error
 */
#include "harness/ledger/site.h"
#include "harness/ledger/trace.h"

#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEEPEST = 4096, SHOWN = 5 };

static _Atomic uint64_t compared, different;
static __thread bool within;

static void difference_show(const struct site *site, void *const *frames, int count)
{
    if (atomic_fetch_add(&different, 1) >= SHOWN) {
        return;
    }
    dprintf(STDERR_FILENO, "site:");
    for (uint32_t i = 0; i < site->frame_count; i++) {
        dprintf(STDERR_FILENO, " %lx", (unsigned long)site->frames[i]);
    }
    dprintf(STDERR_FILENO, "\nbacktrace:");
    for (int i = 0; i < count && i < WIRE_FRAMES_MAX + 8; i++) {
        dprintf(STDERR_FILENO, " %lx", (unsigned long)(uintptr_t)frames[i]);
    }
    dprintf(STDERR_FILENO, "\n");
}

void trace_verify(uint32_t number, const void *block, const void *frame)
{
    struct trace_record record;
    static __thread void *frames[DEEPEST];
    if (within || !trace_look(number, block, &record)) {
        return;
    }
    within = true;
    int count = backtrace(frames, DEEPEST), at = 0;
    within = false;
    const struct site *site = site_get(record.site);
    void *first = ((void *const *)frame)[1]; /* the hook's return address */
    while (at < count && frames[at] != first) {
        at++;
    }
    uint32_t same = 0;
    bool equal = site != NULL && at < count;
    for (int i = at; equal && i < count && same < WIRE_FRAMES_MAX; i++) {
        uint64_t pc = (uint64_t)(uintptr_t)frames[i];
        if (!unwind_is_own(pc)) {
            equal = same < site->frame_count && site->frames[same++] == pc;
        }
    }
    atomic_fetch_add(&compared, 1);
    if (!equal || same != site->frame_count) {
        difference_show(site, frames + at, count - at);
    }
}

static __attribute__((constructor)) void verify_begin(void)
{
    void *one[1];
    backtrace(one, 1); /* its library is loaded at its first call */
}

static __attribute__((destructor)) void verify_end(void)
{
    char line[128];
    const char *path = getenv("TIDEMARK_BENCH_VERIFY");
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        int length = snprintf(line, sizeof line, "%llu stacks, %llu different\n",
                              (unsigned long long)compared, (unsigned long long)different);
        if (write(fd, line, (size_t)length) != length) {
            _exit(99);
        }
        close(fd);
    }
}
