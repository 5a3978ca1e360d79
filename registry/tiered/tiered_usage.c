/* tiered_usage.c - see tiered_usage.h. Runs in the process that caches. */
#include "registry/tiered/tiered_usage.h"

#include "registry/cache/key_hash.h"

#include <stdlib.h>
#include <string.h>

#define SLACK 20u /* a twentieth more loads than with the longest */

struct record {
    uint64_t hash, at_ns;
    uint32_t bytes;
    uint16_t rule;
    bool event;
};

struct tiered_usage {
    size_t room, count, next; /* a ring: `next` is the oldest when it is full */
    struct record records[];
};

struct tiered_usage *usage_new(size_t records)
{
    struct tiered_usage *usage = malloc(sizeof *usage + records * sizeof usage->records[0]);
    if (usage) {
        *usage = (struct tiered_usage){.room = records};
    }
    return usage;
}

void usage_free(struct tiered_usage **usage)
{
    free(*usage);
    *usage = NULL;
}

static void record(struct tiered_usage *usage, struct record one)
{
    if (usage->room == 0) {
        return;
    }
    usage->records[usage->next] = one;
    usage->next = (usage->next + 1) % usage->room;
    usage->count += usage->count < usage->room;
}

void usage_lookup(struct tiered_usage *usage, size_t rule, struct store_key name, size_t bytes,
                  uint64_t now_ns)
{
    record(usage, (struct record){.hash = key_hash(name.text, name.length),
                                  .at_ns = now_ns,
                                  .bytes = (uint32_t)(bytes < UINT32_MAX ? bytes : UINT32_MAX),
                                  .rule = (uint16_t)rule});
}

void usage_event(struct tiered_usage *usage, size_t rule, struct store_key name, uint64_t now_ns)
{
    record(usage, (struct record){.hash = key_hash(name.text, name.length),
                                  .at_ns = now_ns,
                                  .rule = (uint16_t)rule,
                                  .event = true});
}

/* One play. ------------------------------------------------------------------------------------
 */

struct held { /* a key that was met */
    uint64_t hash, until_ns;
    uint64_t load; /* number of its last load; 0: not held */
    uint32_t bytes;
    bool used;
};

struct play {
    const struct tiered_usage *usage;
    size_t rule, slots; /* a power of two, at least twice the records */
    struct held *held;
    struct expiry { /* loads in the order in which they expire: that of loading */
        size_t slot;
        uint64_t until_ns, load;
    } * expiries;
    uint64_t lookups, keys, loads, bytes, bytes_most;
    size_t first;
};

static struct held *held_of(struct play *play, uint64_t hash)
{
    size_t slot = (size_t)(hash * 0x9e3779b97f4a7c15u >> 32) & (play->slots - 1);
    while (play->held[slot].used && play->held[slot].hash != hash) {
        slot = (slot + 1) & (play->slots - 1);
    }
    return &play->held[slot];
}

static void forget(struct play *play, struct held *held)
{
    play->bytes -= held->load ? held->bytes : 0;
    held->load = 0;
}

static void expire(struct play *play, uint64_t now_ns)
{
    for (; play->first < play->loads && play->expiries[play->first].until_ns <= now_ns;
         play->first++) {
        struct expiry *one = &play->expiries[play->first];
        if (play->held[one->slot].load == one->load) {
            forget(play, &play->held[one->slot]);
        }
    }
}

static void play_one(struct play *play, const struct record *record, uint64_t ttl_ns)
{
    struct held *held = held_of(play, record->hash);
    expire(play, record->at_ns);
    if (!held->used) {
        *held = (struct held){.hash = record->hash, .used = true};
        play->keys++;
    }
    if (record->event) {
        forget(play, held);
        return;
    }
    play->lookups++;
    if (held->load) {
        return;
    }
    play->expiries[play->loads] = (struct expiry){.slot = (size_t)(held - play->held),
                                                  .until_ns = record->at_ns + ttl_ns,
                                                  .load = play->loads + 1};
    held->load = ++play->loads;
    held->bytes = record->bytes;
    play->bytes += record->bytes;
    play->bytes_most = play->bytes > play->bytes_most ? play->bytes : play->bytes_most;
}

static void play_all(struct play *play, uint64_t ttl_ns)
{
    const struct tiered_usage *usage = play->usage;
    memset(play->held, 0, play->slots * sizeof play->held[0]);
    play->lookups = play->keys = play->loads = play->bytes = play->bytes_most = play->first = 0;
    for (size_t i = 0; i < usage->count; i++) {
        size_t at = (usage->next + usage->room - usage->count + i) % usage->room;
        if (usage->records[at].rule == play->rule) {
            play_one(play, &usage->records[at], ttl_ns);
        }
    }
}

static uint64_t longer(uint64_t ttl_ns, const struct usage_bounds *bounds)
{
    uint64_t next = ttl_ns + ttl_ns / 4 + 1;
    return next < bounds->ttl_most_ns ? next : bounds->ttl_most_ns;
}

/* The shortest TTL that is good enough. */
static void search(struct play *play, const struct usage_bounds *bounds,
                   struct usage_proposal *proposal)
{
    play_all(play, bounds->ttl_most_ns);
    uint64_t enough = play->loads + play->loads / SLACK, ttl = bounds->ttl_least_ns;
    for (play_all(play, ttl); play->loads > enough; play_all(play, ttl)) {
        ttl = longer(ttl, bounds);
    }
    proposal->ttl_ns = ttl;
    proposal->loads = play->loads;
    proposal->bytes = play->bytes_most;
}

bool usage_propose(const struct tiered_usage *usage, size_t rule, uint64_t ttl_ns,
                   const struct usage_bounds *bounds, struct usage_proposal *proposal)
{
    struct play play = {.usage = usage, .rule = rule, .slots = 16};
    while (play.slots < 2 * usage->count) {
        play.slots *= 2;
    }
    play.held = malloc(play.slots * sizeof play.held[0]);
    play.expiries = malloc((usage->count + 1) * sizeof play.expiries[0]);
    bool ok = play.held && play.expiries && bounds->ttl_least_ns > 0 &&
              bounds->ttl_least_ns <= bounds->ttl_most_ns;
    if (ok) {
        play_all(&play, ttl_ns);
        *proposal = (struct usage_proposal){.lookups = play.lookups,
                                            .keys = play.keys,
                                            .ttl_ns = ttl_ns,
                                            .loads_now = play.loads,
                                            .loads = play.loads};
        if (play.lookups > 0) {
            search(&play, bounds, proposal);
        }
    }
    free(play.held);
    free(play.expiries);
    return ok;
}

static uint64_t scaled(uint64_t ns, uint64_t now_ns, uint64_t ttl_ns)
{
    return now_ns ? (uint64_t)((double)ns / (double)now_ns * (double)ttl_ns) : ns;
}

bool usage_tune(const struct tiered_usage *usage, const struct tiered_endpoints *endpoints,
                const struct usage_bounds *bounds, struct tiered_endpoint *tuned,
                uint64_t *loads_now, uint64_t *loads)
{
    *loads_now = *loads = 0;
    for (size_t i = 0; i < endpoints->count; i++) {
        const struct tiered_endpoint *rule = &endpoints->rules[i];
        struct usage_proposal proposal;
        if (!usage_propose(usage, i, rule->ttl_ns, &bounds[i], &proposal)) {
            return false;
        }
        tuned[i] = *rule;
        tuned[i].ttl_ns = proposal.ttl_ns;
        tuned[i].refresh_ns = scaled(rule->refresh_ns, rule->ttl_ns, proposal.ttl_ns);
        tuned[i].stale_ns = scaled(rule->stale_ns, rule->ttl_ns, proposal.ttl_ns);
        *loads_now += proposal.loads_now;
        *loads += proposal.loads;
    }
    return true;
}
