/* rows_fault.c - levels that die in mid-run and come back, an instance killed while it loads, and
 * an hour under load. Real processes, a real server; the order of things is forced, not slept for.
 */
#include "rows.h"

#include "scenarios/disk/small_disk.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct tally {
    unsigned wrong, failed, asked;
};

static void ask(struct instance *instance, struct tally *tally)
{
    struct answer answer = instance_get(instance, "openrouter-models");
    tally->asked++;
    tally->failed += !answer.ok;
    tally->wrong += answer.ok && answer.state != world.page->state;
}

static struct tiered_level_statistics level_of(struct instance *instance, unsigned level)
{
    struct tiered_statistics statistics;
    ck_assert(instance_statistics(instance, &statistics));
    return statistics.levels[level];
}

START_TEST(redis_killed_in_mid_run_costs_no_answer_and_is_used_again_when_it_is_back)
{
    struct tally tally = {0};
    if (!world_redis()) {
        tidemark_count("redis_skipped", redis_missing_code());
        return;
    }
    struct instance instance = instance_start(&service_tiered, 0);
    for (unsigned i = 0; i < 300; i++) {
        if (i % 100 == 50) {
            redis_kill(&world.redis);
        } else if (i % 100 == 75) {
            ck_assert(redis_start(&world.redis, world.folder));
        }
        if (i % 20 == 10) { /* also while it is away, and right behind its return */
            world.page->state++;
            ck_assert(instance_invalidate(&instance, "openrouter-models"));
        }
        world_advance(SECOND);
        ask(&instance, &tally);
    }
    struct tiered_level_statistics redis = level_of(&instance, 0);
    tidemark_count("redis_kills", 3);
    tidemark_count("redis_outages", redis.outages);
    tidemark_count("redis_recoveries", redis.recoveries);
    tidemark_count("redis_wrong", tally.wrong);
    ck_assert_uint_eq(tally.wrong, 0);
    ck_assert_uint_eq(tally.failed, 0);
    ck_assert_uint_eq(redis.outages, 3);
    ck_assert_uint_eq(redis.recoveries, 3);
    ck_assert_uint_gt(redis.hits, 150);
    instance_stop(&instance);
}
END_TEST

START_TEST(as_it_was_requests_fail_while_redis_is_away)
{
    if (!world_redis()) {
        return;
    }
    struct tally tally = {0};
    struct instance instance = instance_start(&service_hybrid, 0);
    ask(&instance, &tally);
    redis_kill(&world.redis);
    for (int i = 0; i < 10; i++) {
        ask(&instance, &tally);
    }
    tidemark_count("failed_as_it_was_of_10", tally.failed);
    ck_assert_uint_eq(tally.failed, 10);
    instance_stop(&instance);
}
END_TEST

START_TEST(without_both_levels_the_source_serves_and_the_outage_is_counted)
{
    struct tally tally = {0};
    char away[100];
    bool redis = world_redis();
    struct instance instance = instance_start(&service_tiered, 0);
    ask(&instance, &tally);
    if (redis) {
        redis_kill(&world.redis);
        world_advance(2 * SECOND);
        ask(&instance, &tally); /* SQLite serves */
        ck_assert_uint_eq(world.page->calls, 1);
    }
    snprintf(away, sizeof away, "%s.away", world.folder);
    ck_assert_int_eq(rename(world.folder, away), 0);
    for (int i = 0; i < 5; i++) {
        world_advance(SECOND);
        world.page->state++; /* nobody can hear of it, and all see it */
        ask(&instance, &tally);
    }
    ck_assert_uint_eq(world.page->calls, 6);
    ck_assert(!instance_invalidate(&instance, "openrouter-models")); /* says so */
    ck_assert_int_eq(rename(away, world.folder), 0);
    world_advance(2 * SECOND);
    ck_assert(instance_invalidate(&instance, "openrouter-models"));
    ask(&instance, &tally);
    ask(&instance, &tally);
    ck_assert_uint_eq(world.page->calls, 7);
    struct tiered_level_statistics table = level_of(&instance, redis ? 1 : 0);
    ck_assert_uint_eq(table.outages, 1);
    ck_assert_uint_eq(table.recoveries, 1);
    ck_assert_uint_eq(tally.wrong + tally.failed, 0);
    tidemark_count("direct_calls_without_levels", 5);
    instance_stop(&instance);
}
END_TEST

START_TEST(an_instance_killed_while_it_loads_is_replaced_when_its_claim_ends)
{
    struct timespec pause = {.tv_nsec = 1000000};
    struct instance victim = instance_start(&service_tiered, 0);
    world.page->gate_inside = 2; /* the victim stays in the source until another comes */
    instance_get_begin(&victim, "openrouter-models");
    while (world.page->inside < 1) {
        nanosleep(&pause, NULL);
    }
    kill(victim.pid, SIGKILL);
    ck_assert_int_eq(waitpid(victim.pid, NULL, 0), victim.pid);
    close(victim.fd);
    world_advance(31 * SECOND);
    ck_assert(request(&service_tiered, "openrouter-models").ok);
    ck_assert_uint_eq(world.page->calls, 2);
}
END_TEST

/* Killed anywhere: in a write to the table, in a load, between the levels. What it leaves is whole
 * or not there. */
START_TEST(instances_killed_at_random_leave_a_table_that_serves)
{
    struct timespec pause = {0};
    uint64_t seed = 3;
    unsigned wrong = 0;
    world.page->value_bytes = 50000;
    for (unsigned i = 0; i < 40 / (SHORTER > 1 ? 4 : 1); i++) {
        struct instance victim = instance_start(&service_tiered, 0);
        world.page->state = i;
        instance_get_begin(&victim, "openrouter-models");
        pause.tv_nsec = (long)(random_unit(&seed) * 6e6);
        nanosleep(&pause, NULL);
        kill(victim.pid, SIGKILL);
        waitpid(victim.pid, NULL, 0);
        close(victim.fd);
        world_advance(31 * SECOND);
        struct instance next = instance_start(&service_tiered, 0);
        ck_assert(instance_invalidate(&next, "openrouter-models"));
        struct answer answer = instance_get(&next, "openrouter-models");
        wrong += !answer.ok || answer.state != i;
        instance_stop(&next);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* What a service says, and how often it asked the source for that. */
static uint32_t state_by(void *service, const char *key, unsigned *calls)
{
    struct answer answer = {0};
    unsigned before = world.page->calls;
    bool ok = service_tiered.get(service, key, &answer);
    *calls = world.page->calls - before;
    return ok ? answer.state : UINT32_MAX;
}

#define MUST SMALL_DISK_MUST

/* In a child, which alone sees the disk. */
static void serve_on_a_full_disk(void *unused)
{
    unsigned calls;
    (void)unused;
    if (!small_disk_mount(world.folder, 4096)) {
        _exit(SMALL_DISK_CANNOT);
    }
    world.page->value_bytes = 60000;
    void *service = service_tiered.open(0);
    MUST(state_by(service, "openrouter-models", &calls) == 0 && calls == 1);
    MUST(small_disk_fill(world.folder));
    MUST(state_by(service, "openrouter-models", &calls) == 0 && calls == 0); /* what is there */
    for (unsigned i = 0; i < 20; i++) { /* values that have no place: all of them right */
        char key[32];
        snprintf(key, sizeof key, "user-%u", i);
        world.page->state = 1 + i;
        MUST(state_by(service, key, &calls) == 1 + i && calls == 1);
    }
    world.page->state = 40; /* an event that cannot be written down is refused, or it holds */
    if (service_tiered.invalidate(service, "openrouter-models")) {
        MUST(state_by(service, "openrouter-models", &calls) == 40);
    }
    MUST(small_disk_free(world.folder));
    world_advance(2 * SECOND);
    MUST(service_tiered.invalidate(service, "openrouter-models"));
    MUST(state_by(service, "openrouter-models", &calls) == 40 && calls <= 1);
    MUST(state_by(service, "openrouter-models", &calls) == 40 && calls == 0); /* held again */
    service_tiered.close(service);
}

START_TEST(on_a_full_disk_every_answer_is_right_and_space_mends_it)
{
    int code = small_disk_child(serve_on_a_full_disk, NULL);
    tidemark_count("full_tmpfs", code == 0);
    ck_assert(code == 0 || code == SMALL_DISK_CANNOT);
}
END_TEST

/* Levels that several processes share go by the wall clock, which may be set. Back: what was loaded
 * in its future is loaded again, and not held for as long as the clock was set back. Forward: it is
 * old. Either way two calls more at most, and then it is held as before. */
START_TEST(a_wall_clock_that_is_set_makes_nothing_immortal_and_nothing_wrong)
{
    static const int64_t steps[] = {-3600, +3600, -10, -86400 * 30, +86400 * 30};
    unsigned calls;
    void *service = service_resident.open(0), *other = service_resident.open(0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        (void)state_by(service, "openrouter-models", &calls);
        (void)state_by(other, "openrouter-models", &calls);
        world.page->now_ns += (uint64_t)(steps[i] * (int64_t)SECOND);
        world.page->state++; /* without an event: only the age can tell */
        ck_assert_msg(state_by(service, "openrouter-models", &calls) == world.page->state,
                      "%lld s: an old value", (long long)steps[i]);
        ck_assert_uint_eq(calls, 1);
        ck_assert_uint_eq(state_by(other, "openrouter-models", &calls), world.page->state);
        ck_assert_uint_eq(calls, 0); /* shared again */
        world_advance(TTL_NS - 10 * SECOND);
        ck_assert_uint_eq(state_by(service, "openrouter-models", &calls), world.page->state);
        ck_assert_uint_eq(calls, 0); /* and held again, for its time */
        world_advance(10 * SECOND);
        (void)state_by(service, "openrouter-models", &calls);
        ck_assert_uint_eq(calls, 1); /* no longer */
        world.page->state++;         /* and events are heard as before */
        ck_assert(service_resident.invalidate(other, "openrouter-models"));
        world_advance(400 * MS);
        ck_assert_uint_eq(state_by(service, "openrouter-models", &calls), world.page->state);
    }
    tidemark_count("clock_steps", sizeof steps / sizeof steps[0]);
    service_resident.close(service);
    service_resident.close(other);
}
END_TEST

START_TEST(an_hour_of_new_keys_stays_within_the_bounds_of_each_level)
{
    static char data[2000];
    const unsigned rate = SHORTER > 1 ? 1 : 4, minutes = 60;
    uint64_t entries, bytes, most[2] = {0}, early[2] = {0};
    char log[128];
    struct stat beside;
    off_t log_most = 0;
    struct tiered_cache *cache = tiered_cache_open(&(struct tiered_options){
        .levels = {{.kind = &store_memory, .limits = {.bytes = 1 << 20}},
                   {.kind = &store_sqlite, .address = world.file, .limits = {.bytes = 4 << 20}}},
        .ttl_ns = TTL_NS,
        .now_ns = world_now,
        .wait_ns = world_wait,
        .load = world_load});
    ck_assert_ptr_nonnull(cache);
    for (unsigned minute = 0; minute < minutes; minute++) {
        for (unsigned i = 0; i < 60 * rate; i++) {
            char key[32];
            snprintf(key, sizeof key, "user-%u-%u", minute, i);
            tiered_cache_set(cache, key, data, sizeof data, 0);
            if (i % 16 == 0) {
                tiered_cache_invalidate(cache, key);
            }
            world_advance(SECOND / rate);
        }
        tiered_cache_sweep(cache);
        for (unsigned level = 0; level < 2; level++) {
            ck_assert(tiered_cache_usage(cache, level, &entries, &bytes));
            most[level] = bytes > most[level] ? bytes : most[level];
            early[level] = minute < minutes / 3 ? most[level] : early[level];
        }
        snprintf(log, sizeof log, "%s-wal", world.file);
        ck_assert_int_eq(stat(log, &beside), 0);
        log_most = beside.st_size > log_most ? beside.st_size : log_most;
    }
    tidemark_count("hour_memory_bytes", most[0]);
    tidemark_count("hour_table_bytes", most[1]);
    tidemark_count("hour_log_bytes", (uint64_t)log_most);
    ck_assert_int_le(log_most, 3 << 20); /* SQLite's log is carried over after one MiB */
    ck_assert_uint_le(most[0], 1 << 20);
    ck_assert_uint_le(most[1], 4 << 20);
    ck_assert_uint_le(most[1], early[1] + early[1] / 10); /* flat behind the first TTLs */
    tiered_cache_close(&cache);
}
END_TEST

TCase *rows_fault(void)
{
    TCase *tcase = tcase_create("fault");
    tcase_add_test(tcase,
                   redis_killed_in_mid_run_costs_no_answer_and_is_used_again_when_it_is_back);
    tcase_add_test(tcase, as_it_was_requests_fail_while_redis_is_away);
    tcase_add_test(tcase, without_both_levels_the_source_serves_and_the_outage_is_counted);
    tcase_add_test(tcase, an_instance_killed_while_it_loads_is_replaced_when_its_claim_ends);
    tcase_add_test(tcase, instances_killed_at_random_leave_a_table_that_serves);
    tcase_add_test(tcase, on_a_full_disk_every_answer_is_right_and_space_mends_it);
    tcase_add_test(tcase, a_wall_clock_that_is_set_makes_nothing_immortal_and_nothing_wrong);
    tcase_add_test(tcase, an_hour_of_new_keys_stays_within_the_bounds_of_each_level);
    return tcase;
}
