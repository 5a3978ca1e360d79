/*
 * registry_inline.h - the look-up as an inline function, for callers where the call itself counts.
 * registry_find is this function compiled once. Same rules as registry.h.
 *
 * A key of 17 to 63 bytes takes the straight way: hash, pilot, fingerprint, one cache line. Others
 * go to registry_image_find_other.
 */
#ifndef REGISTRY_REGISTRY_INLINE_H
#define REGISTRY_REGISTRY_INLINE_H

#include "registry/image.h"
#include "registry/registry_hash.h"

/* Any length; for those that the straight way leaves out. */
registry_index registry_image_find_other(const struct registry_image *image, const char *key,
                                         size_t length);

static inline const uint8_t *registry_image_bytes(const struct registry_image *image,
                                                  uint64_t offset)
{
    return (const uint8_t *)image + offset;
}

static inline const struct registry_line *registry_image_lines(const struct registry_image *image)
{
    return (const struct registry_line *)(const void *)registry_image_bytes(image, image->lines);
}

/* The slot of a key's hash, whether the key is there or not. */
static inline uint32_t registry_image_slot(const struct registry_image *image, uint64_t hash)
{
    uint32_t bucket = registry_hash_bucket(hash, image->shift);
    uint32_t pilot = registry_image_bytes(image, image->pilots)[bucket];
    return registry_hash_slot(hash, pilot, image->slots);
}

static inline const uint8_t *registry_image_prints(const struct registry_image *image)
{
    return registry_image_bytes(image, image->prints);
}

static inline const uint32_t *registry_image_indexes(const struct registry_image *image)
{
    return (const uint32_t *)(const void *)registry_image_bytes(image, image->indexes);
}

/* Whether the line's key is the one whose blocks are given; length 17..63. */
static inline bool registry_line_equal(const struct registry_line *line,
                                       const struct registry_blocks *blocks, size_t second,
                                       size_t third, size_t length)
{
    struct registry_blocks own;
    registry_blocks_load(&own, line->key, second, third, length - 16);
#if REGISTRY_SSE2
    __m128i equal = _mm_and_si128(_mm_and_si128(_mm_cmpeq_epi8(own.block[0], blocks->block[0]),
                                                _mm_cmpeq_epi8(own.block[1], blocks->block[1])),
                                  _mm_and_si128(_mm_cmpeq_epi8(own.block[2], blocks->block[2]),
                                                _mm_cmpeq_epi8(own.block[3], blocks->block[3])));
    uint32_t different = (uint32_t)_mm_movemask_epi8(equal) ^ 0xffff;
    return (different | (line->length ^ (uint32_t)length)) == 0;
#else
    const uint64_t *a = own.word, *b = blocks->word;
    return (((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) |
            ((a[4] ^ b[4]) | (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7])) |
            (line->length ^ length)) == 0;
#endif
}

/* Always: gcc would otherwise share one copy among several callers, which is the call again. */
__attribute__((always_inline)) static inline registry_index
registry_image_find_inline(const struct registry_image *image, const char *key, size_t length)
{
    if (__builtin_expect(length - REGISTRY_HASH_SHORT > REGISTRY_LINE_KEY - REGISTRY_HASH_SHORT,
                         0)) {
        return registry_image_find_other(image, key, length);
    }
    size_t second = registry_hash_second(length), third = registry_hash_third(length);
    struct registry_blocks blocks;
    registry_blocks_load(&blocks, key, second, third, length - 16);
    uint64_t hash = registry_blocks_hash(&blocks, length, image->seed);
    uint32_t slot = registry_image_slot(image, hash);
    if (registry_image_prints(image)[slot] != registry_hash_print(hash)) {
        return REGISTRY_NONE;
    }
    const struct registry_line *line = registry_image_lines(image) + slot;
    if (!registry_line_equal(line, &blocks, second, third, length)) {
        return REGISTRY_NONE;
    }
    /* By a branch and from an array of its own: the processor goes on with the index while the
     * line is still on its way, and only the comparison waits for it. */
    return registry_image_indexes(image)[slot];
}

/* registry_find, inlined. */
static inline registry_index registry_find_inline(const char *key, size_t length)
{
    return registry_image_find_inline(&registry_tables, key, length);
}

#endif
