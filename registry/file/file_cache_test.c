/*
 * file_cache_test.c - the file cache in one process, on a clock of the tests' own: what is fresh,
 * what is given out when something fails, and that every failure is counted once. Many processes,
 * deaths and disks that are full: scenarios/provider-file/.
 */
#include "registry/file/file_cache.h"

#include "harness/base/suite.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND 1000000000u

/* The machine of the tests: a clock, a source, a folder. */
static struct {
    char folder[64], path[96];
    struct file_stamp now;
    unsigned fetches;
    bool down, empty, modified;
    char text[64], asked_with[64];
    const char *etag;
    unsigned allocations, fail_allocation;
    uint64_t paused_ns;
} world;

static void world_now(void *clock, struct file_stamp *now)
{
    (void)clock;
    *now = world.now;
}

static void pass(uint64_t ns)
{
    world.now.wall_ns += ns;
    world.now.boot_ns += ns;
}

static void world_pause(void *clock, uint64_t ns)
{
    (void)clock;
    world.paused_ns += ns;
    pass(ns);
}

static bool world_fetch(void *context, const char *etag, struct file_answer_of_source *answer)
{
    (void)context;
    world.fetches++;
    snprintf(world.asked_with, sizeof world.asked_with, "%s", etag ? etag : "");
    pass(1); /* it takes its time */
    if (world.down) {
        errno = ECONNREFUSED;
        return false;
    }
    if (etag && world.etag && strcmp(etag, world.etag) == 0) {
        answer->not_modified = true;
        return true;
    }
    snprintf(world.text, sizeof world.text, "list %u", world.fetches);
    world.text[0] = world.empty ? 0 : world.text[0];
    *answer = (struct file_answer_of_source){
        .data = world.text, .bytes = strlen(world.text), .etag = world.etag};
    return true;
}

static void *world_allocate(size_t bytes)
{
    return ++world.allocations == world.fail_allocation ? NULL : malloc(bytes);
}

static void setup(void)
{
    memset(&world, 0, sizeof world);
    /* In memory where that can be: it is synced again and again. */
    snprintf(world.folder, sizeof world.folder, "%s/tidemark-cache-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(world.folder));
    snprintf(world.path, sizeof world.path, "%s/providers.json", world.folder);
    world.now = (struct file_stamp){1700000000ull * SECOND, 5000ull * SECOND, "boot-1"};
}

static void teardown(void)
{
    DIR *directory = opendir(world.folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        ck_assert_ptr_null(strstr(entry->d_name, ".tmp-"));
        unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory) {
        closedir(directory);
    }
    rmdir(world.folder);
}

static struct file_options options_of(void)
{
    return (struct file_options){.path = world.path,
                                 .ttl_ns = 3600ull * SECOND,
                                 .versions = 2,
                                 .fetch = world_fetch,
                                 .now = world_now,
                                 .pause = world_pause,
                                 .allocate = world_allocate};
}

static struct file_cache *cache_of(const struct file_options *options)
{
    struct file_cache *cache = file_cache_new(options);
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static enum file_trouble trouble;

/* "OUTCOME: text", as the cache answers. */
static const char *ask(struct file_cache *cache)
{
    static char text[128];
    static const char *const outcomes[] = {"failed",  "memory", "hit",
                                           "fetched", "stale",  "fallback"};
    struct file_answer answer;
    bool ok = file_cache_get(cache, &answer);
    ck_assert_int_eq(ok, answer.snapshot != NULL);
    trouble = answer.trouble;
    snprintf(text, sizeof text, "%s: %.*s", outcomes[answer.outcome],
             ok ? (int)answer.snapshot->head.bytes : 0,
             ok ? (const char *)answer.snapshot->data : "");
    file_answer_release(&answer);
    return text;
}

/* As a process that starts, looks up once and ends. */
static const char *start(const struct file_options *options)
{
    struct file_cache *cache = file_cache_new(options);
    const char *said = cache ? ask(cache) : "no cache";
    file_cache_free(&cache);
    return said;
}

static void damage(const char *suffix, long at)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", world.path, suffix);
    FILE *file = fopen(name, "r+");
    ck_assert_ptr_nonnull(file);
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 4, file);
    fclose(file);
}

START_TEST(one_miss_then_hits_until_the_ttl_is_over)
{
    struct file_options options = options_of();
    setup();
    ck_assert_str_eq(start(&options), "fetched: list 1");
    pass(3599ull * SECOND - 2);
    ck_assert_str_eq(start(&options), "hit: list 1");
    pass(SECOND);
    ck_assert_str_eq(start(&options), "hit: list 1"); /* 3,600 s less 1 ns after the fetch began */
    pass(1);
    ck_assert_str_eq(start(&options), "fetched: list 2");
    teardown();
}
END_TEST

START_TEST(steps_of_the_wall_clock_change_nothing_and_the_future_is_old)
{
    struct file_options options = options_of();
    setup();
    start(&options);
    world.now.wall_ns += 7200ull * SECOND;
    ck_assert_str_eq(start(&options), "hit: list 1");
    world.now.wall_ns -= 100000ull * SECOND;
    ck_assert_str_eq(start(&options), "hit: list 1");
    world.now.wall_ns += 100000ull * SECOND - 7200ull * SECOND;
    world.now.boot_ns = 10 * SECOND; /* after a reboot the wall clock is all there is */
    memcpy(world.now.boot, "boot-2", 7);
    ck_assert_str_eq(start(&options), "hit: list 1");
    world.now.wall_ns -= 3600ull * SECOND; /* and then the file is from the future */
    ck_assert_str_eq(start(&options), "fetched: list 2");
    ck_assert_str_eq(start(&options), "hit: list 2");
    teardown();
}
END_TEST

START_TEST(memory_answers_until_the_file_changes)
{
    struct file_options options = options_of();
    setup();
    struct file_cache *cache = cache_of(&options);
    ck_assert_str_eq(ask(cache), "fetched: list 1");
    ck_assert_str_eq(ask(cache), "memory: list 1");
    struct file_cache *other = cache_of(&options);
    struct file_answer answer;
    ck_assert(file_cache_refresh(other, &answer)); /* another process refreshes */
    file_answer_release(&answer);
    ck_assert_str_eq(ask(cache), "hit: list 2");
    ck_assert_str_eq(ask(cache), "memory: list 2");
    ck_assert(file_cache_clear(other));
    ck_assert_str_eq(ask(cache), "fetched: list 3");
    pass(3601ull * SECOND);
    ck_assert_str_eq(ask(cache), "fetched: list 4");
    file_cache_free(&other);
    file_cache_free(&cache);
    teardown();
}
END_TEST

START_TEST(a_damaged_file_is_fetched_again_once)
{
    struct file_options options = options_of();
    setup();
    start(&options);
    for (int kind = 0; kind < 4; kind++) {
        unsigned before = world.fetches;
        switch (kind) {
        case 0:
            damage("", FILE_HEAD_BYTES + 3);
            break;
        case 1:
            ck_assert_int_eq(truncate(world.path, FILE_HEAD_BYTES + 2), 0);
            break;
        case 2:
            ck_assert_int_eq(truncate(world.path, 0), 0);
            break;
        default:
            ck_assert_int_eq(unlink(world.path), 0);
            break;
        }
        ck_assert_int_eq(strncmp(start(&options), "fetched: list ", 14), 0);
        ck_assert_int_eq(strncmp(start(&options), "hit: list ", 10), 0);
        ck_assert_uint_eq(world.fetches, before + 1);
    }
    teardown();
}
END_TEST

START_TEST(without_the_source_an_old_file_an_older_version_or_what_is_compiled_in_is_given)
{
    struct file_options options = options_of();
    setup();
    options.fallback = "compiled in";
    options.fallback_bytes = 11;
    start(&options);
    pass(4000ull * SECOND);
    start(&options);
    pass(4000ull * SECOND);
    world.down = true;
    ck_assert_str_eq(start(&options), "stale: list 2");
    ck_assert_int_eq(trouble, FILE_SOURCE_FAILED);
    pass(10 * SECOND);
    damage("", 9);
    ck_assert_str_eq(start(&options), "stale: list 1"); /* version 1 */
    damage(".1", 9);
    pass(10 * SECOND);
    ck_assert_str_eq(start(&options), "fallback: compiled in");
    options.fallback = NULL;
    options.fallback_bytes = 0;
    pass(10 * SECOND);
    ck_assert_str_eq(start(&options), "failed: ");
    world.down = false;
    pass(10 * SECOND);
    ck_assert_str_eq(start(&options), "fetched: list 7"); /* it recovers by itself */
    ck_assert_str_eq(start(&options), "hit: list 7");
    teardown();
}
END_TEST

START_TEST(an_empty_answer_does_not_replace_a_good_one)
{
    struct file_options options = options_of();
    setup();
    start(&options);
    pass(4000ull * SECOND);
    world.empty = true;
    ck_assert_str_eq(start(&options), "stale: list 1");
    ck_assert_int_eq(trouble, FILE_SOURCE_REJECTED);
    world.empty = false;
    pass(10 * SECOND);
    ck_assert_str_eq(start(&options), "fetched: list 3");
    teardown();
}
END_TEST

START_TEST(a_source_that_just_failed_is_left_alone_for_a_second)
{
    struct file_options options = options_of();
    setup();
    world.down = true;
    ck_assert_str_eq(start(&options), "failed: ");
    for (int i = 0; i < 13; i++) {
        ck_assert_str_eq(start(&options), "failed: ");
        ck_assert_int_eq(trouble, FILE_HELD_OFF);
    }
    ck_assert_uint_eq(world.fetches, 1);
    pass(SECOND);
    world.down = false;
    ck_assert_str_eq(start(&options), "fetched: list 2");
    teardown();
}
END_TEST

START_TEST(what_has_not_changed_is_not_sent_again)
{
    struct file_options options = options_of();
    setup();
    world.etag = "\"v1\"";
    start(&options);
    ck_assert_str_eq(world.asked_with, "");
    pass(4000ull * SECOND);
    ck_assert_str_eq(start(&options), "fetched: list 1");
    ck_assert_str_eq(world.asked_with, "\"v1\"");
    pass(3000ull * SECOND);
    ck_assert_str_eq(start(&options), "hit: list 1"); /* fresh for another hour */
    pass(1000ull * SECOND);
    world.etag = "\"v2\"";
    ck_assert_str_eq(start(&options), "fetched: list 3");
    teardown();
}
END_TEST

START_TEST(who_finds_the_lock_held_does_what_its_policy_says)
{
    struct file_options options = options_of();
    struct file_store store;
    struct file_lock lock = FILE_LOCK_NONE;
    static const struct {
        enum file_policy policy;
        bool file, compiled_in;
        const char *said;
        unsigned fetches, seconds;
    } cases[] = {
        {FILE_ON_TIMEOUT_STALE, true, true, "stale: list 1", 0, 1},
        {FILE_ON_TIMEOUT_STALE, false, true, "fallback: compiled in", 0, 1},
        {FILE_ON_TIMEOUT_STALE, false, false, "fetched: list 2", 1, 30},
        {FILE_ON_TIMEOUT_WAIT, true, true, "fetched: list 2", 1, 30},
        {FILE_ON_TIMEOUT_FETCH, true, true, "fetched: list 2", 1, 1},
        {FILE_ON_TIMEOUT_FAIL, true, true, "failed: ", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setup();
        store = (struct file_store){.path = world.path, .mode = 0644};
        options = options_of();
        options.on_timeout = cases[i].policy;
        options.fallback = cases[i].compiled_in ? "compiled in" : NULL;
        options.fallback_bytes = cases[i].compiled_in ? 11 : 0;
        start(&options);
        pass(4000ull * SECOND);
        if (!cases[i].file) {
            unlink(world.path);
        }
        ck_assert_int_eq(file_lock_try(&lock, &store), FILE_LOCK_TAKEN);
        ck_assert_str_eq(start(&options), cases[i].said);
        ck_assert_int_eq(trouble, FILE_LOCK_TIMEOUT);
        ck_assert_uint_eq(world.fetches, 1 + cases[i].fetches);
        ck_assert_uint_eq(world.paused_ns / SECOND, cases[i].seconds);
        file_lock_fini(&lock, &store);
        teardown();
    }
}
END_TEST

START_TEST(within_the_grace_nobody_waits_for_the_one_who_refreshes)
{
    struct file_options options = options_of();
    struct file_lock lock = FILE_LOCK_NONE;
    setup();
    struct file_store store = {.path = world.path, .mode = 0644};
    options.grace_ns = 600ull * SECOND;
    start(&options);
    pass(4000ull * SECOND);
    ck_assert_int_eq(file_lock_try(&lock, &store), FILE_LOCK_TAKEN);
    ck_assert_str_eq(start(&options), "stale: list 1");
    ck_assert_int_eq(trouble, FILE_REFRESHING);
    ck_assert_uint_eq(world.paused_ns, 0);
    file_lock_fini(&lock, &store);
    ck_assert_str_eq(start(&options), "fetched: list 2");
    teardown();
}
END_TEST

START_TEST(a_refresh_in_the_background_answers_at_once_and_is_there_afterwards)
{
    struct file_options options = options_of();
    setup();
    options.grace_ns = 600ull * SECOND;
    options.background = true;
    options.now = NULL; /* the real clock: two threads ask it */
    options.pause = NULL;
    options.ttl_ns = 1;
    options.grace_ns = 3600ull * SECOND;
    ck_assert_str_eq(start(&options), "fetched: list 1");
    ck_assert_str_eq(start(&options), "stale: list 1"); /* its end waited for the refresh */
    ck_assert_int_eq(trouble, FILE_REFRESHING);
    options.ttl_ns = 3600ull * SECOND;
    ck_assert_str_eq(start(&options), "hit: list 2");
    teardown();
}
END_TEST

START_TEST(refresh_fetches_although_the_file_is_fresh)
{
    struct file_options options = options_of();
    struct file_answer answer;
    setup();
    start(&options);
    struct file_cache *cache = cache_of(&options);
    ck_assert(file_cache_refresh(cache, &answer));
    ck_assert_int_eq(answer.outcome, FILE_FETCHED);
    file_answer_release(&answer);
    ck_assert_uint_eq(world.fetches, 2);
    world.down = true;
    ck_assert(!file_cache_refresh(cache, &answer));
    ck_assert_int_eq(answer.outcome, FILE_STALE);
    file_answer_release(&answer);
    ck_assert_str_eq(ask(cache), "memory: list 2");
    file_cache_free(&cache);
    teardown();
}
END_TEST

/* As for a process that is put aside for longer and longer between its steps. */
static void slowing_now(void *clock, struct file_stamp *now)
{
    static uint64_t step = 1;
    pass(step *= 2);
    world_now(clock, now);
}

START_TEST(a_refresh_does_not_join_an_older_fetch_however_slowly_it_runs)
{
    struct file_options options = options_of();
    struct file_answer answer;
    setup();
    options.now = slowing_now;
    struct file_cache *cache = cache_of(&options);
    for (unsigned i = 1; i <= 4; i++) {
        ck_assert(file_cache_refresh(cache, &answer));
        ck_assert_int_eq(answer.outcome, FILE_FETCHED);
        ck_assert_uint_eq(world.fetches, i);
        file_answer_release(&answer);
    }
    file_cache_free(&cache);
    teardown();
}
END_TEST

/* Of the file as it is. */
static unsigned long generation_now(void)
{
    unsigned long generation = 0;
    char head[256] = "";
    FILE *file = fopen(world.path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(head, sizeof head, file));
    fclose(file);
    const char *at = strstr(head, "generation=");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, "generation=%lu", &generation), 1);
    return generation;
}

START_TEST(a_bad_document_is_rolled_back_and_stays_away)
{
    struct file_options options = options_of();
    setup();
    for (int i = 0; i < 3; i++) {
        start(&options);
        pass(4000ull * SECOND);
    }
    struct file_cache *cache = cache_of(&options);
    ck_assert_str_eq(ask(cache), "fetched: list 4"); /* and that one turns out to be bad */
    ck_assert_uint_eq(generation_now(), 4);
    ck_assert(file_cache_rollback(cache));
    ck_assert_str_eq(ask(cache), "hit: list 3");
    ck_assert_uint_eq(generation_now(), 5); /* a publication like others: numbers never go back */
    ck_assert(file_cache_rollback(cache));
    ck_assert_str_eq(ask(cache), "hit: list 2");
    ck_assert_uint_eq(generation_now(), 6);
    ck_assert(!file_cache_rollback(cache)); /* two are kept */
    ck_assert_str_eq(ask(cache), "hit: list 2");
    pass(4000ull * SECOND);
    ck_assert_str_eq(ask(cache), "fetched: list 5");
    ck_assert_uint_eq(generation_now(), 7);
    file_cache_free(&cache);
    teardown();
}
END_TEST

START_TEST(where_no_lock_can_be_each_fetches_for_itself_and_nobody_fails)
{
    struct file_options options = options_of();
    setup();
    rmdir(world.folder);
    ck_assert_str_eq(start(&options), "fetched: list 1");
    ck_assert_int_eq(trouble, FILE_NO_LOCK);
    struct file_cache *cache = cache_of(&options);
    ck_assert_str_eq(ask(cache), "fetched: list 2");
    ck_assert_str_eq(ask(cache), "memory: list 2");
    file_cache_free(&cache);
    teardown();
}
END_TEST

static bool point_fails(void *context, enum file_point point)
{
    errno = ENOSPC;
    return point != *(enum file_point *)context;
}

START_TEST(who_cannot_publish_has_its_answer_all_the_same)
{
    struct file_options options = options_of();
    enum file_point where = FILE_POINT_WRITE;
    setup();
    start(&options);
    pass(4000ull * SECOND);
    options.point = point_fails;
    options.point_context = &where;
    struct file_cache *cache = cache_of(&options);
    ck_assert_str_eq(ask(cache), "fetched: list 2");
    ck_assert_int_eq(trouble, FILE_NOT_PUBLISHED);
    ck_assert_str_eq(ask(cache), "memory: list 2");
    file_cache_free(&cache);
    world.down = true;
    options.point = NULL;
    ck_assert_str_eq(start(&options), "stale: list 1"); /* the old file was not touched */
    teardown();
}
END_TEST

START_TEST(each_allocation_that_fails_in_turn_is_a_failure_told_and_nothing_worse)
{
    struct file_options options = options_of();
    unsigned n = 0;
    setup();
    options.fallback = "compiled in";
    options.fallback_bytes = 11;
    do {
        world.fail_allocation = 0;
        struct file_cache *cache = cache_of(&options);
        ck_assert(file_cache_clear(cache));
        file_cache_free(&cache);
        world.allocations = 0;
        world.fail_allocation = ++n;
        start(&options); /* cold */
        start(&options); /* fresh */
        pass(4000ull * SECOND);
        start(&options); /* old */
        bool cut = truncate(world.path, FILE_HEAD_BYTES) == 0;
        ck_assert(cut || errno == ENOENT); /* it could not even be made */
        start(&options);                   /* damaged */
        cache = file_cache_new(&options);
        if (cache) {
            (void)file_cache_rollback(cache);
        }
        file_cache_free(&cache);
        world.fail_allocation = 0;
        pass(4000ull * SECOND);
        ck_assert_int_eq(strncmp(start(&options), "fetched: ", 9), 0);
        ck_assert_int_eq(strncmp(start(&options), "hit: ", 5), 0);
    } while (world.allocations > n);
    ck_assert_uint_ge(n, 15);
    teardown();
}
END_TEST

START_TEST(every_look_up_is_counted_in_one_way_it_can_end)
{
    struct file_options options = options_of();
    struct file_statistics s;
    setup();
    options.fallback = "compiled in";
    options.fallback_bytes = 11;
    struct file_cache *cache = cache_of(&options);
    for (unsigned i = 0; i < 200; i++) {
        world.down = i % 7 == 0;
        world.empty = i % 11 == 0;
        pass(i % 5 * 1000ull * SECOND);
        if (i % 13 == 0) {
            unlink(world.path);
        }
        ask(cache);
        start(&options);
    }
    file_cache_totals(cache, &s);
    ck_assert_uint_eq(s.lookups, 400);
    ck_assert_uint_eq(s.memory_hits + s.hits + s.fetched + s.stale + s.fallbacks + s.failed, 400);
    ck_assert_uint_eq(s.fetches, world.fetches);
    ck_assert_uint_eq(s.fetches, s.fetched + s.fetch_failures + s.rejected);
    ck_assert_uint_eq(s.published, s.fetched);
    ck_assert_uint_gt(s.memory_hits, 0);
    ck_assert_uint_gt(s.hits, 0);
    ck_assert_uint_gt(s.stale, 0);
    file_cache_free(&cache);
    teardown();
}
END_TEST

START_TEST(health_is_one_document_and_the_totals_another)
{
    struct file_options options = options_of();
    char text[8192];
    setup();
    options.versions = 1;
    struct file_cache *cache = cache_of(&options);
    ask(cache);
    ask(cache);
    pass(SECOND * 3 / 2);
    FILE *out = fmemopen(text, sizeof text, "w");
    file_cache_json(cache, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "\"ttl\":3600.000,\"versions\":[{\"version\":0,\"state\":"
                                       "\"fresh\",\"generation\":1,\"bytes\":6,\"age\":1.500},"
                                       "{\"version\":1,\"state\":\"absent\"}],\"totals\":{"
                                       "\"memory_hits\":1,\"hits\":0,\"fetched\":1,"));
    out = fmemopen(text, sizeof text, "w");
    file_cache_prometheus(cache, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "# TYPE file_cache_lookups_total counter\n"));
    ck_assert_ptr_nonnull(strstr(text, "file_cache_lookups_total 2\n"));
    if (system("command -v promtool >/dev/null") == 0) {
        FILE *tool = popen("promtool check metrics", "w");
        fputs(text, tool);
        ck_assert_int_eq(pclose(tool), 0);
    }
    file_cache_free(&cache);
    teardown();
}
END_TEST

/* Threads of one handle. The kernel's lock keeps them apart, which a race detector does not know:
 * what the source counts is atomic. */
static _Atomic unsigned thread_fetches;

static bool thread_fetch(void *context, const char *etag, struct file_answer_of_source *answer)
{
    (void)context;
    (void)etag;
    thread_fetches++;
    *answer = (struct file_answer_of_source){.data = "a list", .bytes = 6};
    return true;
}

static void *thread_ask(void *context)
{
    uintptr_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        struct file_answer answer;
        bool ok = file_cache_get(context, &answer);
        wrong += !ok || answer.snapshot->head.bytes != 6 ||
                 memcmp(answer.snapshot->data, "a list", 6) != 0;
        file_answer_release(&answer);
        if (i % 50 == 49) {
            (void)file_cache_refresh(context, &answer);
            file_answer_release(&answer);
        }
    }
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr) */
}

START_TEST(eight_threads_share_one_handle)
{
    struct file_options options = options_of();
    struct file_statistics s;
    pthread_t threads[8];
    void *wrong;
    setup();
    options.fetch = thread_fetch;
    options.now = NULL;
    options.pause = NULL;
    options.allocate = NULL;
    options.patience_ns = 100ull * SECOND;
    options.on_timeout = FILE_ON_TIMEOUT_WAIT;
    thread_fetches = 0;
    struct file_cache *cache = cache_of(&options);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_ask, cache), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], &wrong);
        ck_assert_ptr_null(wrong);
    }
    file_cache_statistics(cache, &s);
    ck_assert_uint_eq(s.lookups, 8 * 204);
    ck_assert_uint_eq(s.memory_hits + s.hits + s.fetched, s.lookups);
    ck_assert_uint_eq(s.fetches, thread_fetches);
    ck_assert_uint_ge(thread_fetches, 1);
    ck_assert_uint_le(thread_fetches, 33); /* 32 refreshes at most, some of them joined */
    file_cache_free(&cache);
    teardown();
}
END_TEST

START_TEST(options_that_make_no_sense_make_no_cache)
{
    struct file_options options = options_of();
    options.path = NULL;
    ck_assert_ptr_null(file_cache_new(&options));
    options.path = "";
    ck_assert_ptr_null(file_cache_new(&options));
    options.path = "x";
    options.fetch = NULL;
    ck_assert_ptr_null(file_cache_new(&options));
    options.fetch = world_fetch;
    options.versions = 10;
    ck_assert_ptr_null(file_cache_new(&options));
    options.versions = 0;
    options.fallback_bytes = 1;
    ck_assert_ptr_null(file_cache_new(&options));
}
END_TEST

SUITE("file_cache", &one_miss_then_hits_until_the_ttl_is_over,
      &steps_of_the_wall_clock_change_nothing_and_the_future_is_old,
      &memory_answers_until_the_file_changes, &a_damaged_file_is_fetched_again_once,
      &without_the_source_an_old_file_an_older_version_or_what_is_compiled_in_is_given,
      &an_empty_answer_does_not_replace_a_good_one,
      &a_source_that_just_failed_is_left_alone_for_a_second,
      &what_has_not_changed_is_not_sent_again, &who_finds_the_lock_held_does_what_its_policy_says,
      &within_the_grace_nobody_waits_for_the_one_who_refreshes,
      &a_refresh_in_the_background_answers_at_once_and_is_there_afterwards,
      &refresh_fetches_although_the_file_is_fresh,
      &a_refresh_does_not_join_an_older_fetch_however_slowly_it_runs,
      &a_bad_document_is_rolled_back_and_stays_away,
      &where_no_lock_can_be_each_fetches_for_itself_and_nobody_fails,
      &who_cannot_publish_has_its_answer_all_the_same,
      &each_allocation_that_fails_in_turn_is_a_failure_told_and_nothing_worse,
      &every_look_up_is_counted_in_one_way_it_can_end,
      &health_is_one_document_and_the_totals_another, &eight_threads_share_one_handle,
      &options_that_make_no_sense_make_no_cache)
