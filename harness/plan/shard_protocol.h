/*
 * shard_protocol.h - how schedulers tell a job which part of the work is its own: a few variables
 * of the environment. A protocol is one row of a table. Supervisor only.
 */
#ifndef PLAN_SHARD_PROTOCOL_H
#define PLAN_SHARD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

struct shard_protocol {
    const char *name;
    const char *index, *total; /* variables */
    const char *least, *step;  /* variables that say otherwise, or NULL */
    const char *status; /* variable: a file to touch, which says that shards are understood */
    unsigned first;     /* the least index */
    bool programs;      /* test programs speak it too: they must not see it, or would part again */
};

/* The last row has no name. */
extern const struct shard_protocol shard_protocols[];

enum shard_found { SHARD_NONE, SHARD_FOUND, SHARD_BAD };

/* `get` is getenv, or a test's own. The first protocol that is complete; one of a single shard is
 * SHARD_NONE. SHARD_BAD: values that make no sense, told in error[]. An index without its total is
 * SHARD_NONE with error[] filled: a warning. */
enum shard_found shard_protocol_find(const char *(*get)(const char *name),
                                     const struct shard_protocol **protocol, unsigned *shard,
                                     unsigned *shards, char *error, size_t error_bytes);

#endif
