/* upstream.c - see upstream.h: libmicrohttpd in one process, libcurl in the other. */
#include "scenarios/upstream/upstream.h"

#include <curl/curl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The server. ------------------------------------------------------------------------------------
 */

static _Atomic uint64_t served;
static _Atomic unsigned busy; /* requests being answered */

struct behaviour {
    unsigned latency_ms, jitter_ms, body_ms, most;
    unsigned long fail_at, hang_at;
};

/* What is left of the path behind it; NULL: it does not begin with one. */
static const char *behaviour_read(const char *path, struct behaviour *b)
{
    int taken = 0;
    *b = (struct behaviour){0};
    if (sscanf(path, /* NOLINT(cert-err34-c): the tests' own paths */
               "/%u/%lu/%lu%n", &b->latency_ms, &b->fail_at, &b->hang_at, &taken) != 3) {
        return NULL;
    }
    for (;;) {
        int more = 0;
        path += taken;
        if (sscanf(path, "/jitter=%u%n", &b->jitter_ms, &more) != 1 && /* NOLINT(cert-err34-c) */
            sscanf(path, "/body=%u%n", &b->body_ms, &more) != 1 &&     /* NOLINT(cert-err34-c) */
            sscanf(path, "/most=%u%n", &b->most, &more) != 1) {        /* NOLINT(cert-err34-c) */
            return path;
        }
        taken = more;
    }
}

static void sleep_ms(uint64_t ms)
{
    struct timespec delay = {.tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&delay, NULL);
}

/* A body that takes its time, a KiB after the other. */
struct slow_body {
    size_t length;
    unsigned ms;
    char text[];
};

static ssize_t slow_read(void *context, uint64_t at, char *to, size_t most)
{
    const struct slow_body *body = context;
    size_t piece = body->length - at < 1024 ? body->length - at : 1024;
    if (piece == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    piece = piece < most ? piece : most;
    sleep_ms(body->ms);
    memcpy(to, body->text + at, piece);
    return (ssize_t)piece;
}

static struct MHD_Response *slow_response(const char *text, size_t length, unsigned ms)
{
    struct slow_body *body = malloc(sizeof *body + length);
    if (!body) {
        return NULL;
    }
    *body = (struct slow_body){.length = length, .ms = ms};
    memcpy(body->text, text, length);
    return MHD_create_response_from_callback(length, 1024, slow_read, body, free);
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned code, const char *text,
                             size_t length, const char *etag, unsigned body_ms)
{
    struct MHD_Response *response =
        body_ms ? slow_response(text, length, body_ms)
                : MHD_create_response_from_buffer(length, (void *)text, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    if (etag) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
    }
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

/* FNV-1a: it only has to differ when the text does. */
static void etag_of(const char *text, size_t length, char etag[24])
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    }
    snprintf(etag, 24, "\"%016llx\"", (unsigned long long)hash);
}

static enum MHD_Result answer(struct MHD_Connection *connection, const char *path, uint64_t number,
                              upstream_answer_function *say, unsigned body_ms)
{
    char etag[24], *text = malloc(UPSTREAM_TEXT_BYTES);
    size_t length = text ? say(path, number, text, UPSTREAM_TEXT_BYTES) : 0;
    const char *has =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    enum MHD_Result result;
    etag_of(text, length, etag);
    if (length == 0) {
        result = reply(connection, 404, "", 0, NULL, 0);
    } else if (has && strcmp(has, etag) == 0) {
        result = reply(connection, 304, "", 0, etag, 0);
    } else {
        result = reply(connection, 200, text, length, etag, body_ms);
    }
    free(text);
    return result;
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *data_bytes, /* NOLINT(readability-non-const-parameter) */
                             void **state)
{
    struct behaviour b;
    (void)method;
    (void)version;
    (void)data;
    (void)data_bytes;
    (void)state;
    if (strcmp(url, "/count") == 0) {
        char text[24];
        int length = snprintf(text, sizeof text, "%llu", (unsigned long long)served);
        return reply(connection, 200, text, (size_t)length, NULL, 0);
    }
    const char *path = behaviour_read(url, &b);
    if (!path) {
        return reply(connection, 404, "", 0, NULL, 0);
    }
    uint64_t number = atomic_fetch_add(&served, 1) + 1;
    enum MHD_Result result;
    if (++busy > b.most && b.most > 0) {
        result = reply(connection, 429, "", 0, NULL, 0);
    } else {
        sleep_ms(b.latency_ms + (b.jitter_ms ? number * 2654435761u % (b.jitter_ms + 1) : 0) +
                 (number == b.hang_at ? 3600000 : 0));
        result = number == b.fail_at ? reply(connection, 503, "", 0, NULL, 0)
                                     : answer(connection, path, number,
                                              *(upstream_answer_function **)context, b.body_ms);
    }
    busy--;
    return result;
}

void upstream_main(int fd, upstream_answer_function *say)
{
    const char *wanted = getenv("UPSTREAM_PORT");
    int port = wanted ? atoi(wanted) : 0; /* NOLINT(cert-err34-c): our own */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, (uint16_t)port, NULL, NULL,
        serve, (void *)&say, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    port = info ? info->port : 0;
    if (write(fd, &port, sizeof port) != sizeof port || port == 0) {
        _exit(1);
    }
    close(fd);
    for (;;) {
        pause();
    }
}

bool upstream_start_at(struct upstream *upstream, int port)
{
    int ends[2];
    *upstream = (struct upstream){0};
    if (pipe(ends) != 0) {
        return false;
    }
    upstream->pid = fork();
    if (upstream->pid == 0) {
        char number[16], at[16];
        snprintf(number, sizeof number, "%d", ends[1]);
        snprintf(at, sizeof at, "%d", port);
        setenv("UPSTREAM_PORT", at, 1);
        unsetenv("LD_PRELOAD"); /* what is measured is the client */
        execl("/proc/self/exe", "upstream", "--upstream", number, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    bool ok = upstream->pid > 0 &&
              read(ends[0], &upstream->port, sizeof upstream->port) == sizeof upstream->port &&
              upstream->port > 0;
    close(ends[0]);
    return ok;
}

bool upstream_start(struct upstream *upstream)
{
    return upstream_start_at(upstream, 0);
}

void upstream_stop(struct upstream *upstream)
{
    if (upstream->pid > 0) {
        kill(upstream->pid, SIGKILL);
        waitpid(upstream->pid, NULL, 0);
    }
    upstream->pid = 0;
}

/* The client. ------------------------------------------------------------------------------------
 */

static size_t body_add(char *data, size_t one, size_t count, void *context)
{
    struct upstream_body *body = context;
    char *longer = realloc(body->text, body->bytes + one * count + 1);
    if (!longer) {
        return 0; /* curl gives the transfer up */
    }
    memcpy(longer + body->bytes, data, one * count);
    body->text = longer;
    body->bytes += one * count;
    longer[body->bytes] = 0;
    return one * count;
}

static size_t header_see(char *data, size_t one, size_t count, void *context)
{
    struct upstream_body *body = context;
    char line[128];
    size_t length = one * count < sizeof line ? one * count : sizeof line - 1;
    memcpy(line, data, length);
    line[length] = 0;
    if (strncasecmp(line, "etag:", 5) == 0) {
        sscanf(line + 5, " %63s", body->etag);
    }
    return one * count;
}

long upstream_get(int port, const char *path, const char *etag, long deadline_ms,
                  struct upstream_body *body)
{
    char url[256], condition[96];
    struct curl_slist *headers = NULL;
    long status = 0;
    *body = (struct upstream_body){0};
    CURL *request = curl_easy_init();
    if (!request) {
        return 0;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    if (etag) {
        snprintf(condition, sizeof condition, "If-None-Match: %s", etag);
        headers = curl_slist_append(NULL, condition);
        curl_easy_setopt(request, CURLOPT_HTTPHEADER, headers);
    }
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, body_add);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(request, CURLOPT_HEADERFUNCTION, header_see);
    curl_easy_setopt(request, CURLOPT_HEADERDATA, body);
    curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, deadline_ms);
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
    if (curl_easy_perform(request) == CURLE_OK) {
        curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_easy_cleanup(request);
    curl_slist_free_all(headers);
    return status;
}

uint64_t upstream_count(int port)
{
    struct upstream_body body;
    uint64_t count = upstream_get(port, "/count", NULL, 10000, &body) == 200 && body.text
                         ? strtoull(body.text, NULL, 10)
                         : 0;
    free(body.text);
    return count;
}
