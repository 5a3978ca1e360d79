/*
 * lru_peer.h - other people's bounded LRUs behind one small interface, for strategy_bench.c. Each
 * keeps copies of key and value and has at most `capacity` entries. For benchmarks only.
 */
#ifndef REGISTRY_PEERS_LRU_PEER_H
#define REGISTRY_PEERS_LRU_PEER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lru_peer {
    const char *name;
    void *(*init)(size_t capacity);
    const void *(*get)(void *state, const char *key, size_t length); /* NULL: absent */
    void (*put)(void *state, const char *key, size_t length, const void *value, size_t bytes);
    void (*fini)(void *state);
};

/* Absent ones are not compiled in: weak. */
extern const struct lru_peer lru_peer_glib __attribute__((weak));
extern const struct lru_peer lru_peer_uthash __attribute__((weak));
extern const struct lru_peer lru_peer_boost __attribute__((weak));

#ifdef __cplusplus
}
#endif
#endif
