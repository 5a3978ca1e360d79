/* key_name.c - see key_name.h. Runs in the process that caches. */
#include "registry/tiered/key_name.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "~sha256:";
#define SHOWN_BYTES 64u

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

static void schedule_fill(uint32_t schedule[64], const unsigned char block[64])
{
    for (unsigned i = 0; i < 16; i++) {
        schedule[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                      (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = schedule[i - 15], b = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + schedule[i - 7] +
                      (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

static void block_add(uint32_t state[8], const unsigned char block[64])
{
    uint32_t schedule[64], v[8];
    schedule_fill(schedule, block);
    memcpy(v, state, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t first = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice +
                         round_constants[i] + schedule[i];
        uint32_t second = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += first;
        v[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void key_digest(const void *data, size_t bytes, char hexadecimal[65])
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const unsigned char *at = data;
    size_t left = bytes;
    for (; left >= 64; left -= 64, at += 64) {
        block_add(state, at);
    }
    unsigned char last[128] = {0};
    size_t padded = left < 56 ? 64 : 128;
    if (left > 0) {
        memcpy(last, at, left);
    }
    last[left] = 0x80;
    for (unsigned i = 0; i < 8; i++) {
        last[padded - 1 - i] = (unsigned char)((uint64_t)bytes * 8 >> 8 * i);
    }
    block_add(state, last);
    if (padded == 128) {
        block_add(state, last + 64);
    }
    for (unsigned i = 0; i < 8; i++) {
        snprintf(hexadecimal + 8 * i, 9, "%08x", state[i]);
    }
}

/* Returns the length of the printable UTF-8 character at `at`, 0 if there is none. */
static size_t character_bytes(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } kinds[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    if (*at < 0x80) {
        return *at >= 0x20 && *at != 0x7f;
    }
    for (size_t more = 1; more <= 3; more++) {
        if ((*at & kinds[more - 1].mask) != kinds[more - 1].lead) {
            continue;
        }
        uint32_t code = *at & (uint32_t)(~kinds[more - 1].mask & 0xff);
        for (size_t i = 1; i <= more; i++) {
            if (i >= left || (at[i] & 0xc0) != 0x80) {
                return 0;
            }
            code = code << 6 | (at[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code < 0xe000;
        return code >= kinds[more - 1].least && code <= 0x10ffff && !surrogate ? more + 1 : 0;
    }
    return 0;
}

static bool is_plain(struct store_key key)
{
    const unsigned char *at = (const unsigned char *)key.text;
    if (key.length == 0 || key.length > KEY_PLAIN_MAX ||
        (key.length >= sizeof prefix - 1 && memcmp(key.text, prefix, sizeof prefix - 1) == 0)) {
        return false;
    }
    for (size_t i = 0, bytes; i < key.length; i += bytes) {
        bytes = character_bytes(at + i, key.length - i);
        if (bytes == 0) {
            return false;
        }
    }
    return true;
}

void key_name_init(struct key_name *name, struct store_key key)
{
    name->name = key;
    if (is_plain(key)) {
        return;
    }
    char digest[65], shown[SHOWN_BYTES + 1];
    size_t length = key.length < SHOWN_BYTES ? key.length : SHOWN_BYTES;
    for (size_t i = 0; i < length; i++) {
        shown[i] = '?';
        if (key.text[i] >= 0x20 && key.text[i] < 0x7f) {
            shown[i] = key.text[i];
        }
    }
    shown[length] = 0;
    key_digest(key.text, key.length, digest);
    int written = snprintf(name->text, sizeof name->text, "%s%s:%s", prefix, digest, shown);
    name->name = (struct store_key){name->text, (size_t)written};
}
