/* pace.c - see pace.h. */
#include "harness/worker/pace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double spent_ns; /* by workers */

double pace_now(void)
{
    struct timespec ran;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ran);
    return spent_ns + (double)ran.tv_sec * 1e9 + (double)ran.tv_nsec;
}

void pace_spend(double ns)
{
    spent_ns += ns;
}

/* /proc/PID/schedstat: time on a processor, time waited for one, both in ns. */
uint64_t pace_waited_ns(pid_t pid)
{
    char path[64], text[96] = "", *end;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (got <= 0) {
        return 0;
    }
    strtoull(text, &end, 10);
    return strtoull(end, NULL, 10);
}
