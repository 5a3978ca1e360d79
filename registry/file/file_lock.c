/* file_lock.c - see file_lock.h. Runs in the program that caches. */
#include "registry/file/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* For writing where that is allowed: NFS and SMB turn flock into a lock of the file's range, and
 * give an exclusive one only to those who could write (flock(2)). On a file of another user reading
 * has to do, and does where the file system is the machine's own. */
static int lock_open(const char *path, mode_t mode)
{
    int fd = open(path, O_RDWR | LOCK_FLAGS);
    if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS)) {
        fd = open(path, O_RDONLY | LOCK_FLAGS);
    } else if (fd < 0 && errno == ENOENT) {
        fd = open(path, O_RDWR | O_CREAT | LOCK_FLAGS, mode);
        if (fd >= 0) {
            (void)fchmod(fd, mode); /* past the umask; the other user's fails, and it is right */
        }
    }
    return fd;
}

/* Is what we locked still what others will lock? Somebody may have removed the file between open
 * and flock. */
static bool lock_is_there(int fd, const char *path)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

enum file_lock_result file_lock_try(struct file_lock *lock, const struct file_store *store)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s.lock", store->path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return FILE_LOCK_IMPOSSIBLE;
    }
    if (lock->fd < 0 && (!file_point(store, FILE_POINT_LOCK_OPEN) ||
                         (lock->fd = lock_open(path, store->mode | 0444)) < 0)) {
        return FILE_LOCK_IMPOSSIBLE;
    }
    if (!file_point(store, FILE_POINT_LOCK_ASK)) {
        return FILE_LOCK_IMPOSSIBLE;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK || errno == EINTR ? FILE_LOCK_BUSY : FILE_LOCK_IMPOSSIBLE;
    }
    if (!lock_is_there(lock->fd, path)) {
        close(lock->fd);
        lock->fd = -1;
        return FILE_LOCK_BUSY;
    }
    lock->held = true;
    return FILE_LOCK_TAKEN;
}

void file_lock_fini(struct file_lock *lock, const struct file_store *store)
{
    bool held = lock->held;
    if (held) {
        (void)file_point(store, FILE_POINT_UNLOCK);
        flock(lock->fd, LOCK_UN); /* a forked child may have it open still */
    }
    if (lock->fd >= 0) {
        close(lock->fd);
    }
    *lock = (struct file_lock)FILE_LOCK_NONE;
    if (held) {
        (void)file_point(store, FILE_POINT_UNLOCKED);
    }
}
