/*
 * strategy_lru.c - a cache of bounded size that drops the least recently used entry. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_lru.h"

BOUNDED_STRATEGY(strategy_lru, "lru", "bounded cache, least recently used goes", policy_lru);
