/*
 * file_store.c - see file_store.h. Runs in the program that caches. Allocates snapshots by
 * store->allocate, and nothing else but what opendir does.
 */
#include "registry/file/file_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const words[] = {
#define POINT(name, words) words,
#include "registry/file/file_point.def"
#undef POINT
};

const char *file_point_words(enum file_point point)
{
    return words[point];
}

struct file_snapshot *file_snapshot_hold(struct file_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

void file_snapshot_release(struct file_snapshot **snapshot)
{
    if (*snapshot &&
        atomic_fetch_sub_explicit(&(*snapshot)->references, 1, memory_order_acq_rel) == 1) {
        free(*snapshot);
    }
    *snapshot = NULL;
}

/* The file's bytes, head and all, lie behind the struct, so that reading is one copy. */
static struct file_snapshot *snapshot_take(const struct file_store *store, size_t file_bytes)
{
    struct file_snapshot *snapshot = store->allocate(sizeof *snapshot + file_bytes);
    if (snapshot) {
        *snapshot = (struct file_snapshot){.references = 1,
                                           .data = (char *)(snapshot + 1) + FILE_HEAD_BYTES};
    }
    return snapshot;
}

struct file_snapshot *file_snapshot_new(const struct file_store *store,
                                        const struct file_head *head, const void *document)
{
    struct file_snapshot *snapshot = snapshot_take(store, FILE_HEAD_BYTES + head->bytes);
    if (snapshot) {
        char *file = (char *)(snapshot + 1);
        snapshot->head = *head;
        if (head->bytes > 0) {
            memcpy(file + FILE_HEAD_BYTES, document, head->bytes);
        }
        file_head_write(file, head, file + FILE_HEAD_BYTES);
    }
    return snapshot;
}

static bool path_of(const struct file_store *store, unsigned version, char path[PATH_MAX])
{
    int length = version ? snprintf(path, PATH_MAX, "%s.%u", store->path, version)
                         : snprintf(path, PATH_MAX, "%s", store->path);
    return length > 0 && length < PATH_MAX;
}

/* Reading. --------------------------------------------------------------------------------------
 */

static void identity_fill(const struct stat *status, struct file_identity *identity)
{
    *identity = (struct file_identity){status->st_dev, status->st_ino, status->st_size,
                                       status->st_mtim, status->st_ctim};
}

void file_identity_of(const char *path, struct file_identity *identity)
{
    struct stat status;
    *identity = (struct file_identity){0};
    if (stat(path, &status) == 0) {
        identity_fill(&status, identity);
    }
}

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool read_whole(int fd, char *to, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = read(fd, to, bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        to += got;
        bytes -= (size_t)got;
    }
    return true;
}

static enum file_read descriptor_read(const struct file_store *store, int fd,
                                      struct file_snapshot **snapshot,
                                      struct file_identity *identity)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < FILE_HEAD_BYTES ||
        (uint64_t)status.st_size > store->bytes_max + FILE_HEAD_BYTES) {
        return FILE_READ_CORRUPT;
    }
    if (!store->foreign && status.st_uid != geteuid() && status.st_uid != 0) {
        return FILE_READ_FOREIGN;
    }
    if (identity) {
        identity_fill(&status, identity);
    }
    *snapshot = snapshot_take(store, (size_t)status.st_size);
    if (!*snapshot) {
        return FILE_READ_NO_MEMORY;
    }
    char *file = (char *)(*snapshot + 1);
    if (!read_whole(fd, file, (size_t)status.st_size) ||
        !file_head_read(file, (size_t)status.st_size, &(*snapshot)->head)) {
        file_snapshot_release(snapshot);
        return FILE_READ_CORRUPT;
    }
    return FILE_READ_OK;
}

enum file_read file_store_read(const struct file_store *store, unsigned version,
                               struct file_snapshot **snapshot, struct file_identity *identity)
{
    char path[PATH_MAX];
    *snapshot = NULL;
    if (identity) {
        *identity = (struct file_identity){0};
    }
    if (!path_of(store, version, path)) {
        return FILE_READ_ABSENT;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang us */
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? FILE_READ_ABSENT : FILE_READ_DENIED;
    }
    enum file_read result = descriptor_read(store, fd, snapshot, identity);
    close(fd);
    return result;
}

/* Publishing. -----------------------------------------------------------------------------------
 */

static bool write_whole(const struct file_store *store, int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        size_t piece = bytes < store->piece_bytes ? bytes : store->piece_bytes;
        if (!file_point(store, FILE_POINT_WRITE)) {
            return false;
        }
        ssize_t put = write(fd, from, piece);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            errno = put == 0 ? ENOSPC : errno;
            return false;
        }
        from += put;
        bytes -= (size_t)put;
    }
    return true;
}

/* Splits the path: the folder (in `folder`), and the name in it. */
static const char *path_split(const struct file_store *store, char folder[PATH_MAX])
{
    const char *slash = strrchr(store->path, '/');
    if (!slash) {
        memcpy(folder, ".", 2);
        return store->path;
    }
    size_t length = slash == store->path ? 1 : (size_t)(slash - store->path);
    if (length >= PATH_MAX) {
        folder[0] = 0;
        return slash + 1;
    }
    memcpy(folder, store->path, length);
    folder[length] = 0;
    return slash + 1;
}

static void temporaries_sweep(struct file_store *store)
{
    char folder[PATH_MAX];
    const char *name = path_split(store, folder);
    size_t length = strlen(name);
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, name, length) == 0 &&
            strncmp(entry->d_name + length, ".tmp-", 5) == 0) {
            store->swept += unlinkat(dirfd(directory), entry->d_name, 0) == 0;
        }
    }
    if (directory) {
        closedir(directory);
    }
}

/* The rename is on disk only when the directory is. Some file systems cannot sync one: then that is
 * as good as it gets. */
static bool directory_sync(const struct file_store *store)
{
    char folder[PATH_MAX];
    path_split(store, folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool ok = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return ok;
}

static bool version_move(const struct file_store *store, unsigned from, unsigned to)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (!path_of(store, from, a) || !path_of(store, to, b) || rename(a, b) != 0) {
        return false;
    }
    unlink(a); /* still there when both were links to one file: then rename does nothing */
    return true;
}

/* Links what is there as version 1, under a temporary name first, because link replaces nothing.
 * Best effort: without a version before it a file is still a cache. */
static void present_keep(const struct file_store *store, const char *temporary)
{
    char name[PATH_MAX], first[PATH_MAX];
    int length = snprintf(name, sizeof name, "%s-1", temporary);
    for (unsigned v = store->versions; v > 1; v--) {
        if (!file_point(store, FILE_POINT_KEEP)) {
            return;
        }
        version_move(store, v - 1, v);
    }
    if (length < PATH_MAX && path_of(store, 1, first) && file_point(store, FILE_POINT_LINK) &&
        link(store->path, name) == 0) {
        (void)rename(name, first);
        unlink(name); /* still there when it failed, or when version 1 is that file already */
    }
}

static bool temporary_write(const struct file_store *store, int fd,
                            const struct file_snapshot *snapshot)
{
    const char *file = (const char *)snapshot->data - FILE_HEAD_BYTES;
    return fchmod(fd, store->mode) == 0 &&
           write_whole(store, fd, file, FILE_HEAD_BYTES + snapshot->head.bytes) &&
           file_point(store, FILE_POINT_SYNC) && fsync(fd) == 0;
}

bool file_store_publish(struct file_store *store, const struct file_snapshot *snapshot, bool keep)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp-XXXXXX", store->path);
    if (length >= PATH_MAX - 2) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!file_point(store, FILE_POINT_SWEEP)) {
        return false;
    }
    temporaries_sweep(store);
    if (!file_point(store, FILE_POINT_TEMPORARY)) {
        return false;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool ok = temporary_write(store, fd, snapshot);
    int error = errno;
    if (close(fd) != 0 && ok) { /* NFS says here that the disk is full */
        error = errno;
        ok = false;
    }
    if (ok && keep && store->versions > 0) {
        present_keep(store, temporary);
    }
    if (ok && (!file_point(store, FILE_POINT_RENAME) || rename(temporary, store->path) != 0)) {
        error = errno;
        ok = false;
    }
    if (!ok) {
        unlink(temporary);
        errno = error;
        return false;
    }
    return file_point(store, FILE_POINT_DIRECTORY) && directory_sync(store);
}

void file_store_forget(const struct file_store *store)
{
    char first[PATH_MAX];
    if (path_of(store, 1, first)) {
        unlink(first);
    }
    for (unsigned v = 1; v < store->versions; v++) {
        version_move(store, v + 1, v);
    }
    directory_sync(store);
}

bool file_store_clear(struct file_store *store)
{
    char path[PATH_MAX];
    bool ok = unlink(store->path) == 0 || errno == ENOENT;
    for (unsigned v = 1; v <= FILE_VERSIONS_MAX; v++) {
        if (path_of(store, v, path)) {
            unlink(path);
        }
    }
    temporaries_sweep(store);
    directory_sync(store);
    return ok;
}
