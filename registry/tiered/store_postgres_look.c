/*
 * store_postgres_look.c - see store_postgres_inside.h: what an administrator asks of the PostgreSQL
 * level, and what the processes that share it count together. Runs in the process that caches, or
 * in that of the administrator.
 */
#include "registry/tiered/store_postgres_inside.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum store_answer postgres_list(void *store,
                                void (*each)(void *context, const struct store_listed *entry),
                                void *context)
{
    struct postgres *postgres = store;
    PGresult *result =
        postgres_ask(postgres, postgres->table->list, &(struct link_values){0}, false);
    if (!result) {
        return STORE_DOWN;
    }
    for (int i = 0; i < pglink_rows(result); i++) {
        struct store_listed entry = {
            .bytes = pglink_number(result, i, 1),
            .loaded_ns = pglink_number(result, i, 2),
            .expires_ns = pglink_number(result, i, 3),
        };
        entry.name.text = pglink_value(result, i, 0, &entry.name.length);
        each(context, &entry);
    }
    pglink_clear(result);
    return STORE_YES;
}

/* As after a fail-over: entries go, and the log begins anew. */
enum store_answer postgres_clear(void *store, uint64_t *removed)
{
    struct postgres *postgres = store;
    struct postgres_link *link = &postgres->link;
    const struct link_values nothing = {0};
    char sql[160];
    *removed = 0;
    if (!pglink_ready(link) ||
        !pglink_run(link, "BEGIN ISOLATION LEVEL READ COMMITTED;"
                          "SELECT pg_advisory_xact_lock(" POSTGRES_LOG_LOCK ");"
                          "UPDATE tidemark_event SET generation="
                          "(SELECT max(generation)+1 FROM tidemark_event) WHERE key='';"
                          "DELETE FROM tidemark_claim WHERE key<>'#sweep'")) {
        enum store_answer answer = postgres_failure(postgres);
        if (link->connection && !pglink_run(link, "ROLLBACK")) {
            pglink_close(link);
        }
        return answer;
    }
    snprintf(sql, sizeof sql, "DELETE FROM %s", postgres->table->name);
    PGresult *result = pglink_ask(link, sql, &nothing, false);
    bool ok = result != NULL;
    if (result) {
        *removed = pglink_changed(result);
        pglink_clear(result);
    }
    enum store_answer answer = ok ? STORE_YES : postgres_failure(postgres);
    if (link->connection && !pglink_run(link, ok ? "COMMIT" : "ROLLBACK")) {
        pglink_close(link);
        answer = STORE_DOWN;
    }
    return answer;
}

/* Numbers and our own names only. */
static bool totals_add(struct postgres *postgres, struct store_totals part)
{
    char sql[1200];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int at =
        snprintf(sql, sizeof sql, "INSERT INTO tidemark_total AS t(name, value, since) VALUES");
    for (unsigned i = 0; i < STORE_TOTALS; i++) {
        at += snprintf(sql + at, sizeof sql - (size_t)at, "%s('%s',%llu,%lld)", i ? "," : "",
                       store_total_names[i], (unsigned long long)*store_total_at(&part, i),
                       (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    }
    snprintf(sql + at, sizeof sql - (size_t)at,
             " ON CONFLICT(name) DO UPDATE SET value=t.value+excluded.value");
    PGresult *result = postgres_ask(postgres, sql, &(struct link_values){0}, false);
    if (result) {
        pglink_clear(result);
    }
    return result != NULL;
}

enum store_answer postgres_totals(void *store, const struct store_totals *part,
                                  struct store_totals *sum)
{
    struct postgres *postgres = store;
    *sum = (struct store_totals){0};
    if (part && !totals_add(postgres, *part)) {
        return postgres_failure(postgres);
    }
    PGresult *result = postgres_ask(postgres, "SELECT name, value, since FROM tidemark_total",
                                    &(struct link_values){0}, false);
    if (!result) {
        return postgres->link.connection ? STORE_NO : STORE_DOWN; /* a log of an older version */
    }
    for (int row = 0; row < pglink_rows(result); row++) {
        size_t length;
        const char *name = pglink_value(result, row, 0, &length);
        for (unsigned i = 0; i < STORE_TOTALS; i++) {
            if (strcmp(name, store_total_names[i]) == 0) {
                *store_total_at(sum, i) = pglink_number(result, row, 1);
            }
        }
        sum->since_ns = pglink_number(result, row, 2);
    }
    pglink_clear(result);
    return STORE_YES;
}
