/*
 * tiered_load.c - see tiered_inside.h: of all processes that miss a key one asks the source. Runs
 * in each process of the service.
 */
#include "registry/tiered/tiered_inside.h"

#include <string.h>

#define WAIT_NS 5000000ull /* between two looks whether another process has loaded */
static const struct store_key sweep_key = {"#sweep", 6};

enum store_answer key_claim(struct tiered_cache *cache, struct store_key name, uint64_t ns)
{
    struct level *log = log_of(cache);
    uint64_t now = now_of(cache);
    if (level_is_away(cache, log)) {
        return STORE_DOWN;
    }
    return level_heed(cache, log, log->kind->claim(log->store, name, cache->owner, now, now + ns));
}

void key_release(struct tiered_cache *cache, struct store_key name)
{
    struct level *log = log_of(cache);
    if (!level_is_away(cache, log)) {
        level_heed(cache, log, log->kind->release(log->store, name, cache->owner));
    }
}

bool value_spread(struct tiered_cache *cache, const struct request *request,
                  const struct store_entry *entry)
{
    struct level *log = log_of(cache);
    enum store_answer answer = STORE_DOWN;
    if (!level_is_away(cache, log)) {
        answer = log->kind->put(log->store, request->named.name, entry, now_of(cache));
        level_heed(cache, log, answer);
        figures(cache, log)->refused += answer == STORE_NO;
    }
    if (answer != STORE_NO) {
        levels_put(cache, cache->count - 1, request, entry);
    }
    return answer == STORE_YES;
}

bool value_hold(struct tiered_cache *cache, struct store_entry *entry)
{
    if (!store_buffer_fit(&cache->held, entry->bytes + 1)) {
        return false;
    }
    if (entry->bytes > 0) {
        memmove(cache->held.data, entry->data, entry->bytes);
    }
    entry->data = cache->held.data;
    return true;
}

static void sweep_in_turn(struct tiered_cache *cache)
{
    if (key_claim(cache, sweep_key, cache->options.sweep_ns) == STORE_YES) {
        tiered_cache_sweep(cache);
    }
}

bool value_load(struct tiered_cache *cache, const struct request *request,
                struct store_entry *entry)
{
    struct level *log = log_of(cache);
    uint64_t generation = cache->heard;
    if (!level_is_away(cache, log)) {
        uint64_t now_at;
        if (level_heed(cache, log, log->kind->generation(log->store, &now_at)) == STORE_YES) {
            generation = now_at;
        }
    }
    *entry = (struct store_entry){.loaded_ns = now_of(cache), .as_of = generation};
    cache->statistics.loads++;
    if (!cache->options.load(cache->options.context, request->key, &entry->data, &entry->bytes)) {
        cache->statistics.failures++;
        return false;
    }
    entry->expires_ns = entry->until_ns = entry->loaded_ns + request->ttl_ns;
    if (value_hold(cache, entry)) { /* else the value is right and is not kept */
        value_spread(cache, request, entry);
        sweep_in_turn(cache);
    }
    return true;
}

bool value_load_once(struct tiered_cache *cache, const struct request *request,
                     struct store_entry *entry)
{
    struct level *log = log_of(cache);
    struct store_key name = request->named.name;
    uint64_t waited = 0;
    for (;;) {
        enum store_answer answer = key_claim(cache, name, cache->options.claim_ns);
        bool ours = answer == STORE_YES;
        /* Also the one who got the claim looks again: another may have loaded before. */
        if (answer != STORE_DOWN && level_get(cache, log, request, entry) == STORE_YES) {
            levels_put(cache, cache->count - 1, request, entry);
            cache->statistics.waited++;
            if (ours) {
                key_release(cache, name);
            }
            return true;
        }
        if (ours) {
            bool ok = value_load(cache, request, entry);
            key_release(cache, name);
            return ok;
        }
        if (answer == STORE_DOWN || waited >= cache->options.patience_ns) {
            cache->statistics.direct++;
            return value_load(cache, request, entry);
        }
        cache->options.wait_ns(cache->options.clock, WAIT_NS);
        waited += WAIT_NS;
    }
}
