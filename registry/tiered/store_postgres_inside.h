/*
 * store_postgres_inside.h - the inside of the PostgreSQL level, shared by its files. Runs in the
 * process that caches.
 *
 *   store_postgres.c         entries: get, put, drop, sweep, in either table
 *   store_postgres_log.c     the log of events, and claims
 *   store_postgres_look.c    what an administrator asks: list, clear, totals
 *   store_postgres_schema.c  the tables, and what is done on a new connection
 *   postgres_link.c          the connection
 */
#ifndef TIERED_STORE_POSTGRES_INSIDE_H
#define TIERED_STORE_POSTGRES_INSIDE_H

#include "registry/tiered/postgres_link.h"

/* One of the two tables. Times in statements are nanoseconds, as everywhere. */
struct postgres_table {
    const char *name;      /* of the table */
    const char *migration; /* makes it; can be run twice */
    const char *get;       /* $1: data, loaded, expires, sum or NULL, generation */
    const char *put;       /* $1 key, $2 data, $3 loaded, $4 expires, $5 as_of, $6 sum */
    const char *drop, *expire, *shrink, *count, *size;
    const char *list; /* key, bytes, loaded, expires */
};

struct postgres {
    struct postgres_link link;
    const struct postgres_table *table;
    struct store_limits limits;
    struct store_buffer buffer;
};

/* What a call that failed means for the store: REFUSED is a NO, all else DOWN. */
enum store_answer postgres_failure(const struct postgres *postgres);
/* Runs a statement that returns no row; *changed grows by the rows that it changed. */
enum store_answer postgres_change(struct postgres *postgres, const char *sql,
                                  const struct link_values *values, uint64_t *changed);
enum store_answer postgres_number(struct postgres *postgres, const char *sql, uint64_t *value);
/* Asks on a connection that is ready. One that broke since its last use is made anew, once. */
PGresult *postgres_ask(struct postgres *postgres, const char *sql, const struct link_values *values,
                       bool binary);
/* Statements in one transaction, with the lock of the key, and before it the log's lock when
 * `whole_log`; of the first one the answer counts. */
enum store_answer postgres_locked(struct postgres *postgres, struct store_key key, bool whole_log,
                                  const char *const *sql, const struct link_values *values,
                                  size_t count);

#define POSTGRES_LOG_LOCK "7416" /* who writes into the log holds it */

/* store_postgres_look.c: see store.h. */
enum store_answer postgres_list(void *store,
                                void (*each)(void *context, const struct store_listed *entry),
                                void *context);
enum store_answer postgres_clear(void *store, uint64_t *removed);
enum store_answer postgres_totals(void *store, const struct store_totals *part,
                                  struct store_totals *sum);

/* store_postgres_schema.c: what is done on a new connection (of postgres_link). */
bool postgres_prepare(struct postgres_link *link, void *store);
extern const char postgres_log_sql[], postgres_entry_sql[], cache_entries_sql[];

/* store_postgres_log.c: see store.h. */
enum store_answer postgres_generation(void *store, uint64_t *generation);
enum store_answer postgres_events(void *store, uint64_t since,
                                  void (*each)(void *context, struct store_key key), void *context,
                                  uint64_t *upto);
enum store_answer postgres_publish(void *store, struct store_key key, uint64_t now_ns);
enum store_answer postgres_claim(void *store, struct store_key key, uint64_t owner, uint64_t now_ns,
                                 uint64_t until_ns);
enum store_answer postgres_release(void *store, struct store_key key, uint64_t owner);

#endif
