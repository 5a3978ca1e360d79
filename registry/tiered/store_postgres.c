/*
 * store_postgres.c - the level with the log for processes on several machines: a PostgreSQL server.
 * Tables as in store_sqlite.c, their names with a prefix. libpq is looked for when a server is
 * asked for, so that nobody else needs it or waits for it to be loaded.
 *
 * Writers run beside each other here. A put and an event of one key take the key's lock, so that
 * the put sees the event or the event removes what was put. Events take a common lock besides, so
 * that they become visible in the order of their numbers: who has read number 9 has read 8.
 */
#include "registry/tiered/store.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is used of libpq, as its manual has it. */
typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
enum { CONNECTION_OK = 0, COMMAND_OK = 1, TUPLES_OK = 2 };

static struct libpq {
    void *library;
    PGconn *(*connect)(const char *info);
    int (*status)(const PGconn *connection);
    void (*finish)(PGconn *connection);
    PGresult *(*exec)(PGconn *connection, const char *sql);
    PGresult *(*exec_params)(PGconn *connection, const char *sql, int count, const unsigned *types,
                             const char *const *values, const int *lengths, const int *formats,
                             int result_format);
    int (*result_status)(const PGresult *result);
    int (*tuples)(const PGresult *result);
    char *(*value)(const PGresult *result, int row, int column);
    int (*length)(const PGresult *result, int row, int column);
    char *(*changed)(PGresult *result);
    void (*clear)(PGresult *result);
} pq;

static const char schema[] =
    "SET client_min_messages = warning; SET statement_timeout = 5000;"
    "BEGIN; SELECT pg_advisory_xact_lock(7416);"
    "CREATE TABLE IF NOT EXISTS tidemark_entry(key TEXT PRIMARY KEY, data BYTEA, loaded BIGINT,"
    " expires BIGINT, as_of BIGINT, sum BIGINT);"
    "CREATE INDEX IF NOT EXISTS tidemark_entry_expires ON tidemark_entry(expires);"
    "CREATE TABLE IF NOT EXISTS tidemark_event(key TEXT PRIMARY KEY, generation BIGINT, at BIGINT);"
    "CREATE TABLE IF NOT EXISTS tidemark_claim(key TEXT PRIMARY KEY, owner BIGINT, until BIGINT);"
    "INSERT INTO tidemark_event VALUES('', %lld, 0) ON CONFLICT DO NOTHING; COMMIT;";

struct postgres {
    char *address;
    struct store_limits limits;
    PGconn *connection;
    struct store_buffer buffer;
};

static bool library_load(void)
{
    static const struct {
        const char *name;
        size_t at;
    } symbols[] = {
        {"PQconnectdb", offsetof(struct libpq, connect)},
        {"PQstatus", offsetof(struct libpq, status)},
        {"PQfinish", offsetof(struct libpq, finish)},
        {"PQexec", offsetof(struct libpq, exec)},
        {"PQexecParams", offsetof(struct libpq, exec_params)},
        {"PQresultStatus", offsetof(struct libpq, result_status)},
        {"PQntuples", offsetof(struct libpq, tuples)},
        {"PQgetvalue", offsetof(struct libpq, value)},
        {"PQgetlength", offsetof(struct libpq, length)},
        {"PQcmdTuples", offsetof(struct libpq, changed)},
        {"PQclear", offsetof(struct libpq, clear)},
    };
    if (pq.library) {
        return true;
    }
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol) {
            return false;
        }
        memcpy((char *)&pq + symbols[i].at, &symbol, sizeof symbol);
    }
    pq.library = library;
    return library != NULL;
}

static void hang_up(struct postgres *postgres)
{
    if (postgres->connection) {
        pq.finish(postgres->connection);
        postgres->connection = NULL;
    }
}

static bool plain(struct postgres *postgres, const char *sql)
{
    PGresult *result = pq.exec(postgres->connection, sql);
    int status = pq.result_status(result);
    pq.clear(result);
    if (pq.status(postgres->connection) != CONNECTION_OK) {
        hang_up(postgres);
        return false;
    }
    return status == COMMAND_OK || status == TUPLES_OK;
}

static bool ready(struct postgres *postgres)
{
    char sql[sizeof schema + 32];
    struct timespec now;
    if (postgres->connection) {
        return true;
    }
    if (!library_load()) {
        return false;
    }
    postgres->connection = pq.connect(postgres->address);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(sql, sizeof sql, schema, (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    if (!postgres->connection || pq.status(postgres->connection) != CONNECTION_OK ||
        !plain(postgres, sql)) {
        hang_up(postgres);
    }
    return postgres->connection != NULL;
}

#define VALUES_MAX 6
struct values {
    int count;
    const char *value[VALUES_MAX];
    int length[VALUES_MAX], binary[VALUES_MAX];
    char number[VALUES_MAX][24];
    char key[1024];
};

static struct values *with_key(struct values *values, struct store_key key)
{
    values->count = 1;
    values->length[0] = values->binary[0] = 0;
    snprintf(values->key, sizeof values->key, "%.*s", (int)key.length, key.text);
    values->value[0] = values->key;
    return values;
}

static void with_number(struct values *values, uint64_t number)
{
    int i = values->count++;
    snprintf(values->number[i], sizeof values->number[i], "%lld", (long long)number);
    values->value[i] = values->number[i];
    values->length[i] = values->binary[i] = 0;
}

static void with_bytes(struct values *values, const void *data, size_t bytes)
{
    int i = values->count++;
    values->value[i] = bytes ? data : "";
    values->length[i] = (int)bytes;
    values->binary[i] = 1;
}

/* NULL: it failed, and the connection may be gone. Results are binary where `binary`. */
static PGresult *ask(struct postgres *postgres, const char *sql, const struct values *values,
                     int binary)
{
    if (!ready(postgres)) {
        return NULL;
    }
    PGresult *result = pq.exec_params(postgres->connection, sql, values->count, NULL, values->value,
                                      values->length, values->binary, binary);
    int status = pq.result_status(result);
    if (status == COMMAND_OK || status == TUPLES_OK) {
        return result;
    }
    pq.clear(result);
    if (pq.status(postgres->connection) != CONNECTION_OK) {
        hang_up(postgres);
    }
    return NULL;
}

static enum store_answer change(struct postgres *postgres, const char *sql,
                                const struct values *values, uint64_t *changed)
{
    PGresult *result = ask(postgres, sql, values, 0);
    if (!result) {
        return STORE_DOWN;
    }
    uint64_t rows = strtoull(pq.changed(result), NULL, 10);
    pq.clear(result);
    *changed += rows;
    return rows > 0 ? STORE_YES : STORE_NO;
}

static enum store_answer number(struct postgres *postgres, const char *sql, uint64_t *value)
{
    PGresult *result = ask(postgres, sql, &(struct values){0}, 0);
    *value = 0;
    if (!result) {
        return STORE_DOWN;
    }
    *value = strtoull(pq.value(result, 0, 0), NULL, 10);
    pq.clear(result);
    return STORE_YES;
}

/* A change with the locks that it needs, all or nothing. */
static enum store_answer locked_change(struct postgres *postgres, struct store_key key,
                                       const char *const *sql, size_t count,
                                       const struct values *values)
{
    struct values name;
    uint64_t changed = 0;
    enum store_answer answer = ready(postgres) && plain(postgres, "BEGIN") ? STORE_YES : STORE_DOWN;
    PGresult *lock =
        answer == STORE_YES
            ? ask(postgres, "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))",
                  with_key(&name, key), 0)
            : NULL;
    if (!lock) {
        answer = STORE_DOWN;
    } else {
        pq.clear(lock);
    }
    for (size_t i = 0; i < count && answer != STORE_DOWN; i++) {
        enum store_answer one =
            change(postgres, sql[i], values[i].count ? &values[i] : &name, &changed);
        answer = i == 0 || one == STORE_DOWN ? one : answer;
    }
    if (postgres->connection && !plain(postgres, answer == STORE_DOWN ? "ROLLBACK" : "COMMIT")) {
        answer = STORE_DOWN;
    }
    return answer;
}

static void *postgres_open(const char *address, const struct store_limits *limits)
{
    struct postgres *postgres = calloc(1, sizeof *postgres);
    if (postgres) {
        postgres->limits = *limits;
        postgres->address = strdup(address);
        if (!postgres->address) {
            free(postgres);
            return NULL;
        }
    }
    return postgres;
}

static void postgres_close(void *store)
{
    struct postgres *postgres = store;
    hang_up(postgres);
    free(postgres->buffer.data);
    free(postgres->address);
    free(postgres);
}

static uint64_t big_endian(const PGresult *result, int column)
{
    uint64_t value = 0;
    const unsigned char *at = (const unsigned char *)pq.value(result, 0, column);
    for (int i = 0; i < pq.length(result, 0, column); i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static enum store_answer postgres_get(void *store, struct store_key key, struct store_entry *entry,
                                      struct store_state *state)
{
    struct postgres *postgres = store;
    struct values values;
    enum store_answer answer = STORE_NO;
    *state = (struct store_state){0};
    PGresult *result =
        ask(postgres,
            "SELECT data, loaded, expires, sum, (SELECT max(generation) FROM tidemark_event)"
            " FROM tidemark_entry WHERE key=$1",
            with_key(&values, key), 1);
    if (!result) {
        return STORE_DOWN;
    }
    size_t bytes = pq.tuples(result) > 0 ? (size_t)pq.length(result, 0, 0) : 0;
    if (!store_buffer_fit(&postgres->buffer, bytes + 1)) {
        answer = STORE_DOWN;
    } else if (pq.tuples(result) > 0) {
        memcpy(postgres->buffer.data, pq.value(result, 0, 0), bytes);
        uint64_t expires = big_endian(result, 2);
        *entry = (struct store_entry){.data = postgres->buffer.data,
                                      .bytes = bytes,
                                      .loaded_ns = big_endian(result, 1),
                                      .expires_ns = expires,
                                      .until_ns = expires,
                                      .as_of = big_endian(result, 4)};
        answer = store_check(entry->data, bytes) == big_endian(result, 3) ? STORE_YES : STORE_NO;
    }
    pq.clear(result);
    return answer;
}

static enum store_answer postgres_put(void *store, struct store_key key,
                                      const struct store_entry *entry, uint64_t now_ns)
{
    static const char *const sql =
        "INSERT INTO tidemark_entry(key, data, loaded, expires, as_of, sum)"
        " SELECT $1::text, $2::bytea, $3::bigint, $4::bigint, $5::bigint, $6::bigint"
        " WHERE NOT EXISTS (SELECT 1 FROM tidemark_event"
        "  WHERE key IN ($1::text, '') AND generation > $5::bigint)"
        " ON CONFLICT(key) DO UPDATE SET data=excluded.data, loaded=excluded.loaded,"
        "  expires=excluded.expires, as_of=excluded.as_of, sum=excluded.sum";
    struct values values;
    (void)now_ns;
    with_key(&values, key);
    with_bytes(&values, entry->data, entry->bytes);
    with_number(&values, entry->loaded_ns);
    with_number(&values, entry->expires_ns);
    with_number(&values, entry->as_of);
    with_number(&values, store_check(entry->data, entry->bytes));
    return locked_change(store, key, &sql, 1, &values);
}

static enum store_answer postgres_drop(void *store, struct store_key key)
{
    struct values values;
    uint64_t changed = 0;
    return change(store, "DELETE FROM tidemark_entry WHERE key=$1", with_key(&values, key),
                  &changed);
}

static enum store_answer postgres_sweep(void *store, uint64_t now_ns, uint64_t keep_ns,
                                        uint64_t *removed)
{
    const struct postgres *postgres = store;
    struct values now = {0}, old = {0}, most = {0};
    uint64_t events = 0;
    *removed = 0;
    with_number(&now, now_ns);
    with_number(&old, now_ns > keep_ns ? now_ns - keep_ns : 0);
    with_number(&most, postgres->limits.entries);
    if (change(store, "DELETE FROM tidemark_entry WHERE expires<=$1", &now, removed) ==
            STORE_DOWN ||
        change(store,
               "DELETE FROM tidemark_event WHERE at<$1 AND key<>''"
               " AND generation<(SELECT max(generation) FROM tidemark_event)",
               &old, &events) == STORE_DOWN) {
        return STORE_DOWN;
    }
    return postgres->limits.entries == 0 ? STORE_YES
           : change(store,
                    "DELETE FROM tidemark_entry WHERE key IN (SELECT key FROM tidemark_entry"
                    " ORDER BY expires DESC OFFSET $1)",
                    &most, removed) == STORE_DOWN
               ? STORE_DOWN
               : STORE_YES;
}

static enum store_answer postgres_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    *bytes = 0;
    enum store_answer answer = number(store, "SELECT count(*) FROM tidemark_entry", entries);
    return answer == STORE_YES
               ? number(store, "SELECT pg_total_relation_size('tidemark_entry')", bytes)
               : answer;
}

static enum store_answer postgres_commit(void *store, const struct store_state *state)
{
    (void)store;
    (void)state;
    return STORE_YES;
}

static enum store_answer postgres_generation(void *store, uint64_t *generation)
{
    return number(store, "SELECT max(generation) FROM tidemark_event", generation);
}

static enum store_answer postgres_events(void *store, uint64_t since,
                                         void (*each)(void *context, struct store_key key),
                                         void *context, uint64_t *upto)
{
    struct values values = {0};
    uint64_t base;
    *upto = since;
    if (number(store, "SELECT generation FROM tidemark_event WHERE key=''", &base) != STORE_YES) {
        return STORE_DOWN;
    }
    if (since < base) {
        return postgres_generation(store, upto) == STORE_YES ? STORE_NO : STORE_DOWN;
    }
    with_number(&values, since);
    PGresult *result = ask(store,
                           "SELECT key, generation FROM tidemark_event WHERE generation>$1"
                           " ORDER BY generation",
                           &values, 0);
    if (!result) {
        return STORE_DOWN;
    }
    for (int i = 0; i < pq.tuples(result); i++) {
        each(context, (struct store_key){pq.value(result, i, 0), (size_t)pq.length(result, i, 0)});
        *upto = strtoull(pq.value(result, i, 1), NULL, 10);
    }
    pq.clear(result);
    return STORE_YES;
}

static enum store_answer postgres_publish(void *store, struct store_key key, uint64_t now_ns)
{
    static const char *const sql[] = {
        "INSERT INTO tidemark_event(key, generation, at)"
        " SELECT $1::text, max(generation)+1, $2::bigint FROM tidemark_event"
        " ON CONFLICT(key) DO UPDATE SET generation=excluded.generation, at=excluded.at",
        "DELETE FROM tidemark_entry WHERE key=$1", "DELETE FROM tidemark_claim WHERE key=$1"};
    struct values values[3] = {{0}};
    with_number(with_key(&values[0], key), now_ns);
    /* The common lock belongs to the session, as it is taken before the transaction's first look
     * and given back behind its end. */
    if (!ready(store) || !plain(store, "SELECT pg_advisory_lock(7416)")) {
        return STORE_DOWN;
    }
    enum store_answer answer = locked_change(store, key, sql, 3, values);
    struct postgres *postgres = store;
    if (postgres->connection) {
        plain(store, "SELECT pg_advisory_unlock(7416)");
    }
    return answer == STORE_DOWN ? STORE_DOWN : STORE_YES;
}

static enum store_answer postgres_claim(void *store, struct store_key key, uint64_t owner,
                                        uint64_t now_ns, uint64_t until_ns)
{
    struct values values;
    uint64_t changed = 0;
    with_key(&values, key);
    with_number(&values, owner);
    with_number(&values, until_ns);
    with_number(&values, now_ns);
    return change(store,
                  "INSERT INTO tidemark_claim AS c VALUES($1, $2::bigint, $3::bigint)"
                  " ON CONFLICT(key) DO UPDATE SET owner=excluded.owner, until=excluded.until"
                  " WHERE c.until<=$4::bigint OR c.until>$4::bigint+2*($3::bigint-$4::bigint)"
                  " OR c.owner=excluded.owner",
                  &values, &changed);
}

static enum store_answer postgres_release(void *store, struct store_key key, uint64_t owner)
{
    struct values values;
    uint64_t changed = 0;
    with_number(with_key(&values, key), owner);
    return change(store, "DELETE FROM tidemark_claim WHERE key=$1 AND owner=$2", &values, &changed);
}

const struct store_kind store_postgres = {
    .name = "postgres",
    .has_log = true,
    .shared = true,
    .open = postgres_open,
    .close = postgres_close,
    .get = postgres_get,
    .put = postgres_put,
    .drop = postgres_drop,
    .sweep = postgres_sweep,
    .usage = postgres_usage,
    .commit = postgres_commit,
    .generation = postgres_generation,
    .events = postgres_events,
    .publish = postgres_publish,
    .claim = postgres_claim,
    .release = postgres_release,
};
