/*
 * cache_advice.h - recommendations from a cache's figures. Each names the cause that the figures
 * show: a hit rate of 0 where no process lives to its second request is not cured by a longer TTL.
 */
#ifndef REGISTRY_CACHE_ADVICE_H
#define REGISTRY_CACHE_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

struct registry_advice_figures {
    uint64_t lookups, hits;
    uint64_t processes;        /* that served them */
    bool shared;               /* a level outlives the process */
    double ttl_s, interval_s;  /* mean time between two look-ups of a key */
    double cached_ms;          /* mean of hits; 0: no hit */
    bool redis;                /* a level faster than the database is there */
    uint64_t outages, evicted; /* levels that went away; entries that a bound pushed out */
    uint64_t expired_unswept;  /* rows that nobody removes */
};

enum registry_advice {
    REGISTRY_ADVICE_PROCESS_DIES,   /* the cache dies with each request */
    REGISTRY_ADVICE_PROCESS_SHORT,  /* processes serve fewer requests than a TTL has */
    REGISTRY_ADVICE_TTL_BELOW_POLL, /* the TTL ends before the next look-up */
    REGISTRY_ADVICE_TTL_LONGER,     /* a longer TTL would do; how long */
    REGISTRY_ADVICE_EVICTED,        /* too small, not too short */
    REGISTRY_ADVICE_OUTAGE,         /* a level was away */
    REGISTRY_ADVICE_FASTER_LEVEL,   /* hits are slow: Redis in front */
    REGISTRY_ADVICE_SLOW_DESPITE,   /* hits are slow although it is there */
    REGISTRY_ADVICE_SWEEP,          /* expired rows pile up */
    REGISTRY_ADVICES
};

/* For each advice whether it applies. */
void registry_advice_give(const struct registry_advice_figures *figures,
                          bool given[REGISTRY_ADVICES]);
const char *registry_advice_text(enum registry_advice advice);
/* The TTL at which Poisson arrivals of this mean interval reach a hit rate. */
double registry_advice_ttl_for(double interval_s, double hit_rate);

#endif
