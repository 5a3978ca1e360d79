/*
 * strategy_bench.c - what a look-up through each strategy costs, beside other people's LRUs in the
 * same run: 27,000 keys, room for 8,000, key and a value of 32 bytes copied into the cache.
 * Contenders take turns in rounds in one process: medians, and the least, which other work on the
 * machine disturbs less. `make bench-strategies` builds and runs it.
 *
 *   hit      Zipf .99 over 8,000 keys that are all held
 *   miss     27,000 keys in a circle: every get misses, loads, puts and evicts
 *   zipf     Zipf .99 over all 27,000 keys
 *
 * Then threads: millions of gets a second, all hits, by one thread and by two.
 */
#include "registry/peers/lru_peer.h"
#include "registry/registry.h"
#include "registry/strategy.h"
#include "registry/strategy_fake.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

#define KEYS        27000u
#define CAPACITY    8000u
#define VALUE_BYTES 32u
#define ROUNDS      15
#define OPERATIONS  200000u
#define CONTENDERS  24

struct key {
    const char *text; /* in one pool, one after another, each with a zero byte behind it */
    uint32_t length;
};

static struct key *keys;
static uint32_t *hits, *all; /* key numbers, OPERATIONS each */
static unsigned char values[KEYS][VALUE_BYTES];

enum workload { HIT, MISS, ZIPF, WORKLOADS };
static const char *const workload_names[] = {"hit", "miss", "zipf"};

struct contender {
    const char *name;
    const struct strategy *strategy;
    const struct lru_peer *peer;
    void *state;
    double ns[WORKLOADS][ROUNDS];
    double median[WORKLOADS];
    uint32_t cursor; /* of the circle */
};

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The value of the key asked for last: the cheapest source there can be. */
static _Thread_local const void *source_value;

static bool bench_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    (void)context;
    (void)key;
    (void)length;
    *value = (struct strategy_value){.data = source_value, .bytes = VALUE_BYTES};
    return true;
}

static const struct strategy_source source = {
    .name = "bench", .load = bench_load, .value_bytes_max = VALUE_BYTES, .key_bytes_max = 96};

/* The registry's own keys in an order of chance, so that neighbours in time are none in the text.
 */
static void keys_make(void)
{
    uint64_t random = 1;
    char *pool = calloc(KEYS, 100);
    uint32_t *order = calloc(KEYS, sizeof *order);
    keys = calloc(KEYS, sizeof *keys);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t j = (uint32_t)(fake_random(&random) % (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        struct registry_text key = registry_key(order[i] % registry_count());
        keys[i] = (struct key){.text = pool, .length = key.length};
        memcpy(pool, key.data, key.length);
        pool += key.length + 1;
        memcpy(values[i], &i, sizeof i);
    }
    free(order);
}

/* Zipf with exponent .99 by inversion of the cumulated weights; ranks dealt to keys at random. */
static uint32_t *zipf_make(uint32_t count, uint64_t seed)
{
    double *sums = calloc(count, sizeof *sums), sum = 0;
    uint32_t *ranks = calloc(count, sizeof *ranks), *out = calloc(OPERATIONS, sizeof *out);
    for (uint32_t i = 0; i < count; i++) {
        sum += pow(i + 1.0, -.99);
        sums[i] = sum;
        ranks[i] = i;
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(fake_random(&seed) % (i + 1)), swap = ranks[i];
        ranks[i] = ranks[j];
        ranks[j] = swap;
    }
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        double at = (double)(fake_random(&seed) >> 11) / 9007199254740992.0 * sum;
        uint32_t low = 0, high = count - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        out[i] = ranks[low];
    }
    free(sums);
    free(ranks);
    return out;
}

static inline uint32_t contender_get(const struct contender *contender, uint32_t number)
{
    const struct key *key = &keys[number];
    if (contender->strategy) {
        struct strategy_value value;
        source_value = values[number];
        contender->strategy->get(contender->state, key->text, key->length, &value);
        return *(const uint32_t *)value.data;
    }
    size_t bytes;
    const uint32_t *value = contender->peer->get(contender->state, key->text, key->length, &bytes);
    if (!value) {
        contender->peer->put(contender->state, key->text, key->length, values[number], VALUE_BYTES);
        return number;
    }
    return *value;
}

static double contender_round(struct contender *contender, enum workload workload)
{
    const uint32_t *order = workload == HIT ? hits : all;
    uint64_t wrong = 0;
    if (workload == HIT) { /* all of them in */
        for (uint32_t i = 0; i < CAPACITY; i++) {
            contender_get(contender, i);
        }
    }
    double start = now_ns();
    if (workload == MISS) {
        uint32_t number = contender->cursor;
        for (uint32_t i = 0; i < OPERATIONS; i++) {
            wrong += contender_get(contender, number) != number;
            number = number + 1 < KEYS ? number + 1 : 0;
        }
        contender->cursor = number;
    } else {
        for (uint32_t i = 0; i < OPERATIONS; i++) {
            wrong += contender_get(contender, order[i]) != order[i];
        }
    }
    double ns = (now_ns() - start) / OPERATIONS;
    if (wrong) {
        fprintf(stderr, "%s returned %lu wrong values\n", contender->name, (unsigned long)wrong);
        exit(1);
    }
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t contenders_make(struct contender contenders[CONTENDERS])
{
    size_t count = 0;
    struct strategy_options options = {.entries = CAPACITY, .shards = 16};
    for (const struct strategy *const *at = strategies; *at; at++) {
        struct contender *contender = &contenders[count];
        contender->name = (*at)->name;
        contender->strategy = *at;
        contender->state = aligned_alloc(64, ((*at)->state_bytes + 63) / 64 * 64);
        count += (*at)->init(contender->state, &source, &options);
    }
    const struct lru_peer *peers[] = {&lru_peer_boost, &lru_peer_uthash, &lru_peer_glib};
    for (size_t i = 0; i < 3; i++) {
        if (peers[i]) {
            contenders[count++] = (struct contender){
                .name = peers[i]->name, .peer = peers[i], .state = peers[i]->init(CAPACITY)};
        }
    }
    return count;
}

struct thread_run {
    pthread_t thread;
    struct contender *contender;
    uint32_t offset;
    pthread_barrier_t *barrier;
    double cpu_ns;
    uint64_t sum;
};

static double cpu_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *thread_gets(void *context)
{
    struct thread_run *run = context;
    pthread_barrier_wait(run->barrier);
    double start = cpu_now_ns();
    for (uint32_t i = 0; i < 10 * OPERATIONS; i++) {
        run->sum += contender_get(run->contender, hits[(i + run->offset) % OPERATIONS]);
    }
    run->cpu_ns = cpu_now_ns() - start;
    return NULL;
}

struct throughput {
    double wall, cpu; /* million gets a second, of time and of processor time, all threads */
};

static struct throughput million_gets(struct contender *contender, int threads)
{
    struct thread_run runs[2];
    struct throughput result = {0};
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        runs[i] = (struct thread_run){
            .contender = contender, .offset = (uint32_t)i * 77777, .barrier = &barrier};
        pthread_create(&runs[i].thread, NULL, thread_gets, &runs[i]);
    }
    pthread_barrier_wait(&barrier);
    double start = now_ns();
    for (int i = 0; i < threads; i++) {
        pthread_join(runs[i].thread, NULL);
        result.cpu += 10.0 * OPERATIONS / runs[i].cpu_ns * 1000;
    }
    result.wall = threads * 10.0 * OPERATIONS / (now_ns() - start) * 1000;
    pthread_barrier_destroy(&barrier);
    return result;
}

static double median5(double *of)
{
    qsort(of, 5, sizeof of[0], by_value);
    return of[2];
}

/* By processor time too: on a machine with other work the clock tells more of that than of us. It
 * does not see threads that sleep while they wait for a lock; the ones here spin. */
static void threads_bench(struct contender *contenders, size_t count, const char *only)
{
    printf("\nmillion gets a second, all hits      by the clock            by processor time\n"
           "                                1 thread     2   ratio    1 thread     2   ratio\n");
    for (size_t i = 0; i < count; i++) {
        struct contender *contender = &contenders[i];
        double wall[2][5], cpu[2][5];
        if (!contender->strategy || !(contender->strategy->traits & STRATEGY_THREADS) ||
            (*only && !strstr(only, contender->name))) {
            continue;
        }
        for (uint32_t n = 0; n < CAPACITY; n++) {
            contender_get(contender, n);
        }
        for (int round = 0; round < 5; round++) {
            for (int threads = 1; threads <= 2; threads++) {
                struct throughput got = million_gets(contender, threads);
                wall[threads - 1][round] = got.wall;
                cpu[threads - 1][round] = got.cpu;
            }
        }
        double one = median5(wall[0]), two = median5(wall[1]);
        double cpu_one = median5(cpu[0]), cpu_two = median5(cpu[1]);
        printf("  %-26s %9.1f %7.1f  %5.2f   %9.1f %7.1f  %5.2f\n", contender->name, one, two,
               two / one, cpu_one, cpu_two, cpu_two / cpu_one);
    }
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : ""; /* names, all in one word; "" is all of them */
    static struct contender contenders[CONTENDERS];
    keys_make();
    hits = zipf_make(CAPACITY, 3);
    all = zipf_make(KEYS, 4);
    size_t count = contenders_make(contenders);
    for (int workload = 0; workload < WORKLOADS; workload++) {
        for (int round = 0; round < ROUNDS; round++) {
            for (size_t i = 0; i < count; i++) {
                if (*only && !strstr(only, contenders[i].name)) {
                    continue;
                }
                contenders[i].ns[workload][round] = contender_round(&contenders[i], workload);
            }
        }
    }
    printf("ns a get, %d rounds                median                  least\n%26s", ROUNDS, "");
    for (int column = 0; column < 2 * WORKLOADS; column++) {
        printf("%8s", workload_names[column % WORKLOADS]);
    }
    printf("\n");
    for (size_t i = 0; i < count; i++) {
        if (*only && !strstr(only, contenders[i].name)) {
            continue;
        }
        printf("  %-24s", contenders[i].name);
        for (int column = 0; column < 2 * WORKLOADS; column++) {
            double *ns = contenders[i].ns[column % WORKLOADS];
            qsort(ns, ROUNDS, sizeof ns[0], by_value);
            printf("%8.1f", ns[column < WORKLOADS ? ROUNDS / 2 : 0]);
        }
        printf("\n");
    }
    threads_bench(contenders, count, only);
    return 0;
}
