/*
 * lru_peer.h - other people's tables and caches behind one small interface. strategy_bench.c asks
 * them as they are; peer_strategy.c makes a plug-in of each, for `tidemark bench --peers`. For
 * benchmarks only: out of memory they crash.
 */
#ifndef PEERS_LRU_PEER_H
#define PEERS_LRU_PEER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lru_peer {
    const char *name;               /* in words, for strategy_bench */
    const char *row;                /* "glib-lru", the plug-in's name */
    const char *about;              /* one line */
    int bounded;                    /* 0: `capacity` is ignored and nothing ever leaves */
    void *(*init)(size_t capacity); /* most entries */
    /* NULL: absent. Borrowed until the next call. */
    const void *(*get)(void *state, const char *key, size_t length, size_t *bytes);
    void (*put)(void *state, const char *key, size_t length, const void *value, size_t bytes);
    void (*fini)(void *state);
    size_t (*held)(void *state); /* bytes; NULL: what it has from malloc */
};

/* Absent ones are not compiled in: weak. */
extern const struct lru_peer lru_peer_glib __attribute__((weak));
extern const struct lru_peer lru_peer_uthash __attribute__((weak));
extern const struct lru_peer lru_peer_boost __attribute__((weak));
extern const struct lru_peer lru_peer_absl __attribute__((weak));
extern const struct lru_peer lru_peer_khash __attribute__((weak));
extern const struct lru_peer lru_peer_verstable __attribute__((weak));
extern const struct lru_peer lru_peer_lmdb __attribute__((weak));
extern const struct lru_peer lru_peer_sqlite __attribute__((weak));

#ifdef __cplusplus
}
#endif
#endif
