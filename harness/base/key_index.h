/*
 * key_index.h - numbers by 64-bit keys: where in an array is the element of this key? A table of
 * open addressing, for keys that are hashes already or not. Supervisor only; memory as memory.h.
 */
#ifndef BASE_KEY_INDEX_H
#define BASE_KEY_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct key_index {
    struct key_index_slot {
        uint64_t key;
        uint32_t number; /* 0: free */
    } * slots;
    size_t count, room; /* keys, and slots: a power of two, or none */
};

/* The caller owns the storage, zeroed, and calls key_index_fini, after which it is empty again. */
void key_index_fini(struct key_index *index);

/* The number of a key; 0: it has none. */
uint32_t key_index_get(const struct key_index *index, uint64_t key);

/* The number of a key, which is given `number`, above 0, if it has none. */
uint32_t key_index_add(struct key_index *index, uint64_t key, uint32_t number);

/* A key of two: the first one scattered, so that (1, 2) and (2, 1) differ. */
uint64_t key_index_mix(uint64_t key, uint64_t with);

#endif
