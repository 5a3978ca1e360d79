/* secret.h - compares what somebody sent with a secret, so that the time it takes says nothing of
 * how much of it was right. Supervisor only. */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* How many instructions it takes depends on the two lengths alone. */
bool secret_is(const char *secret, size_t secret_bytes, const char *sent, size_t sent_bytes);

#endif
