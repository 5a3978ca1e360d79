/* service.c - see service.h: the services on the tiered cache, and all by name. In tests and
 * instances. */
#include "service.h"

static void *tiered_open(uint64_t refresh_ns, bool resident)
{
    struct tiered_options options = {.ttl_ns = TTL_NS,
                                     .refresh_ns = refresh_ns,
                                     .now_ns = world_now,
                                     .wait_ns = world_wait,
                                     .load = world_load};
    unsigned count = 0;
    if (resident) {
        options.levels[count++] = (struct tiered_level){.kind = &store_memory};
    }
    if (world.redis.pid != 0) {
        options.levels[count++] =
            (struct tiered_level){.kind = &store_redis,
                                  .address = world.redis.socket,
                                  .ttl_ns = 300 * SECOND,
                                  /* A server that is slow because the machine is busy is no outage
                                   * here; one that is killed refuses at once. */
                                  .limits = {.deadline_ns = 5 * SECOND}};
    }
    options.levels[count] = (struct tiered_level){.kind = &store_sqlite, .address = world.file};
    return tiered_cache_open(&options);
}

static void *shared_open(uint64_t refresh_ns)
{
    return tiered_open(refresh_ns, false);
}

static void *resident_open(uint64_t refresh_ns)
{
    return tiered_open(refresh_ns, true);
}

/* The source as JSON, which the table wants. */
static bool json_load(void *context, struct store_key key, const void **data, size_t *bytes)
{
    static char text[1 << 18];
    bool ok = world_load(context, key, data, bytes);
    *bytes = (size_t)snprintf(text, sizeof text, "{\"state\": %u, \"models\": \"%.*s\"}",
                              world_state_of(*data, *bytes), (int)*bytes, (const char *)*data);
    *data = text;
    return ok;
}

static void *production_open(uint64_t refresh_ns)
{
    struct tiered_options options = {.levels = {{.kind = &store_redis,
                                                 .ttl_ns = 300 * SECOND,
                                                 .limits = {.deadline_ns = 20 * SECOND}},
                                                {.kind = &store_postgres_json,
                                                 .address = getenv("SERVERLESS_POSTGRES"),
                                                 .limits = {.deadline_ns = 20 * SECOND}}},
                                     .ttl_ns = TTL_NS,
                                     .refresh_ns = refresh_ns,
                                     .now_ns = world_now,
                                     .wait_ns = world_wait,
                                     .load = json_load};
    return options.levels[1].address ? tiered_cache_open(&options) : NULL;
}

static void tiered_close(void *service)
{
    struct tiered_cache *cache = service;
    tiered_cache_close(&cache);
}

/* What the levels would cost: each that was asked and answered. */
static uint64_t cost_of(const struct tiered_statistics *before,
                        const struct tiered_statistics *after)
{
    uint64_t cost = 0;
    for (unsigned i = 0; i < after->level_count; i++) {
        const struct tiered_level_statistics *a = &before->levels[i], *b = &after->levels[i];
        bool asked = b->hits + b->misses > a->hits + a->misses;
        cost += !asked                           ? 0
                : strcmp(b->name, "redis") == 0  ? REDIS_NS
                : strcmp(b->name, "memory") == 0 ? 0
                                                 : DATABASE_NS;
    }
    return cost;
}

static bool tiered_get(void *service, const char *key, struct answer *answer)
{
    struct tiered_statistics before, after;
    struct tiered_value value;
    uint64_t begun = world_now(NULL);
    tiered_cache_statistics(service, &before);
    answer->ok = tiered_cache_get(service, key, &value);
    tiered_cache_statistics(service, &after);
    world_advance(cost_of(&before, &after));
    answer->hit = after.hits > before.hits;
    answer->refresh = value.refresh;
    answer->state = answer->ok ? world_state_of(value.data, value.bytes) : 0;
    answer->latency_ns = world_now(NULL) - begun;
    return answer->ok;
}

static bool tiered_refresh(void *service, const char *key)
{
    return tiered_cache_refresh(service, key);
}

static bool tiered_invalidate(void *service, const char *key)
{
    return tiered_cache_invalidate(service, key);
}

static bool tiered_statistics_(void *service, struct tiered_statistics *statistics)
{
    tiered_cache_statistics(service, statistics);
    return true;
}

const struct service_kind service_tiered = {.name = "tiered",
                                            .open = shared_open,
                                            .close = tiered_close,
                                            .get = tiered_get,
                                            .refresh = tiered_refresh,
                                            .invalidate = tiered_invalidate,
                                            .statistics = tiered_statistics_};
const struct service_kind service_resident = {.name = "resident",
                                              .open = resident_open,
                                              .close = tiered_close,
                                              .get = tiered_get,
                                              .refresh = tiered_refresh,
                                              .invalidate = tiered_invalidate,
                                              .statistics = tiered_statistics_};

const struct service_kind service_production = {.name = "production",
                                                .open = production_open,
                                                .close = tiered_close,
                                                .get = tiered_get,
                                                .refresh = tiered_refresh,
                                                .invalidate = tiered_invalidate,
                                                .statistics = tiered_statistics_};

const struct service_kind *service_find(const char *name)
{
    static const struct service_kind *const kinds[] = {
        &service_direct, &service_in_process, &service_database,  &service_hybrid,
        &service_tiered, &service_resident,   &service_production};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}
