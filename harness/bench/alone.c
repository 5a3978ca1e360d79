/* alone.c - see alone.h. Supervisor, and its copies. */
#include "harness/bench/alone.h"
#include "harness/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKED "TIDEMARK_BENCH_ALONE"

bool alone_wanted(size_t *contender)
{
    const char *asked = getenv(ASKED);
    if (asked) {
        *contender = strtoul(asked, NULL, 10);
    }
    return asked != NULL;
}

/* 5: the peak begins anew. Before that it is the peak of drawing the requests. */
static void peak_reset(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t ignored = write(file, "5", 1);
        (void)ignored;
        close(file);
    }
}

static bool peak_read(unsigned long long *kib)
{
    char line[256];
    bool found = false;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        found = sscanf(line, "VmHWM: %llu kB", kib) == 1;
    }
    if (file) {
        fclose(file);
    }
    return found;
}

bool alone_run(struct contender *contender, const struct workload *workload)
{
    unsigned long long kib = 0;
    struct window *window = window_new(workload);
    peak_reset();
    bool good = contender_begin(contender);
    if (good) {
        contender_run(contender, window, 0, ALONE_REQUESTS);
        good = peak_read(&kib);
        contender_end(contender);
    }
    window_free(&window);
    return good && printf("%llu\n", kib * 1024) > 0 && fflush(stdout) == 0;
}

static void child_run(char *const *argv, size_t contender, int out)
{
    char number[24];
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    snprintf(number, sizeof number, "%zu", contender);
    dup2(nothing, 0);
    dup2(out, 1);
    dup2(nothing, 2);
    setenv(ASKED, number, 1);
    execv("/proc/self/exe", argv);
    _exit(127);
}

double alone_measure(char *const *argv, size_t contender)
{
    int ends[2], status = 0;
    unsigned long long bytes = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return (double)NAN;
    }
    pid_t child = fork();
    if (child == 0) {
        child_run(argv, contender, ends[1]);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "re");
    bool told = from && fscanf(from, "%llu", &bytes) == 1;
    if (from) {
        fclose(from);
    } else {
        close(ends[0]);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && told && status == 0 ? (double)bytes : (double)NAN;
}
