/* secret.c - see secret.h. */
#include "harness/cli/secret.h"

bool secret_is(const char *secret, size_t secret_bytes, const char *sent, size_t sent_bytes)
{
    /* Volatile: the compiler must not leave the loop when it knows the answer. */
    volatile unsigned char different = secret_bytes != sent_bytes || secret_bytes == 0;
    size_t at = 0;
    for (size_t i = 0; i < sent_bytes && secret_bytes > 0; i++) {
        different = (unsigned char)(different | (sent[i] ^ secret[at]));
        at = at + 1 == secret_bytes ? 0 : at + 1;
    }
    return different == 0;
}
