/* peers.c - tables of C libraries in the look-up benchmark, each only where its header is. */
#include "registry/bench/contender.h"

#include <stdlib.h>
#include <string.h>

/* Binary search over the sorted keys: no table at all. */
struct sorted {
    const struct registry_text *key;
    uint32_t *index;
    uint32_t count;
};

static const struct registry_text *sorting;

static int text_compare(struct registry_text a, const char *data, size_t length)
{
    size_t shorter = a.length < length ? a.length : length;
    int order = memcmp(a.data, data, shorter);
    return order != 0 ? order : (a.length > length) - (a.length < length);
}

static int index_compare(const void *a, const void *b)
{
    struct registry_text other = sorting[*(const uint32_t *)b];
    return text_compare(sorting[*(const uint32_t *)a], other.data, other.length);
}

static void *bsearch_build(const struct lookup_keys *keys)
{
    struct sorted *sorted = malloc(sizeof *sorted);
    *sorted = (struct sorted){keys->key, malloc(keys->count * sizeof(uint32_t)), keys->count};
    for (uint32_t i = 0; i < keys->count; i++) {
        sorted->index[i] = i;
    }
    sorting = keys->key;
    qsort(sorted->index, keys->count, sizeof(uint32_t), index_compare);
    return sorted;
}

static inline uint32_t bsearch_find(const void *table, const char *data, size_t length)
{
    const struct sorted *sorted = table;
    uint32_t low = 0, high = sorted->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = text_compare(sorted->key[sorted->index[middle]], data, length);
        if (order == 0) {
            return sorted->index[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return REGISTRY_NONE;
}

static void bsearch_release(void *table)
{
    free(((struct sorted *)table)->index);
    free(table);
}

LOOKUP_LOOPS(bsearch, bsearch_find)
const struct contender contender_bsearch = {
    "binary search", false, bsearch_build, bsearch_all, bsearch_chain, bsearch_release,
};

#ifdef HAVE_GLIB
#include <glib.h>

static void *glib_build(const struct lookup_keys *keys)
{
    GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);
    for (uint32_t i = 0; i < keys->count; i++) {
        g_hash_table_insert(table, (gpointer)keys->key[i].data, GUINT_TO_POINTER(i + 1));
    }
    return table;
}

static inline uint32_t glib_find(const void *table, const char *data, size_t length)
{
    (void)length; /* the queries end with NUL, too */
    return GPOINTER_TO_UINT(g_hash_table_lookup((GHashTable *)(void *)table, data)) - 1;
}

static void glib_release(void *table)
{
    g_hash_table_destroy(table);
}

LOOKUP_LOOPS(glib, glib_find)
const struct contender contender_glib = {
    "GLib GHashTable", false, glib_build, glib_all, glib_chain, glib_release,
};
#endif

#ifdef HAVE_UTHASH
#include <uthash.h>

struct ut_entry {
    const char *key;
    uint32_t index;
    UT_hash_handle hh;
};

struct ut_table {
    struct ut_entry *head;
    struct ut_entry *entries;
};

static void *uthash_build(const struct lookup_keys *keys)
{
    struct ut_table *table = calloc(1, sizeof *table);
    table->entries = calloc(keys->count, sizeof *table->entries);
    for (uint32_t i = 0; i < keys->count; i++) {
        struct ut_entry *entry = &table->entries[i];
        entry->key = keys->key[i].data;
        entry->index = i;
        HASH_ADD_KEYPTR(hh, table->head, entry->key, keys->key[i].length, entry);
    }
    return table;
}

static inline uint32_t uthash_find(const void *table, const char *data, size_t length)
{
    struct ut_entry *entry = NULL;
    HASH_FIND(hh, ((const struct ut_table *)table)->head, data, (unsigned)length, entry);
    return entry ? entry->index : REGISTRY_NONE;
}

static void uthash_release(void *table)
{
    struct ut_table *own = table;
    HASH_CLEAR(hh, own->head);
    free(own->entries);
    free(own);
}

LOOKUP_LOOPS(uthash, uthash_find)
const struct contender contender_uthash = {
    "uthash", false, uthash_build, uthash_all, uthash_chain, uthash_release,
};
#endif

#ifdef HAVE_KHASH
#include "registry/bench/fold_hash.h"
#include <htslib/khash.h>

/* With the folded-multiplication hash: its own string hash reads a byte a step. */
#define TEXT_HASH(text)  ((khint_t)fold_hash((text).data, (text).length))
#define TEXT_EQUAL(a, b) ((a).length == (b).length && memcmp((a).data, (b).data, (a).length) == 0)
KHASH_INIT(text, struct registry_text, uint32_t, 1, TEXT_HASH, TEXT_EQUAL)

static void *khash_build(const struct lookup_keys *keys)
{
    khash_t(text) *table = kh_init(text);
    for (uint32_t i = 0; i < keys->count; i++) {
        int added = 0;
        khint_t at = kh_put(text, table, keys->key[i], &added);
        kh_value(table, at) = i;
    }
    return table;
}

static inline uint32_t khash_find(const void *table, const char *data, size_t length)
{
    const khash_t(text) *own = table;
    khint_t at = kh_get(text, own, ((struct registry_text){data, (uint32_t)length}));
    return at == kh_end(own) ? REGISTRY_NONE : kh_value(own, at);
}

static void khash_release(void *table)
{
    kh_destroy(text, (khash_t(text) *)table);
}

LOOKUP_LOOPS(khash, khash_find)
const struct contender contender_khash = {
    "khash + fold hash", false, khash_build, khash_all, khash_chain, khash_release,
};
#endif

#ifdef HAVE_VERSTABLE
#include "registry/bench/fold_hash.h"
#include <stdbool.h>

static inline uint64_t vt_text_hash(struct registry_text text)
{
    return fold_hash(text.data, text.length);
}

static inline bool vt_text_equal(struct registry_text a, struct registry_text b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

#define NAME    vt_map
#define KEY_TY  struct registry_text
#define VAL_TY  uint32_t
#define HASH_FN vt_text_hash
#define CMPR_FN vt_text_equal
#include <verstable.h>

static void *verstable_build(const struct lookup_keys *keys)
{
    vt_map *table = malloc(sizeof *table);
    vt_map_init(table);
    for (uint32_t i = 0; i < keys->count; i++) {
        vt_map_insert(table, keys->key[i], i);
    }
    return table;
}

static inline uint32_t verstable_find(const void *table, const char *data, size_t length)
{
    vt_map_itr at =
        vt_map_get((vt_map *)(void *)table, (struct registry_text){data, (uint32_t)length});
    return vt_map_is_end(at) ? REGISTRY_NONE : at.data->val;
}

static void verstable_release(void *table)
{
    vt_map_cleanup(table);
    free(table);
}

LOOKUP_LOOPS(verstable, verstable_find)
const struct contender contender_verstable = {
    "Verstable + fold hash", false,           verstable_build,
    verstable_all,           verstable_chain, verstable_release,
};
#endif
