/* table_khash.c - klib's khash as htslib has it, with the same hash as ours: a table that keeps
 * all. */
#if __has_include(<htslib/khash.h>)
#include "registry/bench/peers/lru_peer.h"
#include "registry/cache/key_hash.h"

#include <htslib/khash.h>
#include <stdlib.h>
#include <string.h>

struct khash_key {
    const char *data;
    size_t length;
};

#define KEY_HASH(key)   ((khint_t)key_hash((key).data, (key).length))
#define KEY_EQUAL(a, b) ((a).length == (b).length && memcmp((a).data, (b).data, (a).length) == 0)
KHASH_INIT(peer, struct khash_key, size_t, 1, KEY_HASH, KEY_EQUAL)

static void *khash_init(size_t capacity)
{
    (void)capacity;
    return kh_init(peer);
}

/* An entry is one block, key and value behind it. */
static const void *khash_get(void *state, const char *key, size_t length, size_t *bytes)
{
    khash_t(peer) *table = state;
    khiter_t at = kh_get(peer, table, ((struct khash_key){key, length}));
    if (at == kh_end(table)) {
        return NULL;
    }
    *bytes = kh_val(table, at);
    return kh_key(table, at).data + length;
}

static void khash_put(void *state, const char *key, size_t length, const void *value, size_t bytes)
{
    int added;
    char *copy = malloc(length + bytes);
    memcpy(copy, key, length);
    memcpy(copy + length, value, bytes);
    khiter_t at = kh_put(peer, (khash_t(peer) *)state, ((struct khash_key){copy, length}), &added);
    kh_val((khash_t(peer) *)state, at) = bytes;
}

static void khash_fini(void *state)
{
    khash_t(peer) *table = state;
    for (khiter_t at = kh_begin(table); at != kh_end(table); at++) {
        if (kh_exist(table, at)) {
            free((char *)kh_key(table, at).data);
        }
    }
    kh_destroy(peer, table);
}

const struct lru_peer lru_peer_khash = {
    .name = "khash",
    .row = "khash-table",
    .about = "klib's khash, tidemark's hash, keeps all",
    .init = khash_init,
    .get = khash_get,
    .put = khash_put,
    .fini = khash_fini,
};
#endif
