/*
 * store_postgres_test.c - the PostgreSQL level on a real server: the table of JSON as an
 * application, two roles and a schedule see it, and what a server in a cloud does to its clients.
 * One cluster for all tests, and one more that follows it.
 */
#include "harness/base/suite.h"
#include "registry/tiered/postgres_fixture.h"
#include "registry/tiered/store_postgres_inside.h"
#include "registry/tiered/tiered_cache.h"

#include <errno.h>

#define SECOND 1000000000ull

static struct postgres_fixture server;

/* The source: JSON that says how often it was asked. */
static unsigned calls;
static const char *source_form = "{\"call\": %u}";

static bool source_load(void *unused, struct store_key key, const void **data, size_t *bytes)
{
    static char text[64];
    (void)unused;
    (void)key;
    *bytes = (size_t)snprintf(text, sizeof text, source_form, ++calls);
    *data = text;
    return true;
}

/* Statements by hand, as an application sends them. ---------------------------------------------
 */

static bool no_preparation(struct postgres_link *link, void *unused)
{
    (void)link;
    (void)unused;
    return true;
}

static struct postgres_link application_over(const char *address)
{
    struct postgres_link link = {.address = (char *)(uintptr_t)address,
                                 .deadline_ns = 30 * SECOND,
                                 .prepare = no_preparation};
    ck_assert_msg(pglink_ready(&link), "%s", link.trouble);
    ck_assert(pglink_run(&link, "SET client_min_messages = error"));
    return link;
}

static struct postgres_link application(void)
{
    return application_over(server.address);
}

static void must(struct postgres_link *link, const char *sql)
{
    ck_assert_msg(pglink_run(link, sql), "%s: %s", sql, link->trouble);
}

/* The first value of a query, as text. */
static const char *first(struct postgres_link *link, const char *sql)
{
    static char text[4][512];
    static unsigned turn;
    size_t bytes;
    PGresult *result = pglink_ask(link, sql, &(struct link_values){0}, false);
    ck_assert_msg(result != NULL, "%s: %s", sql, link->trouble);
    char *to = text[turn++ % 4];
    snprintf(to, sizeof text[0], "%s",
             pglink_rows(result) > 0 ? pglink_value(result, 0, 0, &bytes) : "(none)");
    pglink_clear(result);
    return to;
}

/* The cache over it. ----------------------------------------------------------------------------
 */

static const struct store_kind *const kinds[] = {&store_postgres, &store_postgres_json};

static struct tiered_cache *cache_over(const struct store_kind *kind, const char *address,
                                       uint64_t deadline_ns)
{
    struct tiered_options options = {
        .levels = {{.kind = kind, .address = address, .limits = {.deadline_ns = deadline_ns}}},
        .retry_ns = 1000000,
        .load = source_load};
    struct tiered_cache *cache = tiered_cache_open(&options);
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static struct tiered_cache *cache_open(const struct store_kind *kind)
{
    return cache_over(kind, server.address, 20 * SECOND);
}

static unsigned ask(struct tiered_cache *cache, const char *key)
{
    struct tiered_value value;
    char text[64];
    unsigned call;
    ck_assert(tiered_cache_get(cache, key, &value));
    snprintf(text, sizeof text, "%.*s", (int)value.bytes, (const char *)value.data);
    ck_assert_int_eq(sscanf(text, "{\"call\": %u}", &call), 1);
    return call;
}

static struct tiered_level_statistics level_of(struct tiered_cache *cache)
{
    struct tiered_statistics statistics;
    tiered_cache_statistics(cache, &statistics);
    return statistics.levels[0];
}

static void pause_ms(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void begin(void)
{
    static const char *const keys[] = {"models", "users", "other"};
    calls = 0;
    for (size_t k = 0; k < 2; k++) {
        void *store =
            kinds[k]->open(server.address, &(struct store_limits){.deadline_ns = 20 * SECOND});
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            ck_assert_int_eq(
                kinds[k]->publish(store, (struct store_key){keys[i], strlen(keys[i])}, 1),
                STORE_YES);
        }
        kinds[k]->close(store);
    }
}

/* The table as the report has it. ---------------------------------------------------------------
 */

START_TEST(the_table_has_the_columns_and_the_index_of_the_report_and_its_migration_runs_twice)
{
    struct postgres_link link = application();
    struct tiered_cache *cache = cache_open(&store_postgres_json);
    ask(cache, "models");
    must(&link, cache_entries_sql); /* the store ran it before; and twice more */
    must(&link, postgres_log_sql);
    must(&link, cache_entries_sql);
    ck_assert_str_eq(
        first(&link, "SELECT string_agg(column_name || ' ' || data_type || ' ' || is_nullable, ', '"
                     " ORDER BY ordinal_position) FROM information_schema.columns"
                     " WHERE table_name = 'cache_entries'"),
        "id uuid NO, cache_key text NO, cache_data jsonb NO, expires_at timestamp with time zone "
        "NO,"
        " created_at timestamp with time zone YES, updated_at timestamp with time zone YES");
    ck_assert_str_eq(first(&link, "SELECT indexdef FROM pg_indexes"
                                  " WHERE indexname = 'idx_cache_entries_key_expires'"),
                     "CREATE INDEX idx_cache_entries_key_expires ON public.cache_entries"
                     " USING btree (cache_key, expires_at)");
    ck_assert(!pglink_run(&link, "INSERT INTO cache_entries(cache_key, cache_data, expires_at)"
                                 " VALUES('models', '1', now())"));
    ck_assert_str_eq(link.state, "23505");      /* unique */
    ck_assert_uint_eq(ask(cache, "models"), 1); /* and nothing was lost */
    tiered_cache_close(&cache);
    pglink_close(&link);
}
END_TEST

START_TEST(an_application_sees_what_the_cache_holds_and_the_cache_what_it_writes)
{
    struct postgres_link link = application();
    struct tiered_cache *cache = cache_open(&store_postgres_json);
    ask(cache, "models");
    ck_assert_str_eq(first(&link, "SELECT cache_data->>'call' FROM cache_entries"
                                  " WHERE cache_key = 'models' AND expires_at >= now()"),
                     "1");
    ck_assert_str_eq(first(&link, "SELECT round(extract(epoch FROM expires_at - updated_at))"
                                  " FROM cache_entries WHERE cache_key = 'models'"),
                     "600");
    must(&link, "INSERT INTO cache_entries(cache_key, cache_data, expires_at, updated_at)"
                " VALUES('users', '{\"call\":77}', now() + interval '5 minutes', now())"
                " ON CONFLICT(cache_key) DO UPDATE SET cache_data = excluded.cache_data,"
                " expires_at = excluded.expires_at, updated_at = excluded.updated_at");
    ck_assert_uint_eq(ask(cache, "users"), 77);
    must(&link, "DELETE FROM cache_entries WHERE cache_key = 'users'");
    ck_assert_uint_eq(ask(cache, "users"), 2);
    ck_assert_uint_eq(calls, 2);
    tiered_cache_close(&cache);
    pglink_close(&link);
}
END_TEST

START_TEST(what_is_no_json_is_served_and_refused_with_the_reason)
{
    struct tiered_cache *cache = cache_open(&store_postgres_json);
    struct tiered_value value;
    ck_assert(tiered_cache_get(cache, "models", &value));
    ck_assert(!tiered_cache_set(cache, "users", "{half", 5, 0));
    ck_assert(!tiered_cache_set(cache, "users", "\"\\u0000\"", 8, 0));
    ck_assert(!tiered_cache_set(cache, "users", "\"\xff\"", 3, 0));
    struct tiered_level_statistics level = level_of(cache);
    ck_assert_uint_eq(level.refused, 3);
    ck_assert_uint_eq(level.outages, 0); /* it is well */
    ck_assert_msg(strstr(level.trouble, "invalid byte sequence") != NULL, "%s", level.trouble);
    source_form = "no JSON %u";
    ck_assert(tiered_cache_get(cache, "other", &value));
    ck_assert_uint_eq(value.bytes, strlen("no JSON 2"));
    ck_assert_msg(strstr(level_of(cache).trouble, "invalid input syntax for type json") != NULL,
                  "%s", level_of(cache).trouble);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(the_clean_up_removes_what_has_expired_and_returns_how_many)
{
    struct postgres_link link = application();
    must(&link, "INSERT INTO cache_entries(cache_key, cache_data, expires_at)"
                " SELECT 'old-' || n, '{}', now() - interval '1 second' * n"
                " FROM generate_series(1, 37) n");
    must(&link, "INSERT INTO cache_entries(cache_key, cache_data, expires_at)"
                " SELECT 'young-' || n, '{}', now() + interval '1 minute' * n"
                " FROM generate_series(1, 5) n");
    ck_assert_str_eq(first(&link, "SELECT cleanup_expired_cache()"), "37");
    ck_assert_str_eq(first(&link, "SELECT cleanup_expired_cache()"), "0");
    ck_assert_str_eq(
        first(&link, "SELECT count(*) FROM cache_entries WHERE cache_key LIKE 'young-%'"), "5");
    must(&link, "DELETE FROM cache_entries WHERE cache_key LIKE 'young-%'");
    pglink_close(&link);
}
END_TEST

/* pg_cron's function, which Debian has in a package of its own, stood in for by one that takes the
 * same and, as it does, keeps one job of a name. */
START_TEST(the_clean_up_is_scheduled_once_where_there_is_a_scheduler)
{
    struct postgres_link link = application();
    must(&link, "CREATE SCHEMA cron; CREATE TABLE cron.job(jobname TEXT PRIMARY KEY, schedule TEXT,"
                " command TEXT);"
                "CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS"
                " 'INSERT INTO cron.job VALUES($1, $2, $3) ON CONFLICT(jobname) DO UPDATE SET"
                " schedule = excluded.schedule RETURNING 1::bigint'");
    must(&link, cache_entries_sql);
    must(&link, cache_entries_sql);
    ck_assert_str_eq(first(&link, "SELECT count(*) FROM cron.job"), "1");
    const char *command = first(&link, "SELECT command FROM cron.job");
    ck_assert_str_eq(command, "SELECT cleanup_expired_cache()");
    must(&link, command);
    must(&link, "DROP SCHEMA cron CASCADE");
    pglink_close(&link);
}
END_TEST

/* What role `role` can do with the table, one letter each: Select (how many rows), Insert, Delete.
 */
static const char *rights_of(struct postgres_link *link, const char *role)
{
    static char text[128];
    char set[64];
    snprintf(set, sizeof set, "SET ROLE %s", role);
    must(link, set);
    bool reads = pglink_run(link, "SELECT 1 FROM cache_entries LIMIT 1");
    const char *rows = reads ? first(link, "SELECT count(*) FROM cache_entries"
                                           " WHERE cache_key LIKE 'row-%'")
                             : "-";
    bool writes = pglink_run(link, "INSERT INTO cache_entries(cache_key, cache_data, expires_at)"
                                   " VALUES('row-new', '{}', now() + interval '1 hour')");
    char state[8] = "";
    snprintf(state, sizeof state, "%s", writes ? "" : link->state);
    bool removes = pglink_run(link, "DELETE FROM cache_entries WHERE cache_key = 'row-new'");
    snprintf(text, sizeof text, "rows %s, insert %s%s, delete %s", rows, writes ? "yes" : "no ",
             state, removes ? "yes" : "no");
    must(link, "RESET ROLE");
    return text;
}

START_TEST(a_service_writes_a_reader_sees_what_is_fresh_and_a_stranger_nothing)
{
    struct postgres_link link = application();
    must(&link, "CREATE ROLE stranger NOLOGIN; GRANT SELECT, INSERT ON cache_entries TO stranger");
    must(&link,
         "INSERT INTO cache_entries(cache_key, cache_data, expires_at) VALUES"
         " ('row-1', '{}', now() + interval '1 hour'), ('row-2', '{}', now() - interval '1 s')");
    ck_assert_str_eq(rights_of(&link, "cache_service"), "rows 2, insert yes, delete yes");
    ck_assert_str_eq(rights_of(&link, "cache_reader"), "rows 1, insert no 42501, delete no");
    ck_assert_str_eq(rights_of(&link, "stranger"), "rows 0, insert no 42501, delete no");
    must(&link, "DELETE FROM cache_entries WHERE cache_key LIKE 'row-%'");
    must(&link, "REVOKE ALL ON cache_entries FROM stranger; DROP ROLE stranger");
    pglink_close(&link);
}
END_TEST

/* The cache itself under a role, which owns nothing and may make nothing. */
START_TEST(a_cache_works_as_the_service_role_and_says_why_it_does_not_as_the_reader)
{
    char address[200];
    struct tiered_value value;
    snprintf(address, sizeof address, "%s options='-c role=cache_service'", server.address);
    struct tiered_cache *cache = cache_over(&store_postgres_json, address, 20 * SECOND);
    ck_assert_uint_eq(ask(cache, "models"), 1);
    ck_assert_uint_eq(ask(cache, "models"), 1);
    ck_assert(tiered_cache_invalidate(cache, "models"));
    ck_assert_uint_eq(ask(cache, "models"), 2);
    tiered_cache_sweep(cache);
    ck_assert_uint_eq(level_of(cache).failures, 0);
    tiered_cache_close(&cache);
    snprintf(address, sizeof address, "%s options='-c role=cache_reader'", server.address);
    cache = cache_over(&store_postgres_json, address, 20 * SECOND);
    ck_assert(tiered_cache_get(cache, "models", &value)); /* the source */
    ck_assert_uint_eq(calls, 3);
    ck_assert_str_eq(level_of(cache).trouble,
                     "postgres: permission denied for table tidemark_event");
    tiered_cache_close(&cache);
}
END_TEST

/* What a server in a cloud does. ----------------------------------------------------------------
 */

/* In another process, a while from now. */
static int later(unsigned ms, const char *sql)
{
    int pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct postgres_link link = {
            .address = server.address, .deadline_ns = 30 * SECOND, .prepare = no_preparation};
        pause_ms(ms);
        _exit(pglink_ready(&link) && pglink_run(&link, sql) ? 0 : 1);
    }
    return pid;
}

static void joined(int pid)
{
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/* Two ways in which a connection ends: between two calls, which nobody notices, and while a query
 * waits for a lock. */
START_TEST(a_connection_that_is_dropped_costs_no_wrong_answer)
{
    static const char drop[] =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND query LIKE '%tidemark_event%'"
        " AND backend_type = 'client backend'"
        " AND NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid ="
        " pg_stat_activity.pid AND l.mode = 'AccessExclusiveLock' AND l.granted)";
    struct tiered_cache *cache = cache_open(kinds[_i]);
    ask(cache, "models");
    joined(later(0, drop));
    ck_assert_uint_eq(ask(cache, "models"), 1); /* connected anew */
    ck_assert_uint_eq(level_of(cache).outages, 0);

    struct postgres_link holder = application();
    must(&holder, "BEGIN; LOCK TABLE tidemark_event IN ACCESS EXCLUSIVE MODE");
    int dropper = later(100, drop); /* in mid-query; what connects anew waits as well */
    int second = later(600, drop);
    int third = later(1200, drop);
    double begun = seconds_now();
    unsigned call = ask(cache, "models");
    double took = seconds_now() - begun;
    joined(dropper);
    ck_assert_uint_eq(call, 2); /* the source itself */
    ck_assert_msg(took >= 0.05 && took < 15, "%g s", took);
    ck_assert_uint_ge(level_of(cache).outages, 1);
    joined(second);
    joined(third);
    must(&holder, "ROLLBACK");
    pause_ms(20);
    call = ask(cache, "models");
    ck_assert_uint_eq(ask(cache, "models"), call);
    ck_assert_uint_ge(level_of(cache).recoveries, 1);
    tiered_cache_close(&cache);
    pglink_close(&holder);
}
END_TEST

START_TEST(a_statement_that_takes_too_long_ends_within_the_deadline)
{
    struct tiered_cache *cache = cache_over(kinds[_i], server.address, SECOND / 5);
    struct postgres_link holder = application();
    while (level_of(cache).hits == 0) { /* on a busy machine the first may be too late */
        ask(cache, "models");
        pause_ms(2);
    }
    unsigned before = calls;
    must(&holder, "BEGIN; LOCK TABLE tidemark_event IN ACCESS EXCLUSIVE MODE");
    double begun = seconds_now();
    ck_assert_uint_eq(ask(cache, "models"), before + 1);
    double took = seconds_now() - begun;
    ck_assert_msg(took > 0.1 && took < 10, "%g s", took);
    const char *trouble = level_of(cache).trouble;
    ck_assert_msg(strstr(trouble, "statement timeout") || strstr(trouble, "within the deadline"),
                  "%s", trouble);
    must(&holder, "ROLLBACK");
    pause_ms(20);
    for (int tries = 0; level_of(cache).recoveries == 0; tries++) {
        ck_assert_int_lt(tries, 500);
        ask(cache, "models");
        pause_ms(20);
    }
    tiered_cache_close(&cache);
    pglink_close(&holder);
}
END_TEST

/* A server that takes the query and never answers: no call of libpq's own would end. */
START_TEST(a_server_that_stands_still_ends_within_the_deadline)
{
    struct tiered_cache *cache = cache_over(kinds[_i], server.address, SECOND / 5);
    struct postgres_link link = application();
    while (level_of(cache).hits == 0) {
        ask(cache, "models");
        pause_ms(2);
    }
    unsigned before = calls;
    int backend = (int)strtol(
        first(&link, "SELECT pid FROM pg_stat_activity WHERE query LIKE '%tidemark_event%'"
                     " AND pid <> pg_backend_pid() AND backend_type = 'client backend' LIMIT 1"),
        NULL, 10);
    ck_assert_int_gt(backend, 1);
    ck_assert_int_eq(kill(backend, SIGSTOP), 0);
    double begun = seconds_now();
    ck_assert_uint_eq(ask(cache, "models"), before + 1);
    double took = seconds_now() - begun;
    ck_assert_int_eq(kill(backend, SIGCONT), 0);
    ck_assert_msg(took > 0.1 && took < 10, "%g s", took);
    ck_assert_str_eq(level_of(cache).trouble, "postgres: no answer within the deadline");
    tiered_cache_close(&cache);
    pglink_close(&link);
}
END_TEST

START_TEST(a_pool_that_is_exhausted_is_an_outage_until_there_is_room)
{
    char address[200];
    struct postgres_link holders[24], link = application();
    unsigned held = 0;
    must(&link, "CREATE ROLE pooled LOGIN IN ROLE cache_service");
    snprintf(address, sizeof address, "host=%s port=%d dbname=postgres user=pooled", server.folder,
             server.port);
    for (; held < 24; held++) {
        holders[held] = (struct postgres_link){
            .address = address, .deadline_ns = 30 * SECOND, .prepare = no_preparation};
        if (!pglink_ready(&holders[held])) {
            break;
        }
    }
    ck_assert_uint_gt(held, 5);
    ck_assert_uint_lt(held, 24);
    struct tiered_cache *cache = cache_over(&store_postgres_json, address, 20 * SECOND);
    ck_assert_uint_eq(ask(cache, "models"), 1);
    pause_ms(5);
    ck_assert_uint_eq(ask(cache, "models"), 2); /* nobody holds it */
    ck_assert_msg(strstr(level_of(cache).trouble, "remaining connection slots are reserved") ||
                      strstr(level_of(cache).trouble, "too many clients"),
                  "%s", level_of(cache).trouble);
    for (unsigned i = 0; i < held; i++) {
        pglink_close(&holders[i]);
    }
    for (int tries = 0; level_of(cache).recoveries == 0; tries++) {
        ck_assert_int_lt(tries, 500);
        ask(cache, "models");
        pause_ms(10);
    }
    unsigned call = ask(cache, "models");
    ck_assert_uint_eq(ask(cache, "models"), call);
    ck_assert_uint_eq(level_of(cache).outages, 1);
    tiered_cache_close(&cache);
    pause_ms(20);
    must(&link, "DROP ROLE pooled");
    pglink_close(&link);
}
END_TEST

START_TEST(a_server_that_is_read_only_serves_what_it_has)
{
    struct tiered_cache *cache = cache_open(kinds[_i]);
    struct postgres_link link = application();
    ask(cache, "models");
    must(&link, "ALTER DATABASE postgres SET default_transaction_read_only = on");
    tiered_cache_close(&cache);
    cache = cache_open(kinds[_i]); /* a new connection */
    ck_assert_uint_eq(ask(cache, "models"), 1);
    double begun = seconds_now();
    ck_assert_uint_eq(ask(cache, "users"), 2); /* nobody can claim it, and nobody waits */
    ck_assert_msg(seconds_now() - begun < 10, "waited");
    ck_assert(!tiered_cache_invalidate(cache, "models"));
    ck_assert_str_eq(level_of(cache).trouble,
                     "postgres: cannot execute INSERT in a read-only transaction");
    ck_assert_uint_eq(ask(cache, "models"), 1);
    ck_assert_uint_eq(level_of(cache).outages, 0);
    tiered_cache_close(&cache);
    pglink_close(&link);
    link = application();
    must(&link, "SET default_transaction_read_only = off");
    must(&link, "ALTER DATABASE postgres RESET default_transaction_read_only");
    cache = cache_open(kinds[_i]);
    ck_assert(tiered_cache_invalidate(cache, "models"));
    ck_assert_uint_eq(ask(cache, "models"), 3);
    tiered_cache_close(&cache);
    pglink_close(&link);
}
END_TEST

START_TEST(over_loopback_it_is_the_same_server)
{
    char address[200];
    snprintf(address, sizeof address, "postgresql://tidemark@127.0.0.1:%d/postgres", server.port);
    struct tiered_cache *cache = cache_open(kinds[_i]);
    struct tiered_cache *other = cache_over(kinds[_i], address, 20 * SECOND);
    ck_assert_uint_eq(ask(cache, "models"), 1);
    ck_assert_uint_eq(ask(other, "models"), 1);
    ck_assert(tiered_cache_invalidate(other, "models"));
    ck_assert_uint_eq(ask(cache, "models"), 2);
    tiered_cache_close(&cache);
    tiered_cache_close(&other);
}
END_TEST

/* The primary dies with an event that its standby has not got; the standby takes its place. The
 * memory above knows more events than the new log has, and the new table still holds what the lost
 * event had removed. This test ends the server of the others: it is the last one. */
START_TEST(after_a_fail_over_to_another_socket_nothing_that_an_event_forbade_is_served)
{
    struct postgres_fixture standby = {0};
    char both[300];
    ck_assert_msg(postgres_follow(&standby, &server), "see %s/log", standby.folder);
    snprintf(both, sizeof both,
             "host=%s,%s port=%d,%d dbname=postgres user=tidemark target_session_attrs=read-write",
             server.folder, standby.folder, server.port, standby.port);
    struct tiered_options options = {.levels = {{.kind = &store_memory},
                                                {.kind = &store_postgres_json,
                                                 .address = both,
                                                 .limits = {.deadline_ns = 20 * SECOND}}},
                                     .retry_ns = 1000000,
                                     .poll_ns = 1, /* memory is held against the log each time */
                                     .load = source_load};
    struct tiered_cache *cache = tiered_cache_open(&options);
    ck_assert_uint_eq(ask(cache, "models"), 1);
    struct postgres_link link = application(), follower = application_over(standby.address);
    for (int tries = 0; strcmp(first(&follower, "SELECT count(*) FROM cache_entries"
                                                " WHERE cache_key = 'models'"),
                               "1") != 0;
         tries++) {
        ck_assert_int_lt(tries, 1000);
        pause_ms(10);
    }
    struct tiered_cache *alone = cache_over(&store_postgres_json, standby.address, 20 * SECOND);
    ask(alone, "models"); /* whoever names a standby alone is told */
    ck_assert_msg(strstr(level_of(alone).trouble, "is a standby") != NULL, "%s",
                  level_of(alone).trouble);
    tiered_cache_close(&alone);
    must(&follower, "ALTER SYSTEM SET primary_conninfo = ''"); /* from here on it lags */
    must(&follower, "SELECT pg_reload_conf()");
    for (int tries = 0; *first(&follower, "SELECT count(*) FROM pg_stat_wal_receiver") != '0';
         tries++) {
        ck_assert_int_lt(tries, 1000);
        pause_ms(10);
    }
    ck_assert(tiered_cache_invalidate(cache, "models"));
    unsigned call = ask(cache, "models"); /* of the new state; the standby has neither */
    ck_assert_uint_eq(call, calls);
    pglink_close(&link);
    postgres_kill(&server);
    must(&follower, "SELECT pg_promote(true, 30)");
    struct tiered_cache *young = cache_over(&store_postgres_json, both, 20 * SECOND);
    for (int i = 0; i < 6; i++) { /* a process that has nothing in memory, and the one that has */
        unsigned now = ask(i % 2 ? cache : young, "models");
        ck_assert_msg(now >= call, "call %u is served, which the event after it forbade", now);
    }
    tiered_cache_close(&young);
    ck_assert(tiered_cache_invalidate(cache, "models")); /* the log goes on */
    ck_assert_uint_eq(ask(cache, "models"), calls);
    tiered_cache_close(&cache);
    pglink_close(&follower);
    postgres_end(&standby);
}
END_TEST

static const TTest *const *const tests[] = {
    &the_table_has_the_columns_and_the_index_of_the_report_and_its_migration_runs_twice,
    &an_application_sees_what_the_cache_holds_and_the_cache_what_it_writes,
    &what_is_no_json_is_served_and_refused_with_the_reason,
    &the_clean_up_removes_what_has_expired_and_returns_how_many,
    &the_clean_up_is_scheduled_once_where_there_is_a_scheduler,
    &a_service_writes_a_reader_sees_what_is_fresh_and_a_stranger_nothing,
    &a_cache_works_as_the_service_role_and_says_why_it_does_not_as_the_reader,
    &a_pool_that_is_exhausted_is_an_outage_until_there_is_room,
};

static const TTest *const *const tests_of_each_table[] = {
    &a_connection_that_is_dropped_costs_no_wrong_answer,
    &a_statement_that_takes_too_long_ends_within_the_deadline,
    &a_server_that_stands_still_ends_within_the_deadline,
    &a_server_that_is_read_only_serves_what_it_has,
    &over_loopback_it_is_the_same_server,
};

int main(void)
{
    const char *missing = postgres_missing();
    if (missing) {
        puts(missing);
        return 77;
    }
    if (!postgres_start(&server)) {
        fprintf(stderr, "the PostgreSQL server does not start, see %s/log\n", server.folder);
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("store_postgres");
    TCase *tcase = tcase_create("store_postgres"), *last = tcase_create("fail-over");
    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_add_checked_fixture(last, begin, NULL);
    tcase_set_timeout(tcase, 120);
    tcase_set_timeout(last, 120);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tcase_add_test(tcase, *tests[i]);
    }
    for (size_t i = 0; i < sizeof tests_of_each_table / sizeof tests_of_each_table[0]; i++) {
        tcase_add_loop_test(tcase, *tests_of_each_table[i], 0, 2);
    }
    tcase_add_test(last,
                   after_a_fail_over_to_another_socket_nothing_that_an_event_forbade_is_served);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, last);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    postgres_end(&server);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
