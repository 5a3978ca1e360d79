/*
 * store_sqlite_inside.h - the inside of the SQLite level, shared by its files. Runs in the process
 * that caches.
 *
 *   store_sqlite.c       entries: get, put, drop, sweep
 *   store_sqlite_log.c   the log of events, and claims
 *   store_sqlite_look.c  what an administrator asks: list, clear, verify, totals
 *   store_sqlite_file.c  the file, its tables, its statements, and how it is thrown away
 */
#ifndef TIERED_STORE_SQLITE_INSIDE_H
#define TIERED_STORE_SQLITE_INSIDE_H

#include "registry/tiered/store.h"

#include <sqlite3.h>
#include <sys/types.h>

#define SQLITE_PAGE_BYTES 32768u

enum sqlite_statement {
    STATEMENT_GET,
    STATEMENT_PUT,
    STATEMENT_DROP,
    STATEMENT_EXPIRE,
    STATEMENT_OLDEST,
    STATEMENT_PRUNE,
    STATEMENT_SIZE,
    STATEMENT_COUNT,
    STATEMENT_GENERATION,
    STATEMENT_BASE,
    STATEMENT_EVENTS,
    STATEMENT_EVENT,
    STATEMENT_UNCLAIM,
    STATEMENT_CLAIM,
    STATEMENT_RELEASE,
    STATEMENT_LIST,
    STATEMENT_CLEAR,
    STATEMENT_FORGET,
    STATEMENT_ANEW,
    STATEMENT_ADD,
    STATEMENT_TOTALS,
    STATEMENT_KINDS,
};

struct sqlite {
    char *path;
    struct store_limits limits;
    sqlite3 *db; /* NULL: not open now */
    sqlite3_stmt *statements[STATEMENT_KINDS];
    dev_t device;
    ino_t inode;
    struct store_buffer buffer;
    char trouble[STORE_TROUBLE_BYTES];
};

/* Opens the file that is there now, or makes it. False: neither can be. */
bool sqlite_file_ready(struct sqlite *sqlite);
void sqlite_file_close(struct sqlite *sqlite);

/* A statement, prepared once for each opening of the file; NULL: see sqlite_failure. */
sqlite3_stmt *sqlite_prepared(struct sqlite *sqlite, enum sqlite_statement which);
void sqlite_bind_key(sqlite3_stmt *query, struct store_key key);
/* Why a statement did not go through. A damaged file is thrown away; what is full is a refusal. */
enum store_answer sqlite_failure(struct sqlite *sqlite);
/* Runs a statement that returns no row. YES: it changed something. */
enum store_answer sqlite_run(struct sqlite *sqlite, sqlite3_stmt *query);
/* Runs a statement that returns a number. */
enum store_answer sqlite_number(struct sqlite *sqlite, enum sqlite_statement which,
                                uint64_t *value);

/* Runs statements in one transaction. */
bool sqlite_begin(struct sqlite *sqlite);
bool sqlite_end(struct sqlite *sqlite, bool ok); /* false: nothing was done */
/* Is the file that is there a cache of this kind, and undamaged where it was looked at? NO: it is
 * damaged; DOWN: it is something else, or cannot be read. The trouble says which. Opens it for
 * reading only, by itself. */
enum store_answer sqlite_file_look(struct sqlite *sqlite, bool whole);

/* store_sqlite_look.c, see store.h. */
enum store_answer sqlite_list(void *store,
                              void (*each)(void *context, const struct store_listed *entry),
                              void *context);
enum store_answer sqlite_clear(void *store, uint64_t *removed);
enum store_answer sqlite_verify(void *store);
enum store_answer sqlite_totals(void *store, const struct store_totals *part,
                                struct store_totals *sum);

/* The log, see store.h. */
enum store_answer sqlite_generation(void *store, uint64_t *generation);
enum store_answer sqlite_events(void *store, uint64_t since,
                                void (*each)(void *context, struct store_key key), void *context,
                                uint64_t *upto);
enum store_answer sqlite_publish(void *store, struct store_key key, uint64_t now_ns);
enum store_answer sqlite_claim(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                               uint64_t until_ns);
enum store_answer sqlite_release(void *store, struct store_key key, uint64_t owner);

#endif
