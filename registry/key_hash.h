/*
 * key_hash.h - a 64-bit hash of a key, equality and copying of short texts, for the caches of this
 * folder.
 *
 * Keys of a catalogue are 16 to 64 bytes long, nearly all of them, and differ in length: a loop
 * over their words ends unpredictably, and the mispredicted branch costs more than the hashing. So
 * for that range everything is done with four 16-byte pieces that overlap as the length has it:
 *
 *     0            16                  length-32        length-16     length
 *     |-- piece 0 --|-- piece 1 --|...   |-- piece 2 --|-- piece 3 --|
 *
 * The hash folds 64x64->128 multiplications, one a piece, and reads every byte (keys share long
 * prefixes). The keys come from a catalogue and not from an adversary, so there is no secret seed.
 * Not a file format: the value may differ between machines of different byte order.
 */
#ifndef REGISTRY_KEY_HASH_H
#define REGISTRY_KEY_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t key_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t key_load32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

static inline uint64_t key_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Odd numbers with about as many ones as zeros in every byte. */
#define KEY_K0 UINT64_C(0x9e3779b97f4a7c15)
#define KEY_K1 UINT64_C(0xd1b54a32d192ed03)
#define KEY_K2 UINT64_C(0x8cb92ba72f3d8dd7)
#define KEY_K3 UINT64_C(0xa3b195354a39b70d)

static inline uint64_t key_piece(const char *at, uint64_t a, uint64_t b)
{
    return key_fold(key_load64(at) ^ a, key_load64(at + 8) ^ b);
}

/* Where the two middle pieces of 16 to 64 bytes begin. */
static inline size_t key_second(size_t length)
{
    return length < 32 ? length - 16 : 16;
}

static inline size_t key_third(size_t length)
{
    return length < 32 ? 0 : length - 32;
}

static inline uint64_t key_hash_64(const char *key, size_t length, uint64_t state)
{
    uint64_t hash = key_piece(key, KEY_K0, KEY_K1 ^ state);
    hash ^= key_piece(key + key_second(length), KEY_K1, KEY_K2);
    hash ^= key_piece(key + key_third(length), KEY_K2, KEY_K3);
    hash ^= key_piece(key + length - 16, KEY_K3, KEY_K0);
    return key_fold(hash ^ length, KEY_K2);
}

static __attribute__((noinline, unused)) uint64_t key_hash_short(const char *key, size_t length)
{
    uint64_t a = 0, b = 0;
    if (length >= 8) {
        a = key_load64(key);
        b = key_load64(key + length - 8);
    } else if (length >= 4) {
        a = key_load32(key);
        b = key_load32(key + length - 4);
    } else if (length > 0) {
        a = (uint64_t)(uint8_t)key[0] << 16 | (uint64_t)(uint8_t)key[length / 2] << 8 |
            (uint8_t)key[length - 1];
    }
    return key_fold(KEY_K2 ^ length, key_fold(a ^ KEY_K1, b ^ KEY_K0 ^ length));
}

static __attribute__((noinline, unused)) uint64_t key_hash_long(const char *key, size_t length)
{
    uint64_t state = length;
    for (; length > 64; key += 16, length -= 16) {
        state = key_piece(key, KEY_K1, state);
    }
    return key_hash_64(key, length, state);
}

static inline uint64_t key_hash(const char *key, size_t length)
{
    if (__builtin_expect(length - 16 <= 48, 1)) {
        return key_hash_64(key, length, 0);
    }
    return length < 16 ? key_hash_short(key, length) : key_hash_long(key, length);
}

typedef uint64_t key_16 __attribute__((vector_size(16))); /* one load, whatever the processor */

static inline key_16 key_load16(const char *at)
{
    key_16 piece;
    memcpy(&piece, at, 16);
    return piece;
}

static inline bool key_usual(size_t length)
{
    return __builtin_expect(length - 16 <= 48, 1);
}

static inline bool key_equal_64(const char *a, const char *b, size_t length)
{
    size_t second = key_second(length), third = key_third(length), last = length - 16;
    key_16 differs = key_load16(a) ^ key_load16(b);
    differs |= key_load16(a + second) ^ key_load16(b + second);
    differs |= key_load16(a + third) ^ key_load16(b + third);
    differs |= key_load16(a + last) ^ key_load16(b + last);
    return (differs[0] | differs[1]) == 0;
}

static inline bool key_equal(const char *a, const char *b, size_t length)
{
    if (key_usual(length)) {
        return key_equal_64(a, b, length);
    }
    return length == 0 || memcmp(a, b, length) == 0;
}

/* memcpy for some tens of bytes whose number the processor cannot guess. */
static inline void key_copy(void *to, const void *from, size_t length)
{
    if (key_usual(length)) {
        const char *in = (const char *)from;
        char *out = (char *)to;
        size_t second = key_second(length), third = key_third(length), last = length - 16;
        key_16 a = key_load16(in), b = key_load16(in + second);
        key_16 c = key_load16(in + third), d = key_load16(in + last);
        memcpy(out, &a, 16);
        memcpy(out + second, &b, 16);
        memcpy(out + third, &c, 16);
        memcpy(out + last, &d, 16);
    } else if (length > 0) {
        memcpy(to, from, length);
    }
}

#endif
