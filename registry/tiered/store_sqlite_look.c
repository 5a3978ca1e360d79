/*
 * store_sqlite_look.c - see store_sqlite_inside.h: what an administrator asks of the SQLite level,
 * and what the processes that share it count together. Runs in the process that caches, or in that
 * of the administrator.
 */
#include "registry/tiered/store_sqlite_inside.h"

#include <string.h>
#include <time.h>

enum store_answer sqlite_list(void *store,
                              void (*each)(void *context, const struct store_listed *entry),
                              void *context)
{
    struct sqlite *sqlite = store;
    sqlite3_stmt *query =
        sqlite_file_ready(sqlite) ? sqlite_prepared(sqlite, STATEMENT_LIST) : NULL;
    if (!query) {
        return sqlite->db ? sqlite_failure(sqlite) : STORE_DOWN;
    }
    int status;
    while ((status = sqlite3_step(query)) == SQLITE_ROW) {
        struct store_listed entry = {
            .name = {(const char *)sqlite3_column_text(query, 0),
                     (size_t)sqlite3_column_bytes(query, 0)},
            .bytes = (uint64_t)sqlite3_column_int64(query, 1),
            .loaded_ns = (uint64_t)sqlite3_column_int64(query, 2),
            .expires_ns = (uint64_t)sqlite3_column_int64(query, 3),
        };
        if (entry.name.text) {
            each(context, &entry);
        }
    }
    enum store_answer answer = status == SQLITE_DONE ? STORE_YES : sqlite_failure(sqlite);
    if (sqlite->db) {
        sqlite3_reset(query);
    }
    return answer;
}

/* A damaged file was closed, or thrown away, by the statement that met it. */
static bool part_run(struct sqlite *sqlite, enum sqlite_statement which)
{
    return sqlite->db && sqlite_run(sqlite, sqlite_prepared(sqlite, which)) != STORE_DOWN &&
           sqlite->db && sqlite3_errcode(sqlite->db) != SQLITE_FULL;
}

enum store_answer sqlite_clear(void *store, uint64_t *removed)
{
    struct sqlite *sqlite = store;
    *removed = 0;
    if (!sqlite_begin(sqlite)) {
        return STORE_DOWN;
    }
    bool ok = sqlite_number(sqlite, STATEMENT_COUNT, removed) == STORE_YES &&
              part_run(sqlite, STATEMENT_CLEAR) && part_run(sqlite, STATEMENT_FORGET) &&
              part_run(sqlite, STATEMENT_ANEW);
    return sqlite_end(sqlite, ok) ? STORE_YES : STORE_DOWN;
}

enum store_answer sqlite_verify(void *store)
{
    return sqlite_file_look(store, true);
}

static bool total_add(struct sqlite *sqlite, const char *name, uint64_t value)
{
    sqlite3_stmt *query = sqlite_prepared(sqlite, STATEMENT_ADD);
    bool ok = query != NULL;
    if (ok) {
        sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(query, 2, (sqlite3_int64)value);
        ok = sqlite3_step(query) == SQLITE_DONE;
        sqlite3_reset(query);
        sqlite3_clear_bindings(query);
    }
    return ok;
}

static bool totals_add(struct sqlite *sqlite, struct store_totals part)
{
    char begin[160];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    sqlite3_snprintf(sizeof begin, begin,
                     "CREATE TABLE IF NOT EXISTS total(name TEXT PRIMARY KEY, value INTEGER);"
                     "INSERT OR IGNORE INTO total VALUES('since', %lld)",
                     (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    bool ok =
        sqlite_begin(sqlite) && sqlite3_exec(sqlite->db, begin, NULL, NULL, NULL) == SQLITE_OK;
    for (unsigned i = 0; ok && i < STORE_TOTALS; i++) {
        ok = total_add(sqlite, store_total_names[i], *store_total_at(&part, i));
    }
    return sqlite->db && sqlite_end(sqlite, ok);
}

enum store_answer sqlite_totals(void *store, const struct store_totals *part,
                                struct store_totals *sum)
{
    struct sqlite *sqlite = store;
    *sum = (struct store_totals){0};
    if (!sqlite_file_ready(sqlite) || (part && !totals_add(sqlite, *part))) {
        return STORE_DOWN;
    }
    sqlite3_stmt *query = sqlite_prepared(sqlite, STATEMENT_TOTALS);
    if (!query) {
        return STORE_NO; /* no such table: nobody counts */
    }
    int status;
    while ((status = sqlite3_step(query)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(query, 0);
        uint64_t value = (uint64_t)sqlite3_column_int64(query, 1);
        for (unsigned i = 0; name && i < STORE_TOTALS; i++) {
            if (strcmp(name, store_total_names[i]) == 0) {
                *store_total_at(sum, i) = value;
            }
        }
        if (name && strcmp(name, "since") == 0) {
            sum->since_ns = value;
        }
    }
    enum store_answer answer = status == SQLITE_DONE ? STORE_YES : sqlite_failure(sqlite);
    if (sqlite->db) {
        sqlite3_reset(query);
    }
    return answer;
}
