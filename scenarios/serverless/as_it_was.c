/* as_it_was.c - the caches of the report, faults included; see service.h. In tests and instances.
 */
#include "service.h"

#define FOREVER      (UINT64_MAX >> 1) /* as_of: no event forbids it, as nobody asked for events */
#define REDIS_TTL_NS (300 * SECOND)

struct as_it_was {
    const struct store_kind *first, *second; /* NULL: none */
    void *first_store, *second_store;
    uint64_t first_ns, second_ns; /* what a question costs */
};

static void *make(const struct store_kind *first, const char *first_address, uint64_t first_ns,
                  const struct store_kind *second)
{
    static const struct store_limits none = {0};
    static const struct store_state known = {.known = true};
    struct as_it_was *was = calloc(1, sizeof *was);
    if (!was) {
        return NULL;
    }
    *was = (struct as_it_was){
        .first = first, .second = second, .first_ns = first_ns, .second_ns = DATABASE_NS};
    was->first_store = first ? first->open(first_address, &none) : NULL;
    was->second_store = second ? second->open(world.file, &none) : NULL;
    if (first) {
        first->commit(was->first_store, &known);
    }
    return was;
}

static void *direct_open(uint64_t refresh_ns)
{
    (void)refresh_ns;
    return make(NULL, NULL, 0, NULL);
}

static void *in_process_open(uint64_t refresh_ns)
{
    (void)refresh_ns;
    return make(&store_memory, NULL, 0, NULL);
}

/* refreshThreshold is an option of the class; markForRefresh writes to the console. */
static void *database_open(uint64_t refresh_ns)
{
    (void)refresh_ns;
    return make(NULL, NULL, 0, &store_sqlite);
}

static void *hybrid_open(uint64_t refresh_ns)
{
    (void)refresh_ns;
    return world.redis.pid != 0 ? make(&store_redis, world.redis.socket, REDIS_NS, &store_sqlite)
                                : make(&store_memory, NULL, REDIS_NS, &store_sqlite);
}

static void was_close(void *service)
{
    struct as_it_was *was = service;
    if (was->first) {
        was->first->close(was->first_store);
    }
    if (was->second) {
        was->second->close(was->second_store);
    }
    free(was);
}

static enum store_answer find(const struct store_kind *kind, void *store, const char *key,
                              struct store_entry *entry)
{
    struct store_state state;
    enum store_answer answer =
        kind->get(store, (struct store_key){key, strlen(key)}, entry, &state);
    return answer == STORE_YES && entry->until_ns <= world_now(NULL) ? STORE_NO : answer;
}

static void keep(const struct store_kind *kind, void *store, const char *key,
                 const struct store_entry *entry, uint64_t ttl_ns)
{
    struct store_entry mine = *entry;
    mine.as_of = FOREVER;
    mine.expires_ns = mine.until_ns = world_now(NULL) + ttl_ns;
    kind->put(store, (struct store_key){key, strlen(key)}, &mine, world_now(NULL));
}

/* The report's get: what a level throws when it is down, nobody catches. */
static bool was_get(void *service, const char *key, struct answer *answer)
{
    struct as_it_was *was = service;
    struct store_entry entry = {0};
    uint64_t begun = world_now(NULL);
    enum store_answer found = STORE_NO;
    if (was->first) {
        world_advance(was->first_ns);
        found = find(was->first, was->first_store, key, &entry);
    }
    if (found == STORE_NO && was->second) {
        world_advance(was->second_ns);
        found = find(was->second, was->second_store, key, &entry);
        if (found == STORE_YES && was->first) {
            keep(was->first, was->first_store, key, &entry, REDIS_TTL_NS); /* however old it is */
        }
    }
    answer->hit = found == STORE_YES;
    bool ok = found != STORE_DOWN;
    if (found == STORE_NO) {
        entry.loaded_ns = world_now(NULL);
        ok = world_load(NULL, (struct store_key){key, strlen(key)}, &entry.data, &entry.bytes);
        if (ok && was->first) {
            keep(was->first, was->first_store, key, &entry, was->second ? REDIS_TTL_NS : TTL_NS);
        }
        if (ok && was->second) {
            keep(was->second, was->second_store, key, &entry, TTL_NS);
        }
    }
    answer->ok = ok;
    answer->state = ok ? world_state_of(entry.data, entry.bytes) : 0;
    answer->latency_ns = world_now(NULL) - begun;
    return ok;
}

static bool was_refresh(void *service, const char *key)
{
    (void)service;
    (void)key; /* console.log */
    return true;
}

/* CacheInvalidationManager has a ServerlessCache: it knows the table, and nothing else. */
static bool was_invalidate(void *service, const char *key)
{
    struct as_it_was *was = service;
    struct store_key name = {key, strlen(key)};
    return was->second  ? was->second->drop(was->second_store, name) != STORE_DOWN
           : was->first ? was->first->drop(was->first_store, name) != STORE_DOWN
                        : true;
}

static bool was_statistics(void *service, struct tiered_statistics *statistics)
{
    (void)service;
    *statistics = (struct tiered_statistics){0};
    return false;
}

#define AS_IT_WAS(kind)                                                                            \
    const struct service_kind service_##kind = {.name = #kind,                                     \
                                                .open = kind##_open,                               \
                                                .close = was_close,                                \
                                                .get = was_get,                                    \
                                                .refresh = was_refresh,                            \
                                                .invalidate = was_invalidate,                      \
                                                .statistics = was_statistics}
AS_IT_WAS(direct);
AS_IT_WAS(in_process);
AS_IT_WAS(database);
AS_IT_WAS(hybrid);
