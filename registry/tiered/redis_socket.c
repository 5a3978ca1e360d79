/* redis_socket.c - see redis_socket.h. Runs in the process that caches. */
#include "registry/tiered/redis_socket.h"
#include "registry/tiered/redis_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t redis_socket_until(const struct redis_link *link)
{
    return clock_ns() + link->deadline_ns;
}

static bool trouble(struct redis_link *link, const char *what, const char *why)
{
    snprintf(link->trouble, sizeof link->trouble, "redis: %s%s", what, why);
    return false;
}

static bool await(struct redis_link *link, short events, uint64_t until_ns)
{
    struct pollfd poll_fd = {.fd = link->fd, .events = events};
    for (;;) {
        uint64_t now = clock_ns();
        if (now >= until_ns) {
            return trouble(link, "no answer within the deadline", "");
        }
        uint64_t left_ms = (until_ns - now) / 1000000 + 1;
        int ready = poll(&poll_fd, 1, left_ms > 3600000 ? 3600000 : (int)left_ms);
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return trouble(link, "poll: ", strerror(errno));
        }
    }
}

/* Connects one address. */
static bool connect_one(struct redis_link *link, const struct sockaddr *address, socklen_t bytes,
                        uint64_t until)
{
    int one = 1, error = 0;
    socklen_t error_bytes = sizeof error;
    link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0) {
        return trouble(link, "socket: ", strerror(errno));
    }
    if (address->sa_family != AF_UNIX) {
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    if (connect(link->fd, address, bytes) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            if (!await(link, POLLOUT, until)) {
                return false;
            }
            getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
        }
    }
    return error == 0 || trouble(link, "connect: ", strerror(error));
}

static bool connect_unix(struct redis_link *link, uint64_t until)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(link->address.path) >= sizeof address.sun_path) {
        return trouble(link, "the path of the socket is too long: ", link->address.path);
    }
    memcpy(address.sun_path, link->address.path, strlen(link->address.path) + 1);
    return connect_one(link, (const struct sockaddr *)&address, sizeof address, until);
}

/* Each of the host's addresses in turn. A name is asked of the resolver, which has a deadline of
 * its own. */
static bool connect_tcp(struct redis_link *link, uint64_t until)
{
    struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int status = getaddrinfo(link->address.host, link->address.port, &wanted, &found);
    if (status != 0) {
        char what[100];
        snprintf(what, sizeof what, "host '%.80s': ", link->address.host);
        return trouble(link, what, gai_strerror(status));
    }
    bool ok = false;
    for (const struct addrinfo *one = found; one && !ok; one = one->ai_next) {
        ok = connect_one(link, one->ai_addr, one->ai_addrlen, until);
        if (!ok) {
            redis_socket_close(link);
        }
    }
    freeaddrinfo(found);
    return ok;
}

/* Waits for what TLS waits for; false when it is broken or late. */
static bool tls_await(struct redis_link *link, enum tls_wait wait, uint64_t until)
{
    if (wait == TLS_BROKEN) {
        return trouble(link, "the connection broke", "");
    }
    return wait == TLS_DONE || await(link, wait == TLS_READ ? POLLIN : POLLOUT, until);
}

static bool tls_open(struct redis_link *link, uint64_t until)
{
    link->tls = redis_tls_new(&link->address, link->fd, link->trouble, sizeof link->trouble);
    enum tls_wait wait = link->tls ? TLS_WRITE : TLS_BROKEN;
    while (wait == TLS_READ || wait == TLS_WRITE) {
        wait = redis_tls_handshake(link->tls, link->trouble, sizeof link->trouble);
        if ((wait == TLS_READ || wait == TLS_WRITE) && !tls_await(link, wait, until)) {
            return false;
        }
    }
    return wait == TLS_DONE;
}

bool redis_socket_open(struct redis_link *link)
{
    uint64_t until = redis_socket_until(link);
    bool ok = link->address.path ? connect_unix(link, until) : connect_tcp(link, until);
    return ok && (!link->address.tls || tls_open(link, until));
}

/* Nothing is due when no command is under way: what is there to be read is the end. */
bool redis_socket_is_open(const struct redis_link *link)
{
    char one;
    return link->fd >= 0 && recv(link->fd, &one, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

void redis_socket_close(struct redis_link *link)
{
    redis_tls_free(&link->tls);
    if (link->fd >= 0) {
        close(link->fd);
        link->fd = -1;
    }
}

static bool send_some(struct redis_link *link, size_t sent, size_t *done, uint64_t until)
{
    const unsigned char *at = link->out.data + sent;
    size_t left = link->out_bytes - sent;
    if (link->tls) {
        return tls_await(link, redis_tls_write(link->tls, at, left, done), until);
    }
    ssize_t status = send(link->fd, at, left, MSG_NOSIGNAL);
    *done = status > 0 ? (size_t)status : 0;
    if (status >= 0 || errno == EINTR) {
        return true;
    }
    return errno == EAGAIN ? await(link, POLLOUT, until) : trouble(link, "send: ", strerror(errno));
}

bool redis_socket_send(struct redis_link *link, uint64_t until)
{
    for (size_t sent = 0, done; sent < link->out_bytes; sent += done) {
        done = 0;
        if (!send_some(link, sent, &done, until)) {
            return false;
        }
    }
    link->out_bytes = 0;
    return true;
}

#define ROOM 16384u

bool redis_socket_receive(struct redis_link *link, uint64_t until)
{
    size_t done = 0;
    if (link->in.room - link->in_bytes < ROOM &&
        !store_buffer_fit(&link->in, link->in_bytes + link->in_bytes / 2 + ROOM)) {
        return trouble(link, "no memory", "");
    }
    unsigned char *at = link->in.data + link->in_bytes;
    size_t room = link->in.room - link->in_bytes;
    for (;;) {
        enum tls_wait wait = TLS_READ;
        if (link->tls) {
            wait = redis_tls_read(link->tls, at, room, &done);
        } else {
            ssize_t status = recv(link->fd, at, room, 0);
            done = status > 0 ? (size_t)status : 0;
            wait = status >= 0                         ? TLS_DONE
                   : errno == EAGAIN || errno == EINTR ? TLS_READ
                                                       : TLS_BROKEN;
        }
        if (wait == TLS_DONE && done > 0) {
            link->in_bytes += done;
            return true;
        }
        if (wait == TLS_DONE) {
            return trouble(link, "the server closed the connection", "");
        }
        if (!tls_await(link, wait, until)) {
            return false;
        }
    }
}
