/*
 * store_sqlite_file.c - see store_sqlite_inside.h: the file of the SQLite level, its tables and its
 * statements. Runs in the process that caches.
 *
 *   entry  key, data, loaded, expires, as_of, sum      what is cached
 *   event  key, generation, at                         the last event of each key; '' is the base:
 *                                                      the generation at which this file began
 *   claim  key, owner, until                           who is loading
 *   total  name, value                                 what all processes count; made by the first
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
#include "registry/tiered/store_sqlite_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

static const char *const sql[STATEMENT_KINDS] = {
    [STATEMENT_GET] =
        "SELECT data, loaded, expires, sum, (SELECT max(generation) FROM event) FROM entry"
        " WHERE key=?1",
    [STATEMENT_PUT] = "INSERT INTO entry(key, data, loaded, expires, as_of, sum)"
                      " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS"
                      "  (SELECT 1 FROM event WHERE key IN (?1, '') AND generation > ?5)"
                      " ON CONFLICT(key) DO UPDATE SET data=excluded.data, loaded=excluded.loaded,"
                      "  expires=excluded.expires, as_of=excluded.as_of, sum=excluded.sum",
    [STATEMENT_DROP] = "DELETE FROM entry WHERE key=?1",
    [STATEMENT_EXPIRE] = "DELETE FROM entry WHERE expires<=?1",
    [STATEMENT_OLDEST] =
        "DELETE FROM entry WHERE key IN (SELECT key FROM entry ORDER BY expires LIMIT ?1)",
    [STATEMENT_PRUNE] = "DELETE FROM event WHERE at<?1 AND key<>''"
                        " AND generation<(SELECT max(generation) FROM event)",
    [STATEMENT_SIZE] = "SELECT (SELECT page_count FROM pragma_page_count)"
                       " - (SELECT freelist_count FROM pragma_freelist_count)",
    [STATEMENT_COUNT] = "SELECT count(*) FROM entry",
    [STATEMENT_GENERATION] = "SELECT max(generation) FROM event",
    [STATEMENT_BASE] = "SELECT generation FROM event WHERE key=''",
    [STATEMENT_EVENTS] =
        "SELECT key, generation FROM event WHERE generation>?1 ORDER BY generation",
    [STATEMENT_EVENT] =
        "INSERT INTO event(key, generation, at)"
        " VALUES(?1, (SELECT max(generation)+1 FROM event), ?2)"
        " ON CONFLICT(key) DO UPDATE SET generation=excluded.generation, at=excluded.at",
    [STATEMENT_UNCLAIM] = "DELETE FROM claim WHERE key=?1",
    /* A claim that reaches further than any may was made by a clock that has been set back. */
    [STATEMENT_CLAIM] =
        "INSERT INTO claim(key, owner, until) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(key) DO UPDATE SET owner=excluded.owner, until=excluded.until"
        " WHERE claim.until<=?4 OR claim.until>?4+2*(?3-?4) OR claim.owner=excluded.owner",
    [STATEMENT_RELEASE] = "DELETE FROM claim WHERE key=?1 AND owner=?2",
    [STATEMENT_LIST] = "SELECT key, length(data), loaded, expires FROM entry ORDER BY key",
    [STATEMENT_CLEAR] = "DELETE FROM entry",
    [STATEMENT_FORGET] = "DELETE FROM claim WHERE key<>'#sweep'",
    [STATEMENT_ANEW] =
        "UPDATE event SET generation=(SELECT max(generation)+1 FROM event) WHERE key=''",
    [STATEMENT_ADD] = "INSERT INTO total(name, value) VALUES(?1, ?2)"
                      " ON CONFLICT(name) DO UPDATE SET value=value+excluded.value",
    [STATEMENT_TOTALS] = "SELECT name, value FROM total",
};

void sqlite_file_close(struct sqlite *sqlite)
{
    for (size_t i = 0; i < STATEMENT_KINDS; i++) {
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

/* The log beside the file goes into it after a megabyte, and not after SQLite's 1,000 pages, which
 * would be 32. Without a sync that costs next to nothing. */
static const char pragmas[] =
    "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=32; PRAGMA user_version";

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
        status = sqlite3_exec(sqlite->db, pragmas, user_version, &version, NULL);
    }
    if (status == SQLITE_OK && version == 0 && !file_fill(sqlite)) {
        status = sqlite3_errcode(sqlite->db);
    }
    if (status == SQLITE_OK && sqlite->limits.bytes) {
        char bound[64];
        snprintf(bound, sizeof bound, "PRAGMA max_page_count=%llu",
                 (unsigned long long)(sqlite->limits.bytes / SQLITE_PAGE_BYTES));
        sqlite3_exec(sqlite->db, bound, NULL, NULL, NULL);
    }
    if (status == SQLITE_OK && stat(sqlite->path, &file) == 0) {
        sqlite->inode = file.st_ino;
        sqlite->device = file.st_dev;
        return SQLITE_OK;
    }
    sqlite_file_close(sqlite);
    return status == SQLITE_OK ? SQLITE_CANTOPEN : status;
}

static bool is_damaged(int status)
{
    return (status & 0xff) == SQLITE_CORRUPT || (status & 0xff) == SQLITE_NOTADB;
}

static int first_row(void *text, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    char *line = text;
    if (!line[0]) {
        snprintf(line, STORE_TROUBLE_BYTES, "%s", values[0] ? values[0] : "");
    }
    return 0;
}

static void look_complain(struct sqlite *sqlite, const char *what)
{
    snprintf(sqlite->trouble, sizeof sqlite->trouble, "sqlite: %.80s: %.*s", sqlite->path,
             (int)strcspn(what, "\n"), what);
}

enum store_answer sqlite_file_look(struct sqlite *sqlite, bool whole)
{
    char ours[STORE_TROUBLE_BYTES] = "", sound[STORE_TROUBLE_BYTES] = "";
    sqlite3 *db = NULL;
    int status = sqlite3_open_v2(sqlite->path, &db, SQLITE_OPEN_READONLY, NULL);
    if (status == SQLITE_OK) {
        sqlite3_busy_timeout(db, (int)(sqlite->limits.deadline_ns / 1000000));
        status = sqlite3_exec(db,
                              "SELECT 'yes' FROM sqlite_schema a, sqlite_schema b"
                              " WHERE a.name='entry' AND b.name='event'",
                              first_row, ours, NULL);
    }
    if (status == SQLITE_OK && ours[0] && whole) {
        status = sqlite3_exec(db, "PRAGMA integrity_check(1)", first_row, sound, NULL);
    }
    sqlite3_close(db);
    if (status != SQLITE_OK) {
        look_complain(sqlite, sqlite3_errstr(status));
        return is_damaged(status) ? STORE_NO : STORE_DOWN;
    }
    if (!ours[0]) {
        look_complain(sqlite, "a database, but no cache of this kind");
        return STORE_DOWN;
    }
    if (whole && strcmp(sound, "ok") != 0) {
        look_complain(sqlite, sound);
        return STORE_NO;
    }
    return STORE_YES;
}

static bool file_open(struct sqlite *sqlite)
{
    struct stat file;
    if (sqlite->limits.existing && sqlite_file_look(sqlite, false) != STORE_YES) {
        return false;
    }
    bool absent = stat(sqlite->path, &file) != 0 || file.st_size == 0;
    int lock = absent ? file_lock(sqlite) : -1;
    absent = absent && stat(sqlite->path, &file) != 0; /* or another has made it meanwhile */
    int status = file_open_locked(sqlite, absent);
    if (is_damaged(status) && !sqlite->limits.existing) {
        lock = lock >= 0 ? lock : file_lock(sqlite);
        status = file_open_locked(sqlite, false);
        if (is_damaged(status)) {
            status = file_open_locked(sqlite, true);
        }
    }
    if (lock >= 0) {
        close(lock);
    }
    if (status != SQLITE_OK) {
        snprintf(sqlite->trouble, sizeof sqlite->trouble, "sqlite: %s: %s", sqlite->path,
                 sqlite3_errstr(status));
    }
    return status == SQLITE_OK;
}

/* The file that is there now, or false. */
bool sqlite_file_ready(struct sqlite *sqlite)
{
    if (sqlite->db && !file_is_ours(sqlite)) {
        sqlite_file_close(sqlite);
    }
    return sqlite->db || file_open(sqlite);
}

sqlite3_stmt *sqlite_prepared(struct sqlite *sqlite, enum sqlite_statement which)
{
    sqlite3_stmt **at = &sqlite->statements[which];
    if (!*at && sqlite3_prepare_v3(sqlite->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, at,
                                   NULL) != SQLITE_OK) {
        *at = NULL;
    }
    return *at;
}

void sqlite_bind_key(sqlite3_stmt *query, struct store_key key)
{
    sqlite3_bind_text(query, 1, key.text, (int)key.length, SQLITE_STATIC);
}

/* Why a statement did not go through. What is damaged goes; what is full is a refusal. */
enum store_answer sqlite_failure(struct sqlite *sqlite)
{
    int status = sqlite3_errcode(sqlite->db);
    snprintf(sqlite->trouble, sizeof sqlite->trouble, "sqlite: %s: %s", sqlite->path,
             sqlite3_errmsg(sqlite->db));
    if (is_damaged(status) && !sqlite->limits.existing) {
        int lock = file_lock(sqlite);
        if (file_is_ours(sqlite)) {
            file_remove(sqlite);
        }
        sqlite_file_close(sqlite);
        if (lock >= 0) {
            close(lock);
        }
        return STORE_NO;
    }
    return status == SQLITE_FULL ? STORE_NO : STORE_DOWN;
}

/* Runs a statement that returns no row. */
enum store_answer sqlite_run(struct sqlite *sqlite, sqlite3_stmt *query)
{
    if (!query) {
        return sqlite_failure(sqlite);
    }
    int status = sqlite3_step(query);
    int changes = sqlite3_changes(sqlite->db);
    enum store_answer answer = status != SQLITE_DONE ? sqlite_failure(sqlite)
                               : changes > 0         ? STORE_YES
                                                     : STORE_NO;
    if (sqlite->db) {
        sqlite3_reset(query);
        sqlite3_clear_bindings(query);
    }
    return answer;
}

/* Runs a statement that returns a number. */
enum store_answer sqlite_number(struct sqlite *sqlite, enum sqlite_statement which, uint64_t *value)
{
    sqlite3_stmt *query = sqlite_prepared(sqlite, which);
    *value = 0;
    if (!query) {
        return sqlite_failure(sqlite);
    }
    enum store_answer answer = STORE_YES;
    if (sqlite3_step(query) == SQLITE_ROW) {
        *value = (uint64_t)sqlite3_column_int64(query, 0);
    } else {
        answer = sqlite_failure(sqlite);
    }
    if (sqlite->db) {
        sqlite3_reset(query);
    }
    return answer;
}
