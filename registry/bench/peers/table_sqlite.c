/* table_sqlite.c - an SQLite table in memory that keeps all, one prepared statement each way. */
#if __has_include(<sqlite3.h>)
#include "registry/bench/peers/lru_peer.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct sqlite_table {
    sqlite3 *base;
    sqlite3_stmt *find, *add;
};

static void must(const struct sqlite_table *table, int status)
{
    if (status != SQLITE_OK && status != SQLITE_DONE) {
        fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(table->base));
        abort();
    }
}

static void *sqlite_init(size_t capacity)
{
    struct sqlite_table *table = calloc(1, sizeof *table);
    (void)capacity;
    must(table, sqlite3_open(":memory:", &table->base));
    must(table,
         sqlite3_exec(table->base, "CREATE TABLE t(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
                      NULL, NULL, NULL));
    must(table, sqlite3_prepare_v2(table->base, "SELECT value FROM t WHERE key = ?", -1,
                                   &table->find, NULL));
    must(table,
         sqlite3_prepare_v2(table->base, "INSERT INTO t VALUES(?, ?)", -1, &table->add, NULL));
    return table;
}

static const void *sqlite_get(void *state, const char *key, size_t length, size_t *bytes)
{
    struct sqlite_table *table = state;
    sqlite3_reset(table->find); /* the value of the look-up before was lent until now */
    must(table, sqlite3_bind_blob(table->find, 1, key, (int)length, SQLITE_STATIC));
    int status = sqlite3_step(table->find);
    if (status != SQLITE_ROW) {
        must(table, status);
        return NULL;
    }
    *bytes = (size_t)sqlite3_column_bytes(table->find, 0);
    return sqlite3_column_blob(table->find, 0);
}

static void sqlite_put(void *state, const char *key, size_t length, const void *value, size_t bytes)
{
    struct sqlite_table *table = state;
    sqlite3_reset(table->find);
    must(table, sqlite3_bind_blob(table->add, 1, key, (int)length, SQLITE_STATIC));
    must(table, sqlite3_bind_blob(table->add, 2, value, (int)bytes, SQLITE_STATIC));
    must(table, sqlite3_step(table->add));
    must(table, sqlite3_reset(table->add));
}

static void sqlite_fini(void *state)
{
    struct sqlite_table *table = state;
    sqlite3_finalize(table->find);
    sqlite3_finalize(table->add);
    sqlite3_close(table->base);
    free(table);
}

const struct lru_peer lru_peer_sqlite = {
    .name = "SQLite in memory",
    .row = "sqlite-table",
    .about = "an SQLite table in memory, keeps all",
    .init = sqlite_init,
    .get = sqlite_get,
    .put = sqlite_put,
    .fini = sqlite_fini,
};
#endif
