/*
 * tiered_alert.h - a hit rate that is too low for too long. A rule is looked at from time to time
 * with the cache's counters; what was looked up since the last time decides:
 *
 *     quiet  --rate below the bound-->  pending  --for so long-->  firing  --rate above-->  quiet
 *
 * Too few look-ups since the last time decide nothing: a night without requests neither raises an
 * alert nor ends one. Plain data, without a clock or memory of its own; one thread at a time.
 */
#ifndef TIERED_ALERT_H
#define TIERED_ALERT_H

#include "registry/tiered/tiered_cache.h"

#include <stdio.h>

struct tiered_alert_rule {
    const char *name; /* a word, for labels */
    double below;     /* hit rate, 0 to 1 */
    uint64_t for_ns;  /* 0: at once */
    uint64_t lookups; /* so many are needed to decide [20] */
};

enum tiered_alert_state { ALERT_UNKNOWN, ALERT_QUIET, ALERT_PENDING, ALERT_FIRING };

struct tiered_alert {
    struct tiered_alert_rule rule;
    enum tiered_alert_state state;
    double rate;        /* that decided last; NAN: none yet */
    uint64_t since_ns;  /* of pending or firing: since when the rate is too low */
    uint64_t looked_ns; /* when the counters below were taken */
    uint64_t lookups, hits;
};

/* Begins with the counters of now. */
struct tiered_alert tiered_alert_begin(const struct tiered_alert_rule *rule,
                                       const struct tiered_statistics *statistics, uint64_t now_ns);
void tiered_alert_look(struct tiered_alert *alert, const struct tiered_statistics *statistics,
                       uint64_t now_ns);

/* The exit status of a check: 0 all is quiet, 1 one is firing, 3 nothing is known yet. Pending is
 * quiet. Writes a line for each alert where `out` is not NULL. */
int tiered_alert_status(const struct tiered_alert *alerts, size_t count, uint64_t now_ns,
                        FILE *out);
/* tidemark_cache_alert{rule,state}: 1 for the state that it is in, 0 for the others. */
void tiered_alert_openmetrics(const struct tiered_alert *alerts, size_t count, FILE *out);

#endif
