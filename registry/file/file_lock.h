/*
 * file_lock.h - one process at a time, by flock(2) on a file of its own that is never removed.
 *
 * The kernel gives the lock back when its holder dies, however it dies: there is no stale lock and
 * nothing to clean up. The lock belongs to the open file, so threads of one process exclude each
 * other too, and a child forked while it is held keeps it: who holds it must not fork and go.
 * Reading rights suffice, so that a second user can lock the first one's file.
 */
#ifndef FILE_LOCK_H
#define FILE_LOCK_H

#include "registry/file/file_store.h"

struct file_lock {
    int fd; /* -1: not open */
    bool held;
};
#define FILE_LOCK_NONE                                                                             \
    {                                                                                              \
        -1, false                                                                                  \
    }

enum file_lock_result {
    FILE_LOCK_TAKEN,
    FILE_LOCK_BUSY,       /* try again */
    FILE_LOCK_IMPOSSIBLE, /* no such file, and none can be made; errno says why */
};

/* Never waits. The lock file is PATH.lock; it stays open until file_lock_fini. */
enum file_lock_result file_lock_try(struct file_lock *lock, const struct file_store *store);
void file_lock_fini(struct file_lock *lock, const struct file_store *store); /* unlocks */

#endif
