/* panel.c - see panel.h: the clocks, the cache of this project, and no cache. */
#include "panel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t monotonic, wall;

void clock_reset(void)
{
    monotonic = 1000 * SECOND;
    wall = 1700000000ull * SECOND;
}

void clock_advance(uint64_t ns)
{
    monotonic += ns;
    wall += ns;
}

void clock_step(int64_t ns)
{
    wall += (uint64_t)ns;
}

uint64_t clock_monotonic(void *unused)
{
    (void)unused;
    return monotonic;
}

uint64_t clock_wall(void)
{
    return wall;
}

static void *ttl_open(uint64_t entries)
{
    return ttl_cache_new(&(struct ttl_options){.entries = entries,
                                               .key_bytes_max = PANEL_KEY_BYTES,
                                               .value_bytes_max = PANEL_VALUE_BYTES,
                                               .now_ns = clock_monotonic});
}

static void ttl_close(void *cache)
{
    struct ttl_cache *mine = cache;
    ttl_cache_free(&mine);
}

static bool ttl_get(void *cache, const char *key, uint64_t ttl_ns, ttl_load *load, void *context,
                    struct strategy_value *value)
{
    return ttl_cache_get(cache, key, strlen(key), ttl_ns, load, context, value);
}

static size_t ttl_drop(void *cache, const char *pattern)
{
    return ttl_cache_drop_matching(cache, pattern);
}

static void ttl_count(void *cache, struct panel_statistics *statistics)
{
    struct ttl_statistics s;
    ttl_cache_statistics(cache, &s);
    *statistics = (struct panel_statistics){.hits = s.hits,
                                            .misses = s.misses,
                                            .loads = s.loads,
                                            .entries = s.entries,
                                            .entries_peak = s.entries_peak,
                                            .bytes = s.bytes};
}

const struct panel_kind panel_ttl = {.name = "ttl",
                                     .open = ttl_open,
                                     .close = ttl_close,
                                     .get = ttl_get,
                                     .drop = ttl_drop,
                                     .statistics = ttl_count};

static _Atomic uint64_t direct_loads;

static void *direct_open(uint64_t entries)
{
    (void)entries;
    direct_loads = 0;
    return &direct_loads;
}

static void direct_close(void *cache)
{
    (void)cache;
}

static bool direct_get(void *cache, const char *key, uint64_t ttl_ns, ttl_load *load, void *context,
                       struct strategy_value *value)
{
    (void)cache;
    (void)ttl_ns;
    direct_loads++;
    return load(context, key, strlen(key), value);
}

static size_t direct_drop(void *cache, const char *pattern)
{
    (void)cache;
    (void)pattern;
    return 0;
}

static void direct_statistics(void *cache, struct panel_statistics *statistics)
{
    (void)cache;
    *statistics = (struct panel_statistics){.misses = direct_loads, .loads = direct_loads};
}

const struct panel_kind panel_direct = {.name = "direct",
                                        .open = direct_open,
                                        .close = direct_close,
                                        .get = direct_get,
                                        .drop = direct_drop,
                                        .statistics = direct_statistics};
