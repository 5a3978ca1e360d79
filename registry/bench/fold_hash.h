/*
 * fold_hash.h - the hash that peers get in the look-up benchmark: folded 64x64->128
 * multiplications, 16 bytes a step, of the family of wyhash and rapidhash, which are the fastest
 * that tables of other people are used with. Not the registry's own hash: what that one gains is
 * part of what is measured.
 */
#ifndef BENCH_FOLD_HASH_H
#define BENCH_FOLD_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t fold_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t fold_load32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

static inline uint64_t fold_step(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t fold_hash(const char *key, size_t length)
{
    /* Odd, with about as many ones as zeros in every byte. */
    const uint64_t k0 = 0x9e3779b97f4a7c15, k1 = 0xd1b54a32d192ed03, k2 = 0x8cb92ba72f3d8dd7;
    uint64_t a, b, state = k0 ^ length;
    if (length > 16) {
        size_t left = length;
        const char *at = key;
        while (left > 16) {
            state = fold_step(fold_load64(at) ^ k1, fold_load64(at + 8) ^ state);
            at += 16;
            left -= 16;
        }
        a = fold_load64(key + length - 16);
        b = fold_load64(key + length - 8);
    } else if (length >= 8) {
        a = fold_load64(key);
        b = fold_load64(key + length - 8);
    } else if (length >= 4) {
        a = fold_load32(key);
        b = fold_load32(key + length - 4);
    } else if (length > 0) {
        a = (uint64_t)(uint8_t)key[0] << 16 | (uint64_t)(uint8_t)key[length / 2] << 8 |
            (uint8_t)key[length - 1];
        b = 0;
    } else {
        a = b = 0;
    }
    return fold_step(k2 ^ length, fold_step(a ^ k1, b ^ state));
}

#endif
