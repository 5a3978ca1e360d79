/*
 * key_hash.h - hash, equality and copying of keys, for the caches of this folder. Hash and the way
 * of reading a key in four overlapping 16-byte blocks are the registry's own (registry_hash.h): no
 * loop that ends unpredictably for the lengths that keys have, and the blocks are loaded once for
 * hash and comparison.
 */
#ifndef CACHE_KEY_HASH_H
#define CACHE_KEY_HASH_H

#include "registry/registry_hash.h"

#include <stdbool.h>

/* A key of 17 to 64 bytes, loaded. */
struct key_blocks {
    struct registry_blocks blocks;
    size_t second, third;
};

static inline bool key_usual(size_t length)
{
    return __builtin_expect(
        length - REGISTRY_HASH_SHORT <= REGISTRY_HASH_LONG - REGISTRY_HASH_SHORT, 1);
}

static inline uint64_t key_hash(const char *key, size_t length)
{
    return registry_hash(key, length, 0);
}

static inline void key_blocks_load(struct key_blocks *key, const char *text, size_t length)
{
    key->second = registry_hash_second(length);
    key->third = registry_hash_third(length);
    registry_blocks_load(&key->blocks, text, key->second, key->third, length - 16);
}

static inline uint64_t key_blocks_hash(const struct key_blocks *key, size_t length)
{
    return registry_blocks_hash(&key->blocks, length, 0);
}

static inline bool key_blocks_equal(const struct key_blocks *key, const char *other, size_t length)
{
    struct registry_blocks blocks;
    registry_blocks_load(&blocks, other, key->second, key->third, length - 16);
#if REGISTRY_SSE2
    const __m128i *a = key->blocks.block, *b = blocks.block;
    __m128i equal =
        _mm_and_si128(_mm_and_si128(_mm_cmpeq_epi8(a[0], b[0]), _mm_cmpeq_epi8(a[1], b[1])),
                      _mm_and_si128(_mm_cmpeq_epi8(a[2], b[2]), _mm_cmpeq_epi8(a[3], b[3])));
    return _mm_movemask_epi8(equal) == 0xffff;
#else
    uint64_t differs = 0;
    for (unsigned i = 0; i < 8; i++) {
        differs |= key->blocks.word[i] ^ blocks.word[i];
    }
    return differs == 0;
#endif
}

static inline bool key_equal(const char *a, const char *b, size_t length)
{
    if (key_usual(length)) {
        struct key_blocks key;
        key_blocks_load(&key, a, length);
        return key_blocks_equal(&key, b, length);
    }
    return length == 0 || memcmp(a, b, length) == 0;
}

/* memcpy for some tens of bytes whose number the processor cannot guess. */
static inline void key_copy(void *to, const void *from, size_t length)
{
    if (key_usual(length)) {
        const char *in = (const char *)from;
        char *out = (char *)to;
        struct piece {
            uint64_t word[2];
        } a, b, c, d;
        size_t second = registry_hash_second(length), third = registry_hash_third(length);
        memcpy(&a, in, 16);
        memcpy(&b, in + second, 16);
        memcpy(&c, in + third, 16);
        memcpy(&d, in + length - 16, 16);
        memcpy(out, &a, 16);
        memcpy(out + second, &b, 16);
        memcpy(out + third, &c, 16);
        memcpy(out + length - 16, &d, 16);
    } else if (length > 0) {
        memcpy(to, from, length);
    }
}

/* Eight bytes as a number, whatever their order. */
static inline uint64_t key_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

#endif
