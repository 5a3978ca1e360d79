/*
 * strategy_fifo.c - a cache of bounded size under FIFO. One thread.
 */
#include "registry/bounded.h"
#include "registry/policy_fifo.h"

BOUNDED_STRATEGY(strategy_fifo, "fifo", "bounded cache, first in, first out", policy_fifo);
