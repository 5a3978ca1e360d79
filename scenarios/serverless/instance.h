/*
 * instance.h - one instance of the service: a process of its own, this program started anew, that
 * answers what it is asked over a socket until the socket is closed. A request with a process of
 * its own is an instance that is asked once.
 */
#ifndef SERVERLESS_INSTANCE_H
#define SERVERLESS_INSTANCE_H

#include "service.h"

struct instance {
    int pid, fd;
};

/* `refresh_ns`: the threshold of early refresh. Fails the test when it cannot be started. */
struct instance instance_start(const struct service_kind *kind, uint64_t refresh_ns);
void instance_stop(struct instance *instance); /* it ends by itself, and is waited for */

struct answer instance_get(struct instance *instance, const char *key);
/* In two halves, so that many can be asked at once. */
void instance_get_begin(struct instance *instance, const char *key);
struct answer instance_get_end(struct instance *instance);
bool instance_refresh(struct instance *instance, const char *key);
bool instance_invalidate(struct instance *instance, const char *key);
bool instance_statistics(struct instance *instance, struct tiered_statistics *statistics);

/* A process for this request alone. */
struct answer request(const struct service_kind *kind, const char *key);

/* The instance's main function: KIND REFRESH_NS PAGE_FD FILE REDIS SOCKET. */
int instance_main(char **arguments);

#endif
