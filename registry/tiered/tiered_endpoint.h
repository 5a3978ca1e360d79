/*
 * tiered_endpoint.h - rules of a service as data: how long the values of each endpoint live, and
 * which events make them old. A rule's key is a form: names in braces stand for parts that differ.
 *
 *     static const struct tiered_endpoint endpoints[] = {
 *         {"/api/user/data", "user-profile-{userId}", 300 * S, 60 * S, 0,
 * {"user.profile.updated"}},
 *     };
 *
 * "user-profile-7" has this rule; the event user.profile.updated with userId = 7 makes it old. Of
 * two rules with the same form the first holds. Everything here is const data of the caller, which
 * outlives the cache; thread-safe.
 */
#ifndef TIERED_ENDPOINT_H
#define TIERED_ENDPOINT_H

#include "registry/tiered/store.h"

#define ENDPOINT_EVENTS    8u
#define ENDPOINT_KEY_BYTES 256u

struct tiered_endpoint {
    const char *endpoint; /* for people */
    const char *key;      /* a form */
    uint64_t ttl_ns;      /* 0: the cache's */
    uint64_t refresh_ns;  /* within so long of expiry it is loaded anew; 0: not */
    uint64_t stale_ns;    /* for so long after expiry it is still served while it is loaded anew */
    const char *events[ENDPOINT_EVENTS]; /* that make it old; ends at NULL */
};

struct tiered_endpoints {
    const struct tiered_endpoint *rules;
    size_t count;
};

/* A value of the event's, by its name in the forms. */
struct tiered_field {
    const char *name, *value;
};

/* The rule of a key, or NULL. */
const struct tiered_endpoint *tiered_endpoint_find(const struct tiered_endpoints *endpoints,
                                                   struct store_key key);

/* Calls `each` with every key that an event makes old; returns how many. A form whose field the
 * event does not have is left out: no key is better than "user-profile-undefined". */
size_t tiered_endpoint_keys(const struct tiered_endpoints *endpoints, const char *event,
                            const struct tiered_field *fields, size_t field_count,
                            void (*each)(void *context, const char *key), void *context);

#endif
