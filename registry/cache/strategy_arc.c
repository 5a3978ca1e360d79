/*
 * strategy_arc.c - a cache of bounded size under ARC. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_arc.h"

BOUNDED_STRATEGY(strategy_arc, "arc",
                 "bounded cache, ARC: recency and frequency share the room by experience",
                 policy_arc);
