/* stray.c - see stray.h. By /proc/PID/stat: a kernel need not be built with
 * /proc/PID/task/TID/children. */
#include "harness/worker/stray.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS      100  /* generations of children that are found one after the other */
#define GENERATIONS 1000 /* between a worker and who claims to be it */

void stray_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Its parent, and whether it has ended already; false when there is no such process any more. */
static bool parent_get(const char *pid, pid_t *parent, bool *dead)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (got <= 0) {
        return false;
    }
    text[got] = 0;
    const char *behind = strrchr(text, ')'); /* the name may hold anything */
    if (!behind || behind[1] != ' ' || behind[2] == 0) {
        return false;
    }
    *dead = behind[2] == 'Z' || behind[2] == 'X';
    *parent = (pid_t)strtol(behind + 3, NULL, 10);
    return true;
}

static bool is_spared(pid_t pid, const pid_t *spared, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (spared[i] == pid) {
            return true;
        }
    }
    return false;
}

/* Through its parents, as they are now. */
static bool descends(pid_t pid, pid_t ancestor, const pid_t *others, size_t count)
{
    pid_t self = getpid();
    for (int generation = 0; generation < GENERATIONS && pid > 1; generation++) {
        char name[16];
        pid_t parent;
        bool dead;
        if (pid == ancestor) {
            return true;
        }
        snprintf(name, sizeof name, "%d", (int)pid);
        if (is_spared(pid, others, count) || !parent_get(name, &parent, &dead)) {
            return false;
        }
        if (parent == self) {
            return true; /* an orphan that came to us */
        }
        pid = parent;
    }
    return false;
}

bool stray_signal(pid_t pid, pid_t ancestor, const pid_t *others, size_t count, int signal)
{
    if (pid <= 1 || pid == getpid()) {
        return false;
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* first: the number may change hands */
    bool unknown = fd < 0 && errno == ENOSYS;      /* Linux before 5.3 */
    bool ours = descends(pid, ancestor, others, count);
    if (ours && fd >= 0) {
        ours = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
    } else if (ours) {
        ours = unknown && kill(pid, signal) == 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return ours;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* The children of this process, those that have ended and were not waited for among them, as a text
 * of numbers. Returns its length; -1 where the kernel does not tell. */
static ssize_t children_read(char *text, size_t room)
{
    static int fd = -1; /* it stays open: this is asked after each answer of a worker */
    static pid_t opened_by;
    char path[64];
    size_t used = 0;
    if (fd < 0 || opened_by != getpid()) {
        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        if (fd >= 0) {
            close(fd);
        }
        fd = open(path, O_RDONLY | O_CLOEXEC);
        opened_by = getpid();
    }
    for (ssize_t got = 1; fd >= 0 && got > 0 && used + 1 < room;
         used += got > 0 ? (size_t)got : 0) {
        got = pread(fd, text + used, room - 1 - used, (off_t)used);
    }
    text[used] = 0;
    return fd >= 0 ? (ssize_t)used : -1;
}

/* Are all children known, and among these? */
static bool has_no_others(const pid_t *spared, size_t count)
{
    char text[256], *at = text;
    ssize_t used = children_read(text, sizeof text);
    bool none = used >= 0 && (size_t)used + 1 < sizeof text;
    while (none && *at) {
        none = is_spared((pid_t)strtol(at, &at, 10), spared, count);
        at += *at == ' ';
    }
    return none;
}

size_t stray_kill(const pid_t *spared, size_t count)
{
    size_t alive = 0, found = 1;
    pid_t self = getpid();
    if (has_no_others(spared, count)) {
        return 0;
    }
    for (int round = 0; found > 0 && round < ROUNDS; round++) {
        DIR *proc = opendir("/proc");
        found = 0;
        for (struct dirent *entry; proc && (entry = readdir(proc));) {
            pid_t parent, pid = (pid_t)strtol(entry->d_name, NULL, 10);
            bool dead;
            if (pid > 0 && parent_get(entry->d_name, &parent, &dead) && parent == self &&
                !is_spared(pid, spared, count)) {
                kill(pid, SIGKILL);
                reap(pid);
                alive += !dead;
                found++;
            }
        }
        if (proc) {
            closedir(proc);
        }
    }
    return alive;
}

size_t stray_children(void)
{
    char text[4096];
    size_t count = 0;
    ssize_t used = children_read(text, sizeof text);
    for (ssize_t i = 0; i < used; i++) {
        count += text[i] == ' ';
    }
    return count;
}
