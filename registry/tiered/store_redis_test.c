/*
 * store_redis_test.c - the Redis level on real servers: by TCP, as a user of few rights, over TLS;
 * servers that are none of ours to use; connections that end; replies that are torn.
 */
#include "harness/base/suite.h"
#include "registry/tiered/redis_fixture.h"
#include "registry/tiered/tiered_cache.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>

#define SECOND 1000000000ull

static char folder[64];
static struct redis_fixture redis;
static unsigned calls;

static void folder_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/tidemark-redis-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    redis = (struct redis_fixture){0};
    calls = 0;
}

static void folder_end(void)
{
    char command[100];
    redis_kill(&redis);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static bool source_load(void *unused, struct store_key key, const void **data, size_t *bytes)
{
    static char text[32];
    (void)unused;
    (void)key;
    *bytes = (size_t)snprintf(text, sizeof text, "%u", ++calls);
    *data = text;
    return true;
}

static struct tiered_cache *cache_over(const char *address, uint64_t deadline_ns)
{
    static char file[100];
    snprintf(file, sizeof file, "%s/cache.db", folder);
    struct tiered_options options = {.levels = {{.kind = &store_redis,
                                                 .address = address,
                                                 .limits = {.deadline_ns = deadline_ns}},
                                                {.kind = &store_sqlite, .address = file}},
                                     .retry_ns = 1000000,
                                     .load = source_load};
    struct tiered_cache *cache = tiered_cache_open(&options);
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static struct tiered_level_statistics level_of(struct tiered_cache *cache)
{
    struct tiered_statistics statistics;
    tiered_cache_statistics(cache, &statistics);
    return statistics.levels[0];
}

static unsigned ask(struct tiered_cache *cache, const char *key)
{
    struct tiered_value value;
    char text[32];
    ck_assert(tiered_cache_get(cache, key, &value));
    snprintf(text, sizeof text, "%.*s", (int)value.bytes, (const char *)value.data);
    return (unsigned)strtoul(text, NULL, 10);
}

/* Loads a value, finds it again in Redis, and sees an event. */
static void serves(const char *address)
{
    struct tiered_cache *cache = cache_over(address, 20 * SECOND);
    unsigned call = ask(cache, "models");
    ck_assert_uint_eq(ask(cache, "models"), call);
    ck_assert_msg(level_of(cache).hits == 1, "%s: %s", address ? address : "REDIS_URL",
                  level_of(cache).trouble);
    ck_assert(tiered_cache_invalidate(cache, "models"));
    ck_assert_uint_eq(ask(cache, "models"), call + 1);
    ck_assert(tiered_cache_invalidate(cache, "models"));
    ck_assert_uint_eq(level_of(cache).failures, 0);
    tiered_cache_close(&cache);
}

/* The source's answer is right, and the level says why it is away. */
static void is_left_out(const char *address, const char *why)
{
    struct tiered_cache *cache = cache_over(address, 20 * SECOND);
    ask(cache, "models");
    ck_assert_msg(strstr(level_of(cache).trouble, why) != NULL, "'%s' is not in '%s'", why,
                  level_of(cache).trouble);
    ck_assert_uint_ge(level_of(cache).outages, 1);
    ck_assert_uint_eq(level_of(cache).hits, 0);
    tiered_cache_close(&cache);
}

static bool server_there(const char *const *more)
{
    if (redis_missing()) {
        fprintf(stderr, "skipped: %s\n", redis_missing());
        return false;
    }
    ck_assert(redis_start_with(&redis, folder, more));
    return true;
}

START_TEST(a_user_of_few_rights_is_served_by_tcp_and_others_are_told)
{
    char port[12], url[200];
    const int number = free_port();
    snprintf(port, sizeof port, "%d", number);
    const char *const more[] = {
        "--port", port,     "--bind",   "127.0.0.1",   "--requirepass", "first",  "--user",
        "cache",  "on",     ">s3c:r@t", "~tidemark:*", "+hello",        "+get",   "+set",
        "+del",   "+hmget", "+hget",    "+hset",       "+eval",         "--user", "reader",
        "on",     ">r",     "~*",       "+get",        "+hmget",        "+hello", NULL};
    if (!server_there(more)) {
        return;
    }
    snprintf(url, sizeof url, "redis://cache:s3c%%3Ar%%40t@127.0.0.1:%d", number);
    serves(url);
    snprintf(url, sizeof url, "redis://:first@localhost:%d/2", number);
    serves(url);
    snprintf(url, sizeof url, "redis://:first@localhost:%d", number);
    setenv("REDIS_URL", url, 1);
    serves(NULL);
    snprintf(url, sizeof url, "redis://cache:wrong@127.0.0.1:%d", number);
    is_left_out(url, "redis: WRONGPASS invalid username-password pair");
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", number);
    is_left_out(url, "redis: NOAUTH");
    snprintf(url, sizeof url, "redis://reader:r@127.0.0.1:%d", number);
    is_left_out(url, "redis: NOPERM");
    snprintf(url, sizeof url, "redis://:first@127.0.0.1:%d/99", number);
    is_left_out(url, "redis: ERR DB index is out of range");
    is_left_out("redis://127.0.0.1:1", "redis: connect: Connection refused");
    is_left_out("redis//127.0.0.1", "redis: 'redis//127.0.0.1': expected redis://");
}
END_TEST

/* TLS. ------------------------------------------------------------------------------------------
 */

static bool certificate_make(const char *name, const char *names)
{
    char command[600];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
             " -subj /CN=%s -addext subjectAltName=%s -keyout %s/%s.key -out %s/%s.crt 2>/dev/null",
             name, names, folder, name, folder, name);
    return system(command) == 0;
}

static bool tls_server(int port, const char *name)
{
    char number[12], cert[100], key[100];
    snprintf(number, sizeof number, "%d", port);
    snprintf(cert, sizeof cert, "%s/%s.crt", folder, name);
    snprintf(key, sizeof key, "%s/%s.key", folder, name);
    const char *const more[] = {
        "--tls-port", number, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients",
        "no",         NULL};
    return server_there(more);
}

START_TEST(over_tls_the_server_must_be_the_one_that_was_named)
{
    char url[300], large_key[] = "large";
    static char large[3000000];
    struct tiered_value value;
    int port = free_port();
    if (system("openssl version >/dev/null 2>&1") != 0) {
        fprintf(stderr, "skipped: no openssl command to make certificates with\n");
        return;
    }
    ck_assert(certificate_make("good", "DNS:localhost,IP:127.0.0.1"));
    ck_assert(certificate_make("other", "DNS:elsewhere.example"));
    if (!tls_server(port, "good")) {
        return;
    }
    snprintf(url, sizeof url, "rediss://localhost:%d?ca=%s/good.crt", port, folder);
    serves(url);
    snprintf(url, sizeof url, "rediss://127.0.0.1:%d?ca=%s/good.crt", port, folder);
    serves(url);
    /* More than one record, and more than the socket takes at once. */
    struct tiered_cache *cache = cache_over(url, 60 * SECOND);
    memset(large, 'v', sizeof large);
    ck_assert(tiered_cache_set(cache, large_key, large, sizeof large, 0));
    ck_assert(tiered_cache_get(cache, large_key, &value));
    ck_assert_uint_eq(value.bytes, sizeof large);
    ck_assert_int_eq(memcmp(value.data, large, sizeof large), 0);
    ck_assert_uint_eq(level_of(cache).hits, 1);
    tiered_cache_close(&cache);
    snprintf(url, sizeof url, "rediss://localhost:%d?ca=%s/other.crt", port, folder);
    is_left_out(url, "redis: TLS: the server's certificate: self-signed certificate");
    snprintf(url, sizeof url, "rediss://localhost:%d", port);
    is_left_out(url, "redis: TLS: the server's certificate: self-signed certificate");
    snprintf(url, sizeof url, "rediss://localhost:%d?ca=%s/none.crt", port, folder);
    is_left_out(url, "redis: TLS: the authorities of /tmp/");
    snprintf(url, sizeof url, "redis://localhost:%d", port);
    is_left_out(url, "redis: "); /* no plain text on this port */
    redis_kill(&redis);
    ck_assert(tls_server(port, "other"));
    snprintf(url, sizeof url, "rediss://localhost:%d?ca=%s/other.crt", port, folder);
    is_left_out(url, "redis: TLS: the server's certificate: hostname mismatch");
}
END_TEST

/* Servers that are refused, and what is none. ---------------------------------------------------
 */

START_TEST(members_of_a_cluster_replicas_and_sentinels_are_refused_by_name)
{
    static const struct {
        const char *arguments[6], *why;
    } rows[] = {
        {{"--cluster-enabled", "yes"}, "is a member of a cluster"},
        {{"--replicaof", "127.0.0.1 1"}, "is a replica"},
        {{"--sentinel"}, "is a sentinel"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char port[12], url[60], conf[100];
        const char *more[10] = {"--port", port, "--bind", "127.0.0.1"};
        snprintf(port, sizeof port, "%d",
                 20000 + free_port() % 20000); /* a cluster's bus is 10,000 above */
        memcpy(more + 4, rows[i].arguments, sizeof rows[i].arguments);
        snprintf(url, sizeof url, "redis://127.0.0.1:%s", port);
        if (strcmp(rows[i].arguments[0], "--sentinel") == 0) {
            snprintf(conf, sizeof conf, "%s/sentinel.conf", folder);
            FILE *file = fopen(conf, "w");
            fprintf(file, "port %s\nunixsocket %s/redis.sock\n", port, folder);
            fclose(file);
            char *arguments[] = {"redis-server", conf, "--sentinel", NULL};
            snprintf(redis.socket, sizeof redis.socket, "%s/redis.sock", folder);
            if (redis_missing()) {
                return;
            }
            redis_spawn(&redis, arguments);
            ck_assert(redis_wait(&redis));
        } else if (!server_there(more)) {
            return;
        }
        is_left_out(url, rows[i].why);
        redis_kill(&redis);
    }
}
END_TEST

/* A server of our own that answers everything with `answer`, and nothing at all where it is NULL.
 */
static int fake_server(int port, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    int pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            char text[1000];
            int client = accept(fd, NULL, NULL);
            while (read(client, text, sizeof text) > 0) {
                if (answer && write(client, answer, strlen(answer)) < 0) {
                    break;
                }
            }
            close(client);
        }
    }
    close(fd);
    return pid;
}

START_TEST(what_is_no_redis_server_is_said_to_be_none)
{
    static const char *const answers[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
                                          "hello\n",
                                          "*-\r\n",
                                          "$12345678901\r\n",
                                          ":1x\r\n",
                                          "*99999999\r\n",
                                          "\r\n"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char url[60];
        int port = free_port(), pid = fake_server(port, answers[i]);
        snprintf(url, sizeof url, "redis://127.0.0.1:%d", port);
        is_left_out(url, "redis: what answers there is no Redis server");
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}
END_TEST

START_TEST(a_server_that_never_answers_costs_the_deadline_and_no_more)
{
    char url[60];
    struct timespec begun, ended;
    int port = free_port(), pid = fake_server(port, NULL);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", port);
    struct tiered_cache *cache = cache_over(url, SECOND / 10);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    ask(cache, "models");
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double took =
        (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    ck_assert_msg(took > 0.09 && took < 10, "%g s", took);
    ck_assert_str_eq(level_of(cache).trouble, "redis: no answer within the deadline");
    tiered_cache_close(&cache);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
END_TEST

/* Connections. ----------------------------------------------------------------------------------
 */

START_TEST(a_connection_that_the_server_has_ended_is_made_anew_without_an_outage)
{
    char command[200];
    if (!server_there(NULL)) {
        return;
    }
    struct tiered_cache *cache = cache_over(redis.socket, 20 * SECOND);
    ask(cache, "models");
    snprintf(command, sizeof command,
             "redis-cli -s %s CLIENT KILL TYPE normal SKIPME yes >/dev/null", redis.socket);
    ck_assert_int_eq(system(command), 0);
    ask(cache, "models");
    ck_assert_uint_eq(level_of(cache).hits, 1);
    ck_assert_uint_eq(level_of(cache).failures, 0);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(two_services_share_a_server_under_two_prefixes)
{
    char first[200], second[200];
    if (!server_there(NULL)) {
        return;
    }
    snprintf(first, sizeof first, "%s?prefix=first", redis.socket);
    snprintf(second, sizeof second, "unix://%s?prefix=second", redis.socket);
    struct store_state state = {.known = true, .floor = 1, .applied = 1};
    struct store_entry entry = {.data = "x", .bytes = 1, .until_ns = 9 * SECOND, .as_of = 1}, got;
    void *one = store_redis.open(first, &(struct store_limits){.deadline_ns = 20 * SECOND});
    void *two = store_redis.open(second, &(struct store_limits){.deadline_ns = 20 * SECOND});
    struct store_key key = {"models", 6};
    ck_assert_int_eq(store_redis.commit(one, &state), STORE_YES);
    ck_assert_int_eq(store_redis.put(one, key, &entry, 0), STORE_YES);
    ck_assert_int_eq(store_redis.get(one, key, &got, &state), STORE_YES);
    ck_assert_int_eq(store_redis.get(two, key, &got, &state), STORE_NO);
    ck_assert(!state.known);
    store_redis.close(one);
    store_redis.close(two);
}
END_TEST

/* A put that was loaded before an event, and comes after the purge, is refused by the server. */
START_TEST(a_put_that_an_event_has_overtaken_is_refused_and_so_is_one_without_a_state)
{
    if (!server_there(NULL)) {
        return;
    }
    struct store_entry entry = {.data = "x", .bytes = 1, .until_ns = 9 * SECOND, .as_of = 5}, got;
    struct store_state state;
    struct store_key key = {"models", 6};
    void *store =
        store_redis.open(redis.socket, &(struct store_limits){.deadline_ns = 20 * SECOND});
    ck_assert_int_eq(store_redis.put(store, key, &entry, 0), STORE_NO); /* it knows of no state */
    ck_assert_int_eq(store_redis.commit(store, &(struct store_state){.applied = 5}), STORE_YES);
    ck_assert_int_eq(store_redis.put(store, key, &entry, 0), STORE_YES);
    ck_assert_int_eq(store_redis.commit(store, &(struct store_state){.applied = 6}), STORE_YES);
    ck_assert_int_eq(store_redis.drop(store, key), STORE_YES);
    ck_assert_int_eq(store_redis.put(store, key, &entry, 0), STORE_NO); /* as of 5 */
    ck_assert_int_eq(store_redis.get(store, key, &got, &state), STORE_NO);
    ck_assert_uint_eq(state.applied, 6);
    ck_assert_int_eq(store_redis.commit(store, &(struct store_state){.applied = 5}), STORE_NO);
    entry.as_of = 6;
    ck_assert_int_eq(store_redis.put(store, key, &entry, 0), STORE_YES);
    store_redis.close(store);
}
END_TEST

START_TEST(a_server_without_memory_refuses_and_stays_a_level)
{
    static char large[2000000];
    char command[200];
    if (!server_there(NULL)) {
        return;
    }
    struct tiered_cache *cache = cache_over(redis.socket, 20 * SECOND);
    ask(cache, "models");
    snprintf(command, sizeof command,
             "redis-cli -s %s CONFIG SET maxmemory 1 maxmemory-policy noeviction >/dev/null",
             redis.socket);
    ck_assert_int_eq(system(command), 0);
    ck_assert(tiered_cache_set(cache, "large", large, sizeof large, 0)); /* the table has it */
    ask(cache, "models");
    ck_assert_uint_ge(level_of(cache).refused, 1);
    ck_assert_uint_eq(level_of(cache).failures, 0);
    ck_assert_msg(strstr(level_of(cache).trouble, "OOM") != NULL, "%s", level_of(cache).trouble);
    tiered_cache_close(&cache);
}
END_TEST

static const TTest *const *const tests[] = {
    &a_user_of_few_rights_is_served_by_tcp_and_others_are_told,
    &over_tls_the_server_must_be_the_one_that_was_named,
    &members_of_a_cluster_replicas_and_sentinels_are_refused_by_name,
    &what_is_no_redis_server_is_said_to_be_none,
    &a_server_that_never_answers_costs_the_deadline_and_no_more,
    &a_connection_that_the_server_has_ended_is_made_anew_without_an_outage,
    &two_services_share_a_server_under_two_prefixes,
    &a_put_that_an_event_has_overtaken_is_refused_and_so_is_one_without_a_state,
    &a_server_without_memory_refuses_and_stays_a_level,
};

int main(void)
{
    Suite *suite = suite_create("store_redis");
    TCase *tcase = tcase_create("store_redis");
    tcase_add_checked_fixture(tcase, folder_make, folder_end);
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tcase_add_test(tcase, *tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
