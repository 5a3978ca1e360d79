/*
 * store_postgres.c - the level with the log for processes on several machines: a PostgreSQL server,
 * with values that are bytes (store_postgres) or JSON (store_postgres_json: the table that an
 * application reads and writes besides, cache_entries.sql). Here: what is cached; see
 * store_postgres_inside.h for the rest. Runs in the process that caches.
 */
#include "registry/tiered/store_postgres_inside.h"

#include <stdlib.h>
#include <string.h>

/* An event that is younger than the load forbids the put. */
#define NOT_FORBIDDEN                                                                              \
    " WHERE NOT EXISTS (SELECT 1 FROM tidemark_event"                                              \
    "  WHERE key IN ($1::text, '') AND generation > $5::bigint)"

static const struct postgres_table table_bytes = {
    .name = "tidemark_entry",
    .migration = postgres_entry_sql,
    .get = "SELECT data, loaded, expires, sum, (SELECT max(generation) FROM tidemark_event)"
           " FROM tidemark_entry WHERE key=$1",
    .put =
        "INSERT INTO tidemark_entry(key, data, loaded, expires, as_of, sum)"
        " SELECT $1::text, $2::bytea, $3::bigint, $4::bigint, $5::bigint, $6::bigint" NOT_FORBIDDEN
        " ON CONFLICT(key) DO UPDATE SET data=excluded.data, loaded=excluded.loaded,"
        "  expires=excluded.expires, as_of=excluded.as_of, sum=excluded.sum",
    .drop = "DELETE FROM tidemark_entry WHERE key=$1",
    .expire = "DELETE FROM tidemark_entry WHERE expires<=$1",
    .shrink = "DELETE FROM tidemark_entry WHERE key IN (SELECT key FROM tidemark_entry"
              " ORDER BY expires DESC OFFSET $1)",
    .count = "SELECT count(*) FROM tidemark_entry",
    .size = "SELECT pg_total_relation_size('tidemark_entry')",
    .list = "SELECT key, length(data), loaded, expires FROM tidemark_entry ORDER BY key",
};

/* Times of the table have microseconds: what is written is cut off, so that nothing lives longer.
 */
#define AS_TIME(nanoseconds)                                                                       \
    "'epoch'::timestamptz + (" nanoseconds "::bigint/1000) * interval '1 microsecond'"

static const struct postgres_table table_json = {
    .name = "cache_entries",
    .migration = cache_entries_sql,
    .get = "SELECT convert_to(cache_data::text, 'UTF8')"
           ", (extract(epoch FROM updated_at)*1000000)::bigint*1000"
           ", (extract(epoch FROM expires_at)*1000000)::bigint*1000"
           ", NULL, (SELECT max(generation) FROM tidemark_event)"
           " FROM cache_entries WHERE cache_key=$1",
    .put = "INSERT INTO cache_entries(cache_key, cache_data, created_at, updated_at, expires_at)"
           " SELECT $1::text, convert_from($2::bytea, 'UTF8')::jsonb"
           "," AS_TIME("$3") "," AS_TIME("$3") "," AS_TIME("$4") NOT_FORBIDDEN
    " AND $6::bigint IS NOT NULL" /* its type */
    " ON CONFLICT(cache_key) DO UPDATE SET cache_data=excluded.cache_data,"
    "  updated_at=excluded.updated_at, expires_at=excluded.expires_at",
    .drop = "DELETE FROM cache_entries WHERE cache_key=$1",
    .expire = "DELETE FROM cache_entries WHERE expires_at<=" AS_TIME("$1"),
    .shrink = "DELETE FROM cache_entries WHERE id IN (SELECT id FROM cache_entries"
              " ORDER BY expires_at DESC OFFSET $1)",
    .count = "SELECT count(*) FROM cache_entries",
    .size = "SELECT pg_total_relation_size('cache_entries')",
    .list = "SELECT cache_key, octet_length(cache_data::text)"
            ", (extract(epoch FROM updated_at)*1000000)::bigint*1000"
            ", (extract(epoch FROM expires_at)*1000000)::bigint*1000"
            " FROM cache_entries ORDER BY cache_key",
};

enum store_answer postgres_failure(const struct postgres *postgres)
{
    return postgres->link.failure == LINK_REFUSED ? STORE_NO : STORE_DOWN;
}

PGresult *postgres_ask(struct postgres *postgres, const char *sql, const struct link_values *values,
                       bool binary)
{
    bool used = postgres->link.connection != NULL;
    if (!pglink_ready(&postgres->link)) {
        return NULL;
    }
    PGresult *result = pglink_ask(&postgres->link, sql, values, binary);
    /* The server, or a pooler, may have closed it long ago: no outage if another one can be had.
     * Each statement here may be run twice. */
    if (!result && used && !postgres->link.connection && !postgres->link.late &&
        pglink_ready(&postgres->link)) {
        result = pglink_ask(&postgres->link, sql, values, binary);
    }
    return result;
}

enum store_answer postgres_change(struct postgres *postgres, const char *sql,
                                  const struct link_values *values, uint64_t *changed)
{
    PGresult *result = postgres_ask(postgres, sql, values, false);
    if (!result) {
        return postgres_failure(postgres);
    }
    uint64_t rows = pglink_changed(result);
    pglink_clear(result);
    *changed += rows;
    return rows > 0 ? STORE_YES : STORE_NO;
}

enum store_answer postgres_number(struct postgres *postgres, const char *sql, uint64_t *value)
{
    PGresult *result = postgres_ask(postgres, sql, &(struct link_values){0}, false);
    *value = 0;
    if (!result) {
        return STORE_DOWN;
    }
    *value = pglink_number(result, 0, 0);
    pglink_clear(result);
    return STORE_YES;
}

static bool locked(struct postgres_link *link, struct store_key key, bool whole_log)
{
    struct link_values values;
    if (whole_log && !pglink_run(link, "SELECT pg_advisory_xact_lock(7416)")) {
        return false;
    }
    PGresult *result =
        pglink_ask(link, "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))",
                   pglink_with_key(&values, key), false);
    if (result) {
        pglink_clear(result);
    }
    return result != NULL;
}

static enum store_answer transaction(struct postgres *postgres, struct store_key key,
                                     bool whole_log, const char *const *sql,
                                     const struct link_values *values, size_t count)
{
    struct postgres_link *link = &postgres->link;
    enum store_answer answer = STORE_DOWN;
    if (!pglink_run(link, "BEGIN ISOLATION LEVEL READ COMMITTED")) {
        return STORE_DOWN;
    }
    bool ok = locked(link, key, whole_log);
    for (size_t i = 0; ok && i < count; i++) {
        PGresult *result = pglink_ask(link, sql[i], &values[i], false);
        ok = result != NULL;
        if (ok) {
            answer = i > 0 ? answer : pglink_changed(result) > 0 ? STORE_YES : STORE_NO;
            pglink_clear(result);
        }
    }
    if (ok) {
        return pglink_run(link, "COMMIT") ? answer : STORE_DOWN;
    }
    answer = postgres_failure(postgres);
    if (link->connection && !pglink_run(link, "ROLLBACK")) {
        pglink_close(link);
    }
    return answer;
}

enum store_answer postgres_locked(struct postgres *postgres, struct store_key key, bool whole_log,
                                  const char *const *sql, const struct link_values *values,
                                  size_t count)
{
    struct postgres_link *link = &postgres->link;
    bool used = link->connection != NULL;
    if (!pglink_ready(link)) {
        return STORE_DOWN;
    }
    enum store_answer answer = transaction(postgres, key, whole_log, sql, values, count);
    if (answer == STORE_DOWN && used && !link->connection && !link->late && pglink_ready(link)) {
        answer = transaction(postgres, key, whole_log, sql, values, count); /* as postgres_ask */
    }
    return answer;
}

/* The store. ------------------------------------------------------------------------------------
 */

static void *open_over(const struct postgres_table *table, const char *address,
                       const struct store_limits *limits)
{
    struct postgres *postgres = calloc(1, sizeof *postgres);
    if (postgres) {
        postgres->table = table;
        postgres->limits = *limits;
        postgres->link = (struct postgres_link){
            .address = strdup(address),
            .deadline_ns = limits->deadline_ns ? limits->deadline_ns : 2000000000u,
            .prepare = postgres_prepare,
            .context = postgres,
        };
        if (!postgres->link.address) {
            free(postgres);
            return NULL;
        }
    }
    return postgres;
}

static void *bytes_open(const char *address, const struct store_limits *limits)
{
    return open_over(&table_bytes, address, limits);
}

static void *json_open(const char *address, const struct store_limits *limits)
{
    return open_over(&table_json, address, limits);
}

static void postgres_close(void *store)
{
    struct postgres *postgres = store;
    pglink_close(&postgres->link);
    free(postgres->buffer.data);
    free(postgres->link.address);
    free(postgres);
}

static enum store_answer row_take(struct postgres *postgres, const PGresult *result,
                                  struct store_entry *entry)
{
    size_t bytes;
    const char *data = pglink_value(result, 0, 0, &bytes);
    if (!store_buffer_fit(&postgres->buffer, bytes + 1)) {
        return STORE_DOWN;
    }
    memcpy(postgres->buffer.data, data, bytes);
    if (!pglink_is_null(result, 0, 3) &&
        store_check(postgres->buffer.data, bytes) != pglink_big_endian(result, 0, 3)) {
        return STORE_NO;
    }
    uint64_t expires = pglink_big_endian(result, 0, 2);
    *entry = (struct store_entry){.data = postgres->buffer.data,
                                  .bytes = bytes,
                                  .loaded_ns = pglink_big_endian(result, 0, 1),
                                  .expires_ns = expires,
                                  .until_ns = expires,
                                  .as_of = pglink_big_endian(result, 0, 4)};
    return STORE_YES;
}

static enum store_answer postgres_get(void *store, struct store_key key, struct store_entry *entry,
                                      struct store_state *state)
{
    struct postgres *postgres = store;
    struct link_values values;
    *state = (struct store_state){0};
    PGresult *result =
        postgres_ask(postgres, postgres->table->get, pglink_with_key(&values, key), true);
    if (!result) {
        return STORE_DOWN;
    }
    enum store_answer answer =
        pglink_rows(result) > 0 ? row_take(postgres, result, entry) : STORE_NO;
    pglink_clear(result);
    return answer;
}

static enum store_answer postgres_put(void *store, struct store_key key,
                                      const struct store_entry *entry, uint64_t now_ns)
{
    struct postgres *postgres = store;
    struct link_values values;
    (void)now_ns;
    pglink_with_key(&values, key);
    pglink_with_bytes(&values, entry->data, entry->bytes);
    pglink_with_number(&values, entry->loaded_ns);
    pglink_with_number(&values, entry->expires_ns);
    pglink_with_number(&values, entry->as_of);
    pglink_with_number(&values, store_check(entry->data, entry->bytes));
    return postgres_locked(postgres, key, false, &postgres->table->put, &values, 1);
}

static enum store_answer postgres_drop(void *store, struct store_key key)
{
    struct postgres *postgres = store;
    struct link_values values;
    uint64_t changed = 0;
    return postgres_change(postgres, postgres->table->drop, pglink_with_key(&values, key),
                           &changed);
}

static enum store_answer postgres_sweep(void *store, uint64_t now_ns, uint64_t keep_ns,
                                        uint64_t *removed)
{
    struct postgres *postgres = store;
    struct link_values now = {0}, old = {0}, most = {0};
    uint64_t events = 0;
    *removed = 0;
    pglink_with_number(&now, now_ns);
    pglink_with_number(&old, now_ns > keep_ns ? now_ns - keep_ns : 0);
    pglink_with_number(&most, postgres->limits.entries);
    if (postgres_change(postgres, postgres->table->expire, &now, removed) == STORE_DOWN ||
        postgres_change(postgres,
                        "DELETE FROM tidemark_event WHERE at<$1 AND key<>''"
                        " AND generation<(SELECT max(generation) FROM tidemark_event)",
                        &old, &events) == STORE_DOWN ||
        (postgres->limits.entries > 0 &&
         postgres_change(postgres, postgres->table->shrink, &most, removed) == STORE_DOWN)) {
        return STORE_DOWN;
    }
    return STORE_YES;
}

static enum store_answer postgres_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    const struct postgres *postgres = store;
    *bytes = 0;
    enum store_answer answer = postgres_number(store, postgres->table->count, entries);
    return answer == STORE_YES ? postgres_number(store, postgres->table->size, bytes) : answer;
}

static enum store_answer postgres_commit(void *store, const struct store_state *state)
{
    (void)store;
    (void)state;
    return STORE_YES;
}

static const char *postgres_trouble(const void *store)
{
    const struct postgres *postgres = store;
    return postgres->link.trouble;
}

#define POSTGRES_KIND(its_name, its_open)                                                          \
    {                                                                                              \
        .name = its_name, .has_log = true, .shared = true, .open = its_open,                       \
        .close = postgres_close, .trouble = postgres_trouble, .get = postgres_get,                 \
        .put = postgres_put, .drop = postgres_drop, .sweep = postgres_sweep,                       \
        .usage = postgres_usage, .commit = postgres_commit, .list = postgres_list,                 \
        .clear = postgres_clear, .verify = store_no_verify, .generation = postgres_generation,     \
        .events = postgres_events, .publish = postgres_publish, .claim = postgres_claim,           \
        .release = postgres_release, .totals = postgres_totals,                                    \
    }
const struct store_kind store_postgres = POSTGRES_KIND("postgres", bytes_open);
const struct store_kind store_postgres_json = POSTGRES_KIND("postgres-json", json_open);
