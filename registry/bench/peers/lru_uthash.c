/* lru_uthash.c - an LRU as one writes it with uthash and utlist. */
#if __has_include(<uthash.h>)
#include "registry/bench/peers/lru_peer.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct uthash_entry {
    UT_hash_handle hh;
    struct uthash_entry *prev, *next;
    size_t bytes;
    char *key;
    char room[]; /* value, then key */
};

struct uthash_lru {
    struct uthash_entry *table, *list;
    size_t capacity, count;
};

static void *uthash_init(size_t capacity)
{
    struct uthash_lru *lru = calloc(1, sizeof *lru);
    lru->capacity = capacity;
    return lru;
}

static const void *uthash_get(void *state, const char *key, size_t length, size_t *bytes)
{
    struct uthash_lru *lru = state;
    struct uthash_entry *entry;
    HASH_FIND(hh, lru->table, key, length, entry);
    if (!entry) {
        return NULL;
    }
    DL_DELETE(lru->list, entry);
    DL_PREPEND(lru->list, entry);
    *bytes = entry->bytes;
    return entry->room;
}

static void uthash_put(void *state, const char *key, size_t length, const void *value, size_t bytes)
{
    struct uthash_lru *lru = state;
    if (lru->count == lru->capacity) {
        struct uthash_entry *victim = lru->list->prev;
        DL_DELETE(lru->list, victim);
        HASH_DEL(lru->table, victim);
        free(victim);
        lru->count--;
    }
    struct uthash_entry *entry = malloc(sizeof *entry + bytes + length);
    entry->bytes = bytes;
    entry->key = entry->room + bytes;
    memcpy(entry->room, value, bytes);
    memcpy(entry->key, key, length);
    HASH_ADD_KEYPTR(hh, lru->table, entry->key, length, entry);
    DL_PREPEND(lru->list, entry);
    lru->count++;
}

static void uthash_fini(void *state)
{
    struct uthash_lru *lru = state;
    HASH_CLEAR(hh, lru->table);
    struct uthash_entry *entry, *next;
    DL_FOREACH_SAFE(lru->list, entry, next)
    {
        free(entry);
    }
    free(lru);
}

const struct lru_peer lru_peer_uthash = {
    .name = "uthash + utlist",
    .row = "uthash-lru",
    .about = "uthash and utlist, least recently used goes",
    .bounded = 1,
    .init = uthash_init,
    .get = uthash_get,
    .put = uthash_put,
    .fini = uthash_fini,
};
#else
typedef int lru_peer_uthash_absent;
#endif
