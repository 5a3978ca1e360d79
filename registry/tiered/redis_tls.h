/*
 * redis_tls.h - TLS over a socket that is connected, by OpenSSL 3, which is loaded when the first
 * rediss:// address is used: who needs no TLS needs no library. The server's certificate must come
 * from a known authority and be made out for the host that was named. Runs in the process that
 * caches.
 */
#ifndef TIERED_REDIS_TLS_H
#define TIERED_REDIS_TLS_H

#include "registry/tiered/redis_address.h"

#include <sys/types.h>

struct redis_tls;

enum tls_wait { TLS_DONE, TLS_READ, TLS_WRITE, TLS_BROKEN }; /* what the socket must be ready for */

/* NULL: *why says it. The socket stays the caller's. */
struct redis_tls *redis_tls_new(const struct redis_address *address, int fd, char *why,
                                size_t why_bytes);
void redis_tls_free(struct redis_tls **tls);
/* One step of each; call again when the socket is ready. *done: bytes read or written, 0 at the
 * end of what the server sends. */
enum tls_wait redis_tls_handshake(struct redis_tls *tls, char *why, size_t why_bytes);
enum tls_wait redis_tls_write(struct redis_tls *tls, const void *data, size_t bytes, size_t *done);
enum tls_wait redis_tls_read(struct redis_tls *tls, void *data, size_t room, size_t *done);

#endif
