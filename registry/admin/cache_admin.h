/*
 * cache_admin.h - what whoever runs a cache does to it from outside: look at it, refresh, clear,
 * invalidate, roll back, verify. One set of functions over a file cache (file_cache.h) and the
 * shared levels of a tiered cache (store.h); `tidemark cache` and its server are made of them. The
 * cache may be in use: everything here takes the locks and claims that its processes take.
 *
 * STORE is
 *
 *   PATH                           a file cache, or a file of the SQLite level: the file says which
 *   postgresql://..., postgres://  a PostgreSQL server; the table that is there, of two the one
 * that `table` names redis://, rediss://, unix://   a Redis server
 *
 * Nothing is made: a store that is not there is an error. Nothing is thrown away either: a cache
 * that is damaged is for its own processes to replace.
 *
 * One thread at a time. Memory that is short is an answer of ADMIN_DOWN.
 */
#ifndef ADMIN_CACHE_ADMIN_H
#define ADMIN_CACHE_ADMIN_H

#include "registry/cache_advice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADMIN_TROUBLE_BYTES 320u
#define ADMIN_UNKNOWN       UINT64_MAX /* a figure that nobody counted */

enum admin_answer {
    ADMIN_YES,
    ADMIN_NO,   /* not there, refused, nothing to be done; the trouble says which */
    ADMIN_DOWN, /* the store cannot be asked; the trouble says why */
};

struct admin_options {
    const char *store; /* borrowed */
    const char *table; /* of PostgreSQL: "tidemark_entry" or "cache_entries"; NULL: the one there */
    uint64_t ttl_ns;   /* of what is refreshed [what the entry had, or 600 s]; of a file [1 h] */
    unsigned versions; /* of a file cache: how many older ones a refresh keeps [as there are] */
    /* The source, for refresh. *data is borrowed until its next call. A file cache has one document
     * and asks with an empty key. NULL: there is none, and a refresh says so. */
    bool (*load)(void *context, const char *key, size_t key_bytes, const void **data,
                 size_t *bytes);
    void *context;
};

struct admin_entry {
    const char *key; /* as stored: a long one under its digest. Of a file cache the version: "0" */
    size_t key_bytes;
    uint64_t bytes;
    uint64_t age_ns;  /* since the source was asked; ADMIN_UNKNOWN */
    uint64_t left_ns; /* 0: expired */
};

struct admin_value {
    const void *data; /* good until the next call */
    size_t bytes;
    struct admin_entry entry;
};

struct admin_stats {
    const char *kind;      /* "file" "sqlite" "postgres" "postgres-json" "redis" */
    uint64_t size;         /* entries that have not expired */
    uint64_t expired;      /* entries that have, and are still there */
    uint64_t bytes;        /* what the entries take: of the file, the table, the server's data */
    uint64_t hits, misses; /* of all processes; ADMIN_UNKNOWN where nobody counts */
    uint64_t lookups;
};

struct cache_admin;

/* NULL: the line in `trouble` says why. Servers are not asked yet, files are looked at. */
struct cache_admin *cache_admin_open(const struct admin_options *options,
                                     char trouble[ADMIN_TROUBLE_BYTES]);
void cache_admin_close(struct cache_admin **admin);
/* Why the last call said NO or DOWN, in one line. */
const char *cache_admin_trouble(const struct cache_admin *admin);
const char *cache_admin_kind(const struct cache_admin *admin);
bool cache_admin_has_keys(const struct cache_admin *admin);     /* false: one document */
bool cache_admin_has_versions(const struct cache_admin *admin); /* can be rolled back */
bool cache_admin_has_log(const struct cache_admin *admin);      /* an event reaches every level */

enum admin_answer cache_admin_stats(struct cache_admin *admin, struct admin_stats *stats);
/* In the order of keys. `each` must not call the store. */
enum admin_answer cache_admin_list(struct cache_admin *admin,
                                   void (*each)(void *context, const struct admin_entry *entry),
                                   void *context);
/* The value, expired or not. A key is what the cache was asked for, or a name of the list. */
enum admin_answer cache_admin_get(struct cache_admin *admin, const char *key, size_t key_bytes,
                                  struct admin_value *value);
/* Asks the source now and keeps its answer, under the lock, or the claim, of the cache's own
 * processes; what they load at the same time is not loaded twice. */
enum admin_answer cache_admin_refresh(struct cache_admin *admin, const char *key, size_t key_bytes);
/* Removes everything; with a log, from the levels above it too, as soon as they hear of it. */
enum admin_answer cache_admin_clear(struct cache_admin *admin, uint64_t *removed);
/* Makes the value of a key old for every process and level; of a Redis server alone, in it. A load
 * that is under way does not bring it back. Of a file the key is ignored. */
enum admin_answer cache_admin_invalidate(struct cache_admin *admin, const char *key,
                                         size_t key_bytes);
/* The last good version of a file. */
enum admin_answer cache_admin_rollback(struct cache_admin *admin);
/* Reads everything. Calls `each` with the key and what is wrong for what is damaged: then NO. */
enum admin_answer cache_admin_verify(struct cache_admin *admin,
                                     void (*each)(void *context, const char *key, size_t key_bytes,
                                                  const char *what),
                                     void *context, uint64_t *checked);
/* Recommendations, from what the processes counted and from the entries. NO: nobody counts, and the
 * entries alone recommend nothing. */
enum admin_answer cache_admin_advise(struct cache_admin *admin, bool given[REGISTRY_ADVICES],
                                     struct registry_advice_figures *figures);

#endif
