/*
 * strategy_sieve.c - a cache of bounded size under SIEVE. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_sieve.h"

BOUNDED_STRATEGY(strategy_sieve, "sieve", "bounded cache, SIEVE: a hit only sets a bit",
                 policy_sieve);
