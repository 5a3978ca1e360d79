/* file_state.c - see file_state.h. Runs in the program that caches; allocates nothing. */
#include "registry/file/file_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TRIES 50 /* of a millisecond each: it is held for the time of two system calls */

struct record { /* as in the file; this machine's own byte order */
    char magic[16];
    struct file_state state;
    uint64_t crc; /* of all before it */
};
static const char magic[16] = "tidemark-state1";

void file_statistics_add(struct file_statistics *sum, const struct file_statistics *part)
{
#define METRIC(name, words) sum->name += part->name;
#include "registry/file/file_metric.def"
#undef METRIC
}

static int state_open(const struct file_store *store, int flags)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s.state", store->path) >= PATH_MAX) {
        return -1;
    }
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, store->mode);
    if (fd >= 0 && (flags & O_CREAT)) {
        (void)fchmod(fd, store->mode);
    }
    return fd;
}

static bool state_lock(int fd, int how)
{
    for (int i = 0; i < TRIES; i++) {
        struct timespec pause = {0, 1000000};
        if (flock(fd, how | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static bool record_read(int fd, struct record *record)
{
    return pread(fd, record, sizeof *record, 0) == (ssize_t)sizeof *record &&
           memcmp(record->magic, magic, sizeof magic) == 0 &&
           record->crc == file_crc(0, record, offsetof(struct record, crc));
}

bool file_state_read(const struct file_store *store, struct file_state *state)
{
    struct record record;
    int fd = state_open(store, O_RDONLY);
    bool ok = fd >= 0 && state_lock(fd, LOCK_SH) && record_read(fd, &record);
    *state = ok ? record.state : (struct file_state){0};
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool file_state_add(const struct file_store *store, const struct file_statistics *part,
                    const struct file_stamp *failed)
{
    struct record record;
    int fd = state_open(store, O_RDWR | O_CREAT);
    bool ok = fd >= 0 && state_lock(fd, LOCK_EX);
    if (ok && !record_read(fd, &record)) {
        memset(&record, 0, sizeof record); /* padding too: it is summed and written */
        memcpy(record.magic, magic, sizeof magic);
    }
    if (ok) {
        file_statistics_add(&record.state.totals, part);
        if (failed) {
            memcpy(&record.state.failed, failed, sizeof *failed);
        }
        record.crc = file_crc(0, &record, offsetof(struct record, crc));
        ok = pwrite(fd, &record, sizeof record, 0) == (ssize_t)sizeof record;
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}
