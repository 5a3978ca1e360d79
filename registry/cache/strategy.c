/*
 * strategy.c - the list of compiled-in strategies, made from strategy.def.
 *
 * With CACHE=... the Makefile defines CACHE_CHOSEN and CACHE_NAME=1 for each strategy that stays,
 * and does not compile the files of the others.
 */
#include "registry/strategy.h"

#include <string.h>

#ifdef CACHE_CHOSEN
#define CACHE_direct 1
/* KEPT(CACHE_lru) is its second argument's argument when CACHE_lru is defined as 1, else nothing.
 */
#define SECOND(ignored, second, ...) second
#define SECOND_(...)                 SECOND(__VA_ARGS__)
#define PLACE_1                      ignored, YES
#define PASTE(a, b)                  a##b
#define KEPT_(value)                 SECOND_(PASTE(PLACE_, value), NO, end)
#define KEPT(value)                  KEPT_(value)
#define IF_YES(...)                  __VA_ARGS__
#define IF_NO(...)
#define WHEN_(kept, ...) PASTE(IF_, kept)(__VA_ARGS__)
#define WHEN(kept, ...)  WHEN_(kept, __VA_ARGS__)
#define STRATEGY(symbol) WHEN(KEPT(CACHE_##symbol), extern const struct strategy strategy_##symbol;)
#else
#define STRATEGY(symbol) extern const struct strategy strategy_##symbol;
#endif
#include "registry/cache/strategy.def"
#undef STRATEGY

#ifdef CACHE_CHOSEN
#define STRATEGY(symbol) WHEN(KEPT(CACHE_##symbol), &strategy_##symbol, )
#else
#define STRATEGY(symbol) &strategy_##symbol,
#endif
const struct strategy *const strategies[] = {
#include "registry/cache/strategy.def"
    NULL,
};

const struct strategy *strategy_find(const char *name)
{
    for (const struct strategy *const *at = strategies; *at; at++) {
        if (strcmp((*at)->name, name) == 0) {
            return *at;
        }
    }
    return NULL;
}

void strategy_statistics_add(struct strategy_statistics *sum,
                             const struct strategy_statistics *part)
{
    sum->lookups += part->lookups;
    sum->hits += part->hits;
    sum->misses += part->misses;
    sum->loads += part->loads;
    sum->evictions += part->evictions;
    sum->evicted_unused += part->evicted_unused;
    sum->entries += part->entries;
    sum->bytes += part->bytes;
}
