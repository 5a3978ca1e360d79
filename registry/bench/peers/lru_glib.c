/* lru_glib.c - an LRU as one writes it with GLib: GHashTable and GQueue. */
#if __has_include(<glib.h>)
#include "registry/bench/peers/lru_peer.h"

#include <glib.h>
#include <string.h>

struct glib_key {
    const char *data;
    size_t length;
};

struct glib_entry {
    GList link; /* data points back */
    struct glib_key key;
    size_t bytes;
    void *value;
    char text[];
};

struct glib_lru {
    GHashTable *table;
    GQueue queue;
    size_t capacity;
};

/* As g_str_hash and g_str_equal, for keys that do not end with a zero byte. */
static guint glib_hash(gconstpointer of)
{
    const struct glib_key *key = of;
    guint32 hash = 5381;
    for (size_t i = 0; i < key->length; i++) {
        hash = (hash << 5) + hash + (guint32)key->data[i];
    }
    return hash;
}

static gboolean glib_equal(gconstpointer left, gconstpointer right)
{
    const struct glib_key *a = left, *b = right;
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

static void *glib_init(size_t capacity)
{
    struct glib_lru *lru = g_new0(struct glib_lru, 1);
    lru->table = g_hash_table_new(glib_hash, glib_equal);
    g_queue_init(&lru->queue);
    lru->capacity = capacity;
    return lru;
}

static const void *glib_get(void *state, const char *key, size_t length, size_t *bytes)
{
    struct glib_lru *lru = state;
    struct glib_key wanted = {key, length};
    struct glib_entry *entry = g_hash_table_lookup(lru->table, &wanted);
    if (!entry) {
        return NULL;
    }
    g_queue_unlink(&lru->queue, &entry->link);
    g_queue_push_head_link(&lru->queue, &entry->link);
    *bytes = entry->bytes;
    return entry->value;
}

static void glib_put(void *state, const char *key, size_t length, const void *value, size_t bytes)
{
    struct glib_lru *lru = state;
    if (lru->queue.length == lru->capacity) {
        GList *last = g_queue_pop_tail_link(&lru->queue);
        struct glib_entry *victim = last->data;
        g_hash_table_remove(lru->table, &victim->key);
        g_free(victim->value);
        g_free(victim);
    }
    struct glib_entry *entry = g_malloc0(sizeof *entry + length);
    memcpy(entry->text, key, length);
    entry->key = (struct glib_key){entry->text, length};
    entry->bytes = bytes;
    entry->value = g_memdup2(value, bytes);
    entry->link.data = entry;
    g_hash_table_insert(lru->table, &entry->key, entry);
    g_queue_push_head_link(&lru->queue, &entry->link);
}

static void glib_fini(void *state)
{
    struct glib_lru *lru = state;
    while (lru->queue.length > 0) {
        struct glib_entry *entry = g_queue_pop_tail_link(&lru->queue)->data;
        g_free(entry->value);
        g_free(entry);
    }
    g_hash_table_destroy(lru->table);
    g_free(lru);
}

const struct lru_peer lru_peer_glib = {
    .name = "GLib hash + queue",
    .row = "glib-lru",
    .about = "GHashTable and GQueue, least recently used goes",
    .bounded = 1,
    .init = glib_init,
    .get = glib_get,
    .put = glib_put,
    .fini = glib_fini,
};
#else
typedef int lru_peer_glib_absent;
#endif
