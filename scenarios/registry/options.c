/*
 * options.c - see options.h. Runs in the test program, before any test.
 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct suite_options suite_options;

static const char *const words_keys[] = {"all", "uniform", "zipf", "scan", NULL};
static const char *const words_value[] = {"materialised", "packed", NULL};
static const char *const words_session[] = {"test", "suite", NULL};
static const char *const words_pool[] = {"none", "test", "forever", NULL};
static const char *const words_order[] = {"forward", "reverse", "shuffle", NULL};
static const char *const words_teardown[] = {"per-test", "per-module", "after-suite", "never",
                                             NULL};

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
    const char *value = getenv(name);
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
    const char *value = getenv(name);
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

static bool option_keys(struct suite_options *options)
{
    const char *value = getenv("TIDEMARK_SUITE_KEYS");
    if (value && *value >= '1' && *value <= '9') {
        options->keys = KEYS_SOME;
        return option_count("TIDEMARK_SUITE_KEYS", 1u << 24, &options->key_count);
    }
    unsigned choice = KEYS_ALL;
    bool ok = option_word("TIDEMARK_SUITE_KEYS", words_keys, &choice);
    options->keys = choice;
    return ok;
}

static bool option_strategy(struct suite_options *options)
{
    const char *name = getenv("TIDEMARK_STRATEGY");
    name = name && *name ? name : "direct";
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

bool suite_options_read(void)
{
    struct suite_options *options = &suite_options;
    const char *tier = getenv("TIDEMARK_SUITE_TIER");
    unsigned value = VALUE_MATERIALISED, session = SESSION_TEST, pool = POOL_NONE, order = 0;
    unsigned teardown = TEARDOWN_PER_TEST;
    uint64_t shards = 0;
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
    ok &= option_word("TIDEMARK_SUITE_VALUE", words_value, &value);
    ok &= option_word("TIDEMARK_SUITE_SESSION", words_session, &session);
    ok &= option_word("TIDEMARK_SUITE_POOL", words_pool, &pool);
    ok &= option_word("TIDEMARK_SUITE_ORDER", words_order, &order);
    ok &= option_word("TIDEMARK_TEARDOWN", words_teardown, &teardown);
    options->bounds.shards = (uint32_t)shards;
    options->value = value;
    options->session = session;
    options->order = order;
    options->teardown = teardown;
    options->threads = options->threads ? options->threads : 1;
    options->pool = options->threads > 1 && pool == POOL_NONE ? POOL_TEST : pool;
    return ok;
}
