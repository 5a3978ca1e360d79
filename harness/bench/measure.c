/* measure.c - interleaved rounds, see measure.h. Supervisor only. */
#include "harness/bench/measure.h"
#include "harness/base/memory.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WARMUP  16 /* windows asked before the first that is timed */
#define LEAST   4  /* slices of a pass that count */
#define WINDOWS (WARMUP + MEASURE_SLICES)
/* Passes at the beginning of a round that are nobody's: they touch the pages for the first time,
 * and the branch predictor learns the requests again. */
#define UNTIMED 2

const struct measure_limits measure_default = {
    .rounds_min = 11, .rounds_max = 5000, .width = 0.004, .time_ns = 2000000000};

struct rounds {
    struct contender *contenders;
    size_t count;
    const struct workload *workload;
    struct window *windows[WINDOWS];
    struct measure *measures;
    double *cost;  /* ns a look-up: [contender * rounds_max + round] */
    double *ratio; /* two of each: times the reference right before, and right behind */
    unsigned rounds_max, done;
    uint64_t random;
};

static void round_statistics(const struct rounds *rounds, size_t i)
{
    struct contender *contender = &rounds->contenders[i];
    struct strategy_statistics now;
    contender->strategy->statistics(contender->state, &now);
    struct measure *measure = &rounds->measures[i];
    measure->entries = now.entries;
    measure->bytes = now.bytes;
}

/* Hits of the warm state only: what was counted before the warm-up ended is taken off. */
static void round_hits(const struct rounds *rounds, size_t i,
                       const struct strategy_statistics *before)
{
    struct strategy_statistics now;
    rounds->contenders[i].strategy->statistics(rounds->contenders[i].state, &now);
    uint64_t hits = now.hits - before->hits, misses = now.misses - before->misses;
    rounds->measures[i].hit_rate =
        hits + misses ? (double)hits / (double)(hits + misses) : (double)NAN;
}

/* One contender from a fresh state: warm-up, then the slices. Ns a look-up: the mean of the
 * quickest quarter of the slices, because what other programs do to a slice can only make it
 * longer. NAN when the contender refuses. */
static double contender_pass(struct rounds *rounds, size_t i)
{
    struct contender *contender = &rounds->contenders[i];
    struct strategy_statistics before;
    double slices[MEASURE_SLICES], sum = 0;
    if (rounds->measures[i].refused || !contender_begin(contender)) {
        rounds->measures[i].refused = true;
        return (double)NAN;
    }
    for (size_t n = 0; n < WARMUP; n++) {
        contender_ask(contender, rounds->windows[n]);
    }
    contender->strategy->statistics(contender->state, &before);
    for (size_t slice = 0; slice < MEASURE_SLICES; slice++) {
        slices[slice] = contender_time(contender, rounds->windows[WARMUP + slice]);
    }
    round_statistics(rounds, i);
    round_hits(rounds, i, &before);
    contender_end(contender);
    interval_sort(slices, MEASURE_SLICES);
    for (size_t slice = 0; slice < LEAST; slice++) {
        sum += slices[slice];
    }
    return sum / LEAST / WINDOW_REQUESTS;
}

/* A chain with the reference between any two others: R a R b R. What a shared machine gives to one
 * program changes by half within tens of milliseconds, so each is held against the reference's
 * passes right before and right behind it, a few milliseconds away, and against no other.
 *
 * The heap's pages are given back first: what of a cache's data collides in the processor's caches
 * depends on which pages it got, by 10 % and more. Within a round all contenders live in the same
 * pages one after the other, so that luck falls out of the ratios; over the rounds it varies. */
static void round_run(struct rounds *rounds)
{
    size_t others = rounds->count - 1, round = rounds->done, most = rounds->rounds_max;
    malloc_trim(0);
    void *padding = malloc((size_t)(workload_random(&rounds->random) % 64 + 1) * 4096);
    for (unsigned untimed = 0; untimed < UNTIMED; untimed++) {
        contender_pass(rounds, 0);
    }
    double before = contender_pass(rounds, 0);
    double sum = before;
    rounds->ratio[2 * round] = rounds->ratio[2 * round + 1] = 1;
    for (size_t n = 0; n < others; n++) {
        size_t i = 1 + (n + round) % others;
        double own = contender_pass(rounds, i), behind = contender_pass(rounds, 0);
        rounds->cost[i * most + round] = own;
        rounds->ratio[2 * (i * most + round)] = own / before;
        rounds->ratio[2 * (i * most + round) + 1] = own / behind;
        before = behind;
        sum += behind;
    }
    rounds->cost[round] = sum / (double)(others + 1);
    free(padding);
    rounds->done++;
}

/* The widest half-width of all ratios so far, relative. */
static double rounds_judge(struct rounds *rounds)
{
    double *values = memory_new(rounds->done, 2 * sizeof *values);
    double widest = 0;
    for (size_t i = 0; i < rounds->count; i++) {
        struct measure *measure = &rounds->measures[i];
        size_t first = i * rounds->rounds_max;
        if (measure->refused) {
            continue;
        }
        struct interval cost;
        memcpy(values, &rounds->cost[first], rounds->done * sizeof *values);
        interval_median(values, rounds->done, &cost);
        measure->ns = cost.median;
        memcpy(values, &rounds->ratio[2 * first], rounds->done * 2 * sizeof *values);
        interval_pairs(values, rounds->done, &measure->ratio);
        double width = (measure->ratio.high - measure->ratio.low) / 2 / measure->ratio.median;
        widest = width > widest || isnan(width) ? width : widest;
    }
    free(values);
    return widest;
}

/* Freed memory stays in the heap, and large blocks come from it, too: see round_run. */
static void heap_keep(void)
{
    static bool kept;
    if (!kept) {
        mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
        mallopt(M_TOP_PAD, 1 << 20);
        kept = true;
    }
}

unsigned measure_rounds(struct contender *contenders, size_t count, const struct workload *workload,
                        const struct measure_limits *limits, struct measure *measures)
{
    struct rounds rounds = {.contenders = contenders,
                            .count = count,
                            .workload = workload,
                            .measures = measures,
                            .rounds_max = limits->rounds_max,
                            .random = 1};
    for (size_t i = 0; i < WINDOWS; i++) {
        rounds.windows[i] = window_new(workload);
        window_fill(rounds.windows[i], i * WINDOW_REQUESTS, WINDOW_REQUESTS);
    }
    heap_keep();
    for (size_t i = 0; i < count; i++) {
        measures[i].ns = measures[i].hit_rate = (double)NAN;
        measures[i].ratio = (struct interval){(double)NAN, (double)NAN, (double)NAN};
    }
    rounds.cost = memory_new(count * limits->rounds_max, sizeof rounds.cost[0]);
    rounds.ratio = memory_new(count * limits->rounds_max, 2 * sizeof rounds.ratio[0]);
    uint64_t begin = bench_own_ns();
    unsigned judged = limits->rounds_min; /* sorting costs time, and the predictor its memory */
    while (rounds.done < limits->rounds_max) {
        if (rounds.done >= limits->rounds_min && bench_own_ns() - begin > limits->time_ns) {
            break;
        }
        if (rounds.done >= judged) {
            judged += 1 + judged / 16;
            if (rounds_judge(&rounds) <= limits->width) {
                break;
            }
        }
        round_run(&rounds);
    }
    rounds_judge(&rounds);
    free(rounds.cost);
    free(rounds.ratio);
    for (size_t i = 0; i < WINDOWS; i++) {
        window_free(&rounds.windows[i]);
    }
    return rounds.done;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double measure_others(void)
{
    static double last_busy, last_own, last_all;
    unsigned long long time[8] = {0}; /* user nice system idle iowait irq softirq steal */
    struct rusage usage;
    char line[256], *at = line;
    FILE *file = fopen("/proc/stat", "re");
    bool read = file && fgets(line, sizeof line, file) && strncmp(line, "cpu ", 4) == 0;
    if (file) {
        fclose(file);
    }
    if (!read || getrusage(RUSAGE_SELF, &usage) != 0) {
        return (double)NAN;
    }
    at += 4;
    for (size_t i = 0; i < 8; i++) {
        time[i] = strtoull(at, &at, 10);
    }
    double tick = (double)sysconf(_SC_CLK_TCK);
    double busy = (double)(time[0] + time[1] + time[2] + time[5] + time[6] + time[7]) / tick;
    double all = busy + (double)(time[3] + time[4]) / tick;
    double own = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    double share =
        all > last_all ? (busy - last_busy - (own - last_own)) / (all - last_all) : (double)NAN;
    last_busy = busy;
    last_own = own;
    last_all = all;
    return share < 0 ? 0 : share;
}
