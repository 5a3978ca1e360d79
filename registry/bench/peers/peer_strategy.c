/*
 * peer_strategy.c - makes a strategy's plug-in of one peer: compiled once for each, with PEER the
 * peer's symbol, beside its file (ci/peers.sh). Loaded by `tidemark bench --peers`. One thread.
 */
#include "registry/bench/peers/lru_peer.h"
#include "registry/strategy.h"

#include <malloc.h>

struct peer {
    const struct strategy_source *source;
    void *state;
    size_t capacity;
    size_t heap_before; /* bytes of malloc in use before the peer had any */
    struct strategy_statistics statistics;
};

static void peer_open(struct peer *peer)
{
    peer->heap_before = mallinfo2().uordblks;
    peer->state = PEER.init(peer->capacity);
}

static bool peer_init(void *state, const struct strategy_source *source,
                      const struct strategy_options *options)
{
    struct peer *peer = state;
    *peer = (struct peer){.source = source, .capacity = options->entries ? options->entries : 1024};
    peer_open(peer);
    return peer->state != NULL;
}

static bool peer_get(void *state, const char *key, size_t length, struct strategy_value *value)
{
    struct peer *peer = state;
    value->data = PEER.get(peer->state, key, length, &value->bytes);
    if (value->data) {
        peer->statistics.hits++;
        return true;
    }
    peer->statistics.misses++;
    if (!peer->source->load(peer->source->context, key, length, value)) {
        return false;
    }
    peer->statistics.loads++;
    if (PEER.bounded && peer->statistics.entries == peer->capacity) {
        peer->statistics.evictions++;
    } else {
        peer->statistics.entries++;
    }
    PEER.put(peer->state, key, length, value->data,
             value->bytes); /* the answer stays the source's */
    return true;
}

static void peer_reset(void *state)
{
    struct peer *peer = state;
    PEER.fini(peer->state);
    peer->statistics.entries = 0;
    peer_open(peer);
}

/* Peers cannot forget one key; no benchmark asks them to. */
static bool peer_drop(void *state, const char *key, size_t length)
{
    struct peer *peer = state;
    size_t bytes;
    bool held = PEER.get(peer->state, key, length, &bytes) != NULL;
    if (held) {
        peer_reset(state); /* more than was asked for, and every later answer is right */
    }
    return held;
}

static void peer_fini(void *state)
{
    struct peer *peer = state;
    PEER.fini(peer->state);
}

static void peer_statistics(const void *state, struct strategy_statistics *statistics)
{
    const struct peer *peer = state;
    *statistics = peer->statistics;
    statistics->lookups = statistics->hits + statistics->misses;
    size_t now = mallinfo2().uordblks;
    statistics->bytes = PEER.held                 ? PEER.held(peer->state)
                        : now > peer->heap_before ? now - peer->heap_before
                                                  : 0;
}

/* Not const: the peer's name is known only when the object is loaded, and no initialiser in C. */
static struct strategy peer_plugged = {
    .state_bytes = sizeof(struct peer),
    .init = peer_init,
    .get = peer_get,
    .drop = peer_drop,
    .reset = peer_reset,
    .fini = peer_fini,
    .statistics = peer_statistics,
};

static void __attribute__((constructor)) peer_name(void)
{
    peer_plugged.name = PEER.row;
    peer_plugged.about = PEER.about;
    peer_plugged.traits = STRATEGY_CACHES | (PEER.bounded ? STRATEGY_BOUNDED : 0);
}

STRATEGY_PLUGIN(peer_plugged);
