/* pair.c - see pair.h. Supervisor only. */
#include "harness/campaign/pair.h"

#include "harness/base/monotonic.h"
#include "harness/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_STARTED 127
#define ASKED_EVERY 8 /* pairs */

static double time_ns(struct timeval time)
{
    return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

/* fork, not posix_spawn: a vforked child shares the supervisor's pages, and the kernel would count
 * them into the command's peak. */
static bool command_run(char *const *command, struct pair_run *run)
{
    struct rusage usage;
    double start = monotonic_ns();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        process_restore();
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(command[0], command);
        _exit(NOT_STARTED);
    }
    if (pid < 0) {
        return false;
    }
    while (wait4(pid, &run->status, 0, &usage) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    run->value[PAIR_WALL] = monotonic_ns() - start;
    run->value[PAIR_CPU] = time_ns(usage.ru_utime) + time_ns(usage.ru_stime);
    run->value[PAIR_RSS] = (double)usage.ru_maxrss * 1024;
    for (int i = 0; i < PAIR_MEASURES; i++) { /* a ratio is taken of each */
        run->value[i] = run->value[i] > 0 ? run->value[i] : 1;
    }
    return true;
}

/* A run of each, and how they end. */
static bool warm_up(char *const *const commands[2], int ends[2], char *error, size_t error_bytes)
{
    for (int c = 0; c < 2; c++) {
        struct pair_run warm;
        if (!command_run(commands[c], &warm)) {
            snprintf(error, error_bytes, "%s: %s", commands[c][0], strerror(errno));
            return false;
        }
        if (WIFEXITED(warm.status) && WEXITSTATUS(warm.status) == NOT_STARTED) {
            snprintf(error, error_bytes, "%s: cannot be started", commands[c][0]);
            return false;
        }
        ends[c] = warm.status;
    }
    return true;
}

static bool goes_on(const struct pair_limits *limits, const struct pair_run *a,
                    const struct pair_run *b, size_t done, double begun)
{
    if (done < limits->least || done >= limits->most) {
        return done < limits->least;
    }
    if (limits->most_ns > 0 && monotonic_ns() - begun > limits->most_ns) {
        return false;
    }
    return (done - limits->least) % ASKED_EVERY != 0 || !limits->enough(a, b, done);
}

bool pair_measure(char *const *command_a, char *const *command_b, struct pair_limits limits,
                  struct pair_run *a, struct pair_run *b, size_t *count, char *error,
                  size_t error_bytes)
{
    char *const *const commands[2] = {command_a, command_b};
    struct pair_run *const runs[2] = {a, b};
    int ends[2];
    *count = 0;
    if (!warm_up(commands, ends, error, error_bytes)) {
        return false;
    }
    for (double begun = monotonic_ns(); goes_on(&limits, a, b, *count, begun); ++*count) {
        for (int turn = 0; turn < 2; turn++) {
            int c = (int)((size_t)turn ^ (*count & 1));
            struct pair_run *run = &runs[c][*count];
            if (!command_run(commands[c], run)) {
                snprintf(error, error_bytes, "%s: %s", commands[c][0], strerror(errno));
                return false;
            }
            if (run->status != ends[c]) {
                snprintf(error, error_bytes,
                         "%s does not end the same way every time; its runs cannot be compared",
                         commands[c][0]);
                return false;
            }
        }
    }
    return true;
}
