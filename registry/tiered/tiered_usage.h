/*
 * tiered_usage.h - what a cache was asked, and what TTL and size that calls for. The last so many
 * look-ups and events are kept; each endpoint's are played again with other TTLs:
 *
 *   ttl    the shortest within the bounds whose loads exceed those of the longest by a twentieth at
 *          most: a value is held longer only where that spares loads
 *   bytes  the most that is held at once with it
 *
 * Loads with a TTL are exact for the trace, as long as everything that has not expired is held. One
 * block made by usage_new, nothing allocated while recording; one thread at a time.
 */
#ifndef TIERED_USAGE_H
#define TIERED_USAGE_H

#include "registry/tiered/tiered_endpoint.h"

struct tiered_usage;

struct usage_bounds {
    uint64_t ttl_least_ns, ttl_most_ns; /* how old a value may get is for people to say */
};

struct usage_proposal {
    uint64_t lookups, keys;    /* of the endpoint, in the trace */
    uint64_t ttl_ns;           /* proposed; the rule's own where the trace has no look-up */
    uint64_t loads_now, loads; /* with the rule's TTL, and with the proposed one */
    uint64_t bytes;            /* held at most, with the proposed one */
};

/* NULL: no memory. `records`: how many look-ups and events are kept, 24 bytes each. */
struct tiered_usage *usage_new(size_t records);
void usage_free(struct tiered_usage **usage);

/* `rule`: which one of the endpoints', or their count for a key without one. */
void usage_lookup(struct tiered_usage *usage, size_t rule, struct store_key name, size_t bytes,
                  uint64_t now_ns);
void usage_event(struct tiered_usage *usage, size_t rule, struct store_key name, uint64_t now_ns);

/* For one rule that has a TTL now. False: no memory. */
bool usage_propose(const struct tiered_usage *usage, size_t rule, uint64_t ttl_ns,
                   const struct usage_bounds *bounds, struct usage_proposal *proposal);
/* Of all rules, each with bounds of its own, with the proposed TTLs written into `tuned`, which has
 * room for them; times before expiry and after it grow with the TTL. *loads_now and *loads are
 * sums. */
bool usage_tune(const struct tiered_usage *usage, const struct tiered_endpoints *endpoints,
                const struct usage_bounds *bounds, struct tiered_endpoint *tuned,
                uint64_t *loads_now, uint64_t *loads);

#endif
