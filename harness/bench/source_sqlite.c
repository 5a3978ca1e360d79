/* source_sqlite.c - see source_sqlite.h. Supervisor only. */
#include "harness/bench/source_sqlite.h"
#include "registry/registry.h"

#include <sqlite3.h>

static bool sqlite_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    struct source_sqlite *sqlite = context;
    sqlite3_reset(sqlite->query);
    if (sqlite3_bind_text(sqlite->query, 1, key, (int)length, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(sqlite->query) != SQLITE_ROW) {
        return false;
    }
    sqlite->index = (uint32_t)sqlite3_column_int64(sqlite->query, 0);
    *value = (struct strategy_value){.data = &sqlite->index, .bytes = sizeof sqlite->index};
    return true;
}

static bool table_fill(struct source_sqlite *sqlite, uint32_t keys)
{
    sqlite3_stmt *insert = NULL;
    bool good =
        sqlite3_exec(sqlite->database,
                     "CREATE TABLE model (key TEXT PRIMARY KEY, n INT) WITHOUT ROWID; BEGIN", NULL,
                     NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(sqlite->database, "INSERT INTO model VALUES (?, ?)", -1, &insert,
                           NULL) == SQLITE_OK;
    for (uint32_t i = 0; good && i < keys; i++) {
        struct registry_text key = registry_key(i);
        sqlite3_bind_text(insert, 1, key.data, (int)key.length, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, i);
        good = sqlite3_step(insert) == SQLITE_DONE;
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return good && sqlite3_exec(sqlite->database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

bool source_sqlite_init(struct source_sqlite *sqlite, uint32_t keys)
{
    *sqlite = (struct source_sqlite){.source = {.name = "sqlite",
                                                .load = sqlite_load,
                                                .context = sqlite,
                                                .value_bytes_max = sizeof sqlite->index,
                                                .key_bytes_max = 1024}};
    if (sqlite3_open(":memory:", &sqlite->database) == SQLITE_OK && table_fill(sqlite, keys) &&
        sqlite3_prepare_v2(sqlite->database, "SELECT n FROM model WHERE key = ?", -1,
                           &sqlite->query, NULL) == SQLITE_OK) {
        return true;
    }
    source_sqlite_fini(sqlite);
    return false;
}

void source_sqlite_fini(struct source_sqlite *sqlite)
{
    sqlite3_finalize(sqlite->query);
    sqlite3_close(sqlite->database);
    *sqlite = (struct source_sqlite){0};
}
