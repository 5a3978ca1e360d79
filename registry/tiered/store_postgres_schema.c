/*
 * store_postgres_schema.c - see store_postgres_inside.h: what is done on each new connection. Runs
 * in the process that caches.
 *
 * After a fail-over the server that was promoted may lack the last events, and hold entries that
 * they had removed. Each promotion begins a new timeline; the base row remembers the timeline that
 * its log was written on. Who first connects to another one removes all entries and begins the log
 * anew at a generation from the clock, so that every level above purges itself.
 */
#include "registry/tiered/store_postgres_inside.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The files are built in, each ended by a 0. */
#define SQL_FILE(symbol, file)                                                                     \
    extern const char symbol[];                                                                    \
    __asm__(".section .rodata\n.globl " #symbol "\n.hidden " #symbol "\n" #symbol                  \
            ":\n.incbin \"" file "\"\n.byte 0\n.previous\n")
SQL_FILE(postgres_log_sql, "registry/tiered/postgres_log.sql");
SQL_FILE(postgres_entry_sql, "registry/tiered/postgres_entry.sql");
SQL_FILE(cache_entries_sql, "registry/tiered/cache_entries.sql");

struct server {
    bool has_tables, in_recovery, read_only;
    uint64_t timeline;
};

static bool server_look(struct postgres_link *link, const struct postgres_table *table,
                        struct server *server)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT (to_regclass('tidemark_event') IS NOT NULL AND to_regclass('tidemark_claim')"
             " IS NOT NULL AND to_regclass('%s') IS NOT NULL)::int, pg_is_in_recovery()::int,"
             " (current_setting('transaction_read_only') = 'on')::int,"
             " CASE WHEN pg_is_in_recovery() THEN 0 ELSE"
             " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END",
             table->name);
    PGresult *result = pglink_ask(link, sql, &(struct link_values){0}, false);
    if (!result) {
        return false;
    }
    *server = (struct server){.has_tables = pglink_number(result, 0, 0) != 0,
                              .in_recovery = pglink_number(result, 0, 1) != 0,
                              .read_only = pglink_number(result, 0, 2) != 0,
                              .timeline = pglink_number(result, 0, 3)};
    pglink_clear(result);
    return true;
}

static bool tables_make(struct postgres_link *link, const struct postgres_table *table)
{
    bool ok = pglink_run(link, "BEGIN ISOLATION LEVEL READ COMMITTED;"
                               "SELECT pg_advisory_xact_lock(" POSTGRES_LOG_LOCK ")") &&
              pglink_run(link, postgres_log_sql) && pglink_run(link, table->migration);
    if (link->connection && !pglink_run(link, ok ? "COMMIT" : "ROLLBACK")) {
        return false;
    }
    return ok;
}

/* The base row, and the new beginning after a fail-over. */
static bool base_make(struct postgres_link *link, const struct postgres_table *table,
                      uint64_t timeline)
{
    char sql[1024];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(sql, sizeof sql,
             "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(" POSTGRES_LOG_LOCK
             ");"
             "INSERT INTO tidemark_event VALUES('', %lld, %llu) ON CONFLICT DO NOTHING;"
             "DELETE FROM %s WHERE EXISTS"
             " (SELECT 1 FROM tidemark_event WHERE key='' AND at<>%llu);"
             "UPDATE tidemark_event SET at=%llu, generation="
             "greatest(%lld, (SELECT max(generation)+1 FROM tidemark_event))"
             " WHERE key='' AND at<>%llu; COMMIT",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, (unsigned long long)timeline,
             table->name, (unsigned long long)timeline, (unsigned long long)timeline,
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, (unsigned long long)timeline);
    return pglink_run(link, sql);
}

static bool base_is_of(struct postgres_link *link, uint64_t timeline)
{
    PGresult *result = pglink_ask(link, "SELECT at FROM tidemark_event WHERE key=''",
                                  &(struct link_values){0}, false);
    bool same = result && pglink_rows(result) == 1 && pglink_number(result, 0, 0) == timeline;
    if (result) {
        pglink_clear(result);
    }
    return same;
}

bool postgres_prepare(struct postgres_link *link, void *store)
{
    const struct postgres *postgres = store;
    struct server server;
    char settings[160];
    /* The server gives up a little before we do: then the connection is still good. */
    snprintf(settings, sizeof settings,
             "SET client_min_messages = error; SET client_encoding = 'UTF8';"
             "SET statement_timeout = %llu",
             (unsigned long long)(link->deadline_ns / 1250000 + 1));
    if (!pglink_run(link, settings) || !server_look(link, postgres->table, &server)) {
        return false;
    }
    if (server.in_recovery) {
        link->failure = LINK_GONE;
        snprintf(link->trouble, sizeof link->trouble,
                 "postgres: this server is a standby, whose log lags; name the primary, or all"
                 " hosts with target_session_attrs=read-write");
        return false;
    }
    if (!server.has_tables && postgres->limits.existing) {
        link->failure = LINK_GONE;
        snprintf(link->trouble, sizeof link->trouble,
                 "postgres: this database has no cache in the table %s", postgres->table->name);
        return false;
    }
    if (!server.has_tables && !tables_make(link, postgres->table)) {
        return false;
    }
    /* A server that is read-only serves what it has. */
    return server.read_only || base_is_of(link, server.timeline) ||
           (link->connection && base_make(link, postgres->table, server.timeline));
}
