/*
 * table.h - a hash table of copied keys and values that grows and never forgets by itself: the body
 * of the unbounded and the per-thread strategy. As such caches are commonly written: a node, with
 * the key in it, and a copy of the value, two allocations an entry; buckets doubled when there are
 * as many entries. Not thread-safe.
 *
 * When memory is out, table_put fails and the table stays as it was.
 */
#ifndef CACHE_TABLE_H
#define CACHE_TABLE_H

#include "registry/strategy.h"

struct table_node {
    struct table_node *next;
    uint64_t hash;
    void *value;
    uint32_t value_bytes, key_bytes;
    bool used; /* found since it was put */
    char key[];
};

struct table {
    struct table_node **buckets;
    uint64_t bucket_count, entries, bytes; /* bytes: nodes, keys, values and buckets */
};

void table_fini(struct table *table); /* empty and reusable: all memory is freed */
struct table_node *table_find(const struct table *table, const char *key, size_t length,
                              uint64_t hash);
/* The key must not be there. Points *value at the copy. */
bool table_put(struct table *table, const char *key, size_t length, uint64_t hash,
               struct strategy_value *value);
bool table_drop(struct table *table, const char *key, size_t length, uint64_t hash);

#endif
