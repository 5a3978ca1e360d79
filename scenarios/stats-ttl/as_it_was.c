/*
 * as_it_was.c - the cache of the report, in C: see panel.h. Written anew from its description; each
 * of its faults is one that the report or its public source shows. Runs in the test program.
 */
#include "panel.h"

#include "registry/cache/key_hash.h"
#include "registry/cache/table.h"

#include <pthread.h>
#include <stdlib.h>

#define SWEEP_NS (60 * SECOND)

struct stored {          /* what lies in the dictionary */
    uint64_t expires_ns; /* wall clock */
    uint32_t bytes;
    unsigned char data[PANEL_VALUE_BYTES];
};

struct dictionary {
    pthread_mutex_t lock;
    struct table table;
    uint64_t swept_ns;
    struct panel_statistics statistics;
};

static void *as_it_was_open(uint64_t entries)
{
    (void)entries; /* it has no bound */
    struct dictionary *dictionary = calloc(1, sizeof *dictionary);
    if (dictionary) {
        pthread_mutex_init(&dictionary->lock, NULL);
        dictionary->swept_ns = clock_wall();
    }
    return dictionary;
}

static void as_it_was_close(void *cache)
{
    struct dictionary *dictionary = cache;
    table_fini(&dictionary->table);
    pthread_mutex_destroy(&dictionary->lock);
    free(dictionary);
}

/* Drops every node for which `goes` says so. */
static size_t drop_if(struct dictionary *dictionary,
                      bool (*goes)(const struct table_node *node, const char *what),
                      const char *what)
{
    size_t dropped = 0;
    for (uint64_t b = 0; b < dictionary->table.bucket_count; b++) {
        for (struct table_node *node = dictionary->table.buckets[b], *next; node; node = next) {
            next = node->next;
            if (goes(node, what)) {
                dropped += table_drop(&dictionary->table, node->key, node->key_bytes, node->hash);
            }
        }
    }
    return dropped;
}

static bool is_expired(const struct table_node *node, const char *what)
{
    (void)what;
    return ((const struct stored *)node->value)->expires_ns <= clock_wall();
}

static bool has_substring(const struct table_node *node, const char *what)
{
    return memmem(node->key, node->key_bytes, what, strlen(what)) != NULL;
}

/* The background task of the report, run by whoever comes first after its time. */
static void sweep(struct dictionary *dictionary)
{
    if (clock_wall() - dictionary->swept_ns >= SWEEP_NS) {
        drop_if(dictionary, is_expired, "");
        dictionary->swept_ns = clock_wall();
    }
}

static bool as_it_was_get(void *cache, const char *key, uint64_t ttl_ns, ttl_load *load,
                          void *context, struct strategy_value *value)
{
    static _Thread_local struct stored copy;
    struct dictionary *dictionary = cache;
    size_t length = strlen(key);
    uint64_t hash = key_hash(key, length);
    pthread_mutex_lock(&dictionary->lock);
    sweep(dictionary);
    struct table_node *node = table_find(&dictionary->table, key, length, hash);
    if (node && !is_expired(node, "")) {
        dictionary->statistics.hits++;
        copy = *(const struct stored *)node->value;
        *value = (struct strategy_value){.data = copy.data, .bytes = copy.bytes};
        pthread_mutex_unlock(&dictionary->lock);
        return true;
    }
    dictionary->statistics.misses++;
    table_drop(&dictionary->table, key, length, hash);
    pthread_mutex_unlock(&dictionary->lock);
    bool ok = load(context, key, length, value) && value->bytes <= PANEL_VALUE_BYTES;
    pthread_mutex_lock(&dictionary->lock);
    if (ok) {
        struct panel_statistics *s = &dictionary->statistics;
        s->loads++;
        copy =
            (struct stored){.expires_ns = clock_wall() + ttl_ns, .bytes = (uint32_t)value->bytes};
        memcpy(copy.data, value->data, value->bytes);
        struct strategy_value whole = {.data = &copy, .bytes = sizeof copy};
        table_drop(&dictionary->table, key, length, hash);
        table_put(&dictionary->table, key, length, hash, &whole);
        uint64_t entries = dictionary->table.entries;
        s->entries_peak = entries > s->entries_peak ? entries : s->entries_peak;
    }
    pthread_mutex_unlock(&dictionary->lock);
    return ok;
}

static size_t as_it_was_drop(void *cache, const char *pattern)
{
    struct dictionary *dictionary = cache;
    char part[PANEL_KEY_BYTES];
    size_t length = strcspn(pattern, "*");
    memcpy(part, pattern, length);
    part[length] = 0;
    pthread_mutex_lock(&dictionary->lock);
    size_t dropped = drop_if(dictionary, has_substring, part);
    pthread_mutex_unlock(&dictionary->lock);
    return dropped;
}

static void as_it_was_statistics(void *cache, struct panel_statistics *statistics)
{
    struct dictionary *dictionary = cache;
    pthread_mutex_lock(&dictionary->lock);
    *statistics = dictionary->statistics;
    statistics->entries = dictionary->table.entries;
    statistics->bytes = dictionary->table.bytes;
    pthread_mutex_unlock(&dictionary->lock);
}

const struct panel_kind panel_as_it_was = {.name = "as it was",
                                           .open = as_it_was_open,
                                           .close = as_it_was_close,
                                           .get = as_it_was_get,
                                           .drop = as_it_was_drop,
                                           .statistics = as_it_was_statistics};
