/*
 * store_sqlite.c - the level that all processes of a machine share: one SQLite file, with the log
 * of events and the claims in it. No server to start and none to fail. Here: what is cached; the
 * file is in store_sqlite_file.c, the log in store_sqlite_log.c. Runs in the process that caches.
 */
#include "registry/tiered/store_sqlite_inside.h"

#include <stdlib.h>
#include <string.h>

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
    sqlite_file_close(sqlite);
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
    sqlite3_stmt *query = sqlite_file_ready(sqlite) ? sqlite_prepared(sqlite, STATEMENT_GET) : NULL;
    if (!query) {
        return sqlite->db ? sqlite_failure(sqlite) : STORE_DOWN;
    }
    sqlite_bind_key(query, key);
    int status = sqlite3_step(query);
    enum store_answer answer = status == SQLITE_ROW    ? row_take(sqlite, query, entry)
                               : status == SQLITE_DONE ? STORE_NO
                                                       : sqlite_failure(sqlite);
    if (sqlite->db) {
        sqlite3_reset(query);
        sqlite3_clear_bindings(query);
    }
    return answer;
}

static enum store_answer sqlite_drop(void *store, struct store_key key)
{
    sqlite3_stmt *query = sqlite_file_ready(store) ? sqlite_prepared(store, STATEMENT_DROP) : NULL;
    if (query) {
        sqlite_bind_key(query, key);
    }
    return ((struct sqlite *)store)->db ? sqlite_run(store, query) : STORE_DOWN;
}

static enum store_answer sqlite_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    uint64_t pages = 0;
    *entries = *bytes = 0;
    if (!sqlite_file_ready(store)) {
        return STORE_DOWN;
    }
    enum store_answer answer = sqlite_number(store, STATEMENT_COUNT, entries);
    answer = answer == STORE_YES ? sqlite_number(store, STATEMENT_SIZE, &pages) : answer;
    *bytes = pages * SQLITE_PAGE_BYTES;
    return answer;
}

static enum store_answer run_with(struct sqlite *sqlite, enum sqlite_statement which,
                                  uint64_t value, uint64_t *changed)
{
    sqlite3_stmt *query = sqlite->db ? sqlite_prepared(sqlite, which) : NULL;
    if (query) {
        sqlite3_bind_int64(query, 1, (sqlite3_int64)value);
    }
    enum store_answer answer = sqlite->db ? sqlite_run(sqlite, query) : STORE_DOWN;
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
        answer = run_with(sqlite, STATEMENT_OLDEST, part, removed);
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
    if (!sqlite_file_ready(store) ||
        run_with(store, STATEMENT_EXPIRE, now_ns, removed) == STORE_DOWN ||
        run_with(store, STATEMENT_PRUNE, now_ns > keep_ns ? now_ns - keep_ns : 0, &events) ==
            STORE_DOWN) {
        return STORE_DOWN;
    }
    return shrink(store, removed);
}

static enum store_answer put_once(struct sqlite *sqlite, struct store_key key,
                                  const struct store_entry *entry)
{
    sqlite3_stmt *query = sqlite_file_ready(sqlite) ? sqlite_prepared(sqlite, STATEMENT_PUT) : NULL;
    if (!query) {
        return sqlite->db ? sqlite_failure(sqlite) : STORE_DOWN;
    }
    sqlite_bind_key(query, key);
    sqlite3_bind_blob(query, 2, entry->data, (int)entry->bytes, SQLITE_STATIC);
    sqlite3_bind_int64(query, 3, (sqlite3_int64)entry->loaded_ns);
    sqlite3_bind_int64(query, 4, (sqlite3_int64)entry->expires_ns);
    sqlite3_bind_int64(query, 5, (sqlite3_int64)entry->as_of);
    sqlite3_bind_int64(query, 6, (sqlite3_int64)store_check(entry->data, entry->bytes));
    return sqlite_run(sqlite, query);
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

static const char *sqlite_trouble(const void *store)
{
    const struct sqlite *sqlite = store;
    return sqlite->trouble;
}

const struct store_kind store_sqlite = {
    .name = "sqlite",
    .has_log = true,
    .shared = true,
    .open = sqlite_open,
    .close = sqlite_close,
    .trouble = sqlite_trouble,
    .get = sqlite_get,
    .put = sqlite_put,
    .drop = sqlite_drop,
    .sweep = sqlite_sweep,
    .usage = sqlite_usage,
    .commit = sqlite_commit,
    .list = sqlite_list,
    .clear = sqlite_clear,
    .verify = sqlite_verify,
    .generation = sqlite_generation,
    .events = sqlite_events,
    .publish = sqlite_publish,
    .claim = sqlite_claim,
    .release = sqlite_release,
    .totals = sqlite_totals,
};
