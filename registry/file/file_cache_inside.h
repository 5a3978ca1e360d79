/* file_cache_inside.h - struct file_cache, for the files that make it up (file_cache*.c) only. */
#ifndef FILE_CACHE_INSIDE_H
#define FILE_CACHE_INSIDE_H

#include "registry/file/file_cache.h"

#include <pthread.h>

struct file_cache {
    struct file_options options; /* defaults filled in */
    struct file_store store;     /* as a template: each look-up works on a copy */
    char *path;
    struct file_snapshot compiled_in; /* its reference never reaches 0 */
    pthread_mutex_t lock;             /* of all below; never held over a system call but stat */
    struct file_snapshot *memory;
    struct file_identity identity; /* of the file when memory was filled */
    bool memory_is_file;           /* it is what stands in that file */
    struct file_statistics statistics, unwritten;
    pthread_t refresher;
    bool refreshing, refresher_made;
    bool was_busy;          /* the lock was held by another ... */
    struct file_stamp busy; /* ... at this time */
};

/* Reads a version and asks options.valid. */
enum file_read file_cache_read(const struct file_cache *cache, unsigned version,
                               struct file_snapshot **snapshot, struct file_identity *identity);
bool file_cache_is_fresh(const struct file_cache *cache, const struct file_snapshot *snapshot,
                         uint64_t grace_ns);
void file_cache_count(struct file_cache *cache, const struct file_statistics *part);
/* Writes what is not yet in the totals; `failed` as in file_state_add. */
void file_cache_flush(struct file_cache *cache, const struct file_stamp *failed);
void file_cache_remember(struct file_cache *cache, struct file_snapshot *snapshot,
                         const struct file_identity *identity, bool is_file);
/* Memory, if that file is still there; NULL: it is not. With `is_file` only if it came from it. */
struct file_snapshot *file_cache_recall(struct file_cache *cache,
                                        const struct file_identity *identity, bool is_file);

/* One look-up that needs more than memory and file. */
struct file_search {
    struct file_cache *cache;
    struct file_store store; /* this look-up's own: counts what it swept */
    struct file_stamp begun;
    bool refresh;    /* only what was fetched after `begun` counts as fresh */
    bool unattended; /* in the background: never waits */
    bool was_read;
    enum file_read status;         /* of the last reading */
    struct file_snapshot *found;   /* the last good reading, whatever its age */
    struct file_identity identity; /* of the file at the last reading */
    struct file_statistics counted;
};
void file_search_init(struct file_search *search, struct file_cache *cache);
void file_search_fini(struct file_search *search); /* counts what it counted */
/* Reads the file unless it is the one that was read last. True: it is fresh. */
bool file_search_file(struct file_search *search);
bool file_search_answer(struct file_search *search, struct file_answer *answer,
                        struct file_snapshot *snapshot, enum file_outcome outcome,
                        enum file_trouble trouble, int error);
/* The best there is without the source. */
bool file_search_old(struct file_search *search, struct file_answer *answer,
                     enum file_trouble trouble, int error);
/* Lock, look again, fetch, publish; or what is done when that cannot be. */
bool file_search_locked(struct file_search *search, struct file_answer *answer);

#endif
