/*
 * tiered_memory_test.c - the tiered cache with every allocation failing in turn, SQLite's among
 * them: no crash, no wrong value, nothing left behind, and the file serves afterwards.
 */
#include "harness/base/suite.h"
#include "registry/tiered/redis_fixture.h"
#include "registry/tiered/tiered_cache.h"

#include "registry/cache/failing_malloc.h"

static char file[80];
static uint64_t now_ns = 1000000000000000000u;
static unsigned state;

static uint64_t clock_now(void *unused)
{
    (void)unused;
    return now_ns;
}

static void clock_wait(void *unused, uint64_t ns)
{
    (void)unused;
    now_ns += ns;
}

static bool source_load(void *unused, struct store_key key, const void **data, size_t *bytes)
{
    (void)unused;
    (void)key;
    *data = &state;
    *bytes = sizeof state;
    return true;
}

static unsigned wrong, right;

/* A get that succeeds is right. Only counted here: an assertion allocates. */
static void ask(struct tiered_cache *cache, const char *key)
{
    struct tiered_value value;
    if (tiered_cache_get(cache, key, &value)) {
        bool same = value.bytes == sizeof state && memcmp(value.data, &state, sizeof state) == 0;
        wrong += !same;
        right += same;
    }
}

/* All that a process does in its life. */
static void life(const struct redis_fixture *redis)
{
    struct tiered_options options = {.levels = {{.kind = &store_memory}},
                                     .now_ns = clock_now,
                                     .wait_ns = clock_wait,
                                     .load = source_load};
    unsigned last = 1;
    if (redis->pid) {
        options.levels[last++] =
            (struct tiered_level){.kind = &store_redis, .address = redis->socket};
    }
    options.levels[last] = (struct tiered_level){.kind = &store_sqlite, .address = file};
    struct tiered_cache *cache = tiered_cache_open(&options);
    if (!cache) {
        return;
    }
    ask(cache, "models");
    ask(cache, "models");
    if (tiered_cache_set(cache, "users", &state, sizeof state, 0)) {
        ask(cache, "users");
    }
    unsigned before = state++;
    if (tiered_cache_invalidate(cache, "models") && tiered_cache_invalidate(cache, "users")) {
        now_ns += 400000000u; /* where even hearing of it may fail, it takes a poll */
        ask(cache, "models");
        ask(cache, "users");
    } else {
        state = before; /* nobody has heard of it */
    }
    now_ns += 2000000000u;
    tiered_cache_sweep(cache);
    tiered_cache_close(&cache);
}

static void each_fails_in_turn(const struct redis_fixture *redis)
{
    uint64_t nth = 0;
    life(redis);
    int64_t before = malloc_live;
    do {
        malloc_fired = false;
        /* Each of the first hundred, which are our own and the opening; then every 29th, all of
         * them when TIDEMARK_TORTURE is set. */
        nth += nth < 100 || getenv("TIDEMARK_TORTURE") ? 1 : 29;
        malloc_fail_in = nth;
        life(redis);
        malloc_fail_in = 0;
        ck_assert_msg(malloc_live == before, "allocation %llu: %lld blocks left",
                      (unsigned long long)nth, (long long)(malloc_live - before));
        now_ns += 2000000000u;
        life(redis); /* and all is well again */
        ck_assert_int_eq(malloc_live, before);
        ck_assert_uint_eq(wrong, 0);
    } while (malloc_fired);
    if (FAILING_MALLOC) {
        ck_assert_uint_gt(nth, 50);
        ck_assert_uint_gt(right, 100);
    }
    fprintf(stderr, "a life of %llu allocations\n", (unsigned long long)nth - 1);
}

static void with_folder(bool wants_redis)
{
    static const char *const left[] = {"cache.db", "cache.db-wal", "cache.db-shm", "cache.db-lock",
                                       "redis.sock"};
    struct redis_fixture redis = {0};
    char folder[] = "/tmp/tidemark-memory-XXXXXX", path[100];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/cache.db", folder);
    ck_assert(!wants_redis || redis_start(&redis, folder));
    each_fails_in_turn(&redis);
    redis_kill(&redis);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, left[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(each_allocation_that_fails_over_sqlite_leaves_nothing_and_lies_to_nobody)
{
    with_folder(false);
}
END_TEST

START_TEST(each_allocation_that_fails_over_redis_leaves_nothing_and_lies_to_nobody)
{
    if (redis_missing()) {
        fprintf(stderr, "skipped: %s\n", redis_missing());
    } else {
        with_folder(true);
    }
}
END_TEST

SUITE("tiered memory", &each_allocation_that_fails_over_sqlite_leaves_nothing_and_lies_to_nobody,
      &each_allocation_that_fails_over_redis_leaves_nothing_and_lies_to_nobody)
