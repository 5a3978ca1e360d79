/*
 * session.c - see session.h. Runs in the test program.
 *
 * Look-up costs are measured in batches of 64, one pair of clock readings a batch, with the keys
 * put together before the first reading: a single look-up takes less time than reading the clock.
 * So the percentiles of lookup_ns are percentiles of batch means.
 */
#include "session.h"

#include "copies.h"
#include "options.h"
#include "registry/cache/source_registry.h"
#include "tidemark.h"
#include "tier.h"
#include "workload.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BATCH        64u
#define STATE_BYTES  (1u << 16)
#define KEY_MAX      256u
#define PREFIX_BYTES 7u /* "0000.0|" is session and case */

static _Alignas(64) unsigned char state[STATE_BYTES];
static bool state_live;
static unsigned number; /* of the test that runs */
static const struct strategy_source *inner;
static struct strategy_source source;
static struct strategy_statistics counted; /* what has been passed on already */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool locked; /* strategies that serve one thread, behind one lock */

/* One case at a time, or one of several that run side by side. */
struct lane {
    pthread_t thread;
    unsigned index;
    bool ok;
    char keys[BATCH][KEY_MAX];
    uint32_t lengths[BATCH], models[BATCH];
};
static struct lane lanes[SUITE_THREADS_MAX];

/* Cases that live as long as the program: each runs once for every test. */
static struct {
    pthread_barrier_t begin, end;
    bool started;
} pool;

static bool session_load(void *context, const char *key, size_t length,
                         struct strategy_value *value)
{
    (void)context;
    if (length < PREFIX_BYTES) {
        return false;
    }
    return inner->load(inner->context, key + PREFIX_BYTES, length - PREFIX_BYTES, value);
}

bool session_prepare(void)
{
    uint32_t longest = 0;
    bool packed =
        suite_options.value == VALUE_PACKED || !(suite_options.strategy->traits & STRATEGY_CACHES);
    if (suite_options.tier[0]) {
        if (!tier_read(suite_options.tier)) {
            return false;
        }
        inner = &tier_source;
    } else {
        inner = packed ? &source_registry_packed : &source_registry_materialised;
    }
    for (uint32_t i = 0; i < session_models(); i++) {
        uint32_t length = session_key(i).length;
        longest = length > longest ? length : longest;
    }
    if (suite_options.strategy->state_bytes > STATE_BYTES || longest + PREFIX_BYTES > KEY_MAX) {
        fprintf(stderr, "registry suite: strategy or key too large\n");
        return false;
    }
    source = (struct strategy_source){.name = inner->name,
                                      .load = session_load,
                                      .value_bytes_max = inner->value_bytes_max,
                                      .key_bytes_max = longest + PREFIX_BYTES + 32};
    locked = suite_options.threads > 1 && !(suite_options.strategy->traits & STRATEGY_THREADS);
    for (unsigned i = 0; i < SUITE_THREADS_MAX; i++) {
        lanes[i].index = i;
    }
    workload_init(session_models());
    return true;
}

uint32_t session_models(void)
{
    return suite_options.tier[0] ? tier_count() : registry_count();
}

struct registry_text session_key(uint32_t model)
{
    return suite_options.tier[0] ? tier_key(model) : registry_key(model);
}

void session_number(unsigned test)
{
    number = test;
}

static void prefix_write(char *key, unsigned lane)
{
    static const char digits[] = "0123456789abcdef";
    unsigned session = suite_options.session == SESSION_TEST ? number + 1 : 0;
    key[0] = digits[session >> 12 & 15];
    key[1] = digits[session >> 8 & 15];
    key[2] = digits[session >> 4 & 15];
    key[3] = digits[session & 15];
    key[4] = '.';
    key[5] = digits[session ? lane & 15 : 0];
    key[6] = '|';
}

/* Is this what the source says of the model? */
static bool value_is(const struct strategy_value *value, uint32_t model)
{
    if (inner == &source_registry_materialised) {
        const struct model_record *record = value->data;
        return value->bytes == sizeof *record && record->index == model;
    }
    if (inner == &source_registry_packed) {
        registry_index index;
        memcpy(&index, value->data, sizeof index);
        return index == model;
    }
    return tier_value_is(value, model);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool batch_run(struct lane *lane, uint32_t count)
{
    bool ok = true;
    uint64_t begin = now_ns();
    for (uint32_t i = 0; i < count; i++) {
        struct strategy_value value;
        if (locked) {
            pthread_mutex_lock(&lock);
        }
        ok &= suite_options.strategy->get(state, lane->keys[i], lane->lengths[i], &value) &&
              value_is(&value, lane->models[i]);
        if (locked) {
            pthread_mutex_unlock(&lock);
        }
    }
    uint64_t spent = now_ns() - begin;
    if (count == BATCH) {
        tidemark_sample("lookup_ns", (spent + BATCH / 2) / BATCH, BATCH);
    }
    return ok;
}

static void lane_run(struct lane *lane)
{
    uint32_t filled = 0;
    lane->ok = true;
    for (uint32_t i = 0; i < suite_options.lookups; i++) {
        uint32_t model = workload_pick(i);
        struct registry_text key = session_key(model);
        prefix_write(lane->keys[filled], lane->index);
        memcpy(lane->keys[filled] + PREFIX_BYTES, key.data, key.length);
        lane->lengths[filled] = PREFIX_BYTES + key.length;
        lane->models[filled] = model;
        if (++filled == BATCH) {
            lane->ok &= batch_run(lane, filled);
            filled = 0;
        }
    }
    lane->ok &= batch_run(lane, filled);
}

static void *lane_once(void *argument)
{
    lane_run(argument);
    return NULL;
}

static void *lane_forever(void *argument)
{
    for (;;) {
        pthread_barrier_wait(&pool.begin);
        lane_run(argument);
        pthread_barrier_wait(&pool.end);
    }
    return NULL;
}

static void pool_start(void)
{
    if (!pool.started) {
        pthread_barrier_init(&pool.begin, NULL, suite_options.threads + 1);
        pthread_barrier_init(&pool.end, NULL, suite_options.threads + 1);
        for (unsigned i = 0; i < suite_options.threads; i++) {
            ck_assert_int_eq(pthread_create(&lanes[i].thread, NULL, lane_forever, &lanes[i]), 0);
        }
        pool.started = true;
    }
}

static void lanes_run(void)
{
    if (suite_options.pool == POOL_FOREVER) {
        pool_start();
        pthread_barrier_wait(&pool.begin);
        pthread_barrier_wait(&pool.end);
    } else if (suite_options.pool == POOL_TEST) {
        for (unsigned i = 0; i < suite_options.threads; i++) {
            ck_assert_int_eq(pthread_create(&lanes[i].thread, NULL, lane_once, &lanes[i]), 0);
        }
        for (unsigned i = 0; i < suite_options.threads; i++) {
            pthread_join(lanes[i].thread, NULL);
        }
    } else {
        lane_run(&lanes[0]);
    }
}

void session_open(void)
{
    if (!state_live) {
        ck_assert_msg(suite_options.strategy->init(state, &source, &suite_options.bounds),
                      "%s does not start: no memory, or bounds too small for one value of %u bytes",
                      suite_options.strategy->name, source.value_bytes_max);
        state_live = true;
        counted = (struct strategy_statistics){0};
    }
    lanes_run();
    for (unsigned i = 0; i < suite_options.threads; i++) {
        ck_assert_msg(lanes[i].ok, "a look-up did not give the source's value");
    }
    copies_keep(number);
}

/* What a strategy counted since the last call. No cache has no hit rate: only look-ups and loads.
 */
static void statistics_pass_on(void)
{
    struct strategy_statistics now;
    session_statistics(&now);
    tidemark_count("lookups", now.lookups - counted.lookups);
    tidemark_count(suite_options.tier[0] ? "fixture_loads" : "loads", now.loads - counted.loads);
    if (suite_options.tier[0]) {
        tidemark_count("loads", 0);
    }
    if (suite_options.strategy->traits & STRATEGY_CACHES) {
        tidemark_count("hits", now.hits - counted.hits);
        tidemark_count("misses", now.misses - counted.misses);
        tidemark_count("evictions", now.evictions - counted.evictions);
    }
    counted = now;
}

static void state_end(void)
{
    if (state_live) {
        suite_options.strategy->fini(state);
        state_live = false;
    }
}

/* Does every thread have a cache of its own, which nobody else can empty? */
static bool is_private(void)
{
    return strcmp(suite_options.strategy->name, "per-thread") == 0;
}

void session_close(void)
{
    if (state_live) {
        statistics_pass_on();
    }
    if (suite_options.teardown == TEARDOWN_PER_TEST) {
        state_end();
    } else if (state_live && suite_options.pool != POOL_NONE && is_private()) {
        suite_options.strategy->reset(state); /* of this thread; the cases' own are the question */
    }
}

void session_module_close(void)
{
    if (suite_options.teardown == TEARDOWN_PER_MODULE) {
        state_end();
    }
}

void session_suite_close(void)
{
    if (suite_options.teardown == TEARDOWN_AFTER_SUITE) {
        state_end();
    }
}

bool session_get(const char *key, size_t length, struct strategy_value *value)
{
    char full[KEY_MAX];
    struct strategy_value ignored;
    if (length > sizeof full - PREFIX_BYTES) {
        length = sizeof full - PREFIX_BYTES; /* longer than any key, and cut still is */
    }
    prefix_write(full, 0);
    memcpy(full + PREFIX_BYTES, key, length);
    return suite_options.strategy->get(state, full, PREFIX_BYTES + length,
                                       value ? value : &ignored);
}

registry_index session_find(const char *key, size_t length)
{
    struct strategy_value value;
    registry_index index = registry_find(key, length);
    bool found = session_get(key, length, &value);
    ck_assert_msg(found == (index != REGISTRY_NONE), "%.*s: %s through %s", (int)length, key,
                  found ? "found, but is absent" : "not found", suite_options.strategy->name);
    ck_assert_msg(!found || value_is(&value, index), "%.*s: another model's value", (int)length,
                  key);
    return index;
}

registry_index session_find_model(registry_index index)
{
    struct registry_text key = registry_key(index);
    return session_find(key.data, key.length);
}

bool session_drop(const char *key, size_t length)
{
    char full[KEY_MAX];
    prefix_write(full, 0);
    memcpy(full + PREFIX_BYTES, key, length);
    return suite_options.strategy->drop(state, full, PREFIX_BYTES + length);
}

void session_reset(void)
{
    statistics_pass_on();
    suite_options.strategy->reset(state);
    session_statistics(&counted);
}

void session_statistics(struct strategy_statistics *statistics)
{
    suite_options.strategy->statistics(state, statistics);
}
