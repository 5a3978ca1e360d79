/*
 * redis_link.h - one connection to a Redis server: RESP2 over a Unix socket, TCP or TLS, with a
 * deadline on every call, and what went wrong in one line. Commands are collected and go out
 * together with the first wait for a reply. Runs in the process that caches; one thread at a time.
 *
 * A connection begins with HELLO, which logs in and says what the server is. A member of a cluster,
 * a sentinel and a replica are refused: the first two do not hold the keys, and the last one lags.
 */
#ifndef TIERED_REDIS_LINK_H
#define TIERED_REDIS_LINK_H

#include "registry/tiered/redis_address.h"
#include "registry/tiered/store.h"

struct redis_tls;

struct redis_item { /* of a reply; the items of an array come after it, in order, arrays in depth */
    char type;      /* '+' '-' ':' '$' '*', or '0': nil */
    int64_t number; /* of ':'; of '*': how many items */
    size_t at, bytes;
};

struct redis_link {
    struct redis_address address;
    uint64_t deadline_ns;
    int fd; /* -1: not connected */
    struct redis_tls *tls;
    struct store_buffer out, in, items;
    size_t out_bytes, in_bytes, in_used, item_count;
    char trouble[STORE_TROUBLE_BYTES];
};

/* False: the address is none; `trouble` says why, and so does every call. */
bool redis_link_init(struct redis_link *link, const char *address, uint64_t deadline_ns);
void redis_link_fini(struct redis_link *link);
/* Connects where there is no connection. */
bool redis_link_ready(struct redis_link *link);
void redis_link_close(struct redis_link *link);

/* Begins a command of so many words, then its words. False: no memory. */
bool redis_link_command(struct redis_link *link, unsigned words);
bool redis_link_word(struct redis_link *link, const void *data, size_t bytes);
bool redis_link_text(struct redis_link *link, const char *text);
bool redis_link_number(struct redis_link *link, uint64_t number);
/* A word of the prefix, ':', and two parts. */
bool redis_link_name(struct redis_link *link, const char *kind, struct store_key key);

/* The next reply's items, good until the next call; NULL: the connection is gone. An error of the
 * server is an item of type '-', and the trouble. */
const struct redis_item *redis_link_reply(struct redis_link *link);
/* The text of an item, ended by 0 nowhere. */
const char *redis_item_text(const struct redis_link *link, const struct redis_item *item);
bool redis_item_is(const struct redis_link *link, const struct redis_item *item, const char *text);
uint64_t redis_item_number(const struct redis_link *link, const struct redis_item *item);

#endif
