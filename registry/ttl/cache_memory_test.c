/*
 * cache_memory_test.c - the ttl cache and the file cache with every allocation of a whole life
 * failing in turn, those of libc's streams and folders too, once and for good: no crash, no wrong
 * value, no block left behind, no temporary file, and the next life is as if nothing had been. The
 * tiered cache has its own: tiered/tiered_memory_test.c.
 */
#include "harness/base/suite.h"
#include "registry/cache/failing_malloc.h"
#include "registry/file/file_cache.h"
#include "registry/ttl/ttl_cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define SECOND 1000000000ull

static uint64_t now_ns;
static uint32_t state = 1; /* of the source */
static bool down;
static unsigned right, wrong; /* only counted during a life: an assertion allocates */
static FILE *nowhere;

static void tally(const void *data, size_t bytes, uint32_t least)
{
    uint32_t seen = 0;
    if (bytes == sizeof seen) {
        memcpy(&seen, data, sizeof seen);
    }
    bool good = seen >= least && seen <= state;
    right += good;
    wrong += !good;
}

/* Runs a life with its 1st, 2nd, ... allocation failing, until there is no nth, and one after each
 * in which none fails. */
static void each_fails_in_turn(void (*life)(void), const char *what)
{
    nowhere = fopen("/dev/null", "w");
    ck_assert_ptr_nonnull(nowhere);
    life();
    for (int for_good = 0; for_good < 2; for_good++) {
        uint64_t nth = 0;
        int64_t before = malloc_live;
        do {
            malloc_fail_for_good = for_good;
            malloc_fired = false;
            malloc_fail_in = ++nth;
            life();
            malloc_fail_in = 0;
            ck_assert_msg(malloc_live == before, "%s, allocation %llu: %lld blocks left", what,
                          (unsigned long long)nth, (long long)(malloc_live - before));
            ck_assert_msg(wrong == 0, "%s, allocation %llu: a wrong value", what,
                          (unsigned long long)nth);
            right = 0;
            life();
            ck_assert_msg(right > 5, "%s, behind allocation %llu: %u answers", what,
                          (unsigned long long)nth, right);
            ck_assert_int_eq(malloc_live, before);
        } while (malloc_fired);
        fprintf(stderr, "%s: a life of %llu allocations\n", what, (unsigned long long)nth - 1);
        ck_assert(!FAILING_MALLOC || nth > 3);
    }
    fclose(nowhere);
}

/* The ttl cache. --------------------------------------------------------------------------------
 */

static uint64_t ttl_clock(void *unused)
{
    (void)unused;
    return now_ns;
}

static bool ttl_source(void *unused, const char *key, size_t length, struct strategy_value *value)
{
    (void)unused;
    (void)key;
    *value = (struct strategy_value){.data = &state, .bytes = sizeof state};
    return !down && length != 6; /* "absent" */
}

static void ttl_ask(struct ttl_cache *cache, const char *key, uint32_t least)
{
    struct strategy_value value;
    if (ttl_cache_get(cache, key, strlen(key), 0, ttl_source, NULL, &value)) {
        tally(value.data, value.bytes, least);
    }
}

static void ttl_life(void)
{
    char key[16];
    struct ttl_cache *cache = ttl_cache_new(&(struct ttl_options){.entries = 8,
                                                                  .key_bytes_max = 12,
                                                                  .value_bytes_max = 16,
                                                                  .ttl_ns = 3 * SECOND,
                                                                  .grace_ns = 60 * SECOND,
                                                                  .negative_ns = SECOND,
                                                                  .early_beta = 1,
                                                                  .now_ns = ttl_clock});
    if (!cache) {
        return;
    }
    ttl_ask(cache, "stats", state);
    ttl_ask(cache, "stats", state);
    ttl_ask(cache, "absent", state);
    ttl_ask(cache, "a key that is longer than any", state); /* past the cache */
    for (unsigned i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "key:%u", i);
        ttl_ask(cache, key, state); /* evicts */
    }
    ttl_ask(cache, "stats", state);
    state++;
    ttl_cache_drop(cache, "stats", 5);
    ttl_ask(cache, "stats", state); /* after an event nothing older */
    down = true;
    now_ns += 10 * SECOND;
    ttl_ask(cache, "stats", state); /* within its grace */
    down = false;
    ttl_cache_json(cache, nowhere);
    ttl_cache_metrics(cache, TTL_OPENMETRICS, nowhere);
    ttl_cache_drop_matching(cache, "key:*");
    ttl_cache_clear(cache);
    ttl_ask(cache, "stats", state);
    ttl_cache_free(&cache);
}

START_TEST(each_allocation_of_a_ttl_cache_that_fails_leaves_nothing_and_lies_to_nobody)
{
    each_fails_in_turn(ttl_life, "ttl cache");
}
END_TEST

/* The file cache. -------------------------------------------------------------------------------
 */

static char folder[64], path[96];

static void file_clock(void *unused, struct file_stamp *now)
{
    (void)unused;
    *now = (struct file_stamp){.wall_ns = 1700000000 * SECOND + now_ns, .boot_ns = now_ns};
    memcpy(now->boot, "a-boot", 7);
}

static void file_pause(void *unused, uint64_t ns)
{
    (void)unused;
    now_ns += ns;
}

static bool file_source(void *unused, const char *etag, struct file_answer_of_source *answer)
{
    (void)unused;
    *answer = (struct file_answer_of_source){.data = &state, .bytes = sizeof state, .etag = "e"};
    answer->not_modified = etag && state % 2 == 0;
    return !down;
}

/* What an answer may be as old as, is for the caller to say: a fallback is of state 1. */
static void file_take(struct file_answer *answer, uint32_t least)
{
    if (answer->snapshot) {
        tally(answer->snapshot->data, answer->snapshot->head.bytes, least);
    }
    file_answer_release(answer);
}

static void file_ask(struct file_cache *cache, uint32_t least)
{
    struct file_answer answer;
    if (file_cache_get(cache, &answer)) {
        file_take(&answer, least);
    }
}

static void file_life(void)
{
    static const uint32_t compiled_in = 1;
    struct file_answer answer;
    struct file_statistics totals;
    struct file_cache *cache = file_cache_new(&(struct file_options){.path = path,
                                                                     .ttl_ns = 3600 * SECOND,
                                                                     .versions = 2,
                                                                     .retry_ns = 1,
                                                                     .fetch = file_source,
                                                                     .fallback = &compiled_in,
                                                                     .fallback_bytes = 4,
                                                                     .now = file_clock,
                                                                     .pause = file_pause});
    if (!cache) {
        return;
    }
    file_ask(cache, 1);
    file_ask(cache, 1);
    for (int i = 0; i < 3; i++) { /* old, fetched, published, versions moved on */
        state++;
        now_ns += 4000 * SECOND;
        file_ask(cache, 1);
    }
    if (file_cache_refresh(cache, &answer)) {
        file_take(&answer,
                  state % 2 == 0 ? 1 : state); /* what it says was not modified may be old */
    } else {
        file_answer_release(&answer);
    }
    down = true;
    now_ns += 4000 * SECOND;
    file_ask(cache, 1); /* the old one */
    down = false;
    if (truncate(path, FILE_HEAD_BYTES) != 0) { /* damaged: an older version, or fetched */
        errno = 0;                              /* or it could not even be made */
    }
    file_ask(cache, 1);
    (void)file_cache_rollback(cache);
    file_ask(cache, 1);
    file_cache_json(cache, nowhere);
    file_cache_prometheus(cache, nowhere);
    file_cache_totals(cache, &totals);
    (void)file_cache_clear(cache);
    file_ask(cache, 1);
    file_cache_free(&cache);
}

/* Files in the folder that are none of the cache's lasting ones. */
static unsigned temporaries(void)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        count += strstr(entry->d_name, ".tmp") != NULL;
    }
    closedir(directory);
    return count;
}

START_TEST(each_allocation_of_a_file_cache_that_fails_leaves_nothing_and_lies_to_nobody)
{
    static const char *const left[] = {"", ".1", ".2", ".lock", ".state"};
    char name[128];
    snprintf(folder, sizeof folder, "%s/tidemark-memory-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/list", folder);
    each_fails_in_turn(file_life, "file cache");
    ck_assert_uint_eq(temporaries(), 0);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, left[i]);
        unlink(name);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

SUITE("cache memory", &each_allocation_of_a_ttl_cache_that_fails_leaves_nothing_and_lies_to_nobody,
      &each_allocation_of_a_file_cache_that_fails_leaves_nothing_and_lies_to_nobody)
