/* sha256.h - SHA-256 (FIPS 180-4) of bytes in memory, for the hashes of a content security policy.
 * Nothing secret is hashed. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES      32
#define SHA256_TEXT_BYTES 45 /* in base64, with the NUL */

void sha256(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES]);
/* The digest in base64, into `text`, which is returned. */
const char *sha256_base64(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT_BYTES]);

#endif
