/*
 * strategy_s3_fifo.c - a cache of bounded size under S3-FIFO. One thread.
 */
#include "registry/cache/bounded.h"
#include "registry/cache/policy_s3_fifo.h"

BOUNDED_STRATEGY(strategy_s3_fifo, "s3-fifo",
                 "bounded cache, S3-FIFO: three queues, one of them of ghosts", policy_s3_fifo);
