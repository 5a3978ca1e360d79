/*
 * upstream.h - a real HTTP upstream on loopback, in a process of its own, for the suites that need
 * one; and a client for one request at a time. Not a suite itself: linked into those that ask for
 * it (SUITE_SRC_NAME in the Makefile).
 *
 * The process is the suite's own program, started anew with --upstream: its main function calls
 * upstream_main. A path begins with how to behave, "/LATENCY_MS/FAIL_AT/HANG_AT" (0: never), and
 * the numbers count requests over all paths; "/count" says how many there were. Each answer carries
 * an ETag made of its text; a request with that ETag is answered 304.
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

/* The upstream's process. What it answers to the request with this number: writes to `text`,
 * returns the length; 0: no such path. */
typedef size_t upstream_answer_function(const char *path, uint64_t number, char *text, size_t room);
#define UPSTREAM_TEXT_BYTES (128u << 10)
/* Writes its port to `fd`. */
void upstream_main(int fd, upstream_answer_function *answer) __attribute__((noreturn));

/* The test's process. */
struct upstream {
    int pid, port;
};
bool upstream_start(struct upstream *upstream); /* false: it could not be started */
/* As a server that comes back does: on the port it had. */
bool upstream_start_at(struct upstream *upstream, int port);
void upstream_stop(struct upstream *upstream);

struct upstream_body {
    char *text; /* NUL-terminated, NULL when there is none; free */
    size_t bytes;
    char etag[64]; /* "" when there is none */
};
/* The HTTP status; 0 when there was none within the deadline. `etag` may be NULL. */
long upstream_get(int port, const char *path, const char *etag, long deadline_ms,
                  struct upstream_body *body);
uint64_t upstream_count(int port); /* requests that it has seen */

#endif
