/*
 * options.h - the parameters of the suite, from the environment as a scenario's `suite:` block and
 * its variants set them. Everything has a default, so that the program runs by itself as well. An
 * argument `threads=2` of the program (a variant's `args`) overrides TIDEMARK_SUITE_THREADS,
 * `teardown=never` TIDEMARK_TEARDOWN.
 *
 *   TIDEMARK_STRATEGY           direct lru sieve unbounded ...   what the look-ups go through
 *   TIDEMARK_STRATEGY_ENTRIES, _BYTES, _SHARDS                   its bounds
 *   TIDEMARK_SUITE_TESTS        450    how many tests are registered
 *   TIDEMARK_SUITE_LOOKUPS      27000  look-ups by which a session opens, before each test
 *   TIDEMARK_SUITE_KEYS         all | N | A..B                   of the models, numbered from 1
 *   TIDEMARK_SUITE_DISTRIBUTION each | scan | uniform | zipf     each: all before one comes again
 *   TIDEMARK_SUITE_VALUE        materialised | packed            what a cache keeps of a model
 *   TIDEMARK_SUITE_SESSION      test | suite    who shares cache entries: nobody, or everybody
 *   TIDEMARK_SUITE_THREADS      1      cases at a time, each with a session of its own
 *   TIDEMARK_SUITE_POOL         none | test | forever            where those cases run
 *   TIDEMARK_SUITE_COPIES       0      models each test turns into copies of its own and keeps
 *   TIDEMARK_SUITE_TIER         minimal | standard | comprehensive: a fixture of 5, 15 or 50 models
 *                               stands in for the registry; or the path of such a file
 *   TIDEMARK_SUITE_ORDER        forward | reverse | shuffle      of the tests in a module
 *   TIDEMARK_TEARDOWN           per-test | per-module | after-suite | never
 */
#ifndef SUITE_OPTIONS_H
#define SUITE_OPTIONS_H

#include "registry/strategy.h"

enum suite_distribution { DRAW_EACH, DRAW_SCAN, DRAW_UNIFORM, DRAW_ZIPF };
enum suite_value { VALUE_MATERIALISED, VALUE_PACKED };
enum suite_session { SESSION_TEST, SESSION_SUITE };
enum suite_pool { POOL_NONE, POOL_TEST, POOL_FOREVER };
enum suite_order { ORDER_FORWARD, ORDER_REVERSE, ORDER_SHUFFLE };
enum suite_teardown {
    TEARDOWN_PER_TEST,
    TEARDOWN_PER_MODULE,
    TEARDOWN_AFTER_SUITE,
    TEARDOWN_NEVER
};

#define SUITE_THREADS_MAX 16

struct suite_options {
    const struct strategy *strategy;
    struct strategy_options bounds;
    unsigned tests, lookups, threads, copies;
    unsigned key_first, key_last; /* 1-based; 0: all */
    enum suite_distribution distribution;
    enum suite_value value;
    enum suite_session session;
    enum suite_pool pool;
    enum suite_order order;
    enum suite_teardown teardown;
    const char *tier; /* "" for the registry itself */
};

extern struct suite_options suite_options;

/* Reads arguments and environment. False: the reason was written to stderr. */
bool suite_options_read(char **arguments);

#endif
