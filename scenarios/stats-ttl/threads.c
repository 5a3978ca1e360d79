/* threads.c - rows 2.7 and 2.10: several threads, and events that come while a load is under way.
 */
#include "rows.h"

#include "tidemark.h"

#include <pthread.h>
#include <stdio.h>

#define HERD 8

/* A source that answers when it is let go, so that no test depends on timing. */
struct gate {
    struct endpoint endpoint;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside, arrived;
    bool open;
    void *cache;
};

static bool gate_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    struct gate *gate = context;
    bool ok = endpoint_load(&gate->endpoint, key, length, value); /* what it saw when it began */
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    gate->inside--;
    pthread_mutex_unlock(&gate->lock);
    return ok;
}

static void *gate_ask(void *context)
{
    struct gate *gate = context;
    struct strategy_value value;
    pthread_mutex_lock(&gate->lock);
    gate->arrived++;
    pthread_mutex_unlock(&gate->lock);
    return panel->get(gate->cache, "stats:total", 3 * SECOND, gate_load, gate, &value) ? context
                                                                                       : NULL;
}

static void gate_make(struct gate *gate)
{
    *gate = (struct gate){.cache = panel->open(16)};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_wait_inside(struct gate *gate, unsigned inside)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < inside) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

/* Those who wait for another's load do not show outside: their misses are counted as they begin. */
static void wait_for_misses(struct gate *gate, uint64_t misses)
{
    while (statistics_of(gate->cache).misses < misses) {
        sched_yield();
    }
}

START_TEST(eight_that_miss_at_once_make_one_load)
{
    struct gate gate;
    pthread_t threads[HERD];
    void *answer;
    gate_make(&gate);
    for (unsigned i = 0; i < HERD; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, gate_ask, &gate), 0);
    }
    wait_for_misses(&gate, HERD);
    gate_wait_inside(&gate, is_ttl() ? 1 : HERD);
    gate_open(&gate);
    for (unsigned i = 0; i < HERD; i++) {
        pthread_join(threads[i], &answer);
        ck_assert_ptr_nonnull(answer);
    }
    tidemark_count("loads_of_eight_at_once", gate.endpoint.calls);
    ck_assert_uint_eq(gate.endpoint.calls, is_ttl() ? 1 : HERD);
    panel->close(gate.cache);
}
END_TEST

START_TEST(a_load_under_way_at_an_event_does_not_put_old_data_in)
{
    struct gate gate;
    pthread_t thread;
    gate_make(&gate);
    gate.endpoint.state = 1;
    ck_assert_int_eq(pthread_create(&thread, NULL, gate_ask, &gate), 0);
    gate_wait_inside(&gate, 1);
    gate.endpoint.state = 2; /* an engine was provisioned */
    panel->drop(gate.cache, "stats:total");
    gate_open(&gate);
    pthread_join(thread, NULL);
    uint32_t seen = ask(gate.cache, "stats:total", 3 * SECOND, &gate.endpoint);
    ck_assert_uint_eq(seen, is_as_it_was() ? 1 : 2);
    panel->close(gate.cache);
}
END_TEST

START_TEST(an_event_makes_both_of_its_keys_miss)
{
    static const char *const keys[] = {"stats:total", "orchestrator:status", "vpn:status"};
    void *cache = panel->open(16);
    struct endpoint endpoint = {.state = 1};
    for (size_t i = 0; i < 3; i++) {
        ask(cache, keys[i], 3 * SECOND, &endpoint);
    }
    endpoint.state = 2;
    panel->drop(cache, "stats:total");
    panel->drop(cache, "orchestrator:status");
    ck_assert_uint_eq(ask(cache, keys[0], 3 * SECOND, &endpoint), 2);
    ck_assert_uint_eq(ask(cache, keys[1], 3 * SECOND, &endpoint), 2);
    ck_assert_uint_eq(ask(cache, keys[2], 3 * SECOND, &endpoint), panel == &panel_direct ? 2 : 1);
    panel->close(cache);
}
END_TEST

#define OPERATIONS 1000000u

struct hammer {
    void *cache;
    uint64_t seed, wrong;
};

static bool echo_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    (void)context;
    *value = (struct strategy_value){.data = key, .bytes = length};
    return true;
}

static void *hammer_run(void *context)
{
    struct hammer *hammer = context;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        char key[PANEL_KEY_BYTES];
        struct strategy_value value;
        hammer->seed = hammer->seed * 6364136223846793005u + 1442695040888963407u;
        unsigned dice = (unsigned)(hammer->seed >> 40);
        size_t length = (size_t)snprintf(key, sizeof key, "stats:%u", dice % 200);
        if (dice % 512 == 0) {
            panel->drop(hammer->cache, key);
        } else {
            bool ok = panel->get(hammer->cache, key, 3 * SECOND, echo_load, NULL, &value);
            hammer->wrong += !ok || value.bytes != length || memcmp(value.data, key, length) != 0;
        }
        if (dice % 64 == 0) {
            clock_advance(SECOND / 100);
        }
    }
    return NULL;
}

START_TEST(two_threads_and_two_million_operations_give_no_wrong_value)
{
    void *cache = panel->open(100);
    struct hammer hammers[2] = {{.cache = cache, .seed = 1}, {.cache = cache, .seed = 2}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer_run, &hammers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(hammers[i].wrong, 0);
    }
    panel->close(cache);
}
END_TEST

TCase *rows_threads(void)
{
    TCase *tcase = tcase_create("threads");
    tcase_add_test(tcase, eight_that_miss_at_once_make_one_load);
    tcase_add_test(tcase, a_load_under_way_at_an_event_does_not_put_old_data_in);
    tcase_add_test(tcase, an_event_makes_both_of_its_keys_miss);
    tcase_add_test(tcase, two_threads_and_two_million_operations_give_no_wrong_value);
    return tcase;
}
