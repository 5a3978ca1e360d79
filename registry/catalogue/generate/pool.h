/*
 * pool.h - texts, each stored once: u16 length, bytes, NUL. Offset 0 is the empty text. Build time
 * only.
 */
#ifndef GENERATE_POOL_H
#define GENERATE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
    char *bytes;
    size_t length, room;
    uint32_t *slots; /* offsets by hash; 0: free */
    size_t slot_count, used;
};

void pool_init(struct pool *pool);
void pool_fini(struct pool *pool);
/* The text's offset; texts are at most 65,535 bytes. UINT32_MAX when the pool is full. */
uint32_t pool_put(struct pool *pool, const char *text, size_t length);

#endif
