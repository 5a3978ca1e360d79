/*
 * strategy_bench.c - what a look-up through each strategy costs, beside other people's LRUs in the
 * same run: 27,000 keys, room for 8,000, key and a value of 32 bytes copied into the cache.
 * Contenders take turns in rounds in one process: medians, and the least, which other work on the
 * machine disturbs less; and how long each takes against the first peer, which is the best one,
 * round by round, the median of that. `make bench-strategies` builds and runs it.
 *
 *   hit      Zipf .99 over 8,000 keys that are all held
 *   miss     27,000 keys in a circle: every get misses, loads, puts and evicts
 *   zipf     Zipf .99 over all 27,000 keys
 *
 *   strategy_bench [--at-hand] ["NAMES"]
 *
 * Then threads: millions of gets a second, all hits, by one thread, by two threads that share a
 * cache, and by two threads with a cache each. The last is the control: what this machine gives two
 * threads that have nothing to do with each other. Shared against apart is what sharing costs.
 */
#include "registry/bench/peers/lru_peer.h"
#include "registry/cache/strategy_fake.h"
#include "registry/registry.h"
#include "registry/strategy.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

#define KEYS              27000u
#define CAPACITY          8000u
#define VALUE_BYTES       32u
#define ROUNDS            31
#define ROUNDS_OF_THREADS 15
#define OPERATIONS        200000u
#define PASSES_OF_THREADS 8 /* so that a thread's waking up does not count */
#define CONTENDERS        24

struct key {
    const char *text;        /* in one pool, one after another, each with a zero byte behind it */
    uint32_t length, number; /* the number stands before the text too, for the source */
};

static struct key *keys;
/* What is asked, OPERATIONS each. The text is that of `keys`, which comes from the second or third
 * level of the processor's caches, or with --at-hand a copy in the order of asking. */
static bool keys_at_hand;
static struct key *hits, *all;
static unsigned char values[KEYS][VALUE_BYTES];

enum workload { HIT, MISS, ZIPF, WORKLOADS };
static const char *const workload_names[] = {"hit", "miss", "zipf"};

struct contender {
    const char *name;
    const struct strategy *strategy;
    const struct lru_peer *peer;
    void *state;
    double ns[WORKLOADS][ROUNDS];
    uint32_t cursor; /* of the circle */
};

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Puts a key with its number before it into a pool; returns where its text begins. */
static char *key_place(char **pool, const char *text, uint32_t length, uint32_t number)
{
    char *at = *pool + sizeof number;
    memcpy(*pool, &number, sizeof number);
    memcpy(at, text, length);
    *pool = at + length + 1;
    return at;
}

/* The cheapest source there can be: the key says where its value is. */
static bool bench_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    (void)context;
    (void)length;
    uint32_t number;
    memcpy(&number, key - sizeof number, sizeof number);
    *value = (struct strategy_value){.data = values[number], .bytes = VALUE_BYTES};
    return true;
}

static const struct strategy_source source = {
    .name = "bench", .load = bench_load, .value_bytes_max = VALUE_BYTES, .key_bytes_max = 96};

/* The registry's own keys in an order of chance, so that neighbours in time are none in the text.
 */
static void keys_make(void)
{
    uint64_t random = 1;
    char *pool = calloc(KEYS, 104);
    uint32_t *order = calloc(KEYS, sizeof *order);
    keys = calloc(KEYS, sizeof *keys);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t j = (uint32_t)(fake_random(&random) % (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        struct registry_text key = registry_key(order[i] % registry_count());
        keys[i] = (struct key){
            .text = key_place(&pool, key.data, key.length, i), .length = key.length, .number = i};
        memcpy(values[i], &i, sizeof i);
    }
    free(order);
}

/* Zipf with exponent .99 by inversion of the cumulated weights; ranks dealt to keys at random. */
static struct key *zipf_make(uint32_t count, uint64_t seed)
{
    double *sums = calloc(count, sizeof *sums), sum = 0;
    uint32_t *ranks = calloc(count, sizeof *ranks);
    struct key *out = calloc(OPERATIONS, sizeof *out);
    char *pool = calloc(OPERATIONS, 104);
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
        out[i] = keys[ranks[low]];
        if (keys_at_hand) {
            out[i].text = key_place(&pool, out[i].text, out[i].length, out[i].number);
        }
    }
    free(sums);
    free(ranks);
    return out;
}

/* What was asked and did not come. In one loop for each kind, so that the benchmark's own part of a
 * figure is small and the same for both. */
static uint64_t strategy_gets(const struct contender *contender, const struct key *asked,
                              uint32_t count)
{
    bool (*get)(void *, const char *, size_t, struct strategy_value *) = contender->strategy->get;
    void *state = contender->state;
    uint64_t wrong = 0;
    for (const struct key *key = asked, *end = asked + count; key < end; key++) {
        struct strategy_value value;
        get(state, key->text, key->length, &value);
        wrong += *(const uint32_t *)value.data != key->number;
    }
    return wrong;
}

static uint64_t peer_gets(const struct contender *contender, const struct key *asked,
                          uint32_t count)
{
    const struct lru_peer *peer = contender->peer;
    const void *(*get)(void *, const char *, size_t, size_t *) = peer->get;
    void *state = contender->state;
    uint64_t wrong = 0;
    for (const struct key *key = asked, *end = asked + count; key < end; key++) {
        size_t bytes;
        const uint32_t *value = get(state, key->text, key->length, &bytes);
        if (value) {
            wrong += *value != key->number;
        } else {
            peer->put(state, key->text, key->length, values[key->number], VALUE_BYTES);
        }
    }
    return wrong;
}

/* Ends the program when an answer is wrong. */
static void contender_gets(const struct contender *contender, const struct key *asked,
                           uint32_t count)
{
    uint64_t wrong = contender->strategy ? strategy_gets(contender, asked, count)
                                         : peer_gets(contender, asked, count);
    if (wrong) {
        fprintf(stderr, "%s returned %lu wrong values\n", contender->name, (unsigned long)wrong);
        exit(1);
    }
}

static double contender_round(struct contender *contender, enum workload workload)
{
    if (workload == HIT) { /* all of them in */
        contender_gets(contender, keys, CAPACITY);
    }
    double start = now_ns();
    if (workload == MISS) {
        for (uint32_t left = OPERATIONS; left > 0;) {
            uint32_t to_end = KEYS - contender->cursor, count = left < to_end ? left : to_end;
            contender_gets(contender, &keys[contender->cursor], count);
            contender->cursor = (contender->cursor + count) % KEYS;
            left -= count;
        }
    } else {
        contender_gets(contender, workload == HIT ? hits : all, OPERATIONS);
    }
    return (now_ns() - start) / OPERATIONS;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *state_make(const struct strategy *strategy)
{
    const struct strategy_options options = {.entries = CAPACITY, .shards = 16};
    void *state = aligned_alloc(64, (strategy->state_bytes + 63) / 64 * 64);
    return strategy->init(state, &source, &options) ? state : NULL;
}

static size_t contenders_make(struct contender contenders[CONTENDERS], const char *only)
{
    const struct lru_peer *peers[] = {&lru_peer_boost, &lru_peer_uthash, &lru_peer_glib};
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        if (peers[i] && (!*only || strstr(only, peers[i]->name))) {
            contenders[count++] = (struct contender){
                .name = peers[i]->name, .peer = peers[i], .state = peers[i]->init(CAPACITY)};
        }
    }
    for (const struct strategy *const *at = strategies; *at; at++) {
        if (!*only || strstr(only, (*at)->name)) {
            contenders[count] =
                (struct contender){.name = (*at)->name, .strategy = *at, .state = state_make(*at)};
            count += contenders[count].state != NULL;
        }
    }
    return count;
}

struct thread_run {
    pthread_t thread;
    const struct contender *contender;
    uint32_t offset;
    pthread_barrier_t *barrier;
    double cpu_ns;
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
    struct contender contender = *run->contender;
    contender_gets(&contender, keys, CAPACITY);
    pthread_barrier_wait(run->barrier);
    double start = cpu_now_ns();
    for (int pass = 0; pass < PASSES_OF_THREADS; pass++) {
        contender_gets(&contender, hits + run->offset, OPERATIONS - run->offset);
        contender_gets(&contender, hits, run->offset);
    }
    run->cpu_ns = cpu_now_ns() - start;
    return NULL;
}

struct throughput {
    double wall, cpu; /* million gets a second, of time and of processor time, all threads */
};

static struct throughput million_gets(const struct contender *const contenders[], int threads)
{
    struct thread_run runs[2];
    struct throughput result = {0};
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        runs[i] = (struct thread_run){
            .contender = contenders[i], .offset = (uint32_t)i * 77777, .barrier = &barrier};
        pthread_create(&runs[i].thread, NULL, thread_gets, &runs[i]);
    }
    pthread_barrier_wait(&barrier);
    double start = now_ns();
    for (int i = 0; i < threads; i++) {
        pthread_join(runs[i].thread, NULL);
        result.cpu += PASSES_OF_THREADS * (double)OPERATIONS / runs[i].cpu_ns * 1000;
    }
    result.wall = threads * PASSES_OF_THREADS * (double)OPERATIONS / (now_ns() - start) * 1000;
    pthread_barrier_destroy(&barrier);
    return result;
}

static double median_of(double *of, size_t count)
{
    qsort(of, count, sizeof of[0], by_value);
    return of[count / 2];
}

enum { ONE, SHARED, APART, ARRANGEMENTS };

static void threads_row(const struct contender *contender)
{
    struct contender other = {.name = contender->name,
                              .strategy = contender->strategy,
                              .state = state_make(contender->strategy)};
    const struct contender *const both[ARRANGEMENTS][2] = {
        {contender}, {contender, contender}, {contender, &other}};
    double got[2][ARRANGEMENTS][ROUNDS_OF_THREADS];
    double more[2][ROUNDS_OF_THREADS], shared[2][ROUNDS_OF_THREADS];
    for (int round = 0; round < ROUNDS_OF_THREADS; round++) {
        for (int i = 0; i < ARRANGEMENTS; i++) {
            int which = (i + round) % ARRANGEMENTS;
            struct throughput all_threads = million_gets(both[which], which == ONE ? 1 : 2);
            got[0][which][round] = all_threads.wall;
            got[1][which][round] = all_threads.cpu;
        }
        for (int clock = 0; clock < 2; clock++) {
            more[clock][round] = got[clock][SHARED][round] / got[clock][ONE][round];
            shared[clock][round] = got[clock][SHARED][round] / got[clock][APART][round];
        }
    }
    printf("  %-14s", contender->name);
    for (int clock = 0; clock < 2; clock++) {
        printf(" %7.1f %7.1f %7.1f %6.2f %7.2f%s", median_of(got[clock][ONE], ROUNDS_OF_THREADS),
               median_of(got[clock][SHARED], ROUNDS_OF_THREADS),
               median_of(got[clock][APART], ROUNDS_OF_THREADS),
               median_of(more[clock], ROUNDS_OF_THREADS),
               median_of(shared[clock], ROUNDS_OF_THREADS), clock ? "\n" : " ");
    }
    contender->strategy->fini(other.state);
    free(other.state);
}

/* By processor time too: on a machine with other work the clock tells more of that than of us. It
 * does not see threads that sleep while they wait for a lock; the ones here spin. */
static void threads_bench(const struct contender *contenders, size_t count)
{
    printf("\nmillion gets a second, all hits, %d rounds: one thread, two, two with a cache each\n"
           "%16s %38s  %38s\n%16s",
           ROUNDS_OF_THREADS, "", "by the clock          ", "by processor time        ", "");
    for (int clock = 0; clock < 2; clock++) {
        printf(" %7s %7s %7s %6s %7s%s", "1", "2", "apart", "2 : 1", "shared", clock ? "\n" : " ");
    }
    for (size_t i = 0; i < count; i++) {
        if (contenders[i].strategy && (contenders[i].strategy->traits & STRATEGY_THREADS)) {
            threads_row(&contenders[i]);
        }
    }
}

static void rounds_run(struct contender *contenders, size_t count)
{
    for (int workload = 0; workload < WORKLOADS; workload++) {
        for (int round = 0; round < ROUNDS; round++) {
            for (size_t i = 0; i < count; i++) {
                struct contender *turn = &contenders[(i + (size_t)round) % count];
                turn->ns[workload][round] = contender_round(turn, (enum workload)workload);
            }
        }
    }
}

static double ratio(const struct contender *contender, const struct contender *peer, int workload)
{
    double ratios[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        ratios[round] = contender->ns[workload][round] / peer->ns[workload][round];
    }
    return median_of(ratios, ROUNDS);
}

static void rounds_print(const struct contender *contenders, size_t count)
{
    const struct contender *peer = count > 0 && contenders[0].peer ? &contenders[0] : NULL;
    printf("ns a get, %2d rounds           median                   least      %s%s\n%24s", ROUNDS,
           peer ? "against " : "", peer ? peer->name : "", "");
    for (int column = 0; column < (peer ? 3 : 2) * WORKLOADS; column++) {
        printf("%8s", workload_names[column % WORKLOADS]);
    }
    printf("\n");
    for (size_t i = 0; i < count; i++) {
        printf("  %-22s", contenders[i].name);
        for (int column = 0; column < 2 * WORKLOADS; column++) {
            double ns[ROUNDS];
            memcpy(ns, contenders[i].ns[column % WORKLOADS], sizeof ns);
            double median = median_of(ns, ROUNDS);
            printf("%8.1f", column < WORKLOADS ? median : ns[0]);
        }
        for (int workload = 0; peer && workload < WORKLOADS; workload++) {
            printf("%8.2f", ratio(&contenders[i], peer, workload));
        }
        printf("\n");
    }
    if (peer) { /* what is to be reached */
        printf("  %-70s%8.2f%8.2f%8.2f\n", "lru, at most", 0.85, 0.40, 0.70);
    }
}

int main(int argc, char **argv)
{
    keys_at_hand = argc > 1 && strcmp(argv[1], "--at-hand") == 0;
    int at = keys_at_hand ? 2 : 1;
    const char *only = argc > at ? argv[at] : ""; /* names, all in one word; "" is all of them */
    static struct contender contenders[CONTENDERS];
    keys_make();
    hits = zipf_make(CAPACITY, 3);
    all = zipf_make(KEYS, 4);
    size_t count = contenders_make(contenders, only);
    rounds_run(contenders, count);
    rounds_print(contenders, count);
    threads_bench(contenders, count);
    return 0;
}
