/*
 * mine.c - a cache of one's own for tidemark: direct-mapped. Every key has one slot; a new key
 * takes the slot of the old one. Built with nothing but the installed header, see the Makefile
 * beside it.
 */
#include <registry/strategy.h>

#include <stdlib.h>
#include <string.h>

/* A slot: key length, value length, the key, the value at the next multiple of 8. */
struct slot {
    uint32_t key_bytes, value_bytes; /* key_bytes 0: empty */
};

struct mine {
    const struct strategy_source *source;
    unsigned char *slots;
    uint64_t count;
    size_t stride, value_at;
    struct strategy_statistics statistics;
};

static size_t round8(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static bool mine_init(void *state, const struct strategy_source *source,
                      const struct strategy_options *options)
{
    struct mine *mine = state;
    *mine = (struct mine){.source = source};
    mine->value_at = sizeof(struct slot) + round8(source->key_bytes_max);
    mine->stride = mine->value_at + round8(source->value_bytes_max);
    mine->count = options->entries ? options->entries : 1024;
    if (options->bytes && options->bytes / mine->stride < mine->count) {
        mine->count = options->bytes / mine->stride;
    }
    mine->slots = mine->count ? calloc(mine->count, mine->stride) : NULL;
    return mine->slots != NULL;
}

static struct slot *slot_of(const struct mine *mine, const char *key, size_t length)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
    }
    return (struct slot *)(mine->slots + (hash ^ hash >> 32) % mine->count * mine->stride);
}

static bool slot_holds(const struct slot *slot, const char *key, size_t length)
{
    return slot->key_bytes == length && length > 0 && memcmp(slot + 1, key, length) == 0;
}

static bool mine_get(void *state, const char *key, size_t length, struct strategy_value *value)
{
    struct mine *mine = state;
    struct slot *slot = slot_of(mine, key, length);
    unsigned char *room = (unsigned char *)slot + mine->value_at;
    mine->statistics.lookups++;
    if (slot_holds(slot, key, length)) {
        mine->statistics.hits++;
        *value = (struct strategy_value){.data = room, .bytes = slot->value_bytes};
        return true;
    }
    mine->statistics.misses++;
    if (!mine->source->load(mine->source->context, key, length, value)) {
        return false; /* absent there too: nothing to keep */
    }
    mine->statistics.loads++;
    if (length == 0 || length > mine->source->key_bytes_max ||
        value->bytes > mine->source->value_bytes_max) {
        return true; /* the right answer, but not one for a slot */
    }
    if (slot->key_bytes) {
        mine->statistics.evictions++;
    } else {
        mine->statistics.entries++;
        mine->statistics.bytes += mine->stride;
    }
    slot->key_bytes = (uint32_t)length;
    slot->value_bytes = (uint32_t)value->bytes;
    memcpy(slot + 1, key, length);
    memcpy(room, value->data, value->bytes);
    value->data = room;
    return true;
}

static bool mine_drop(void *state, const char *key, size_t length)
{
    struct mine *mine = state;
    struct slot *slot = slot_of(mine, key, length);
    if (!slot_holds(slot, key, length)) {
        return false;
    }
    slot->key_bytes = 0;
    mine->statistics.entries--;
    mine->statistics.bytes -= mine->stride;
    return true;
}

static void mine_reset(void *state)
{
    struct mine *mine = state;
    memset(mine->slots, 0, mine->count * mine->stride);
    mine->statistics.entries = mine->statistics.bytes = 0;
}

static void mine_fini(void *state)
{
    struct mine *mine = state;
    free(mine->slots);
    mine->slots = NULL;
}

static void mine_statistics(const void *state, struct strategy_statistics *statistics)
{
    const struct mine *mine = state;
    *statistics = mine->statistics;
}

static const struct strategy mine = {
    .name = "mine",
    .about = "direct-mapped: one slot a key",
    .traits = STRATEGY_BOUNDED | STRATEGY_CACHES,
    .state_bytes = sizeof(struct mine),
    .init = mine_init,
    .get = mine_get,
    .drop = mine_drop,
    .reset = mine_reset,
    .fini = mine_fini,
    .statistics = mine_statistics,
};

STRATEGY_PLUGIN(mine);
