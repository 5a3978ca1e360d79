/*
 * file_cache.h - one document of a slow source (a provider list), kept in one file for all
 * processes that start and want it.
 *
 *   one fetch        of the processes that find the file absent or old, one asks the source; it
 *                    holds a lock, and whoever gets the lock after it looks at the file again first
 *   whole files      published by temporary file, fsync, rename; a checksum over every bit
 *   time             by the clock since boot, which nobody sets; see file_stamp.h
 *   waiting          who finds the lock held is served a file within its grace at once, or waits
 *                    and is then served what there is: an old file, an older version, what is
 *                    compiled in
 *   versions         the last good ones, served when the newest is damaged; rollback
 *   memory           a process looks at the file's name only, and opens it when it has changed
 *   failure          publishing is advisory: who has an answer returns it, written or not. A source
 *                    that just failed is not asked again by everyone who waited
 *
 * Threads: all functions may be called from any, but new and free. A fetch must have a deadline of
 * its own and leave no forked child behind. Errors are in the answer; nothing is printed.
 */
#ifndef FILE_CACHE_H
#define FILE_CACHE_H

#include "registry/file/file_lock.h"
#include "registry/file/file_state.h"

#include <stdio.h>

/* What a waiter does when the lock stays held for wait_ns. All but `fail` end in a fetch of one's
 * own, not published, when there is nothing else to give. */
enum file_policy {
    FILE_ON_TIMEOUT_STALE, /* old file, older version, compiled in; else as wait */
    FILE_ON_TIMEOUT_WAIT,  /* goes on waiting, for patience_ns at most */
    FILE_ON_TIMEOUT_FETCH,
    FILE_ON_TIMEOUT_FAIL,
};

struct file_answer_of_source { /* set by fetch; data is borrowed until the next call */
    const void *data;
    uint64_t bytes;
    const char *etag;  /* NULL: none */
    bool not_modified; /* the document with the etag asked for is still right */
};

struct file_options {  /* 0: off, or the default in brackets */
    const char *path;  /* required; copied */
    uint64_t ttl_ns;   /* [1 h] */
    uint64_t grace_ns; /* so long past its time a file is given out while one process refreshes */
    bool background;   /* within the grace the one that refreshes does not wait for it either */
    uint64_t wait_ns;  /* [1 s] */
    uint64_t patience_ns; /* [30 s] */
    enum file_policy on_timeout;
    uint64_t retry_ns;    /* a source that failed is left alone for so long [1 s] */
    unsigned versions;    /* older ones kept; at most 9 */
    uint64_t bytes_max;   /* longest document [64 MiB] */
    size_t piece_bytes;   /* of one write [1 MiB] */
    mode_t mode;          /* [0644] */
    bool foreign;         /* take other users' files */
    bool no_memory;       /* read the file at each look-up */
    const void *fallback; /* compiled in; borrowed for ever. NULL: none */
    uint64_t fallback_bytes;
    /* Asks the source. `etag` of what we have, or NULL. False: no answer; errno may say why. From
     * any thread, that of the background too; from several at once where there is no lock. */
    bool (*fetch)(void *context, const char *etag, struct file_answer_of_source *answer);
    /* Is this a document? Asked before publishing and after reading. NULL: all but the empty one.
     */
    bool (*valid)(void *context, const void *data, uint64_t bytes);
    void *context;
    /* For tests. */
    void (*now)(void *clock, struct file_stamp *now);
    void (*pause)(void *clock, uint64_t ns);
    void *clock;
    void *(*allocate)(size_t bytes); /* snapshots; freed with free */
    bool (*point)(void *point_context, enum file_point point);
    void *point_context;
};

enum file_outcome {
    FILE_FAILED,
    FILE_MEMORY_HIT,
    FILE_HIT,
    FILE_FETCHED,
    FILE_STALE,
    FILE_FALLBACK,
};
enum file_trouble { /* why it is not a plain hit or fetch */
                    FILE_FINE,
                    FILE_LOCK_TIMEOUT, /* another process is at it, longer than wait_ns */
                    FILE_REFRESHING,   /* another is at it, and what we have is within its grace */
                    FILE_SOURCE_FAILED,
                    FILE_SOURCE_REJECTED, /* it answered, but not with a document */
                    FILE_HELD_OFF,        /* it failed a moment ago, and was not asked */
                    FILE_NOT_PUBLISHED, /* the answer is right, but the file could not be written */
                    FILE_NO_LOCK,       /* there can be no lock here (read-only folder): fetched for
                                           oneself */
                    FILE_NO_MEMORY,
                    FILE_TROUBLE_COUNT,
};
const char *file_trouble_words(enum file_trouble trouble);

struct file_answer {
    struct file_snapshot *snapshot; /* NULL when failed; file_answer_release gives it back */
    enum file_outcome outcome;
    enum file_trouble trouble;
    int error; /* errno of it, 0 where there is none */
};

struct file_cache;

/* NULL: no memory, or options that make no sense. */
struct file_cache *file_cache_new(const struct file_options *options);
void file_cache_free(struct file_cache **cache); /* waits for a refresh in the background */

/* The document. False: there is none, nowhere. */
bool file_cache_get(struct file_cache *cache, struct file_answer *answer);
void file_answer_release(struct file_answer *answer);

/* Fetches although the file is fresh, under the same lock; joins a refresh that began after this
 * call did. False: nothing new was published or fetched. */
bool file_cache_refresh(struct file_cache *cache, struct file_answer *answer);
/* Makes the last good version the present one, fresh from now. False: there is none, or no lock. */
bool file_cache_rollback(struct file_cache *cache);
/* Makes the file old: the next look-up asks the source, for all of the document; until it answers
 * the file is given out only as what is too old is. False: there is none, or no lock. */
bool file_cache_invalidate(struct file_cache *cache);
/* One version, 0 is the file, whatever its age. *snapshot is the caller's, NULL unless OK. */
enum file_read file_cache_peek(struct file_cache *cache, unsigned version,
                               struct file_snapshot **snapshot);
/* The age of a version, FILE_AGE_UNKNOWN where it has none, and how long it is still fresh. */
void file_cache_age(const struct file_cache *cache, const struct file_snapshot *snapshot,
                    uint64_t *age_ns, uint64_t *left_ns);
/* Removes file and versions. False: no lock within wait_ns, or it cannot be removed. */
bool file_cache_clear(struct file_cache *cache);

/* This process's counters; and those of all, this one's included. */
void file_cache_statistics(struct file_cache *cache, struct file_statistics *statistics);
void file_cache_totals(struct file_cache *cache, struct file_statistics *statistics);
/* Health, one JSON object: state, age, ttl, versions, counters of all processes. */
void file_cache_json(struct file_cache *cache, FILE *out);
/* The totals in Prometheus' text format. */
void file_cache_prometheus(struct file_cache *cache, FILE *out);

#endif
