/* table_verstable.c - Verstable, one header that no Debian package has (ci/peers.sh says where it
 * is looked for), with the same hash as ours: a table that keeps all. */
#if __has_include(<verstable.h>)
#include "registry/bench/peers/lru_peer.h"
#include "registry/cache/key_hash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct vt_text {
    const char *data;
    size_t length;
};

static inline uint64_t vt_text_hash(struct vt_text text)
{
    return key_hash(text.data, text.length);
}

static inline bool vt_text_equal(struct vt_text a, struct vt_text b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

#define NAME    vt_peer
#define KEY_TY  struct vt_text
#define VAL_TY  size_t
#define HASH_FN vt_text_hash
#define CMPR_FN vt_text_equal
#include <verstable.h>

static void *verstable_init(size_t capacity)
{
    vt_peer *table = malloc(sizeof *table);
    (void)capacity;
    vt_peer_init(table);
    return table;
}

/* An entry is one block, key and value behind it. */
static const void *verstable_get(void *state, const char *key, size_t length, size_t *bytes)
{
    vt_peer_itr at = vt_peer_get(state, (struct vt_text){key, length});
    if (vt_peer_is_end(at)) {
        return NULL;
    }
    *bytes = at.data->val;
    return at.data->key.data + length;
}

static void verstable_put(void *state, const char *key, size_t length, const void *value,
                          size_t bytes)
{
    char *copy = malloc(length + bytes);
    memcpy(copy, key, length);
    memcpy(copy + length, value, bytes);
    vt_peer_insert(state, (struct vt_text){copy, length}, bytes);
}

static void verstable_fini(void *state)
{
    vt_peer *table = state;
    for (vt_peer_itr at = vt_peer_first(table); !vt_peer_is_end(at); at = vt_peer_next(at)) {
        free((char *)at.data->key.data);
    }
    vt_peer_cleanup(table);
    free(table);
}

const struct lru_peer lru_peer_verstable = {
    .name = "Verstable",
    .row = "verstable-table",
    .about = "Verstable, tidemark's hash, keeps all",
    .init = verstable_init,
    .get = verstable_get,
    .put = verstable_put,
    .fini = verstable_fini,
};
#endif
