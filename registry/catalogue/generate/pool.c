/* pool.c - see pool.h. Build time only. */
#include "registry/catalogue/generate/pool.h"

#include "harness/base/memory.h"
#include "registry/registry_hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *pool)
{
    *pool = (struct pool){.slot_count = 1024};
    pool->slots = memory_new(pool->slot_count, sizeof *pool->slots);
    memory_grow(&pool->bytes, &pool->room, 4096, 1);
    memset(pool->bytes, 0, 3);
    pool->length = 3;
}

void pool_fini(struct pool *pool)
{
    free(pool->bytes);
    free(pool->slots);
    *pool = (struct pool){0};
}

static uint16_t pool_text_length(const struct pool *pool, uint32_t offset)
{
    uint16_t length;
    memcpy(&length, pool->bytes + offset, sizeof length);
    return length;
}

static size_t pool_slot(const struct pool *pool, const char *text, size_t length)
{
    size_t at = registry_hash(text, length, 0) & (pool->slot_count - 1);
    while (pool->slots[at] != 0) {
        uint32_t offset = pool->slots[at];
        if (pool_text_length(pool, offset) == length &&
            memcmp(pool->bytes + offset + 2, text, length) == 0) {
            break;
        }
        at = (at + 1) & (pool->slot_count - 1);
    }
    return at;
}

static void pool_double(struct pool *pool)
{
    uint32_t *old = pool->slots;
    size_t count = pool->slot_count;
    pool->slot_count *= 2;
    pool->slots = memory_new(pool->slot_count, sizeof *pool->slots);
    for (size_t i = 0; i < count; i++) {
        if (old[i] != 0) {
            uint16_t length = pool_text_length(pool, old[i]);
            pool->slots[pool_slot(pool, pool->bytes + old[i] + 2, length)] = old[i];
        }
    }
    free(old);
}

uint32_t pool_put(struct pool *pool, const char *text, size_t length)
{
    assert(length <= UINT16_MAX);
    if (length == 0) {
        return 0;
    }
    size_t at = pool_slot(pool, text, length);
    if (pool->slots[at] != 0) {
        return pool->slots[at];
    }
    if (pool->length + length + 3 > UINT32_MAX - 1) {
        return UINT32_MAX;
    }
    uint32_t offset = (uint32_t)pool->length;
    uint16_t size = (uint16_t)length;
    memory_grow(&pool->bytes, &pool->room, pool->length + length + 3, 1);
    memcpy(pool->bytes + offset, &size, sizeof size);
    memcpy(pool->bytes + offset + 2, text, length);
    pool->bytes[offset + 2 + length] = '\0';
    pool->length += length + 3;
    pool->slots[at] = offset;
    if (++pool->used * 2 > pool->slot_count) {
        pool_double(pool);
    }
    return offset;
}
