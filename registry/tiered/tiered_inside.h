/*
 * tiered_inside.h - the inside of the tiered cache, shared by its files. Runs in each process of
 * the service.
 *
 *   tiered_level.c   one level: whether it answers, whether it may be believed, events
 *   tiered_load.c    the source: claims, loading, spreading over the levels
 *   tiered_cache.c   what the service calls
 */
#ifndef TIERED_INSIDE_H
#define TIERED_INSIDE_H

#include "registry/tiered/key_name.h"
#include "registry/tiered/tiered_cache.h"

#define SECOND 1000000000ull

struct level {
    const struct store_kind *kind;
    void *store;
    uint64_t ttl_ns;
    uint64_t away_until_ns;   /* 0: it answers */
    uint64_t pause_ns;        /* of the last failure */
    struct store_state state; /* as last seen */
};

struct tiered_cache {
    struct tiered_options options;
    struct level levels[TIERED_LEVELS];
    unsigned count;
    uint64_t owner;           /* a number of this cache's, for claims */
    uint64_t heard;           /* the generation up to which this process knows the log */
    uint64_t stale_max_ns;    /* of all keys: for so long expired rows are kept */
    struct store_buffer held; /* a value from the source */
    struct tiered_statistics statistics;
    struct store_totals added; /* of this process, to those of all */
    uint64_t added_ns;         /* when */
};

/* A key on its way through the cache. */
struct request {
    struct store_key key;  /* as the caller has it */
    struct key_name named; /* as the stores have it */
    uint64_t ttl_ns, refresh_ns, stale_ns;
    size_t rule; /* of the endpoints; their count: none */
};

uint64_t now_of(const struct tiered_cache *cache);
struct level *log_of(struct tiered_cache *cache);
struct tiered_level_statistics *figures(struct tiered_cache *cache, const struct level *level);

/* A level that failed is left alone for a while. */
bool level_is_away(const struct tiered_cache *cache, const struct level *level);
/* Every answer of a level passes here, and is returned. */
enum store_answer level_heed(struct tiered_cache *cache, struct level *level,
                             enum store_answer answer);
/* Brings a level above the log to what the log knows. False: one of the two does not answer. */
bool level_confirm(struct tiered_cache *cache, struct level *level);
/* The entry and the level's state, believed or not. NO also for an entry that is too old. */
enum store_answer level_ask(struct tiered_cache *cache, struct level *level,
                            const struct request *request, struct store_entry *entry);
/* The entry, good as of what was applied to the level. */
enum store_answer level_get(struct tiered_cache *cache, struct level *level,
                            const struct request *request, struct store_entry *entry);
/* To all levels above number `below`. */
void levels_put(struct tiered_cache *cache, unsigned below, const struct request *request,
                const struct store_entry *entry);

enum store_answer key_claim(struct tiered_cache *cache, struct store_key name, uint64_t ns);
void key_release(struct tiered_cache *cache, struct store_key name);
/* Asks the source, whoever else does. */
bool value_load(struct tiered_cache *cache, const struct request *request,
                struct store_entry *entry);
/* Nobody has the key: loads it, or waits for the process that does. */
bool value_load_once(struct tiered_cache *cache, const struct request *request,
                     struct store_entry *entry);
/* Copies a value to where it stays; false: no memory. */
bool value_hold(struct tiered_cache *cache, struct store_entry *entry);
/* A value as of a generation, into the log's level first: what an event has forbidden there goes
 * nowhere else. False: the log's level did not take it. */
bool value_spread(struct tiered_cache *cache, const struct request *request,
                  const struct store_entry *entry);

#endif
