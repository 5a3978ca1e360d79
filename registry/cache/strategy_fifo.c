/*
 * strategy_fifo.c - a cache of bounded size under FIFO. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_fifo.h"

BOUNDED_STRATEGY(strategy_fifo, "fifo", "bounded cache, first in, first out", policy_fifo);
