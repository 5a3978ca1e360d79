/*
 * store_sqlite_log.c - see store_sqlite_inside.h: the log of events in the SQLite level, and the
 * claims by which one process of many loads. Runs in the process that caches.
 */
#include "registry/tiered/store_sqlite_inside.h"

enum store_answer sqlite_generation(void *store, uint64_t *generation)
{
    *generation = 0;
    return sqlite_file_ready(store) ? sqlite_number(store, STATEMENT_GENERATION, generation)
                                    : STORE_DOWN;
}

enum store_answer sqlite_events(void *store, uint64_t since,
                                void (*each)(void *context, struct store_key key), void *context,
                                uint64_t *upto)
{
    struct sqlite *sqlite = store;
    uint64_t base;
    *upto = since;
    enum store_answer answer =
        sqlite_file_ready(sqlite) ? sqlite_number(sqlite, STATEMENT_BASE, &base) : STORE_DOWN;
    if (answer != STORE_YES) {
        return STORE_DOWN;
    }
    if (since < base) {
        return sqlite_number(sqlite, STATEMENT_GENERATION, upto) == STORE_YES ? STORE_NO
                                                                              : STORE_DOWN;
    }
    sqlite3_stmt *query = sqlite_prepared(sqlite, STATEMENT_EVENTS);
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

bool sqlite_begin(struct sqlite *sqlite)
{
    return sqlite_file_ready(sqlite) &&
           sqlite3_exec(sqlite->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
}

bool sqlite_end(struct sqlite *sqlite, bool ok)
{
    ok = ok && sqlite3_exec(sqlite->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!ok && sqlite->db) {
        sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return ok;
}

enum store_answer sqlite_publish(void *store, struct store_key key, uint64_t now_ns)
{
    static const enum sqlite_statement parts[] = {STATEMENT_EVENT, STATEMENT_DROP,
                                                  STATEMENT_UNCLAIM};
    struct sqlite *sqlite = store;
    if (!sqlite_begin(sqlite)) {
        return STORE_DOWN;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof parts / sizeof parts[0]; i++) {
        sqlite3_stmt *query = sqlite_prepared(sqlite, parts[i]);
        ok = query != NULL;
        if (ok) {
            sqlite_bind_key(query, key);
            if (parts[i] == STATEMENT_EVENT) {
                sqlite3_bind_int64(query, 2, (sqlite3_int64)now_ns);
            }
            ok = sqlite3_step(query) == SQLITE_DONE;
            sqlite3_reset(query);
            sqlite3_clear_bindings(query);
        }
    }
    return sqlite_end(sqlite, ok) ? STORE_YES : STORE_DOWN;
}

enum store_answer sqlite_claim(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                               uint64_t until_ns)
{
    sqlite3_stmt *query = sqlite_file_ready(store) ? sqlite_prepared(store, STATEMENT_CLAIM) : NULL;
    if (!query) {
        return STORE_DOWN;
    }
    sqlite_bind_key(query, key);
    sqlite3_bind_int64(query, 2, (sqlite3_int64)owner);
    sqlite3_bind_int64(query, 3, (sqlite3_int64)until_ns);
    sqlite3_bind_int64(query, 4, (sqlite3_int64)now_ns);
    enum store_answer answer = sqlite_run(store, query);
    /* Where a claim cannot be written down nobody has one: to wait for its owner would be in vain.
     */
    struct sqlite *sqlite = store;
    bool full = answer == STORE_NO && sqlite->db && sqlite3_errcode(sqlite->db) == SQLITE_FULL;
    return full ? STORE_YES : answer;
}

enum store_answer sqlite_release(void *store, struct store_key key, uint64_t owner)
{
    sqlite3_stmt *query =
        sqlite_file_ready(store) ? sqlite_prepared(store, STATEMENT_RELEASE) : NULL;
    if (!query) {
        return STORE_DOWN;
    }
    sqlite_bind_key(query, key);
    sqlite3_bind_int64(query, 2, (sqlite3_int64)owner);
    return sqlite_run(store, query);
}
