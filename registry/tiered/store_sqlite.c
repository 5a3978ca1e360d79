/*
 * store_sqlite.c - the level that all processes of a machine share: one SQLite file, and the log of
 * events and the claims in it. No server to start and none to fail.
 *
 *   entry  key, data, loaded, expires, as_of, sum      what is cached
 *   event  key, generation, at                         the last event of each key; '' is the base:
 *                                                      the generation at which this file began
 *   claim  key, owner, until                           who is loading
 *
 * It is a cache: the file may vanish at any time. A new one begins at a generation taken from the
 * clock, above those of any file before it, so that levels which knew the old one purge themselves.
 * Another process may have put a new file in its place, so each call compares the inode. A damaged
 * file is thrown away. Nothing is synced to the disk: a crash of the machine may lose entries, and
 * what it tears fails its checksum.
 *
 * Page size 32 KiB: two rows of 2 KB do not fit into 4 KiB with their heads, and half of each page
 * would be lost; of 16 KiB it is an eighth, of 32 KiB a twentieth.
 */
#include "registry/tiered/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 32768u

static const char schema[] =
    "PRAGMA page_size=32768; PRAGMA journal_mode=WAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS entry(key TEXT PRIMARY KEY, data BLOB, loaded INTEGER,"
    " expires INTEGER, as_of INTEGER, sum INTEGER);"
    "CREATE INDEX IF NOT EXISTS entry_expires ON entry(expires);"
    "CREATE TABLE IF NOT EXISTS event(key TEXT PRIMARY KEY, generation INTEGER, at INTEGER);"
    "CREATE INDEX IF NOT EXISTS event_generation ON event(generation);"
    "CREATE TABLE IF NOT EXISTS claim(key TEXT PRIMARY KEY, owner INTEGER, until INTEGER);"
    "PRAGMA user_version=1;";

enum statement {
    GET,
    PUT,
    DROP,
    EXPIRE,
    OLDEST,
    PRUNE,
    SIZE,
    COUNT,
    GENERATION,
    BASE,
    EVENTS,
    EVENT,
    UNCLAIM,
    CLAIM,
    RELEASE,
    STATEMENTS
};

static const char *const sql[STATEMENTS] = {
    [GET] = "SELECT data, loaded, expires, sum, (SELECT max(generation) FROM event) FROM entry"
            " WHERE key=?1",
    [PUT] = "INSERT INTO entry(key, data, loaded, expires, as_of, sum)"
            " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS"
            "  (SELECT 1 FROM event WHERE key IN (?1, '') AND generation > ?5)"
            " ON CONFLICT(key) DO UPDATE SET data=excluded.data, loaded=excluded.loaded,"
            "  expires=excluded.expires, as_of=excluded.as_of, sum=excluded.sum",
    [DROP] = "DELETE FROM entry WHERE key=?1",
    [EXPIRE] = "DELETE FROM entry WHERE expires<=?1",
    [OLDEST] = "DELETE FROM entry WHERE key IN (SELECT key FROM entry ORDER BY expires LIMIT ?1)",
    [PRUNE] = "DELETE FROM event WHERE at<?1 AND key<>''"
              " AND generation<(SELECT max(generation) FROM event)",
    [SIZE] = "SELECT (SELECT page_count FROM pragma_page_count)"
             " - (SELECT freelist_count FROM pragma_freelist_count)",
    [COUNT] = "SELECT count(*) FROM entry",
    [GENERATION] = "SELECT max(generation) FROM event",
    [BASE] = "SELECT generation FROM event WHERE key=''",
    [EVENTS] = "SELECT key, generation FROM event WHERE generation>?1 ORDER BY generation",
    [EVENT] = "INSERT INTO event(key, generation, at)"
              " VALUES(?1, (SELECT max(generation)+1 FROM event), ?2)"
              " ON CONFLICT(key) DO UPDATE SET generation=excluded.generation, at=excluded.at",
    [UNCLAIM] = "DELETE FROM claim WHERE key=?1",
    /* A claim that reaches further than any may was made by a clock that has been set back. */
    [CLAIM] = "INSERT INTO claim(key, owner, until) VALUES(?1, ?2, ?3)"
              " ON CONFLICT(key) DO UPDATE SET owner=excluded.owner, until=excluded.until"
              " WHERE claim.until<=?4 OR claim.until>?4+2*(?3-?4) OR claim.owner=excluded.owner",
    [RELEASE] = "DELETE FROM claim WHERE key=?1 AND owner=?2",
};

struct sqlite {
    char *path;
    struct store_limits limits;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    dev_t device;
    ino_t inode;
    struct store_buffer buffer;
};

static void file_close(struct sqlite *sqlite)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(sqlite->statements[i]);
        sqlite->statements[i] = NULL;
    }
    sqlite3_close(sqlite->db);
    sqlite->db = NULL;
}

static bool file_is_ours(const struct sqlite *sqlite)
{
    struct stat now;
    return stat(sqlite->path, &now) == 0 && now.st_ino == sqlite->inode &&
           now.st_dev == sqlite->device;
}

static void file_remove(const struct sqlite *sqlite)
{
    char beside[4096];
    snprintf(beside, sizeof beside, "%s-wal", sqlite->path);
    unlink(beside);
    snprintf(beside, sizeof beside, "%s-shm", sqlite->path);
    unlink(beside);
    unlink(sqlite->path);
}

/* One process at a time makes the file or throws it away. */
static int file_lock(const struct sqlite *sqlite)
{
    char beside[4096];
    snprintf(beside, sizeof beside, "%s-lock", sqlite->path);
    int fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool file_fill(struct sqlite *sqlite)
{
    char base[160];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(base, sizeof base,
             "INSERT OR IGNORE INTO event(key, generation, at) VALUES('', %lld, 0); COMMIT;",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    if (sqlite3_exec(sqlite->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(sqlite->db, base, NULL, NULL, NULL) == SQLITE_OK) {
        return true;
    }
    sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static int user_version(void *version, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(int *)version = values[0] ? (int)strtol(values[0], NULL, 10) : 0;
    return 0;
}

static int file_open_locked(struct sqlite *sqlite, bool absent)
{
    int version = 0;
    struct stat file;
    if (absent) {
        file_remove(sqlite); /* what an old file left beside it would be played into the new one */
    }
    int status =
        sqlite3_open_v2(sqlite->path, &sqlite->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (status == SQLITE_OK) {
        sqlite3_busy_timeout(sqlite->db, (int)(sqlite->limits.deadline_ns / 1000000));
        status = sqlite3_exec(sqlite->db, "PRAGMA synchronous=OFF; PRAGMA user_version",
                              user_version, &version, NULL);
    }
    if (status == SQLITE_OK && version == 0 && !file_fill(sqlite)) {
        status = sqlite3_errcode(sqlite->db);
    }
    if (status == SQLITE_OK && sqlite->limits.bytes) {
        char bound[64];
        snprintf(bound, sizeof bound, "PRAGMA max_page_count=%llu",
                 (unsigned long long)(sqlite->limits.bytes / PAGE_BYTES));
        sqlite3_exec(sqlite->db, bound, NULL, NULL, NULL);
    }
    if (status == SQLITE_OK && stat(sqlite->path, &file) == 0) {
        sqlite->inode = file.st_ino;
        sqlite->device = file.st_dev;
        return SQLITE_OK;
    }
    file_close(sqlite);
    return status == SQLITE_OK ? SQLITE_CANTOPEN : status;
}

static bool is_damaged(int status)
{
    return (status & 0xff) == SQLITE_CORRUPT || (status & 0xff) == SQLITE_NOTADB;
}

static bool file_open(struct sqlite *sqlite)
{
    struct stat file;
    bool absent = stat(sqlite->path, &file) != 0 || file.st_size == 0;
    int lock = absent ? file_lock(sqlite) : -1;
    absent = absent && stat(sqlite->path, &file) != 0; /* or another has made it meanwhile */
    int status = file_open_locked(sqlite, absent);
    if (is_damaged(status)) {
        lock = lock >= 0 ? lock : file_lock(sqlite);
        status = file_open_locked(sqlite, false);
        if (is_damaged(status)) {
            status = file_open_locked(sqlite, true);
        }
    }
    if (lock >= 0) {
        close(lock);
    }
    return status == SQLITE_OK;
}

/* The file that is there now, or false. */
static bool ready(struct sqlite *sqlite)
{
    if (sqlite->db && !file_is_ours(sqlite)) {
        file_close(sqlite);
    }
    return sqlite->db || file_open(sqlite);
}

static sqlite3_stmt *statement(struct sqlite *sqlite, enum statement which)
{
    sqlite3_stmt **at = &sqlite->statements[which];
    if (!*at && sqlite3_prepare_v3(sqlite->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, at,
                                   NULL) != SQLITE_OK) {
        *at = NULL;
    }
    return *at;
}

static void bind_key(sqlite3_stmt *query, struct store_key key)
{
    sqlite3_bind_text(query, 1, key.text, (int)key.length, SQLITE_STATIC);
}

/* Why a statement did not go through. What is damaged goes; what is full is a refusal. */
static enum store_answer failure(struct sqlite *sqlite)
{
    int status = sqlite3_errcode(sqlite->db);
    if (is_damaged(status)) {
        int lock = file_lock(sqlite);
        if (file_is_ours(sqlite)) {
            file_remove(sqlite);
        }
        file_close(sqlite);
        if (lock >= 0) {
            close(lock);
        }
        return STORE_NO;
    }
    return status == SQLITE_FULL ? STORE_NO : STORE_DOWN;
}

/* Runs a statement that returns no row. */
static enum store_answer run(struct sqlite *sqlite, sqlite3_stmt *query)
{
    if (!query) {
        return failure(sqlite);
    }
    int status = sqlite3_step(query);
    int changes = sqlite3_changes(sqlite->db);
    enum store_answer answer = status != SQLITE_DONE ? failure(sqlite)
                               : changes > 0         ? STORE_YES
                                                     : STORE_NO;
    if (sqlite->db) {
        sqlite3_reset(query);
        sqlite3_clear_bindings(query);
    }
    return answer;
}

/* Runs a statement that returns a number. */
static enum store_answer number(struct sqlite *sqlite, enum statement which, uint64_t *value)
{
    sqlite3_stmt *query = statement(sqlite, which);
    *value = 0;
    if (!query) {
        return failure(sqlite);
    }
    enum store_answer answer = STORE_YES;
    if (sqlite3_step(query) == SQLITE_ROW) {
        *value = (uint64_t)sqlite3_column_int64(query, 0);
    } else {
        answer = failure(sqlite);
    }
    if (sqlite->db) {
        sqlite3_reset(query);
    }
    return answer;
}

static void *sqlite_open(const char *address, const struct store_limits *limits)
{
    struct sqlite *sqlite = calloc(1, sizeof *sqlite);
    if (sqlite) {
        sqlite->limits = *limits;
        sqlite->limits.deadline_ns = limits->deadline_ns ? limits->deadline_ns : 5000000000u;
        sqlite->path = strdup(address);
        if (!sqlite->path) {
            free(sqlite);
            return NULL;
        }
    }
    return sqlite;
}

static void sqlite_close(void *store)
{
    struct sqlite *sqlite = store;
    file_close(sqlite);
    free(sqlite->buffer.data);
    free(sqlite->path);
    free(sqlite);
}

static enum store_answer row_take(struct sqlite *sqlite, sqlite3_stmt *query,
                                  struct store_entry *entry)
{
    const void *data = sqlite3_column_blob(query, 0);
    size_t bytes = (size_t)sqlite3_column_bytes(query, 0);
    if ((!data && bytes > 0) || !store_buffer_fit(&sqlite->buffer, bytes + 1)) {
        return STORE_DOWN; /* no memory */
    }
    if (bytes > 0) {
        memcpy(sqlite->buffer.data, data, bytes);
    }
    if (store_check(sqlite->buffer.data, bytes) != (uint64_t)sqlite3_column_int64(query, 3)) {
        return STORE_NO;
    }
    uint64_t expires = (uint64_t)sqlite3_column_int64(query, 2);
    *entry = (struct store_entry){.data = sqlite->buffer.data,
                                  .bytes = bytes,
                                  .loaded_ns = (uint64_t)sqlite3_column_int64(query, 1),
                                  .expires_ns = expires,
                                  .until_ns = expires,
                                  .as_of = (uint64_t)sqlite3_column_int64(query, 4)};
    return STORE_YES;
}

static enum store_answer sqlite_get(void *store, struct store_key key, struct store_entry *entry,
                                    struct store_state *state)
{
    struct sqlite *sqlite = store;
    *state = (struct store_state){0};
    sqlite3_stmt *query = ready(sqlite) ? statement(sqlite, GET) : NULL;
    if (!query) {
        return sqlite->db ? failure(sqlite) : STORE_DOWN;
    }
    bind_key(query, key);
    int status = sqlite3_step(query);
    enum store_answer answer = status == SQLITE_ROW    ? row_take(sqlite, query, entry)
                               : status == SQLITE_DONE ? STORE_NO
                                                       : failure(sqlite);
    if (sqlite->db) {
        sqlite3_reset(query);
        sqlite3_clear_bindings(query);
    }
    return answer;
}

static enum store_answer sqlite_drop(void *store, struct store_key key)
{
    sqlite3_stmt *query = ready(store) ? statement(store, DROP) : NULL;
    if (query) {
        bind_key(query, key);
    }
    return ((struct sqlite *)store)->db ? run(store, query) : STORE_DOWN;
}

static enum store_answer sqlite_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    uint64_t pages = 0;
    *entries = *bytes = 0;
    if (!ready(store)) {
        return STORE_DOWN;
    }
    enum store_answer answer = number(store, COUNT, entries);
    answer = answer == STORE_YES ? number(store, SIZE, &pages) : answer;
    *bytes = pages * PAGE_BYTES;
    return answer;
}

static enum store_answer run_with(struct sqlite *sqlite, enum statement which, uint64_t value,
                                  uint64_t *changed)
{
    sqlite3_stmt *query = sqlite->db ? statement(sqlite, which) : NULL;
    if (query) {
        sqlite3_bind_int64(query, 1, (sqlite3_int64)value);
    }
    enum store_answer answer = sqlite->db ? run(sqlite, query) : STORE_DOWN;
    if (answer == STORE_YES) {
        *changed += (uint64_t)sqlite3_changes(sqlite->db);
    }
    return answer;
}

/* A tenth of the rows at a time, those first that expire first. */
static enum store_answer shrink(struct sqlite *sqlite, uint64_t *removed)
{
    for (;;) {
        uint64_t entries, bytes;
        enum store_answer answer = sqlite_usage(sqlite, &entries, &bytes);
        bool above = (sqlite->limits.bytes && bytes > sqlite->limits.bytes / 10 * 9) ||
                     (sqlite->limits.entries && entries > sqlite->limits.entries);
        if (answer != STORE_YES || !above || entries == 0) {
            return answer;
        }
        uint64_t part = entries / 10 + 1;
        if (sqlite->limits.entries && entries > sqlite->limits.entries + part) {
            part = entries - sqlite->limits.entries;
        }
        answer = run_with(sqlite, OLDEST, part, removed);
        if (answer != STORE_YES) {
            return answer;
        }
    }
}

static enum store_answer sqlite_sweep(void *store, uint64_t now_ns, uint64_t keep_ns,
                                      uint64_t *removed)
{
    uint64_t events = 0;
    *removed = 0;
    if (!ready(store) || run_with(store, EXPIRE, now_ns, removed) == STORE_DOWN ||
        run_with(store, PRUNE, now_ns > keep_ns ? now_ns - keep_ns : 0, &events) == STORE_DOWN) {
        return STORE_DOWN;
    }
    return shrink(store, removed);
}

static enum store_answer put_once(struct sqlite *sqlite, struct store_key key,
                                  const struct store_entry *entry)
{
    sqlite3_stmt *query = ready(sqlite) ? statement(sqlite, PUT) : NULL;
    if (!query) {
        return sqlite->db ? failure(sqlite) : STORE_DOWN;
    }
    bind_key(query, key);
    sqlite3_bind_blob(query, 2, entry->data, (int)entry->bytes, SQLITE_STATIC);
    sqlite3_bind_int64(query, 3, (sqlite3_int64)entry->loaded_ns);
    sqlite3_bind_int64(query, 4, (sqlite3_int64)entry->expires_ns);
    sqlite3_bind_int64(query, 5, (sqlite3_int64)entry->as_of);
    sqlite3_bind_int64(query, 6, (sqlite3_int64)store_check(entry->data, entry->bytes));
    return run(sqlite, query);
}

static enum store_answer sqlite_put(void *store, struct store_key key,
                                    const struct store_entry *entry, uint64_t now_ns)
{
    struct sqlite *sqlite = store;
    uint64_t removed;
    enum store_answer answer = put_once(sqlite, key, entry);
    if (answer == STORE_NO && sqlite->db && sqlite3_errcode(sqlite->db) == SQLITE_FULL &&
        sqlite_sweep(sqlite, now_ns, UINT64_MAX, &removed) != STORE_DOWN && removed > 0) {
        answer = put_once(sqlite, key, entry);
    }
    return answer;
}

static enum store_answer sqlite_commit(void *store, const struct store_state *state)
{
    (void)store;
    (void)state;
    return STORE_YES;
}

static enum store_answer sqlite_generation(void *store, uint64_t *generation)
{
    *generation = 0;
    return ready(store) ? number(store, GENERATION, generation) : STORE_DOWN;
}

static enum store_answer sqlite_events(void *store, uint64_t since,
                                       void (*each)(void *context, struct store_key key),
                                       void *context, uint64_t *upto)
{
    struct sqlite *sqlite = store;
    uint64_t base;
    *upto = since;
    enum store_answer answer = ready(sqlite) ? number(sqlite, BASE, &base) : STORE_DOWN;
    if (answer != STORE_YES) {
        return STORE_DOWN;
    }
    if (since < base) {
        return number(sqlite, GENERATION, upto) == STORE_YES ? STORE_NO : STORE_DOWN;
    }
    sqlite3_stmt *query = statement(sqlite, EVENTS);
    if (!query) {
        return STORE_DOWN;
    }
    sqlite3_bind_int64(query, 1, (sqlite3_int64)since);
    int status;
    while ((status = sqlite3_step(query)) == SQLITE_ROW) {
        struct store_key key = {.text = (const char *)sqlite3_column_text(query, 0),
                                .length = (size_t)sqlite3_column_bytes(query, 0)};
        if (key.text) {
            each(context, key);
        }
        *upto = (uint64_t)sqlite3_column_int64(query, 1);
    }
    sqlite3_reset(query);
    return status == SQLITE_DONE ? STORE_YES : STORE_DOWN;
}

static enum store_answer sqlite_publish(void *store, struct store_key key, uint64_t now_ns)
{
    static const enum statement parts[] = {EVENT, DROP, UNCLAIM};
    struct sqlite *sqlite = store;
    if (!ready(sqlite) ||
        sqlite3_exec(sqlite->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        return STORE_DOWN;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof parts / sizeof parts[0]; i++) {
        sqlite3_stmt *query = statement(sqlite, parts[i]);
        ok = query != NULL;
        if (ok) {
            bind_key(query, key);
            if (parts[i] == EVENT) {
                sqlite3_bind_int64(query, 2, (sqlite3_int64)now_ns);
            }
            ok = sqlite3_step(query) == SQLITE_DONE;
            sqlite3_reset(query);
            sqlite3_clear_bindings(query);
        }
    }
    ok = ok && sqlite3_exec(sqlite->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!ok) {
        sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return ok ? STORE_YES : STORE_DOWN;
}

static enum store_answer sqlite_claim(void *store, struct store_key key, uint64_t owner,
                                      uint64_t now_ns, uint64_t until_ns)
{
    sqlite3_stmt *query = ready(store) ? statement(store, CLAIM) : NULL;
    if (!query) {
        return STORE_DOWN;
    }
    bind_key(query, key);
    sqlite3_bind_int64(query, 2, (sqlite3_int64)owner);
    sqlite3_bind_int64(query, 3, (sqlite3_int64)until_ns);
    sqlite3_bind_int64(query, 4, (sqlite3_int64)now_ns);
    return run(store, query);
}

static enum store_answer sqlite_release(void *store, struct store_key key, uint64_t owner)
{
    sqlite3_stmt *query = ready(store) ? statement(store, RELEASE) : NULL;
    if (!query) {
        return STORE_DOWN;
    }
    bind_key(query, key);
    sqlite3_bind_int64(query, 2, (sqlite3_int64)owner);
    return run(store, query);
}

const struct store_kind store_sqlite = {
    .name = "sqlite",
    .has_log = true,
    .shared = true,
    .open = sqlite_open,
    .close = sqlite_close,
    .get = sqlite_get,
    .put = sqlite_put,
    .drop = sqlite_drop,
    .sweep = sqlite_sweep,
    .usage = sqlite_usage,
    .commit = sqlite_commit,
    .generation = sqlite_generation,
    .events = sqlite_events,
    .publish = sqlite_publish,
    .claim = sqlite_claim,
    .release = sqlite_release,
};
