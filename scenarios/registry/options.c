/*
 * options.c - see options.h. Runs in the test program, before any test.
 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct suite_options suite_options;

static const char *const words_distribution[] = {"each", "scan", "uniform", "zipf", NULL};
static const char *const words_value[] = {"materialised", "packed", NULL};
static const char *const words_session[] = {"test", "suite", NULL};
static const char *const words_pool[] = {"none", "test", "forever", NULL};
static const char *const words_order[] = {"forward", "reverse", "shuffle", NULL};
static const char *const words_teardown[] = {"per-test", "per-module", "after-suite", "never",
                                             NULL};

static char **given; /* arguments of the program */

/* The argument `name`, lower case and without what all of them begin with, else the environment. */
static const char *option_text(const char *name)
{
    const char *key = name + (strncmp(name, "TIDEMARK_SUITE_", 15) == 0 ? 15 : 9);
    size_t length = strlen(key);
    for (char **argument = given; *argument; argument++) {
        if (strncasecmp(*argument, key, length) == 0 && (*argument)[length] == '=') {
            return *argument + length + 1;
        }
    }
    return getenv(name);
}

static bool option_refuse(const char *name, const char *value, const char *const *words)
{
    fprintf(stderr, "registry suite: %s=%s: expected", name, value);
    for (size_t i = 0; words && words[i]; i++) {
        fprintf(stderr, "%s %s", i ? "," : "", words[i]);
    }
    fprintf(stderr, "%s\n", words ? "" : " a number");
    return false;
}

static bool option_number(const char *name, uint64_t most, uint64_t *number)
{
    const char *value = option_text(name);
    char *end;
    if (!value || !*value) {
        return true;
    }
    errno = 0;
    unsigned long long parsed = strtoull(value, &end, 10);
    if (errno || *end || value[0] == '-' || parsed > most) {
        return option_refuse(name, value, NULL);
    }
    *number = parsed;
    return true;
}

static bool option_count(const char *name, unsigned most, unsigned *count)
{
    uint64_t number = *count;
    bool ok = option_number(name, most, &number);
    *count = (unsigned)number;
    return ok;
}

static bool option_word(const char *name, const char *const *words, unsigned *choice)
{
    const char *value = option_text(name);
    if (!value || !*value) {
        return true;
    }
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *choice = i;
            return true;
        }
    }
    return option_refuse(name, value, words);
}

/* "all", "57" or "1..57" */
static bool option_keys(struct suite_options *options)
{
    const char *value = option_text("TIDEMARK_SUITE_KEYS");
    char rest;
    if (!value || !*value || strcmp(value, "all") == 0) {
        return true;
    }
    unsigned first = 1, last = 0;
    if (strstr(value, "..") ? sscanf(value, "%u..%u%c", &first, &last, &rest) != 2
                            : sscanf(value, "%u%c", &last, &rest) != 1) {
        last = 0;
    }
    options->key_first = first;
    options->key_last = last;
    if (first == 0 || last < first) {
        return option_refuse("TIDEMARK_SUITE_KEYS", value, NULL);
    }
    return true;
}

static bool option_strategy(struct suite_options *options)
{
    const char *name = option_text("TIDEMARK_STRATEGY");
    name = name && *name ? name : "direct";
    if (strchr(name, '/')) {
        char error[STRATEGY_ERROR_BYTES];
        options->strategy = strategy_load(name, error);
        if (!options->strategy) {
            fprintf(stderr, "registry suite: TIDEMARK_STRATEGY: %s\n", error);
        }
        return options->strategy != NULL;
    }
    options->strategy = strategy_find(name);
    if (!options->strategy) {
        fprintf(stderr, "registry suite: TIDEMARK_STRATEGY=%s: not compiled in; there is", name);
        for (size_t i = 0; strategies[i]; i++) {
            fprintf(stderr, "%s %s", i ? "," : "", strategies[i]->name);
        }
        fputc('\n', stderr);
    }
    return options->strategy != NULL;
}

bool suite_options_read(char **arguments)
{
    struct suite_options *options = &suite_options;
    unsigned value = VALUE_MATERIALISED, session = SESSION_TEST, pool = POOL_NONE, order = 0,
             distribution = DRAW_EACH;
    unsigned teardown = TEARDOWN_PER_TEST;
    uint64_t shards = 0;
    given = arguments + 1;
    const char *tier = option_text("TIDEMARK_SUITE_TIER");
    *options = (struct suite_options){
        .tests = 450, .lookups = 27000, .threads = 1, .tier = tier ? tier : ""};
    bool ok = option_strategy(options);
    ok &= option_number("TIDEMARK_STRATEGY_ENTRIES", UINT32_MAX, &options->bounds.entries);
    ok &= option_number("TIDEMARK_STRATEGY_BYTES", UINT64_MAX, &options->bounds.bytes);
    ok &= option_number("TIDEMARK_STRATEGY_SHARDS", 1024, &shards);
    ok &= option_count("TIDEMARK_SUITE_TESTS", 1u << 20, &options->tests);
    ok &= option_count("TIDEMARK_SUITE_LOOKUPS", 1u << 30, &options->lookups);
    ok &= option_count("TIDEMARK_SUITE_COPIES", 1u << 20, &options->copies);
    ok &= option_count("TIDEMARK_SUITE_THREADS", SUITE_THREADS_MAX, &options->threads);
    ok &= option_keys(options);
    ok &= option_word("TIDEMARK_SUITE_DISTRIBUTION", words_distribution, &distribution);
    ok &= option_word("TIDEMARK_SUITE_VALUE", words_value, &value);
    ok &= option_word("TIDEMARK_SUITE_SESSION", words_session, &session);
    ok &= option_word("TIDEMARK_SUITE_POOL", words_pool, &pool);
    ok &= option_word("TIDEMARK_SUITE_ORDER", words_order, &order);
    ok &= option_word("TIDEMARK_TEARDOWN", words_teardown, &teardown);
    options->bounds.shards = (uint32_t)shards;
    options->distribution = distribution;
    options->value = value;
    options->session = session;
    options->order = order;
    options->teardown = teardown;
    options->threads = options->threads ? options->threads : 1;
    options->pool = options->threads > 1 && pool == POOL_NONE ? POOL_TEST : pool;
    return ok;
}
