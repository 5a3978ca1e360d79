/*
 * table.c - see table.h. Allocates on put, frees on drop and fini.
 */
#include "registry/cache/table.h"

#include "registry/cache/key_hash.h"

#include <stdlib.h>

#define TABLE_BUCKETS_FIRST 64u

static struct table_node **table_bucket(const struct table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static uint64_t table_node_bytes(const struct table_node *node)
{
    return sizeof *node + node->key_bytes + node->value_bytes;
}

void table_fini(struct table *table)
{
    for (uint64_t i = 0; i < table->bucket_count; i++) {
        struct table_node *node = table->buckets[i];
        while (node) {
            struct table_node *next = node->next;
            free(node->value);
            free(node);
            node = next;
        }
    }
    free(table->buckets);
    *table = (struct table){0};
}

struct table_node *table_find(const struct table *table, const char *key, size_t length,
                              uint64_t hash)
{
    if (table->bucket_count == 0) {
        return NULL;
    }
    struct table_node *node = *table_bucket(table, hash);
    while (node && !(node->hash == hash && node->key_bytes == length &&
                     key_equal(node->key, key, length))) {
        node = node->next;
    }
    return node;
}

static bool table_grow(struct table *table)
{
    uint64_t count = table->bucket_count ? table->bucket_count * 2 : TABLE_BUCKETS_FIRST;
    struct table old = *table;
    struct table_node **buckets = calloc(count, sizeof *buckets);
    if (!buckets) {
        return false;
    }
    table->buckets = buckets;
    table->bucket_count = count;
    table->bytes += (count - old.bucket_count) * sizeof *buckets;
    for (uint64_t i = 0; i < old.bucket_count; i++) {
        struct table_node *node = old.buckets[i];
        while (node) {
            struct table_node *next = node->next, **bucket = table_bucket(table, node->hash);
            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    free(old.buckets);
    return true;
}

bool table_put(struct table *table, const char *key, size_t length, uint64_t hash,
               struct strategy_value *value)
{
    if (length > UINT32_MAX || value->bytes > UINT32_MAX ||
        (table->entries == table->bucket_count && !table_grow(table))) {
        return false;
    }
    struct table_node *node = malloc(sizeof *node + length);
    void *copy = malloc(value->bytes ? value->bytes : 1);
    if (!node || !copy) {
        free(node);
        free(copy);
        return false;
    }
    struct table_node **bucket = table_bucket(table, hash);
    *node = (struct table_node){
        .next = *bucket,
        .hash = hash,
        .value = copy,
        .value_bytes = (uint32_t)value->bytes,
        .key_bytes = (uint32_t)length,
    };
    memcpy(node->key, key, length);
    memcpy(copy, value->data, value->bytes);
    value->data = copy;
    *bucket = node;
    table->entries++;
    table->bytes += table_node_bytes(node);
    return true;
}

bool table_drop(struct table *table, const char *key, size_t length, uint64_t hash)
{
    struct table_node *node = table_find(table, key, length, hash);
    if (!node) {
        return false;
    }
    struct table_node **link = table_bucket(table, hash);
    while (*link != node) {
        link = &(*link)->next;
    }
    *link = node->next;
    table->entries--;
    table->bytes -= table_node_bytes(node);
    free(node->value);
    free(node);
    return true;
}
