/*
 * plan.h - what is to be run, and nothing about how: made from a scenario or from a hunt command line,
 * read by the runner. Strings are owned by the plan. Supervisor only.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario;

enum plan_allocator { PLAN_JEMALLOC, PLAN_SYSTEM };

struct plan_variant {
    char *name;   /* "" for a hunt without variants */
    char *program; /* resolved path */
    char **argv;  /* NULL-terminated, argv[0] is the program */
    char **env;   /* NULL-terminated "K=V" to add; the TIDEMARK_* parameters of built-in suites too */
};

struct plan {
    struct plan_variant *variants; size_t variant_count;
    uint64_t memory_cap; /* bytes; 0: none */
    uint64_t timeout_ns; /* a repetition; 0: none */
    unsigned passes;     /* fresh processes per variant, interleaved A B B A */
    enum plan_allocator allocator;
    uint64_t seed;
    char *only;          /* glob over test ids, or "" */
    unsigned shard, shards; /* 1-based; 0 of 0: no shards */
    bool hunt;           /* axis A and B; otherwise one pass per test */
    unsigned repetitions; /* hunt: least repetitions (0: default) */
};

/* Fills *plan. `libexec` is the folder of the built-in suites. False: a message in error[]. */
bool plan_from_scenario(struct plan *plan, const struct scenario *scenario, const char *libexec,
                        char *error, size_t error_bytes);
void plan_fini(struct plan *plan);

#endif
