/*
 * strategy_w_tinylfu.c - a cache of bounded size under W-TinyLFU. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_w_tinylfu.h"

BOUNDED_STRATEGY(strategy_w_tinylfu, "w-tinylfu",
                 "bounded cache, W-TinyLFU: admits what is asked for more often", policy_w_tinylfu);
