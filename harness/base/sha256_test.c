/* sha256_test.c - the vectors of FIPS 180-4's examples, and lengths around the end of a block. */
#include "harness/base/sha256.h"
#include "harness/base/suite.h"

#include <string.h>

START_TEST(hashes_as_the_standard_has_it)
{
    static const struct {
        const char *text;
        size_t times;
        const char *base64;
    } rows[] = {
        {"", 1, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        {"abc", 1, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE="},
        {"a", 1000000, "zcduXJkU+5KBocfihNc+Z/GAmkiklyAOBG05zMcRLNA="},
        {"a", 55, "n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg="},
        {"a", 56, "s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o="},
        {"a", 63, "fT50oF19sVvOStnsBljqmOPwbu7PFrTG//LaRX3cLzQ="},
        {"a", 64, "/+BU/nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs="},
        {"a", 65, "Y1NhxIu56rFBmOduqKt/GkFoXWrWKqkUbTAdTxfrCuA="},
        {"a", 119, "MeulHDE6XAgiat8Y1KNZz9/Y0ugWsT9K+VL36mWE3Ps="},
        {"a", 120, "Lz0zVDLHC1gK8Ojhs2dKfAINaDql9zqq7f3FWvkEwhw="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length = strlen(rows[i].text), total = length * rows[i].times;
        char *whole = malloc(total + 1), text[SHA256_TEXT_BYTES];
        uint8_t digest[SHA256_BYTES];
        for (size_t n = 0; n < rows[i].times; n++) {
            memcpy(whole + n * length, rows[i].text, length);
        }
        sha256(whole, total, digest);
        ck_assert_str_eq(sha256_base64(digest, text), rows[i].base64);
        free(whole);
    }
}
END_TEST

SUITE("sha256", &hashes_as_the_standard_has_it)
