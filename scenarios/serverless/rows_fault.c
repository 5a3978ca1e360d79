/* rows_fault.c - levels that die in mid-run and come back, an instance killed while it loads, and
 * an hour under load. Real processes, a real server; the order of things is forced, not slept for.
 */
#include "rows.h"

#include <signal.h>
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
        tidemark_count("redis_skipped", 1);
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

START_TEST(an_hour_of_new_keys_stays_within_the_bounds_of_each_level)
{
    static char data[2000];
    const unsigned rate = SHORTER > 1 ? 1 : 4, minutes = 60;
    uint64_t entries, bytes, most[2] = {0}, early[2] = {0};
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
    }
    tidemark_count("hour_memory_bytes", most[0]);
    tidemark_count("hour_table_bytes", most[1]);
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
    tcase_add_test(tcase, an_hour_of_new_keys_stays_within_the_bounds_of_each_level);
    return tcase;
}
