/* pace.c - see pace.h. By /proc/PID/schedstat: time on a processor, time waited for one. */
#include "harness/worker/pace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MOST 8 /* at the same time */

static struct pace_worker {
    const struct wire *wire; /* NULL: an empty place */
    pid_t pid;
} workers[WORKERS_MOST];
static struct pace before; /* of workers that have ended */

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Adds what the kernel says of a process; nothing where it does not tell. */
static void pace_add(struct pace *pace, pid_t pid)
{
    char path[64], text[96] = "", *end;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (got > 0) {
        pace->ran += strtoull(text, &end, 10);
        pace->waited += strtoull(end, NULL, 10);
    }
}

/* A script that starts the worker waits meanwhile. */
static void worker_add(struct pace *pace, const struct pace_worker *worker)
{
    pid_t claimed = wire_claimed(worker->wire);
    pace_add(pace, claimed > 0 ? claimed : worker->pid);
}

void pace_worker_begins(pid_t pid, const struct wire *wire)
{
    int i = 0;
    while (i < WORKERS_MOST && workers[i].wire) {
        i++;
    }
    if (i < WORKERS_MOST) {
        workers[i] = (struct pace_worker){.wire = wire, .pid = pid};
    }
}

void pace_worker_ends(const struct wire *wire)
{
    for (int i = 0; i < WORKERS_MOST; i++) {
        if (workers[i].wire == wire) {
            worker_add(&before, &workers[i]);
            workers[i].wire = NULL;
        }
    }
}

struct pace pace_now(void)
{
    struct pace now = before;
    now.wall = monotonic_ns();
    pace_add(&now, getpid());
    for (int i = 0; i < WORKERS_MOST; i++) {
        if (workers[i].wire) {
            worker_add(&now, &workers[i]);
        }
    }
    return now;
}

double pace_since(const struct pace *then)
{
    struct pace now = pace_now();
    double wall = (double)(now.wall - then->wall), waited = (double)(now.waited - then->waited);
    double ran = (double)(now.ran - then->ran), least = ran < wall ? ran : wall;
    return wall - waited > least ? wall - waited : least;
}
