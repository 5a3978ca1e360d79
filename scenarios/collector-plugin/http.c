/*
 * http.c - see transport.h: the client (libcurl), several requests at a time. The server is that of
 * scenarios/upstream/.
 */
#include "transport.h"

#include "memory.h"
#include "scenarios/upstream/upstream.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The client. ------------------------------------------------------------------------------------
 */

struct body {
    char *text;
    size_t length;
};

static size_t body_add(char *data, size_t one, size_t count, void *context)
{
    struct body *body = context;
    char *longer = memory_take(body->length + one * count + 1);
    if (!longer) {
        return 0; /* curl gives the transfer up */
    }
    if (body->text) {
        memcpy(longer, body->text, body->length);
        memory_give(body->text);
    }
    memcpy(longer + body->length, data, one * count);
    body->text = longer;
    body->length += one * count;
    longer[body->length] = 0;
    return one * count;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static CURL *request_make(struct http_upstream *upstream, const char *path, struct body *body)
{
    char url[256];
    CURL *request = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s%s", upstream->port, upstream->prefix, path);
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, body_add);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(request, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
    curl_multi_add_handle(upstream->multi, request);
    upstream->transport.requests++;
    return request;
}

/* Takes what has ended off the multi handle. False when one of them failed. */
static bool requests_end(CURLM *multi, CURL **requests, size_t count, unsigned *running)
{
    bool ok = true;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
        CURL *ended = message->easy_handle;
        ok = ok && message->data.result == CURLE_OK;
        for (size_t i = 0; i < count; i++) {
            requests[i] = requests[i] == ended ? NULL : requests[i];
        }
        curl_multi_remove_handle(multi, ended);
        curl_easy_cleanup(ended);
        (*running)--;
    }
    return ok;
}

/* Waits for the network. False: out of time, or nobody wants the answer any longer. */
static bool batch_wait(struct http_upstream *upstream, uint64_t end_ms)
{
    struct transport_watch *watch = upstream->transport.watch;
    uint64_t now = now_ms(), most_ms = watch ? 20 : 1000; /* so long does a cancel go unseen */
    if (watch && watch->until_ms > end_ms) {
        end_ms = watch->until_ms;
    }
    if (now >= end_ms || (watch && watch->cancelled)) {
        return false;
    }
    curl_multi_poll(upstream->multi, NULL, 0,
                    (int)(end_ms - now < most_ms ? end_ms - now : most_ms), NULL);
    return true;
}

static bool http_batch(struct transport *transport, const char *const *paths, size_t count,
                       unsigned width, char **bodies)
{
    struct http_upstream *upstream = (struct http_upstream *)transport;
    struct body body[MODELS] = {{0}};
    CURL *requests[MODELS] = {NULL};
    uint64_t end =
        transport->deadline_ns ? now_ms() + transport->deadline_ns / 1000000 : UINT64_MAX;
    size_t begun = 0;
    unsigned running = 0;
    bool ok = count <= MODELS;
    if (transport->watch) {
        transport->watch->all += (uint32_t)count;
    }
    while (ok && (begun < count || running > 0)) {
        int still;
        for (; begun < count && running < width; begun++, running++) {
            requests[begun] = request_make(upstream, paths[begun], &body[begun]);
        }
        curl_multi_perform(upstream->multi, &still);
        unsigned before = running;
        ok = requests_end(upstream->multi, requests, count, &running);
        if (transport->watch) {
            transport->watch->done += before - running;
        }
        ok = ok && (running == 0 || batch_wait(upstream, end));
    }
    for (size_t i = 0; i < count && i < MODELS; i++) {
        if (requests[i]) { /* given up */
            curl_multi_remove_handle(upstream->multi, requests[i]);
            curl_easy_cleanup(requests[i]);
        }
        bodies[i] = body[i].text;
        ok = ok && bodies[i] != NULL;
    }
    return ok;
}

bool http_upstream_connect(struct http_upstream *upstream, int port, const char *mode)
{
    *upstream = (struct http_upstream){.transport = {.batch = http_batch}, .port = port};
    snprintf(upstream->prefix, sizeof upstream->prefix, "%s", mode);
    upstream->multi = curl_multi_init();
    return upstream->multi != NULL;
}

bool http_upstream_start(struct http_upstream *upstream, const char *mode)
{
    struct upstream process;
    bool ok = upstream_start(&process);
    *upstream = (struct http_upstream){0};
    ok = ok && http_upstream_connect(upstream, process.port, mode);
    upstream->pid = process.pid;
    return ok;
}

void http_upstream_stop(struct http_upstream *upstream)
{
    if (upstream->multi) {
        curl_multi_cleanup(upstream->multi);
    }
    struct upstream process = {.pid = upstream->pid};
    upstream_stop(&process);
    *upstream = (struct http_upstream){0};
}

uint64_t http_upstream_count(struct http_upstream *upstream)
{
    struct http_upstream again = *upstream;
    const char *const path = "/count";
    char *text = NULL;
    again.prefix[0] = 0;
    again.transport.watch = NULL;
    uint64_t count =
        http_batch(&again.transport, &path, 1, 1, &text) ? strtoull(text, NULL, 10) : 0;
    memory_give(text);
    return count;
}
