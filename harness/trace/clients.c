/*
 * clients.c - see clients.h.
 */
#include "harness/trace/clients.h"

#include "harness/base/memory.h"

#include <math.h>
#include <stdlib.h>

struct draw {
    uint64_t polls, hits, loads, age_max;
    double age_sum;
};

static uint64_t random_next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Rounds of polls that are run, and of those at the start that are not counted: long enough that a
 * TTL of many rounds comes around often. */
static void rounds_of(const struct clients *clients, uint64_t *rounds, uint64_t *skipped)
{
    uint64_t ttl_rounds = clients->ttl_ns / clients->poll_ns + 1;
    ttl_rounds = ttl_rounds < 20000 ? ttl_rounds : 20000; /* 28 hours at a poll every 5 s */
    *skipped = 2 * ttl_rounds;
    *rounds = *skipped + 40 * ttl_rounds + 60;
}

static void draw_run(const struct clients *clients, const uint64_t *phases, struct draw *draw)
{
    uint64_t rounds, skipped, loaded = 0;
    bool held = false;
    rounds_of(clients, &rounds, &skipped);
    *draw = (struct draw){0};
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < clients->clients; i++) {
            uint64_t now = round * clients->poll_ns + phases[i];
            bool hit = held && now - loaded < clients->ttl_ns;
            if (!hit) {
                loaded = now;
                held = true;
            }
            if (round >= skipped) {
                uint64_t age = now - loaded;
                draw->polls++;
                draw->hits += hit;
                draw->age_sum += (double)age;
                draw->age_max = age > draw->age_max ? age : draw->age_max;
            }
        }
    }
    draw->loads = draw->polls - draw->hits;
}

void clients_run(const struct clients *clients, struct clients_result *result)
{
    uint64_t *phases = memory_new(clients->clients, sizeof phases[0]);
    uint64_t random = clients->seed, loads = 0;
    double sum = 0, squares = 0, ages = 0;
    *result = (struct clients_result){.lowest = 1};
    for (uint32_t d = 0; d < clients->draws; d++) {
        struct draw draw;
        for (uint32_t i = 0; i < clients->clients; i++) {
            phases[i] = random_next(&random) % clients->poll_ns;
        }
        qsort(phases, clients->clients, sizeof phases[0], by_time);
        draw_run(clients, phases, &draw);
        double rate = (double)draw.hits / (double)draw.polls;
        sum += rate;
        squares += rate * rate;
        ages += draw.age_sum;
        loads += draw.loads;
        result->polls += draw.polls;
        result->lowest = rate < result->lowest ? rate : result->lowest;
        result->highest = rate > result->highest ? rate : result->highest;
        result->age_max_ns = draw.age_max > result->age_max_ns ? draw.age_max : result->age_max_ns;
    }
    double n = clients->draws, variance = n > 1 ? (squares - sum * sum / n) / (n - 1) : 0;
    result->hit_rate = sum / n;
    result->hit_rate_error = 1.96 * sqrt(variance > 0 ? variance / n : 0);
    result->age_mean_ns = ages / (double)result->polls;
    double hours = (double)result->polls / clients->clients * (double)clients->poll_ns / 3.6e12;
    result->loads_per_hour = (double)loads / hours;
    /* A value is asked for again by the same client after a poll, by others perhaps sooner. */
    result->never =
        clients->ttl_ns == 0 || (clients->clients == 1 && clients->ttl_ns <= clients->poll_ns);
    free(phases);
}
