/* rows_tiers.c - rows 3.5 to 3.7: how old a value gets over two levels, who serves, and events. */
#include "rows.h"
#include "rules.h"

/* The oldest value that a reader every second sees within 40 minutes: loaded at 0, first read
 * through a second instance at 599 s. */
static uint64_t oldest_served(const struct service_kind *kind)
{
    struct answer answer = {0};
    uint64_t begun = world_now(NULL), oldest = 0;
    void *loader = kind->open(0), *reader = kind->open(0);
    ck_assert(kind->get(loader, "openrouter-models", &answer));
    kind->close(loader); /* and what it had in memory */
    world.page->state = 1;
    for (uint64_t at = begun + 599 * SECOND; at < begun + 2400 * SECOND; at += SECOND) {
        world.page->now_ns = at;
        ck_assert(kind->get(reader, "openrouter-models", &answer));
        if (answer.state == 0) {
            oldest = at - begun;
        }
    }
    kind->close(reader);
    world.page->state = 0;
    return oldest / SECOND;
}

START_TEST(a_fixed_ttl_above_serves_what_is_899_s_old_and_what_is_left_never_more_than_600)
{
    uint64_t was = oldest_served(&service_hybrid);
    world_other_file();
    uint64_t now = oldest_served(&service_resident);
    tidemark_count("oldest_as_it_was_s", was);
    tidemark_count("oldest_now_s", now);
    ck_assert_uint_ge(was, 898);
    ck_assert_uint_le(was, 899);
    ck_assert_uint_lt(now, 600);
}
END_TEST

START_TEST(a_value_found_below_is_promoted_and_a_new_one_set_on_both_levels)
{
    struct answer answer = {0};
    struct tiered_statistics statistics;
    void *first = service_resident.open(0), *second = service_resident.open(0);
    bool redis = world_redis();
    ck_assert(service_resident.get(first, "openrouter-models", &answer)); /* set to both */
    for (int i = 0; i < 3; i++) {
        ck_assert(service_resident.get(second, "openrouter-models", &answer));
    }
    ck_assert(service_resident.statistics(second, &statistics));
    ck_assert_uint_eq(statistics.levels[1].hits, 1);
    ck_assert_uint_eq(statistics.levels[0].hits, 2);
    service_resident.close(first);
    service_resident.close(second);
    if (redis) { /* and over Redis, in processes of their own */
        struct instance reader = instance_start(&service_tiered, 0);
        for (int i = 0; i < 3; i++) {
            instance_get(&reader, "openrouter-models");
        }
        ck_assert(instance_statistics(&reader, &statistics));
        ck_assert_uint_eq(statistics.levels[1].hits, 1);
        ck_assert_uint_eq(statistics.levels[0].hits, 2);
        instance_stop(&reader);
    }
    ck_assert_uint_eq(world.page->calls, 1);
}
END_TEST

#define PROCESSES 8

/* Stale answers of all processes at each tenth of a second behind an event, over 2 s. */
static void stale_after_event(const struct service_kind *kind, unsigned stale[20])
{
    struct instance instances[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        instances[i] = instance_start(kind, 0);
        ck_assert_uint_eq(instance_get(&instances[i], "openrouter-models").state,
                          world.page->state);
    }
    world.page->state++;
    ck_assert(instance_invalidate(&instances[0], "openrouter-models"));
    uint64_t event = world_now(NULL);
    for (unsigned step = 0; step < 20; step++) {
        stale[step] = 0;
        for (int i = 0; i < PROCESSES; i++) {
            world.page->now_ns = event + step * 100 * MS;
            stale[step] +=
                instance_get(&instances[i], "openrouter-models").state != world.page->state;
        }
        world.page->now_ns = event + step * 100 * MS;
        stale[step] += request(kind, "openrouter-models").state != world.page->state;
    }
    for (int i = 0; i < PROCESSES; i++) {
        instance_stop(&instances[i]);
    }
}

static void events_reach(bool redis)
{
    unsigned stale[20], last = 0;
    stale_after_event(&service_resident, stale);
    for (unsigned step = 0; step < 20; step++) {
        last = stale[step] ? step : last;
    }
    tidemark_count(redis ? "stale_until_ms_redis" : "stale_until_ms", last * 100 + 100);
    ck_assert_uint_gt(stale[0], 0); /* the test can see stale answers */
    ck_assert_uint_lt(last, 10);
}

START_TEST(no_level_of_any_process_serves_old_data_a_second_after_an_event)
{
    events_reach(false);
    if (world_redis()) {
        world_other_file();
        events_reach(true);
    } else {
        tidemark_count("redis_skipped", redis_missing_code());
    }
}
END_TEST

START_TEST(as_it_was_an_event_reaches_the_table_alone)
{
    unsigned stale[20];
    if (world_redis()) { /* every process asks it first */
        stale_after_event(&service_hybrid, stale);
        tidemark_count("stale_as_it_was_after_2_s", stale[19]);
        ck_assert_uint_eq(stale[19], PROCESSES + 1);
    }
}
END_TEST

START_TEST(an_event_names_the_keys_that_it_makes_old)
{
    static const struct {
        const char *event, *user, *keys[3];
    } rows[] = {
        {"user.profile.updated", "7", {"user-profile-7", "admin-users-list"}},
        {"models.synced", NULL, {"openrouter-models", "admin-models-list"}},
        {"subscription.changed", "7", {"user-profile-7", "user-features-7"}},
        {"user.profile.updated", NULL, {"admin-users-list"}},
        {"nothing.happened", "7", {NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char keys[RULE_KEYS_MAX][RULE_KEY_BYTES];
        size_t count =
            rules_keys(rows[i].event, &(struct event_data){.user_id = rows[i].user}, keys);
        for (size_t j = 0; j < count; j++) {
            ck_assert_ptr_nonnull(rows[i].keys[j]);
            ck_assert_str_eq(keys[j], rows[i].keys[j]);
        }
        ck_assert_ptr_null(rows[i].keys[count]);
    }
}
END_TEST

START_TEST(an_event_makes_its_keys_miss_and_no_others)
{
    char keys[RULE_KEYS_MAX][RULE_KEY_BYTES];
    struct answer answer = {0};
    void *service = service_tiered.open(0);
    service_tiered.get(service, "user-profile-7", &answer);
    service_tiered.get(service, "admin-users-list", &answer);
    service_tiered.get(service, "user-profile-8", &answer);
    world.page->state = 1;
    size_t count = rules_keys("user.profile.updated", &(struct event_data){.user_id = "7"}, keys);
    for (size_t i = 0; i < count; i++) {
        ck_assert(service_tiered.invalidate(service, keys[i]));
    }
    service_tiered.get(service, "user-profile-7", &answer);
    ck_assert_uint_eq(answer.state, 1);
    service_tiered.get(service, "admin-users-list", &answer);
    ck_assert_uint_eq(answer.state, 1);
    service_tiered.get(service, "user-profile-8", &answer);
    ck_assert_uint_eq(answer.state, 0);
    service_tiered.close(service);
}
END_TEST

TCase *rows_tiers(void)
{
    TCase *tcase = tcase_create("tiers");
    tcase_add_test(tcase,
                   a_fixed_ttl_above_serves_what_is_899_s_old_and_what_is_left_never_more_than_600);
    tcase_add_test(tcase, a_value_found_below_is_promoted_and_a_new_one_set_on_both_levels);
    tcase_add_test(tcase, no_level_of_any_process_serves_old_data_a_second_after_an_event);
    tcase_add_test(tcase, as_it_was_an_event_reaches_the_table_alone);
    tcase_add_test(tcase, an_event_names_the_keys_that_it_makes_old);
    tcase_add_test(tcase, an_event_makes_its_keys_miss_and_no_others);
    return tcase;
}
