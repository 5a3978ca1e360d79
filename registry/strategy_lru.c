/*
 * strategy_lru.c - a cache of bounded size that drops the least recently used entry. One thread.
 */
#include "registry/bounded.h"
#include "registry/policy_lru.h"

BOUNDED_STRATEGY(strategy_lru, "lru", "bounded cache, least recently used goes", policy_lru);
