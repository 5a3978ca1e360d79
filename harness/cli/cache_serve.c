/*
 * cache_serve.c - see cache.h: `tidemark cache serve`, a small HTTP server over the same functions
 * as the command.
 *
 *   GET  /cache/stats              the statistics, as JSON
 *   POST /cache/clear              X-API-KEY needed; removes everything
 *   POST /cache/refresh[?key=K]    X-API-KEY needed; loads K, or all that is there, from the source
 *
 * One thread, so one request at a time reaches the store: it belongs to one thread. Where others
 * than this machine can connect, the statistics need the key too. Supervisor only.
 */
#include "harness/base/interrupt.h"
#include "harness/base/monotonic.h"
#include "harness/cli/cache.h"
#include "harness/cli/cache_http.h"
#include "harness/cli/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX  1000u
#define CONNECTIONS  32u
#define IDLE_S       10u
#define HEADER_BYTES 16384u

struct server {
    const struct cache_serve *options;
    bool loopback;
    double tokens; /* requests that may come at once */
    uint64_t filled_ns;
};

struct answer {
    unsigned code;
    struct text json;
    const char *allow; /* the right method, of 405 */
};

/* A bucket that fills at the rate and holds two seconds' worth, at least one request. */
static bool rate_allows(struct server *server)
{
    double rate = server->options->rate, room = 2 * rate > 1 ? 2 * rate : 1;
    uint64_t now = monotonic_ns();
    server->tokens += (double)(now - server->filled_ns) / 1e9 * rate;
    server->filled_ns = now;
    server->tokens = server->tokens > room ? room : server->tokens;
    if (server->tokens < 1) {
        return false;
    }
    server->tokens -= 1;
    return true;
}

static bool key_is_right(const struct server *server, struct MHD_Connection *connection)
{
    const char *sent = NULL, *key = server->options->key;
    size_t bytes = 0;
    return key &&
           cache_http.lookup_connection_value_n(connection, MHD_HEADER_KIND, "X-API-KEY", 9, &sent,
                                                &bytes) == MHD_YES &&
           sent && secret_is(key, strlen(key), sent, bytes);
}

static void fail(struct answer *answer, unsigned code, const char *why)
{
    answer->code = code;
    text_reset(&answer->json);
    cache_error_json(&answer->json, why);
}

static void stats_get(struct server *server, struct MHD_Connection *connection,
                      struct answer *answer)
{
    struct cache_admin *admin = server->options->admin;
    (void)connection;
    if (cache_stats_json(admin, ENTRIES_MAX, &answer->json) != ADMIN_YES) {
        fail(answer, MHD_HTTP_SERVICE_UNAVAILABLE, cache_admin_trouble(admin));
    }
}

static void clear_post(struct server *server, struct MHD_Connection *connection,
                       struct answer *answer)
{
    struct cache_admin *admin = server->options->admin;
    uint64_t removed;
    (void)connection;
    enum admin_answer done = cache_admin_clear(admin, &removed);
    if (done != ADMIN_YES) {
        fail(answer, done == ADMIN_NO ? MHD_HTTP_CONFLICT : MHD_HTTP_SERVICE_UNAVAILABLE,
             cache_admin_trouble(admin));
        return;
    }
    cache_done_json(&answer->json, admin, "clear", "removed", removed);
}

static void ignore(void *context, const char *key, size_t key_bytes, const char *why)
{
    (void)context;
    (void)key;
    (void)key_bytes;
    (void)why;
}

static void refresh_post(struct server *server, struct MHD_Connection *connection,
                         struct answer *answer)
{
    struct cache_admin *admin = server->options->admin;
    const char *key = cache_http.lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "key");
    const struct cache_failed failed = {ignore, NULL};
    uint64_t refreshed;
    enum admin_answer done = cache_refresh(admin, &key, key ? 1 : 0, &failed, &refreshed);
    if (done != ADMIN_YES) {
        fail(answer, done == ADMIN_NO ? MHD_HTTP_BAD_GATEWAY : MHD_HTTP_SERVICE_UNAVAILABLE,
             cache_admin_trouble(admin));
        return;
    }
    cache_done_json(&answer->json, admin, "refresh", "refreshed", refreshed);
}

static const struct {
    const char *path, *method;
    bool changes;
    void (*run)(struct server *server, struct MHD_Connection *connection, struct answer *answer);
} routes[] = {
    {"/cache/stats", MHD_HTTP_METHOD_GET, false, stats_get},
    {"/cache/clear", MHD_HTTP_METHOD_POST, true, clear_post},
    {"/cache/refresh", MHD_HTTP_METHOD_POST, true, refresh_post},
};

static void route(struct server *server, struct MHD_Connection *connection, const char *path,
                  const char *method, struct answer *answer)
{
    if (!rate_allows(server)) {
        fail(answer, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests; try again in a second");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(path, routes[i].path) != 0) {
            continue;
        }
        bool head = !routes[i].changes && strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
        if (strcmp(method, routes[i].method) != 0 && !head) {
            fail(answer, MHD_HTTP_METHOD_NOT_ALLOWED, "another method is needed");
            answer->allow = routes[i].method;
        } else if (routes[i].changes && !server->options->key) {
            fail(answer, MHD_HTTP_FORBIDDEN, "this server was started without a key");
        } else if ((routes[i].changes || !server->loopback) && !key_is_right(server, connection)) {
            fail(answer, MHD_HTTP_UNAUTHORIZED, "the header X-API-KEY is missing or wrong");
        } else {
            routes[i].run(server, connection, answer);
        }
        return;
    }
    fail(answer, MHD_HTTP_NOT_FOUND, "there is /cache/stats, /cache/clear and /cache/refresh");
}

static enum MHD_Result answer_send(struct MHD_Connection *connection, struct answer *answer)
{
    text_put_char(&answer->json, '\n');
    struct MHD_Response *response = cache_http.create_response_from_buffer(
        answer->json.length, answer->json.data, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    cache_http.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    cache_http.add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (answer->allow) {
        cache_http.add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    }
    if (answer->code == MHD_HTTP_TOO_MANY_REQUESTS) {
        cache_http.add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    }
    enum MHD_Result result = cache_http.queue_response(connection, answer->code, response);
    cache_http.destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *data_bytes, void **state)
{
    static int begun;
    struct server *server = context;
    struct answer answer = {.code = MHD_HTTP_OK};
    (void)version;
    (void)data;
    if (!*state) { /* the header is there; the answer waits for what follows it */
        *state = &begun;
        return MHD_YES;
    }
    if (*data_bytes > 0) { /* no call has a body that counts */
        *data_bytes = 0;
        return MHD_YES;
    }
    route(server, connection, path, method, &answer);
    if (server->options->verbose) {
        struct text line = {0};
        text_put_printable(&line, method, strlen(method));
        text_put_char(&line, ' ');
        text_put_printable(&line, path, strlen(path));
        fprintf(stderr, "tidemark cache: %s %u\n", text_peek(&line), answer.code);
        text_fini(&line);
    }
    enum MHD_Result result = answer_send(connection, &answer);
    text_fini(&answer.json);
    return result;
}

static bool address_fill(const struct cache_serve *options, struct sockaddr_storage *address,
                         bool *loopback)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    *address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, options->host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(options->port);
        *loopback = ntohl(four->sin_addr.s_addr) >> 24 == 127;
        return true;
    }
    if (inet_pton(AF_INET6, options->host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(options->port);
        *loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
        return true;
    }
    return false;
}

static void address_say(const struct cache_serve *options, const struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = cache_http.get_daemon_info(
        (struct MHD_Daemon *)(uintptr_t)daemon, MHD_DAEMON_INFO_BIND_PORT);
    bool six = strchr(options->host, ':') != NULL;
    fprintf(stderr, "tidemark cache: serving a %s store at http://%s%s%s:%u/cache/stats\n",
            cache_admin_kind(options->admin), six ? "[" : "", options->host, six ? "]" : "",
            info ? info->port : options->port);
}

int cache_serve_run(const struct cache_serve *options)
{
    struct sockaddr_storage address;
    struct server server = {.options = options, .filled_ns = monotonic_ns()};
    if (!address_fill(options, &address, &server.loopback)) {
        fprintf(stderr, "tidemark cache: --listen: '%s' is no address, such as 127.0.0.1 or ::1\n",
                options->host);
        return COMMAND_USAGE;
    }
    if (!server.loopback && !options->key) {
        fprintf(stderr,
                "tidemark cache: --listen: others than this machine reach %s; set a key first "
                "(--key-file, TIDEMARK_API_KEY)\n",
                options->host);
        return COMMAND_USAGE;
    }
    if (!cache_http_load()) {
        return COMMAND_OURS;
    }
    server.tokens = 2 * options->rate > 1 ? 2 * options->rate : 1;
    interrupt_begin();
    struct MHD_Daemon *daemon = cache_http.start_daemon(
        MHD_USE_ERROR_LOG | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), options->port, NULL,
        NULL, handle, &server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_BYTES, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "tidemark cache: %s:%u: %s\n", options->host, options->port,
                strerror(errno));
        interrupt_end();
        return COMMAND_OURS;
    }
    address_say(options, daemon);
    bool well = true;
    while (well && !interrupt_pending()) {
        well = cache_http.run_wait(daemon, 200) == MHD_YES || errno == EINTR;
    }
    cache_http.stop_daemon(daemon);
    interrupt_end(); /* a signal ends the process here, as it would have */
    return well ? COMMAND_MET : COMMAND_OURS;
}
