/*
 * strategy_clock.c - a cache of bounded size under CLOCK. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_clock.h"

BOUNDED_STRATEGY(strategy_clock, "clock", "bounded cache, CLOCK: first out unless it was hit",
                 policy_clock);
