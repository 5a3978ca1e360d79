/*
 * clients.h - a model of clients that poll one value through a cache with a time to live: what
 * share of their polls the cache answers, and how old the answers are.
 *
 * Each of `clients` asks every `poll_ns`, at a phase of its own; who finds no value younger than
 * `ttl_ns` loads it at once. The hit rate depends on how the phases happen to lie, so it is
 * averaged over `draws` random draws of all phases. Times are whole nanoseconds: nothing is
 * rounded. Supervisor only.
 */
#ifndef TRACE_CLIENTS_H
#define TRACE_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

struct clients {
    uint64_t ttl_ns, poll_ns; /* poll_ns > 0 */
    uint32_t clients;         /* > 0 */
    uint32_t draws;           /* > 0 */
    uint64_t seed;
};

struct clients_result {
    double hit_rate;        /* mean of the draws */
    double hit_rate_error;  /* half of its 95 % interval */
    double lowest, highest; /* of any draw */
    double loads_per_hour;  /* that reach the source */
    double age_mean_ns;     /* of the answers; 0 for a fresh one */
    uint64_t age_max_ns;
    uint64_t polls; /* counted in all */
    bool never;     /* this TTL can never hit, however the phases lie */
};

void clients_run(const struct clients *clients, struct clients_result *result);

#endif
