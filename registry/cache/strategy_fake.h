/*
 * strategy_fake.h - a made-up source for the tests and benchmarks of strategies: key number i is
 * "providerP:model-i" and has a value whose length and bytes follow from i. Keys from `keys` on are
 * absent. Thread-safe; counts its loads. For tests only.
 */
#ifndef CACHE_STRATEGY_FAKE_H
#define CACHE_STRATEGY_FAKE_H

#include "registry/strategy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_KEY_BYTES_MAX   48
#define FAKE_VALUE_BYTES_MAX 120

struct fake {
    uint32_t keys;
    _Atomic uint64_t loads;
};

static inline size_t fake_key(uint32_t i, char key[FAKE_KEY_BYTES_MAX])
{
    return (size_t)snprintf(key, FAKE_KEY_BYTES_MAX, "provider%u:model-%u", i % 37, i);
}

static inline size_t fake_value(uint32_t i, unsigned char value[FAKE_VALUE_BYTES_MAX])
{
    size_t bytes = 4 + (i * 2654435761u >> 20) % (FAKE_VALUE_BYTES_MAX - 4);
    for (size_t at = 0; at < bytes; at++) {
        value[at] = (unsigned char)(i * 31 + at * 7);
    }
    memcpy(value, &i, 4);
    return bytes;
}

static inline bool fake_load(void *context, const char *key, size_t length,
                             struct strategy_value *value)
{
    static _Thread_local unsigned char bytes[FAKE_VALUE_BYTES_MAX];
    struct fake *fake = context;
    char copy[FAKE_KEY_BYTES_MAX], again[FAKE_KEY_BYTES_MAX];
    memcpy(copy, key, length);
    copy[length] = 0;
    const char *dash = strrchr(copy, '-');
    uint32_t i = dash ? (uint32_t)strtoul(dash + 1, NULL, 10) : UINT32_MAX;
    if (i >= fake->keys || fake_key(i, again) != length || memcmp(again, key, length) != 0) {
        return false;
    }
    atomic_fetch_add_explicit(&fake->loads, 1, memory_order_relaxed);
    value->bytes = fake_value(i, bytes);
    value->data = bytes;
    return true;
}

static inline struct strategy_source fake_source(struct fake *fake)
{
    return (struct strategy_source){
        .name = "fake",
        .load = fake_load,
        .context = fake,
        .value_bytes_max = FAKE_VALUE_BYTES_MAX,
        .key_bytes_max = FAKE_KEY_BYTES_MAX,
    };
}

/* A strategy with its state. */
struct made {
    const struct strategy *strategy;
    void *state;
};

static inline bool made_init(struct made *made, const struct strategy *strategy,
                             const struct strategy_source *source,
                             const struct strategy_options *options)
{
    made->strategy = strategy;
    made->state = aligned_alloc(64, (strategy->state_bytes + 63) / 64 * 64);
    if (made->state && strategy->init(made->state, source, options)) {
        return true;
    }
    free(made->state);
    made->state = NULL;
    return false;
}

static inline void made_fini(struct made *made)
{
    made->strategy->fini(made->state);
    free(made->state);
    made->state = NULL;
}

/* 1 found and right, 0 absent, -1 a wrong value. */
static inline int made_get(struct made *made, uint32_t i)
{
    char key[FAKE_KEY_BYTES_MAX];
    unsigned char right[FAKE_VALUE_BYTES_MAX];
    struct strategy_value value;
    size_t length = fake_key(i, key);
    if (!made->strategy->get(made->state, key, length, &value)) {
        return 0;
    }
    size_t bytes = fake_value(i, right);
    return value.bytes == bytes && memcmp(value.data, right, bytes) == 0 ? 1 : -1;
}

static inline bool made_drop(struct made *made, uint32_t i)
{
    char key[FAKE_KEY_BYTES_MAX];
    return made->strategy->drop(made->state, key, fake_key(i, key));
}

static inline struct strategy_statistics made_statistics(const struct made *made)
{
    struct strategy_statistics statistics;
    made->strategy->statistics(made->state, &statistics);
    return statistics;
}

static inline uint64_t fake_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

#endif
