/*
 * strategy.h - what stands in front of a source: nothing (direct), a bounded or unbounded cache,
 * ... A strategy is one const struct of functions plus a state size; adding one is one file and one
 * line in strategy.def. The state is one block that the caller provides, aligned to 64.
 *
 * A source turns a key into a value; the compiled-in registry is one. Values are opaque bytes that
 * a strategy copies (caches) or passes through borrowed (direct).
 *
 * Threads: `get` may be called from any thread when STRATEGY_THREADS is in `traits`; otherwise one.
 * Errors: init returns false when memory is out or the options make no sense; get returns false
 * when the key is absent at the source or the source failed.
 */
#ifndef REGISTRY_STRATEGY_H
#define REGISTRY_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strategy_value { /* borrowed until the next call on the same thread, or as the strategy's
                           file says */
    const void *data;
    size_t bytes;
};

/* Where values come from. `load` fills *value (borrowed from the source until its next call on this
 * thread) and returns false when the key is absent. Called on a miss only. */
struct strategy_source {
    const char *name;
    bool (*load)(void *context, const char *key, size_t length, struct strategy_value *value);
    void *context;
    uint32_t value_bytes_max; /* the longest value, so that a slab can be made */
    uint32_t key_bytes_max;
};

struct strategy_options { /* 0: the strategy's default */
    uint64_t entries;     /* most entries held */
    uint64_t bytes;       /* most bytes held, keys and values and links included */
    uint32_t shards;      /* of a thread-safe form */
    uint32_t
        weights; /* 1: values are not copied but stay at the source until `evicted` names them;
                  * `bytes` (required) bounds their sizes, `entries` only how many there can be */
    uint64_t ttl_ns;
    uint64_t (*now_ns)(void *context); /* for TTLs; NULL: CLOCK_MONOTONIC */
    void *clock;
    /* Told of each entry that the bounds push out, before it goes. Not of drop, reset and fini. */
    void (*evicted)(void *context, const char *key, size_t length,
                    const struct strategy_value *value);
    void *listener;
};

struct strategy_statistics {
    uint64_t lookups, hits, misses, loads, evictions, evicted_unused; /* evicted before any hit */
    uint64_t entries, bytes;                                          /* held now */
};

enum strategy_trait {
    STRATEGY_THREADS = 1, /* get from any thread */
    STRATEGY_BOUNDED = 2, /* never above its options' bounds */
    STRATEGY_CACHES = 4,  /* keeps copies */
};

struct strategy {
    const char *name;  /* as in scenarios: "direct", "lru", ... */
    const char *about; /* one line for the help */
    unsigned traits;
    size_t state_bytes;
    bool (*init)(void *state, const struct strategy_source *source,
                 const struct strategy_options *options);
    bool (*get)(void *state, const char *key, size_t length, struct strategy_value *value);
    bool (*drop)(void *state, const char *key, size_t length); /* true if it was held */
    void (*reset)(void *state); /* empty and reusable; the counters go on */
    void (*fini)(void *state);
    void (*statistics)(const void *state, struct strategy_statistics *statistics);
};

/*
 * A strategy of yours, in a shared object: include this header, and end the file with
 *
 *     STRATEGY_PLUGIN(my_strategy);
 *
 * which defines the one symbol that is looked for. STRATEGY_ABI goes up when one of the structs
 * here changes or a function is called otherwise; their sizes are held against each other besides.
 * In C++ too. docs/plugin.md has the contract in full, docs/example/strategy/ a whole one.
 */
#define STRATEGY_ABI 1u

struct strategy_plugin {
    uint32_t abi; /* STRATEGY_ABI */
    uint32_t strategy_bytes, source_bytes, options_bytes, statistics_bytes;
    const struct strategy *strategy;
};

#ifdef __cplusplus
#define STRATEGY_PLUGIN_LINKAGE extern "C"
#else
#define STRATEGY_PLUGIN_LINKAGE extern
#endif
#define STRATEGY_PLUGIN(which)                                                                     \
    STRATEGY_PLUGIN_LINKAGE __attribute__((visibility("default")))                                 \
    const struct strategy_plugin tidemark_strategy;                                                \
    const struct strategy_plugin tidemark_strategy = {                                             \
        STRATEGY_ABI,                                                                              \
        (uint32_t)sizeof(struct strategy),                                                         \
        (uint32_t)sizeof(struct strategy_source),                                                  \
        (uint32_t)sizeof(struct strategy_options),                                                 \
        (uint32_t)sizeof(struct strategy_statistics),                                              \
        &(which)}

#ifdef __cplusplus
extern "C" {
#endif

/* All compiled-in strategies, in the order of strategy.def; NULL-terminated. */
extern const struct strategy *const strategies[];
const struct strategy *strategy_find(const char *name); /* NULL if unknown or compiled out */

/* The strategy of a plug-in; a name with a '/' in it is a path, others are not. NULL, and one line
 * in `error` that names the file, when it cannot be used. It stays loaded as long as the process
 * runs.
 */
#define STRATEGY_ERROR_BYTES 512
const struct strategy *strategy_load(const char *path, char error[STRATEGY_ERROR_BYTES]);

void strategy_statistics_add(struct strategy_statistics *sum,
                             const struct strategy_statistics *part);

#ifdef __cplusplus
}
#endif

#endif
