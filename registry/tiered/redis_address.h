/*
 * redis_address.h - where a Redis server is, from one line:
 *
 *   /run/redis.sock, unix:///run/redis.sock            a Unix socket
 *   redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]    TCP [port 6379, database 0]
 *   rediss://...                                        the same over TLS
 *   NULL or ""                                          what the variable REDIS_URL says
 *
 * Percent-encoding is read in USER, PASSWORD and paths; HOST may be an IPv6 address in brackets.
 * Options follow '?', joined by '&': prefix=TEXT [tidemark] begins the names of all keys, so that
 * two services may share a server; ca=FILE holds the authorities that the server's certificate must
 * come from [the system's]; cert=FILE and key=FILE are this client's.
 */
#ifndef TIERED_REDIS_ADDRESS_H
#define TIERED_REDIS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct redis_address {
    char text[1024];  /* what the fields below point into */
    const char *path; /* of the socket; NULL: TCP */
    const char *host, *port;
    const char *user, *password; /* NULL: none */
    const char *prefix;
    const char *ca, *cert, *key; /* NULL: none */
    unsigned database;
    bool tls;
};

/* False: *why is one line that says what is wrong, without the password. */
bool redis_address_read(struct redis_address *address, const char *text, char *why,
                        size_t why_bytes);

#endif
