/*
 * plugin.h - the plugin as a process that speaks Netdata's external plugin protocol over its
 * standard input and output, and the host that runs it; and the order of its start in virtual time.
 */
#ifndef COLLECTOR_PLUGIN_H
#define COLLECTOR_PLUGIN_H

#include "transport.h"

/* The plugin's main function: registers the function, keeps the host's line alive every
 * `heartbeat_ms`, and answers each FUNCTION on a thread of its own, fetching from `port`.
 *
 *   FUNCTION ID TIMEOUT ...    a call, answered 200; 504 past its time; 503 when too many are
 * running FUNCTION_CANCEL ID         ends that call, which is answered 499; others go on
 *   FUNCTION_PROGRESS ID       somebody is waiting: the call has 10 s more, and says how far it is
 *
 * With each heartbeat every running call says "FUNCTION_PROGRESS ID DONE ALL", in requests. */
void plugin_main(int port, const char *mode, unsigned heartbeat_ms) __attribute__((noreturn));

struct host {
    int pid, to, from;
    char buffer[1 << 16];
    size_t filled;
    uint64_t started_ms, last_ms, first_ms, gap_ms; /* of lines; gap: the longest */
};
bool host_start(struct host *host, const struct http_upstream *upstream, unsigned heartbeat_ms);
void host_send(struct host *host, const char *line);
/* Reads lines until one begins with `wanted` (its text in `line`), or until `timeout_ms`. */
bool host_wait(struct host *host, const char *wanted, unsigned timeout_ms, char *line, size_t room);
void host_stop(struct host *host);
/* The next report of a call's progress. */
bool host_progress(struct host *host, const char *id, unsigned timeout_ms, unsigned *done,
                   unsigned *all);

/* In virtual time: how long the host goes without a line, at most, within `until_ns` of the start.
 */
enum plugin_start {
    START_FETCH_FIRST,
    START_REGISTER_FIRST,
    START_REFRESH_IN_LOOP,
    START_ON_DEMAND
};
uint64_t plugin_longest_silence(enum plugin_start start, uint64_t refresh_ns, uint64_t until_ns);

#endif
