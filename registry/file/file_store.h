/*
 * file_store.h - a cache file on disk: read whole or not at all, published by temporary file, fsync
 * and rename, the versions before it kept. Knows nothing of locks, ages and sources: file_cache.h.
 *
 *   PATH                the newest
 *   PATH.1, PATH.2 ...  those before it
 *   PATH.tmp-XXXXXX     being written; what a killed writer left is swept by the next one
 *
 * Whoever publishes must hold the lock; readers need none: what they open is one complete version.
 * Threads: all functions may be called from any.
 */
#ifndef FILE_STORE_H
#define FILE_STORE_H

#include "registry/file/file_image.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

enum file_point {
#define POINT(name, words) FILE_POINT_##name,
#include "registry/file/file_point.def"
#undef POINT
    FILE_POINT_COUNT
};
const char *file_point_words(enum file_point point);

/* A document in memory, shared by reference. */
struct file_snapshot {
    _Atomic unsigned references;
    struct file_head head;
    const void *data; /* head.bytes of it */
};
struct file_snapshot *file_snapshot_hold(struct file_snapshot *snapshot);
void file_snapshot_release(struct file_snapshot **snapshot); /* NULL inside is allowed */

struct file_store {
    const char *path;
    unsigned versions;  /* older ones kept, at most FILE_VERSIONS_MAX */
    uint64_t bytes_max; /* of a document; a longer file is no cache file */
    size_t piece_bytes; /* of one write */
    mode_t mode;        /* of new files, whatever the umask */
    bool foreign;       /* files of other users are taken too (not only one's own and root's) */
    uint64_t swept;     /* temporary files removed that killed writers had left */
    void *(*allocate)(size_t bytes); /* freed with free */
    /* Called at each point; false fails what comes there, with errno as set. May be NULL. */
    bool (*point)(void *context, enum file_point point);
    void *context;
};
#define FILE_VERSIONS_MAX 9

enum file_read {
    FILE_READ_OK,
    FILE_READ_ABSENT,
    FILE_READ_CORRUPT,
    FILE_READ_FOREIGN,
    FILE_READ_DENIED,
    FILE_READ_NO_MEMORY
};

/* Names one state of the file without opening it; all zero where there is none. */
struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};
void file_identity_of(const char *path, struct file_identity *identity);
bool file_identity_equal(const struct file_identity *a, const struct file_identity *b);

/* version 0 is PATH itself. On OK *snapshot is the caller's reference; else it is NULL.
 * `identity` may be NULL. */
enum file_read file_store_read(const struct file_store *store, unsigned version,
                               struct file_snapshot **snapshot, struct file_identity *identity);

struct file_snapshot *file_snapshot_new(const struct file_store *store,
                                        const struct file_head *head, const void *document);

/* Makes the snapshot PATH. `keep`: what is there now becomes version 1. False, errno set: it could
 * not be done; then PATH is as it was, and no temporary file is left. */
bool file_store_publish(struct file_store *store, const struct file_snapshot *snapshot, bool keep);
/* Version 1 is forgotten and the others move up. */
void file_store_forget(const struct file_store *store);
/* Removes all versions and temporary files. False: PATH could not be removed. */
bool file_store_clear(struct file_store *store);

static inline bool file_point(const struct file_store *store, enum file_point point)
{
    return !store->point || store->point(store->context, point);
}

#endif
