/*
 * redis_socket.h - the socket under redis_link.h: connecting, sending and receiving without waiting
 * longer than the link's deadline. Part of that module.
 */
#ifndef TIERED_REDIS_SOCKET_H
#define TIERED_REDIS_SOCKET_H

#include "registry/tiered/redis_link.h"

/* The end of a call that begins now, on the monotonic clock. */
uint64_t redis_socket_until(const struct redis_link *link);
/* These set the link's trouble when they return false. */
bool redis_socket_open(struct redis_link *link);
bool redis_socket_send(struct redis_link *link, uint64_t until_ns);    /* all of `out` */
bool redis_socket_receive(struct redis_link *link, uint64_t until_ns); /* some more of `in` */
/* False: the other side has closed it since its last use. */
bool redis_socket_is_open(const struct redis_link *link);
void redis_socket_close(struct redis_link *link);

#endif
