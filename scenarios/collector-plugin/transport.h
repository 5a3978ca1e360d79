/*
 * transport.h - how the collector reaches its upstream: over HTTP, or in virtual time.
 *
 * A batch is a number of requests of which `width` are under way at a time. Bodies come from
 * memory_take and belong to the caller, those of a failed batch too (NULL where there is none).
 */
#ifndef COLLECTOR_TRANSPORT_H
#define COLLECTOR_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far the batches of a call are, and whether they are still wanted. Other threads look and
 * write. */
struct transport_watch {
    _Atomic uint32_t done, all; /* requests; `all` is what is known so far */
    _Atomic bool cancelled;
    _Atomic uint64_t until_ms; /* CLOCK_MONOTONIC: a deadline before this moment is put off to it */
};

struct transport {
    bool (*batch)(struct transport *transport, const char *const *paths, size_t count,
                  unsigned width, char **bodies);
    uint64_t deadline_ns;          /* of a batch; 0: none */
    uint64_t requests;             /* ever made, failed ones too */
    struct transport_watch *watch; /* NULL: nobody looks; over HTTP only */
};

#define MODELS 70

/* What the upstream says: "/models" is a line "ID NAME" for each model, "/models/ID" a line
 * "DEPLOYMENT STATUS" for each deployment. Writes to `text`, returns the length; 0 for no such
 * path, whatever the request's number. */
size_t collector_answer(const char *path, uint64_t number, char *text, size_t room);

/* An upstream that takes `latency_ns` of virtual time a request. */
struct virtual_upstream {
    struct transport transport;
    uint64_t now_ns, latency_ns;
    uint64_t fail_at; /* the nth request of each batch call fails; counted over all; 0: none */
    uint64_t hang_at; /* never answers */
};
void virtual_upstream_init(struct virtual_upstream *upstream);

/* The same over HTTP/1.1 to 127.0.0.1:port, connections kept. The upstream is a process of its own.
 */
struct http_upstream {
    struct transport transport;
    int pid, port;
    void *multi; /* curl's */
    char prefix[64];
};
/* `mode`: "/latency_ms/fail_at/hang_at", 0: none. False: it could not be started. */
bool http_upstream_start(struct http_upstream *upstream, const char *mode);
/* The client's half alone, for an upstream that another process has started. */
bool http_upstream_connect(struct http_upstream *upstream, int port, const char *mode);
void http_upstream_stop(struct http_upstream *upstream);
uint64_t http_upstream_count(struct http_upstream *upstream); /* requests that it saw */
#endif
