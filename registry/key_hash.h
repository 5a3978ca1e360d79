/*
 * key_hash.h - a 64-bit hash of a key, and equality of keys, for the caches of this folder.
 *
 * Folded 64x64->128 multiplication, 16 bytes a step, every byte read (keys of a catalogue share
 * long prefixes). The keys come from a catalogue and not from an adversary, so there is no secret
 * seed. Not a file format: the value may differ between machines of different byte order.
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

static inline uint64_t key_hash(const char *key, size_t length)
{
    /* Odd, with about as many ones as zeros in every byte. */
    const uint64_t k0 = 0x9e3779b97f4a7c15, k1 = 0xd1b54a32d192ed03, k2 = 0x8cb92ba72f3d8dd7;
    uint64_t a, b, state = k0 ^ length;
    if (length > 16) {
        size_t left = length;
        const char *at = key;
        while (left > 16) {
            state = key_fold(key_load64(at) ^ k1, key_load64(at + 8) ^ state);
            at += 16;
            left -= 16;
        }
        a = key_load64(key + length - 16);
        b = key_load64(key + length - 8);
    } else if (length >= 8) {
        a = key_load64(key);
        b = key_load64(key + length - 8);
    } else if (length >= 4) {
        a = key_load32(key);
        b = key_load32(key + length - 4);
    } else if (length > 0) {
        a = (uint64_t)(uint8_t)key[0] << 16 | (uint64_t)(uint8_t)key[length / 2] << 8 |
            (uint8_t)key[length - 1];
        b = 0;
    } else {
        a = b = 0;
    }
    return key_fold(k2 ^ length, key_fold(a ^ k1, b ^ state));
}

/* memcmp's call costs more than the comparison for keys of 8..100 bytes. */
static inline bool key_equal(const char *a, const char *b, size_t length)
{
    if (length < 8) {
        for (size_t i = 0; i < length; i++) {
            if (a[i] != b[i]) {
                return false;
            }
        }
        return true;
    }
    size_t last = length - 8;
    uint64_t differs = key_load64(a + last) ^ key_load64(b + last);
    for (size_t i = 0; i < last; i += 8) {
        differs |= key_load64(a + i) ^ key_load64(b + i);
    }
    return differs == 0;
}

#endif
