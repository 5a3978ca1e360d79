/* source_sqlite.h - the registry's keys in an SQLite table in memory, as a source that costs about
 * a microsecond: something real between the compiled-in table and a server. Supervisor only; one
 * thread. */
#ifndef BENCH_SOURCE_SQLITE_H
#define BENCH_SOURCE_SQLITE_H

#include "registry/strategy.h"

struct source_sqlite {
    struct strategy_source source;
    struct sqlite3 *database;
    struct sqlite3_stmt *query;
    uint32_t index;
};

/* False: SQLite refused; the struct is empty then. `keys` of the registry are inserted. */
bool source_sqlite_init(struct source_sqlite *sqlite, uint32_t keys);
void source_sqlite_fini(struct source_sqlite *sqlite);

#endif
