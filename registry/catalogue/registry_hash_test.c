/* registry_hash_test.c - the SSE2 form and the portable form of the hash are one function. */
#include "registry/registry_hash.h"

#include "harness/base/suite.h"

#include <stdint.h>

static uint64_t state = 7;

static uint64_t random_next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 11;
}

static void random_fill(char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (char)random_next();
    }
}

START_TEST(sse2_and_portable_form_agree)
{
    for (unsigned n = 0; n < 100000; n++) {
        char key[64];
        size_t length = 17 + n % 48;
        uint64_t seed = random_next();
        random_fill(key, sizeof key);
        struct registry_words words;
        registry_words_load(&words, key, registry_hash_second(length), registry_hash_third(length),
                            length - 16);
        if (registry_words_hash(&words, length, seed) != registry_hash_middle(key, length, seed)) {
            ck_abort_msg("length %zu", length);
        }
    }
}
END_TEST

START_TEST(the_numbers_are_the_same_on_every_machine)
{
    static const struct {
        const char *key;
        size_t length;
        uint64_t hash;
    } rows[] = {
        {"", 0, 0x66eb5b6691ae54d0},
        {"openai:gpt-4o", 13, 0x4c1730b2995c9c51},
        {"anthropic:claude-sonnet-4-5-20250929", 36, 0x042e8005035fec4a},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", 74,
         0xd1467b6fbb99e479},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_uint_eq(registry_hash(rows[i].key, rows[i].length, 1), rows[i].hash);
    }
}
END_TEST

START_TEST(every_bit_of_the_key_changes_about_half_the_bits_of_the_hash)
{
    static const size_t lengths[] = {1, 8, 16, 17, 31, 32, 33, 48, 59, 64, 65, 100, 129};
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        size_t length = lengths[l];
        for (size_t bit = 0; bit < 8 * length; bit++) {
            unsigned changed = 0;
            enum { TRIALS = 64 };
            for (unsigned t = 0; t < TRIALS; t++) {
                char key[160];
                random_fill(key, sizeof key);
                uint64_t before = registry_hash(key, length, 1);
                key[bit / 8] ^= (char)(1 << bit % 8);
                changed += (unsigned)__builtin_popcountll(before ^ registry_hash(key, length, 1));
            }
            /* 64 x 64 fair coins: 2048 on average, standard deviation 32. */
            ck_assert_msg(changed > 1700 && changed < 2400, "length %zu bit %zu: %u of 4096",
                          length, bit, changed);
        }
    }
}
END_TEST

START_TEST(length_counts_where_the_bytes_are_zero)
{
    static const char zeros[200];
    for (size_t a = 0; a < sizeof zeros; a++) {
        for (size_t b = 0; b < a; b++) {
            if (registry_hash(zeros, a, 5) == registry_hash(zeros, b, 5)) {
                ck_abort_msg("%zu and %zu zeros", a, b);
            }
        }
    }
}
END_TEST

SUITE("registry hash", &sse2_and_portable_form_agree, &the_numbers_are_the_same_on_every_machine,
      &every_bit_of_the_key_changes_about_half_the_bits_of_the_hash,
      &length_counts_where_the_bytes_are_zero)
