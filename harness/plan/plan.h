/*
 * plan.h - what is to be run, and nothing about how: made from a scenario or from a hunt command
 * line, read by the runner. Strings are owned by the plan. Supervisor only.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "harness/plan/filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario;
struct shard_map;

enum plan_allocator { PLAN_JEMALLOC, PLAN_SYSTEM };

/*
 * What a built-in suite is told, as environment (the suite reads it with getenv):
 *
 *   TIDEMARK_SUITE_KEY      each other key of `suite:`, or the variant's own, KEY in upper case,
 * '-' as '_'
 *                           (`tests: 450` -> TIDEMARK_SUITE_TESTS=450)
 *   TIDEMARK_STRATEGY       the variant's strategy ("lru"), or the path of a plug-in (with a '/')
 *   TIDEMARK_STRATEGY_KEY   each of its parameters (`{bytes: 4 MiB}` ->
 * TIDEMARK_STRATEGY_BYTES=4194304) TIDEMARK_TEARDOWN       per-test | per-module | after-suite |
 * never; per-test when not given
 *
 * Values are in base units: bytes, ns, plain whole numbers, 1 or 0 for true or false, words as
 * written. A program of the user's gets TIDEMARK_TEARDOWN only when the scenario says one, and its
 * `env:`. Programs of the user's are found relative to the scenario file's folder, built-in suites
 * in libexec.
 */
struct plan_variant {
    char *name;    /* "" for a hunt without variants */
    char *program; /* resolved path */
    char **argv;   /* NULL-terminated, argv[0] is the program */
    char **env; /* NULL-terminated "K=V" to add; the TIDEMARK_* parameters of built-in suites too */
    char *skip; /* why it cannot run in this build ("strategy 'lru' is not compiled in"), or "" */
    size_t
        without_cache_of; /* 1 + index of the variant that this one is without its cache; 0: none */
    struct shard_map *shard; /* which shard each of its tests is in; NULL: not parted */
};

struct plan {
    struct plan_variant *variants;
    size_t variant_count;
    uint64_t memory_cap;   /* bytes; 0: none */
    uint64_t memory_guard; /* without a cap: a worker that has more is ended; 0: none */
    uint64_t timeout_ns;   /* a repetition; 0: none */
    unsigned passes;       /* fresh processes per variant, interleaved A B B A */
    enum plan_allocator allocator;
    uint64_t seed;
    struct plan_filter filter; /* which tests are wanted */
    unsigned shard, shards;    /* 1-based; 0 of 0: no shards */
    bool quick;                /* hunt: a shorter horizon */
    bool valgrind;             /* hunt: each test once more under memcheck */
    bool births;               /* where each test allocates is told, too */
    bool hunt;                 /* axis A and B; otherwise one pass per test */
    unsigned repetitions;      /* hunt: least repetitions (0: default) */
    unsigned jobs;             /* hunt: so many tests are repeated side by side; 0 as 1 */
    uint64_t budget_ns;        /* hunt: what it may take (0: five passes over the suite and 5 s) */
    uint64_t slack_ns;         /* hunt: without a budget, beside five passes (0: 5 s) */
};

/* An empty plan with the defaults: one pass, seed 1, jemalloc. */
void plan_init(struct plan *plan);

/* A variant at the end of the plan; strings are copied, `argv` and `env` are NULL-terminated and
 * may be NULL for none (argv then is the program alone). Valid until the next add. */
struct plan_variant *plan_variant_add(struct plan *plan, const char *name, const char *program,
                                      char *const *argv, char *const *env);

/* Fills *plan (no plan_init before). `libexec` is the folder of the built-in suites. False: a
 * message in error[], with file:line:column where the scenario has one; the plan is empty then. */
bool plan_from_scenario(struct plan *plan, const struct scenario *scenario, const char *libexec,
                        char *error, size_t error_bytes);
/* Behind the variants of a plan from *scenario, each that has a cache once more without it (the
 * direct look-up), named "NAME, no cache". False with a message in error[]: none has a cache. */
bool plan_without_caches(struct plan *plan, const struct scenario *scenario, const char *libexec,
                         char *error, size_t error_bytes);
void plan_fini(struct plan *plan);

/* Is the test one that plan->filter wants? */
bool plan_takes(const struct plan *plan, const char *id);

#endif
