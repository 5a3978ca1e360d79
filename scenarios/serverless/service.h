/*
 * service.h - the endpoint of the incident behind one interface: the caches that the report has, as
 * it has them, and the one of this project.
 *
 *   direct      no cache
 *   in_process  what was there: 10 minutes in the memory of the process (unstable_cache)
 *   database    the report's fix, its class ServerlessCache: a table, its refresh a line in a log
 *   hybrid      the report's next month, its class HybridCache: Redis for 300 s over that table (a
 *               memory stands for Redis where there is none, inside one process)
 *   tiered      registry/tiered: Redis where there is one, over SQLite with its log of events
 *   production  the report's second phase with the tiered cache: Redis by TCP as a user with a
 *               password (REDIS_URL), over the report's table on PostgreSQL (SERVERLESS_POSTGRES)
 *   resident    tiered with a memory of the process's own above: for processes that live on
 */
#ifndef SERVERLESS_SERVICE_H
#define SERVERLESS_SERVICE_H

#include "registry/tiered/tiered_cache.h"
#include "world.h"

struct answer {
    bool ok, hit;
    bool refresh;   /* asked to load anew behind the answer */
    uint32_t state; /* of the truth that the value is of */
    uint64_t latency_ns;
};

struct service_kind {
    const char *name;
    void *(*open)(uint64_t refresh_ns);
    void (*close)(void *service);
    bool (*get)(void *service, const char *key, struct answer *answer);
    bool (*refresh)(void *service, const char *key);
    bool (*invalidate)(void *service, const char *key); /* false: it did not get through */
    /* False: it has none. */
    bool (*statistics)(void *service, struct tiered_statistics *statistics);
};

extern const struct service_kind service_direct, service_in_process, service_database,
    service_hybrid, service_tiered, service_resident, service_production;
const struct service_kind *service_find(const char *name); /* NULL: none */

#define TTL_NS (600 * SECOND)

#endif
