/* host.c - rows 0.5, 0.6, 0.8 and 0.12: the host's cache of answers, the start, callers at once. */
#include "rows.h"

#include "collector.h"
#include "global.h"
#include "memory.h"
#include "plugin.h"
#include "registry/ttl/ttl_cache.h"
#include "tidemark.h"

#include <pthread.h>
#include <string.h>

#define SECOND 1000000000ull

/* The host: asks the function through a cache of answers that `update_every` governs. */
static uint64_t host_clock;

static uint64_t host_now(void *unused)
{
    (void)unused;
    return host_clock;
}

static bool function_call(void *context, const char *key, size_t length,
                          struct strategy_value *value)
{
    static char answer[8192];
    struct virtual_upstream *upstream = context;
    struct snapshot *snapshot = snapshot_fetch(&upstream->transport, 1);
    char *text = snapshot ? snapshot_print(snapshot) : NULL;
    (void)key;
    (void)length;
    if (text) {
        *value = (struct strategy_value){.data = answer, .bytes = strlen(text)};
        memcpy(answer, text, value->bytes);
    }
    memory_give(text);
    snapshot_release(&snapshot);
    return value->bytes > 0;
}

/* Requests that each of the clicks caused. */
static void clicks(uint64_t update_every_s, const uint64_t *at_s, size_t count, uint64_t *requests)
{
    struct virtual_upstream upstream;
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){.entries = 4,
                                                                  .key_bytes_max = 32,
                                                                  .value_bytes_max = 8192,
                                                                  .ttl_ns = update_every_s * SECOND,
                                                                  .now_ns = host_now});
    ck_assert_ptr_nonnull(cache);
    virtual_upstream_init(&upstream);
    for (size_t i = 0; i < count; i++) {
        struct strategy_value value = {0};
        uint64_t before = upstream.transport.requests;
        host_clock = at_s[i] * SECOND;
        ck_assert(ttl_cache_get(cache, "deployments", 11, 0, function_call, &upstream, &value));
        requests[i] = upstream.transport.requests - before;
    }
    ttl_cache_free(&cache);
}

START_TEST(clicks_within_two_minutes_cost_nothing)
{
    static const uint64_t at[] = {0, 60, 119, 121};
    uint64_t requests[4];
    clicks(120, at, 4, requests);
    ck_assert_uint_eq(requests[0], 71);
    ck_assert_uint_eq(requests[1], 0);
    ck_assert_uint_eq(requests[2], 0);
    ck_assert_uint_eq(requests[3], 71);
}
END_TEST

START_TEST(update_every_is_how_long_the_host_caches_and_nothing_else)
{
    static const uint64_t at[] = {0, 60, 119, 121};
    static const struct {
        uint64_t every, requests[4];
    } rows[] = {
        {30, {71, 71, 71, 0}}, {60, {71, 71, 0, 71}}, {120, {71, 0, 0, 71}}, {300, {71, 0, 0, 0}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t requests[4];
        clicks(rows[i].every, at, 4, requests);
        for (size_t j = 0; j < 4; j++) {
            ck_assert_msg(requests[j] == rows[i].requests[j],
                          "update every %llu, click at %llu: %llu",
                          (unsigned long long)rows[i].every, (unsigned long long)at[j],
                          (unsigned long long)requests[j]);
        }
    }
}
END_TEST

/* Blocks, not bytes: of one size malloc gives now 24 usable bytes, now 40. */
static uint64_t blocks_held(void)
{
    struct memory_count now = memory_now();
    return now.allocs - now.frees;
}

/* A click every 10 s for an hour, answered from the host's cache of 120 s, and beside it a snapshot
 * that is kept and replaced as often: what is held after the first minute is held after the last.
 */
START_TEST(an_hour_of_clicks_leaves_the_ledger_flat)
{
    struct virtual_upstream upstream, other;
    virtual_upstream_init(&upstream);
    virtual_upstream_init(&other);
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){.entries = 4,
                                                                  .key_bytes_max = 32,
                                                                  .value_bytes_max = 8192,
                                                                  .ttl_ns = 120 * SECOND,
                                                                  .now_ns = host_now});
    struct shared *shared = shared_new();
    uint64_t flat = 0;
    unsigned fetched = 0;
    ck_assert(cache && shared);
    for (uint64_t at = 0; at < 3600; at += 10) {
        struct strategy_value value = {0};
        host_clock = at * SECOND;
        ck_assert(ttl_cache_get(cache, "deployments", 11, 0, function_call, &upstream, &value));
        if (at % 120 == 0) {
            shared_put(shared, snapshot_fetch(&other.transport, 8));
            fetched++;
        }
        struct snapshot *snapshot = shared_take(shared);
        ck_assert_ptr_nonnull(snapshot);
        snapshot_release(&snapshot);
        flat = at == 60 ? blocks_held() : flat;
        ck_assert(at <= 60 || blocks_held() == flat);
    }
    tidemark_count("requests_of_an_hour", upstream.transport.requests);
    ck_assert_uint_eq(upstream.transport.requests, 71 * 30);
    ck_assert_uint_eq(other.transport.requests, 71 * fetched);
    shared_free(&shared);
    ttl_cache_free(&cache);
}
END_TEST

/* The host kills a plugin that says nothing for 10 s. */
START_TEST(only_work_apart_from_the_heartbeat_survives_the_host)
{
    static const struct {
        enum plugin_start start;
        const char *counter;
        bool killed;
    } rows[] = {{START_FETCH_FIRST, "silence_ms_fetch_first", true},
                {START_REGISTER_FIRST, "silence_ms_register_first", true},
                {START_REFRESH_IN_LOOP, "silence_ms_refresh_in_loop", true},
                {START_ON_DEMAND, "silence_ms_on_demand", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t silence = plugin_longest_silence(rows[i].start, 120 * SECOND, 600 * SECOND);
        tidemark_count(rows[i].counter, silence / 1000000);
        ck_assert_msg((silence > 10 * SECOND) == rows[i].killed, "%s: %.1f s", rows[i].counter,
                      (double)silence / 1e9);
        ck_assert(rows[i].killed || silence <= 2 * SECOND);
    }
}
END_TEST

/* Row 0.8: five callers at once. */
#define CALLERS 5

struct callers {
    struct ttl_cache *cache; /* NULL: nobody joins anybody */
    pthread_barrier_t together;
    pthread_mutex_t lock; /* of the upstream: virtual time is one thread's */
    struct virtual_upstream upstream;
};

static bool coalesced_call(void *context, const char *key, size_t length,
                           struct strategy_value *value)
{
    struct callers *callers = context;
    struct ttl_statistics s;
    do { /* until the others have come to wait: timing shall not decide */
        ttl_cache_statistics(callers->cache, &s);
    } while (s.coalesced < CALLERS - 1);
    return function_call(&callers->upstream, key, length, value);
}

static void *caller_run(void *context)
{
    struct callers *callers = context;
    struct strategy_value value = {0};
    bool ok;
    pthread_barrier_wait(&callers->together);
    if (callers->cache) {
        ok = ttl_cache_get(callers->cache, "deployments", 11, 0, coalesced_call, callers, &value);
    } else {
        pthread_mutex_lock(&callers->lock);
        ok = function_call(&callers->upstream, "", 0, &value);
        pthread_mutex_unlock(&callers->lock);
    }
    return ok ? context : NULL;
}

static uint64_t requests_of_callers(bool join)
{
    struct callers callers = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[CALLERS];
    virtual_upstream_init(&callers.upstream);
    pthread_barrier_init(&callers.together, NULL, CALLERS);
    if (join) {
        callers.cache = ttl_cache_new(&(struct ttl_options){.entries = 4,
                                                            .key_bytes_max = 32,
                                                            .value_bytes_max = 8192,
                                                            .ttl_ns = SECOND,
                                                            .now_ns = host_now});
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, caller_run, &callers), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        void *ok;
        pthread_join(threads[i], &ok);
        ck_assert_ptr_nonnull(ok);
    }
    pthread_barrier_destroy(&callers.together);
    ttl_cache_free(&callers.cache);
    return callers.upstream.transport.requests;
}

START_TEST(five_callers_at_once_make_355_requests_or_with_single_flight_71)
{
    uint64_t apart = requests_of_callers(false), joined = requests_of_callers(true);
    tidemark_count("requests_five_apart", apart);
    tidemark_count("requests_five_joined", joined);
    ck_assert_uint_eq(apart, 355);
    ck_assert_uint_eq(joined, 71);
}
END_TEST

TCase *rows_host(void)
{
    TCase *tcase = tcase_create("host");
    tcase_add_test(tcase, clicks_within_two_minutes_cost_nothing);
    tcase_add_test(tcase, update_every_is_how_long_the_host_caches_and_nothing_else);
    tcase_add_test(tcase, an_hour_of_clicks_leaves_the_ledger_flat);
    tcase_add_test(tcase, only_work_apart_from_the_heartbeat_survives_the_host);
    tcase_add_test(tcase, five_callers_at_once_make_355_requests_or_with_single_flight_71);
    return tcase;
}
