/*
 * key_name.h - the name under which a key is stored. Stores differ in what they take: a B-tree of
 * PostgreSQL holds at most 2,704 bytes, its text no byte that is not UTF-8, and a name of a
 * megabyte is no name for Redis. So keys of up to 512 bytes of printable UTF-8 are their own names,
 * and any other key is stored under "~sha256:", its digest in hexadecimal, ':' and its beginning
 * for people who read. Two keys share a name only if they share a SHA-256 digest: a key that itself
 * begins with "~sha256:" is stored under its digest, too.
 */
#ifndef TIERED_KEY_NAME_H
#define TIERED_KEY_NAME_H

#include "registry/tiered/store.h"

#define KEY_PLAIN_MAX 512u

struct key_name {
    struct store_key name; /* is the key itself, or points to `text` */
    char text[160];
};

/* Fills *name for a key of any bytes and any length; the key must outlive it. */
void key_name_init(struct key_name *name, struct store_key key);

/* SHA-256 as FIPS 180-4 defines it, in hexadecimal and ended by 0. */
void key_digest(const void *data, size_t bytes, char hexadecimal[65]);

#endif
