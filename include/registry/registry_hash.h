/*
 * registry_hash.h - the hash of a key and the perfect hash made of it. Inline; generator and
 * look-up share it, so both see the same numbers on every machine.
 *
 * A key of 17 to 64 bytes is read as four 16-byte blocks that overlap (at 0, min(16, n-16),
 * max(32, n)-32 and n-16), without a branch on its length. Each 64-bit half of a block is combined
 * with a secret and its two 32-bit halves are multiplied; the eight products are summed in two
 * lanes (the NH construction of UMAC), and the lanes folded by one 64x64->128 multiplication. Every
 * byte of every secret has its top bit set, so that no ASCII text makes a factor zero. Shorter keys
 * are padded, longer ones taken 64 bytes a step. SSE2 does it in four registers that the comparison
 * uses again; the portable form computes the same number, so tables fit both.
 *
 * Perfect hash (one pilot byte a bucket, as in PTHash and PtrHash): the hash's top bits choose a
 * bucket of a few keys, whose pilot p, 1 to 255, gives each of them the slot
 *     ((low * p) mod 2^32) * slots / 2^32
 * which is two multiplications behind the pilot's load. (Adding the pilot instead, as single slots
 * or as 256ths of the ring, would take one from that path; but then a key can reach one
 * neighbourhood or one residue class only, some of those overflow, and there is no solution at 98 %
 * fill.) The fingerprint is the hash's lowest byte.
 */
#ifndef REGISTRY_REGISTRY_HASH_H
#define REGISTRY_REGISTRY_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(REGISTRY_PORTABLE)
#define REGISTRY_SSE2 1
#include <emmintrin.h>
#else
#define REGISTRY_SSE2 0
#endif

#define REGISTRY_HASH_SHORT 17 /* keys from here to LONG take the fast way */
#define REGISTRY_HASH_LONG  64
#define REGISTRY_HASH_K     0x9e3779b97f4a7c15u

static const uint64_t registry_hash_secret[8] __attribute__((aligned(16))) = {
    0xb5d7a1e9c38f96f3, 0xe5abf1c7938dd2b9, 0xd3a5c9efb1978be3, 0x9bc5e7d18fa3f5ad,
    0xf1b98dd5a7e3c9cb, 0xa9e1bfd78bc5f393, 0xc7f59ba3d1e98db7, 0x8fd3e5b1cba997f9,
};

/* Where the two middle blocks begin. */
static inline size_t registry_hash_second(size_t length)
{
    return length < 32 ? length - 16 : 16;
}

static inline size_t registry_hash_third(size_t length)
{
    return length < 32 ? 0 : length - 32;
}

static inline uint64_t registry_hash_finish(uint64_t lane0, uint64_t lane1, size_t length,
                                            uint64_t seed)
{
    unsigned __int128 product =
        (unsigned __int128)(lane0 ^ seed) * (lane1 ^ (length * REGISTRY_HASH_K));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Portable form; little-endian loads. */
struct registry_words {
    uint64_t word[8];
};

static inline uint64_t registry_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void registry_words_load(struct registry_words *words, const char *key, size_t second,
                                       size_t third, size_t last)
{
    words->word[0] = registry_load64(key);
    words->word[1] = registry_load64(key + 8);
    words->word[2] = registry_load64(key + second);
    words->word[3] = registry_load64(key + second + 8);
    words->word[4] = registry_load64(key + third);
    words->word[5] = registry_load64(key + third + 8);
    words->word[6] = registry_load64(key + last);
    words->word[7] = registry_load64(key + last + 8);
}

static inline uint64_t registry_word_product(uint64_t word, unsigned number)
{
    uint64_t mixed = word ^ registry_hash_secret[number];
    return (uint64_t)(uint32_t)mixed * (mixed >> 32);
}

static inline uint64_t registry_words_hash(const struct registry_words *words, size_t length,
                                           uint64_t seed)
{
    /* Written out: gcc makes vectors of a loop, and they wait for the scalar stores before them. */
    const uint64_t *w = words->word;
    uint64_t lane0 = registry_word_product(w[0], 0) + registry_word_product(w[2], 2) +
                     registry_word_product(w[4], 4) + registry_word_product(w[6], 6);
    uint64_t lane1 = registry_word_product(w[1], 1) + registry_word_product(w[3], 3) +
                     registry_word_product(w[5], 5) + registry_word_product(w[7], 7);
    return registry_hash_finish(lane0, lane1, length, seed);
}

#if REGISTRY_SSE2
struct registry_blocks {
    __m128i block[4];
};

static inline void registry_blocks_load(struct registry_blocks *blocks, const char *key,
                                        size_t second, size_t third, size_t last)
{
    blocks->block[0] = _mm_loadu_si128((const __m128i *)(const void *)key);
    blocks->block[1] = _mm_loadu_si128((const __m128i *)(const void *)(key + second));
    blocks->block[2] = _mm_loadu_si128((const __m128i *)(const void *)(key + third));
    blocks->block[3] = _mm_loadu_si128((const __m128i *)(const void *)(key + last));
}

static inline __m128i registry_block_product(__m128i block, unsigned number)
{
    __m128i secret = _mm_load_si128((const __m128i *)(const void *)registry_hash_secret + number);
    __m128i mixed = _mm_xor_si128(block, secret);
    return _mm_mul_epu32(mixed, _mm_shuffle_epi32(mixed, 0xf5)); /* upper halves, no copy */
}

static inline uint64_t registry_blocks_hash(const struct registry_blocks *blocks, size_t length,
                                            uint64_t seed)
{
    __m128i sum = _mm_add_epi64(_mm_add_epi64(registry_block_product(blocks->block[0], 0),
                                              registry_block_product(blocks->block[1], 1)),
                                _mm_add_epi64(registry_block_product(blocks->block[2], 2),
                                              registry_block_product(blocks->block[3], 3)));
    return registry_hash_finish((uint64_t)_mm_cvtsi128_si64(sum),
                                (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum)), length,
                                seed);
}
#else
/* The same names, so that the look-up is written once. */
#define registry_blocks      registry_words
#define registry_blocks_load registry_words_load
#define registry_blocks_hash registry_words_hash
#endif

/* Length 17..64 only. */
static inline uint64_t registry_hash_middle(const char *key, size_t length, uint64_t seed)
{
    struct registry_blocks blocks;
    registry_blocks_load(&blocks, key, registry_hash_second(length), registry_hash_third(length),
                         length - 16);
    return registry_blocks_hash(&blocks, length, seed);
}

/* Any length. */
static inline uint64_t registry_hash(const char *key, size_t length, uint64_t seed)
{
    if (length - REGISTRY_HASH_SHORT <= REGISTRY_HASH_LONG - REGISTRY_HASH_SHORT) {
        return registry_hash_middle(key, length, seed);
    }
    if (length < REGISTRY_HASH_SHORT) {
        char padded[32] = {0};
        if (length > 0) {
            memcpy(padded, key, length);
        }
        return registry_hash_middle(padded, sizeof padded, seed ^ (length + 1) * REGISTRY_HASH_K);
    }
    uint64_t state = seed;
    for (size_t at = 0; at + 64 < length; at += 64) {
        state = (state << 23 | state >> 41) * REGISTRY_HASH_K ^
                registry_hash_middle(key + at, 64, seed);
    }
    return registry_hash_middle(key + length - 64, 64, state ^ length * REGISTRY_HASH_K);
}

/* Of 2^(64 - shift) buckets. */
static inline uint32_t registry_hash_bucket(uint64_t hash, uint32_t shift)
{
    return (uint32_t)(hash >> shift);
}

static inline uint32_t registry_hash_slot(uint64_t hash, uint32_t pilot, uint32_t slots)
{
    uint32_t point = (uint32_t)hash * pilot;
    return (uint32_t)((uint64_t)point * slots >> 32);
}

static inline uint8_t registry_hash_print(uint64_t hash)
{
    return (uint8_t)hash;
}

#endif
