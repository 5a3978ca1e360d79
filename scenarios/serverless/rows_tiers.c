/* rows_tiers.c - rows 3.5 to 3.7: how old a value gets over two levels, who serves, and events. */
#include "endpoints.h"
#include "rows.h"

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

static void key_add(void *context, const char *key)
{
    char *keys = context;
    size_t used = strlen(keys);
    snprintf(keys + used, 400 - used, "%s%s", used ? " " : "", key);
}

START_TEST(an_event_names_the_keys_that_it_makes_old)
{
    static const struct {
        const char *event, *user, *keys;
    } rows[] = {
        {"user.profile.updated", "7", "user-profile-7 admin-users-list"},
        {"models.synced", NULL, "openrouter-models admin-models-list"},
        {"subscription.changed", "7", "user-profile-7 user-features-7"},
        {"user.profile.updated", NULL, "admin-users-list"},
        {"admin.sync-models", NULL, "openrouter-models"},
        {"user.update-preferences", "7", "user-profile-7"},
        {"user.deleted", NULL, "admin-users-list"},
        {"nothing.happened", "7", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char keys[400] = "";
        struct tiered_field user = {"userId", rows[i].user};
        tiered_endpoint_keys(&serverless_endpoints, rows[i].event, &user, rows[i].user != NULL,
                             key_add, keys);
        ck_assert_str_eq(keys, rows[i].keys);
    }
}
END_TEST

static struct tiered_cache *endpoints_open(void)
{
    struct tiered_cache *cache = tiered_cache_open(&(struct tiered_options){
        .levels = {{.kind = &store_memory}, {.kind = &store_sqlite, .address = world.file}},
        .endpoints = serverless_endpoints,
        .now_ns = world_now,
        .wait_ns = world_wait,
        .load = world_load});
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static uint32_t state_of(struct tiered_cache *cache, const char *key)
{
    struct tiered_value value;
    ck_assert(tiered_cache_get(cache, key, &value));
    return world_state_of(value.data, value.bytes);
}

START_TEST(an_event_makes_its_keys_miss_and_no_others)
{
    struct tiered_cache *cache = endpoints_open();
    size_t keys;
    state_of(cache, "user-profile-7");
    state_of(cache, "admin-users-list");
    state_of(cache, "user-profile-8");
    world.page->state = 1;
    ck_assert(tiered_cache_event(cache, "user.profile.updated",
                                 &(struct tiered_field){"userId", "7"}, 1, &keys));
    ck_assert_uint_eq(keys, 2);
    ck_assert_uint_eq(state_of(cache, "user-profile-7"), 1);
    ck_assert_uint_eq(state_of(cache, "admin-users-list"), 1);
    ck_assert_uint_eq(state_of(cache, "user-profile-8"), 0);
    tiered_cache_close(&cache);
}
END_TEST

/* When each endpoint's caller is first asked to refresh, and when its value is gone, second by
 * second. */
START_TEST(each_endpoint_of_the_report_lives_by_its_own_times)
{
    static const struct {
        const char *key;
        unsigned refresh_s, gone_s;
    } rows[] = {{"openrouter-models", 480, 600},
                {"user-profile-7", 240, 300},
                {"admin-users-list", 90, 120},
                {"usage-costs", 720, 4500}, /* 900 and an hour while it is loaded anew */
                {"health-cache", 20, 30}};
    struct tiered_cache *cache = endpoints_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tiered_value value = {0};
        unsigned asked = 0, s = 0;
        state_of(cache, rows[i].key);
        uint64_t loaded = world_now(NULL) - SOURCE_NS;
        uint64_t calls = world.page->calls;
        for (s = SOURCE_NS / SECOND; world.page->calls == calls; s++) {
            world.page->now_ns = loaded + s * SECOND;
            ck_assert(tiered_cache_get(cache, rows[i].key, &value));
            asked = value.refresh && !asked ? s : asked;
        }
        ck_assert_msg(asked == rows[i].refresh_s, "%s: asked at %u s", rows[i].key, asked);
        ck_assert_msg(s - 1 == rows[i].gone_s, "%s: gone at %u s", rows[i].key, s - 1);
    }
    tidemark_count("endpoints", sizeof rows / sizeof rows[0]);
    tiered_cache_close(&cache);
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
    tcase_add_test(tcase, each_endpoint_of_the_report_lives_by_its_own_times);
    return tcase;
}
