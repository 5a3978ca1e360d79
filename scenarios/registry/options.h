/*
 * options.h - the parameters of the suite, from the environment as a scenario's `suite:` block and
 * its variants set them. Everything has a default, so that the program runs by itself as well.
 *
 *   TIDEMARK_STRATEGY           direct lru sieve unbounded ...   what the look-ups go through
 *   TIDEMARK_STRATEGY_ENTRIES, _BYTES, _SHARDS                   its bounds
 *   TIDEMARK_SUITE_TESTS        450    how many tests are registered
 *   TIDEMARK_SUITE_LOOKUPS      27000  look-ups by which a session opens, before each test (1
 * alone) TIDEMARK_SUITE_KEYS         all | uniform | zipf | scan | a number of keys, used in turn
 *   TIDEMARK_SUITE_VALUE        materialised | packed            what a cache keeps of a model
 *   TIDEMARK_SUITE_SESSION      test | suite    who shares cache entries: nobody, or everybody
 *   TIDEMARK_SUITE_THREADS      1      cases at a time, each with a session of its own
 *   TIDEMARK_SUITE_POOL         none | test | forever            where those cases run
 *   TIDEMARK_SUITE_COPIES       0      models each test turns into copies of its own and keeps
 *   TIDEMARK_SUITE_TIER         path of a fixture of few models that stands in for the registry
 *   TIDEMARK_SUITE_ORDER        forward | reverse | shuffle      of the tests in a module
 *   TIDEMARK_TEARDOWN           per-test | per-module | after-suite | never
 */
#ifndef SUITE_OPTIONS_H
#define SUITE_OPTIONS_H

#include "registry/strategy.h"

enum suite_keys { KEYS_ALL, KEYS_UNIFORM, KEYS_ZIPF, KEYS_SCAN, KEYS_SOME };
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
    unsigned tests, lookups, key_count, threads, copies;
    enum suite_keys keys;
    enum suite_value value;
    enum suite_session session;
    enum suite_pool pool;
    enum suite_order order;
    enum suite_teardown teardown;
    const char *tier; /* "" for the registry itself */
};

extern struct suite_options suite_options;

/* Reads the environment. False: the reason was written to stderr. */
bool suite_options_read(void);

#endif
