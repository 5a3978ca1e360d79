/*
 * rows_production.c - the report's second phase, Redis over its table, as in production: Redis by
 * TCP as a user with a password, a PostgreSQL server, eight processes. Both are killed and come
 * back. One test, because it starts both servers.
 */
#include "registry/tiered/postgres_fixture.h"
#include "rows.h"

#include "scenarios/environment/environment.h"

#include <signal.h>

#define PROCESSES 8
static struct instance instances[PROCESSES];
static struct postgres_fixture postgres;

static char port[12]; /* of Redis, also when it comes back */

static bool redis_by_tcp(void)
{
    static char setting[120];
    const char *const more[] = {"--port", port,      "--bind", "127.0.0.1",   "--user",
                                "cache",  "on",      ">first", "~tidemark:*", "+@all",
                                "--user", "default", "off",    NULL};
    snprintf(setting, sizeof setting, "REDIS_URL=redis://cache:first@127.0.0.1:%s", port);
    environment_put(setting);
    return redis_start_with(&world.redis, world.folder, more);
}

/* All eight at once; how many say what is no longer, or not yet, true. */
static unsigned wrong_of_all(void)
{
    unsigned wrong = 0;
    for (int i = 0; i < PROCESSES; i++) {
        instance_get_begin(&instances[i], "openrouter-models");
    }
    for (int i = 0; i < PROCESSES; i++) {
        struct answer answer = instance_get_end(&instances[i]);
        wrong += !answer.ok || answer.state != world.page->state;
    }
    return wrong;
}

static struct tiered_statistics sum_of_all(void)
{
    struct tiered_statistics sum = {0};
    for (int i = 0; i < PROCESSES; i++) {
        struct tiered_statistics one;
        ck_assert(instance_statistics(&instances[i], &one));
        for (int level = 0; level < 2; level++) {
            sum.levels[level].hits += one.levels[level].hits;
            sum.levels[level].outages += one.levels[level].outages;
            sum.levels[level].recoveries += one.levels[level].recoveries;
        }
    }
    return sum;
}

/* Asks until every process that missed a level has it back, for at most two minutes of the clock.
 */
static unsigned wrong_until_back(int level)
{
    unsigned wrong = 0;
    for (int step = 0; step < 120; step++) {
        struct tiered_statistics sum = sum_of_all();
        if (sum.levels[level].recoveries == sum.levels[level].outages) {
            return wrong;
        }
        world_advance(SECOND);
        wrong += wrong_of_all();
    }
    ck_abort_msg("level %d does not come back", level);
}

static void an_event_by(int process)
{
    world.page->state++;
    ck_assert(instance_invalidate(&instances[process], "openrouter-models"));
    world_advance(400 * MS);
}

static unsigned with_redis_killed(void)
{
    struct tiered_statistics before = sum_of_all(), after;
    uint64_t calls = world.page->calls;
    redis_kill(&world.redis);
    unsigned wrong = wrong_of_all();
    ck_assert_uint_eq(world.page->calls, calls); /* the table has it */
    an_event_by(1);
    wrong += wrong_of_all();
    ck_assert_uint_eq(world.page->calls, calls + 1);
    ck_assert(redis_by_tcp());
    wrong += wrong_until_back(0);
    after = sum_of_all();
    ck_assert_uint_eq(after.levels[0].outages - before.levels[0].outages, PROCESSES);
    wrong += wrong_of_all();
    ck_assert_uint_ge(sum_of_all().levels[0].hits, after.levels[0].hits + PROCESSES - 1);
    ck_assert_uint_eq(world.page->calls, calls + 1);
    return wrong;
}

static unsigned with_postgres_killed(void)
{
    unsigned wrong;
    postgres_kill(&postgres);
    world_advance(SECOND); /* Redis cannot be held against the log any more */
    world.page->state++;   /* nobody can hear of it, and all see it */
    wrong = wrong_of_all();
    ck_assert(!instance_invalidate(&instances[2], "openrouter-models"));
    ck_assert(postgres_serve(&postgres));
    wrong += wrong_until_back(1);
    an_event_by(3);
    uint64_t calls = world.page->calls;
    wrong += wrong_of_all();
    ck_assert_uint_eq(world.page->calls, calls + 1);
    return wrong;
}

START_TEST(redis_over_the_reports_table_serves_eight_processes_and_outlives_both_servers)
{
    const char *missing = redis_missing() ? redis_missing() : postgres_missing();
    if (missing) {
        fprintf(stderr, "serverless: without the servers of production, %s\n", missing);
        tidemark_count("production_skipped", 1);
        return;
    }
    ck_assert_msg(postgres_start(&postgres), "see %s/log", postgres.folder);
    static char setting[sizeof postgres.address + 24];
    snprintf(setting, sizeof setting, "SERVERLESS_POSTGRES=%s", postgres.address);
    environment_put(setting);
    snprintf(port, sizeof port, "%d", postgres_free_port());
    ck_assert(redis_by_tcp());
    for (int i = 0; i < PROCESSES; i++) {
        instances[i] = instance_start(&service_production, 0);
    }
    world.page->gate_begun = PROCESSES; /* the source answers when all have asked */
    unsigned wrong = wrong_of_all();
    ck_assert_uint_eq(world.page->calls, 1);
    an_event_by(0);
    wrong += wrong_of_all();
    ck_assert_uint_eq(world.page->calls, 2);
    wrong += with_redis_killed();
    wrong += with_postgres_killed();
    ck_assert_uint_eq(wrong, 0);
    struct tiered_statistics sum = sum_of_all();
    tidemark_count("production_processes", PROCESSES);
    tidemark_count("production_calls", world.page->calls);
    tidemark_count("production_wrong", wrong);
    tidemark_count("production_outages", sum.levels[0].outages + sum.levels[1].outages);
    tidemark_count("production_recoveries", sum.levels[0].recoveries + sum.levels[1].recoveries);
    for (int i = 0; i < PROCESSES; i++) {
        instance_stop(&instances[i]);
    }
    postgres_end(&postgres);
}
END_TEST

TCase *rows_production(void)
{
    TCase *tcase = tcase_create("production");
    tcase_add_test(tcase,
                   redis_over_the_reports_table_serves_eight_processes_and_outlives_both_servers);
    return tcase;
}
