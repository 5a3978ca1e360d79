/* tiered_cache_test.c - the tiered cache on a clock that the tests move, over real stores: memory,
 * SQLite, and a PostgreSQL and a Redis server of its own where they are installed. */
#include "harness/base/suite.h"
#include "registry/tiered/postgres_fixture.h"
#include "registry/tiered/redis_fixture.h"
#include "registry/tiered/tiered_cache.h"

#include <sqlite3.h>

#define SECOND 1000000000ull

static struct world {
    char folder[64], file[80];
    uint64_t now_ns;
    unsigned calls, state;
    size_t asked_bytes; /* of the key */
    bool failing;
    struct tiered_cache *other; /* what the source does meanwhile, if anything */
} world;

static uint64_t world_now(void *unused)
{
    (void)unused;
    return world.now_ns;
}

static void world_wait(void *unused, uint64_t ns)
{
    (void)unused;
    world.now_ns += ns;
}

static bool world_load(void *unused, struct store_key key, const void **data, size_t *bytes)
{
    static char text[64];
    (void)unused;
    if (key.length > 40 || key.length < 5 ||
        (signed char)key.text[key.length - 1] < ' ') { /* an odd one */
        key.text = "odd";
    }
    world.calls++;
    world.asked_bytes = key.length;
    *bytes = (size_t)snprintf(text, sizeof text, "\"%.*s/%u\"", (int)key.length, key.text,
                              world.state); /* JSON, for the store that wants it */
    *data = text;
    if (world.other) {
        struct tiered_cache *other = world.other;
        world.other = NULL;
        world.state++;
        ck_assert(tiered_cache_invalidate(other, key.text));
    }
    return !world.failing;
}

static void world_make(void)
{
    world = (struct world){.now_ns = 1000000 * SECOND};
    snprintf(world.folder, sizeof world.folder, "/tmp/tidemark-tiered-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world.folder));
    snprintf(world.file, sizeof world.file, "%s/cache.db", world.folder);
}

static void world_end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", world.folder);
    ck_assert_int_eq(system(command), 0);
}

/* The level with the log: SQLite, or the PostgreSQL server of this program in two ways. */
static struct postgres_fixture postgres;
static const struct store_kind *const logs[] = {&store_sqlite, &store_postgres,
                                                &store_postgres_json};
#define LOGS ((int)(sizeof logs / sizeof logs[0]))

static struct tiered_options options_over(int i)
{
    return (struct tiered_options){
        .levels = {{.kind = &store_memory, .ttl_ns = 300 * SECOND},
                   {.kind = logs[i],
                    .address = i == 0 ? world.file : postgres.address,
                    .limits = {.deadline_ns = 20 * SECOND}}},
        .now_ns = world_now,
        .wait_ns = world_wait,
        .load = world_load,
    };
}

static struct tiered_options options_two(void)
{
    return options_over(0);
}

/* Also empties it. */
static bool log_there(int i)
{
    static const char *const keys[] = {"models", "users"};
    uint64_t removed;
    if (i == 0) {
        return true;
    }
    if (!postgres.pid) {
        return false;
    }
    void *store = logs[i]->open(postgres.address, &(struct store_limits){0});
    for (size_t k = 0; k < 2; k++) {
        ck_assert_int_eq(logs[i]->publish(store, (struct store_key){keys[k], 6 - k}, 0), STORE_YES);
    }
    ck_assert_int_ne(logs[i]->sweep(store, INT64_MAX, 0, &removed), STORE_DOWN);
    logs[i]->close(store);
    return true;
}

static struct tiered_cache *open_with(struct tiered_options options)
{
    struct tiered_cache *cache = tiered_cache_open(&options);
    ck_assert_ptr_nonnull(cache);
    return cache;
}

/* The state of the source that a look-up says. */
static unsigned ask(struct tiered_cache *cache, const char *key)
{
    struct tiered_value value;
    unsigned state;
    char text[64], form[64];
    ck_assert(tiered_cache_get(cache, key, &value));
    snprintf(text, sizeof text, "%.*s", (int)value.bytes, (const char *)value.data);
    snprintf(form, sizeof form, "\"%s/%%u\"", key);
    ck_assert_int_eq(sscanf(text, form, &state), 1);
    return state;
}

static struct tiered_statistics statistics_of(struct tiered_cache *cache)
{
    struct tiered_statistics statistics;
    tiered_cache_statistics(cache, &statistics);
    return statistics;
}

START_TEST(a_second_process_finds_what_the_first_has_loaded)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_cache *first = open_with(options_over(_i)), *second = open_with(options_over(_i));
    ask(first, "models");
    ask(first, "models");
    ask(second, "models");
    ck_assert_uint_eq(world.calls, 1);
    ck_assert_uint_eq(statistics_of(first).levels[0].hits, 1);
    ck_assert_uint_eq(statistics_of(second).levels[1].hits, 1);
    tiered_cache_close(&first);
    tiered_cache_close(&second);
}
END_TEST

START_TEST(a_value_found_below_is_held_above_no_longer_than_it_has_left)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_cache *first = open_with(options_over(_i)), *second = open_with(options_over(_i));
    uint64_t loaded = world.now_ns;
    ask(first, "models");
    world.now_ns = loaded + 599 * SECOND;
    ck_assert_uint_eq(ask(second, "models"), 0);
    world.state = 1;
    world.now_ns = loaded + 600 * SECOND - 1;
    ck_assert_uint_eq(ask(second, "models"), 0);
    world.now_ns++;
    ck_assert_uint_eq(ask(second, "models"), 1);
    tiered_cache_close(&first);
    tiered_cache_close(&second);
}
END_TEST

START_TEST(an_event_reaches_the_memory_of_other_processes_within_the_poll)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_cache *first = open_with(options_over(_i)), *second = open_with(options_over(_i));
    ask(first, "models");
    ask(second, "models");
    ask(second, "users");
    world.state = 1;
    ck_assert(tiered_cache_invalidate(first, "models"));
    ck_assert_uint_eq(ask(first, "models"), 1);
    ck_assert_uint_eq(ask(second, "models"), 0); /* has not heard yet */
    world.now_ns += 400000000u;
    ck_assert_uint_eq(ask(second, "models"), 1);
    ck_assert_uint_eq(ask(second, "users"), 0); /* nothing happened to it */
    tiered_cache_close(&first);
    tiered_cache_close(&second);
}
END_TEST

START_TEST(a_load_under_way_at_an_event_does_not_bring_old_data_back)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_cache *first = open_with(options_over(_i)), *second = open_with(options_over(_i));
    world.other = second;
    ck_assert_uint_eq(ask(first, "models"), 0); /* asked before the event */
    ck_assert_uint_eq(ask(second, "models"), 1);
    ck_assert_uint_eq(ask(first, "models"), 1);
    ck_assert_uint_eq(statistics_of(first).levels[1].refused, 1);
    tiered_cache_close(&first);
    tiered_cache_close(&second);
}
END_TEST

START_TEST(one_caller_of_all_is_told_to_refresh_before_expiry)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_options options = options_over(_i);
    options.refresh_ns = 120 * SECOND;
    struct tiered_cache *first = open_with(options), *second = open_with(options);
    struct tiered_value value;
    ask(first, "models");
    world.now_ns += 470 * SECOND;
    ck_assert(tiered_cache_get(first, "models", &value));
    ck_assert(!value.refresh);
    world.now_ns += 20 * SECOND;
    ck_assert(tiered_cache_get(first, "models", &value));
    ck_assert(value.refresh);
    ck_assert(tiered_cache_get(second, "models", &value));
    ck_assert(!value.refresh); /* the first has it */
    world.state = 1;
    ck_assert(tiered_cache_refresh(first, "models"));
    world.now_ns += 400000000u;
    ck_assert_uint_eq(ask(first, "models"), 1);
    ck_assert_uint_eq(world.calls, 2);
    tiered_cache_close(&first);
    tiered_cache_close(&second);
}
END_TEST

/* Two keys that differ in the last of 1,101 or of 100,001 bytes, or where a byte is not UTF-8. */
static const struct {
    size_t length;
    char first, second;
} odd_keys[] = {{1101, 'A', 'B'}, {100001, 'A', 'B'}, {5, '\x80', '\x81'}, {3, '\n', '\t'}};

static void keys_stay_apart(struct tiered_cache *cache)
{
    for (size_t i = 0; i < sizeof odd_keys / sizeof odd_keys[0]; i++) {
        struct tiered_value value;
        char *first = malloc(odd_keys[i].length + 1), *second = malloc(odd_keys[i].length + 1);
        memset(first, 'k', odd_keys[i].length);
        first[odd_keys[i].length] = 0;
        first[odd_keys[i].length - 1] = odd_keys[i].first;
        memcpy(second, first, odd_keys[i].length + 1);
        second[odd_keys[i].length - 1] = odd_keys[i].second;
        ck_assert(tiered_cache_set(cache, first, "1", 1, 0));
        ck_assert(tiered_cache_set(cache, second, "2", 1, 0));
        for (int j = 0; j < 2; j++) {
            ck_assert(tiered_cache_get(cache, j ? second : first, &value));
            ck_assert_uint_eq(value.bytes, 1);
            ck_assert_int_eq(*(const char *)value.data, '1' + j);
        }
        ck_assert(tiered_cache_invalidate(cache, first));
        ck_assert(tiered_cache_get(cache, second, &value));
        ck_assert_int_eq(*(const char *)value.data, '2');
        unsigned calls = world.calls; /* the source is asked by the key, not by its name */
        world.asked_bytes = 0;
        ck_assert(tiered_cache_get(cache, first, &value));
        ck_assert_uint_eq(world.calls, calls + 1);
        ck_assert_uint_eq(world.asked_bytes, odd_keys[i].length);
        free(first);
        free(second);
    }
}

START_TEST(keys_of_any_bytes_and_any_length_are_told_apart_by_every_store)
{
    struct redis_fixture redis = {0};
    if (!log_there(_i)) {
        return;
    }
    struct tiered_options options = options_over(_i);
    struct tiered_cache *cache = open_with(options);
    keys_stay_apart(cache);
    tiered_cache_close(&cache);
    options.levels[0] = options.levels[1]; /* the log's level alone */
    options.levels[1] = (struct tiered_level){0};
    cache = open_with(options);
    keys_stay_apart(cache);
    tiered_cache_close(&cache);
    if (!redis_missing()) {
        options = options_over(_i);
        ck_assert(redis_start(&redis, world.folder));
        options.levels[0] = (struct tiered_level){
            .kind = &store_redis, .address = redis.socket, .limits = {.deadline_ns = 20 * SECOND}};
        cache = open_with(options);
        keys_stay_apart(cache);
        tiered_cache_close(&cache);
        redis_kill(&redis);
    }
}
END_TEST

/* The store is a server that nobody can reach: first for a second, then for twice as long. */
START_TEST(a_level_that_stays_away_is_asked_less_and_less_often)
{
    struct tiered_options options = options_two();
    options.levels[0] =
        (struct tiered_level){.kind = &store_sqlite, .address = "/nowhere/cache.db"};
    struct tiered_cache *cache = open_with(options);
    uint64_t begun = world.now_ns, last = 0;
    double gaps[8];
    unsigned attempts = 0;
    while (attempts < 8) {
        ask(cache, "models");
        struct tiered_statistics s = statistics_of(cache);
        if (s.levels[0].failures > attempts) {
            gaps[attempts++] = (double)(world.now_ns - (last ? last : begun)) / 1e9;
            last = world.now_ns;
        }
        world.now_ns += 10000000;
    }
    for (unsigned i = 2; i < 8; i++) {
        ck_assert_msg(gaps[i] >= gaps[i - 1] * 0.99 || gaps[i] > 5, "gap %u is %g s", i, gaps[i]);
        ck_assert_msg(gaps[i] <= 10.1, "gap %u is %g s", i, gaps[i]);
    }
    ck_assert(gaps[1] >= 0.74 && gaps[1] <= 1.26);
    ck_assert(gaps[7] >= 5.9);
    ck_assert_uint_eq(statistics_of(cache).levels[0].outages, 1);
    ck_assert_ptr_nonnull(strstr(statistics_of(cache).levels[0].trouble, "/nowhere/cache.db"));
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(after_expiry_the_old_value_is_served_while_one_caller_of_all_loads_it_anew)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_options options = options_over(_i);
    options.stale_ns = 3600 * SECOND;
    struct tiered_cache *first = open_with(options), *second = open_with(options);
    struct tiered_value value;
    ask(first, "models");
    ask(second, "models");
    world.state = 1;
    world.now_ns += 600 * SECOND - 1;
    ck_assert(tiered_cache_get(first, "models", &value));
    ck_assert(!value.stale && !value.refresh);
    world.now_ns++;
    ck_assert(tiered_cache_get(first, "models", &value));
    ck_assert(value.stale && value.refresh);
    ck_assert(tiered_cache_get(second, "models", &value));
    ck_assert(value.stale && !value.refresh); /* the first has it */
    ck_assert_uint_eq(world.calls, 1);
    tiered_cache_sweep(second); /* does not sweep away what is still served */
    world.now_ns += 60 * SECOND;
    ck_assert_uint_eq(ask(second, "models"), 0);
    ck_assert(tiered_cache_refresh(first, "models"));
    ck_assert_uint_eq(ask(first, "models"), 1);
    ck_assert_uint_eq(world.calls, 2);
    ck_assert_uint_eq(statistics_of(first).stale, 1);
    ck_assert_uint_eq(statistics_of(second).stale, 2);
    tiered_cache_close(&first);
    tiered_cache_close(&second);
}
END_TEST

/* Nobody refreshes, because the source fails: the value is served to the end of its time, which is
 * the end also in memory. */
START_TEST(a_value_is_never_served_after_its_stale_time_nor_after_an_event)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_options options = options_over(_i);
    options.stale_ns = 120 * SECOND;
    struct tiered_cache *cache = open_with(options), *other = open_with(options);
    struct tiered_value value;
    ask(cache, "models");
    world.failing = true;
    world.now_ns += 719 * SECOND;
    ck_assert(tiered_cache_get(cache, "models", &value));
    ck_assert(!tiered_cache_refresh(cache, "models"));
    ck_assert(tiered_cache_get(cache, "models", &value));
    ck_assert(value.stale && value.refresh); /* the claim was given back */
    world.now_ns += SECOND;
    ck_assert(!tiered_cache_get(cache, "models", &value));
    world.failing = false;
    world.state = 1;
    ck_assert_uint_eq(ask(cache, "models"), 1);
    world.now_ns += 601 * SECOND; /* stale, and then old by an event */
    ck_assert_uint_eq(ask(other, "models"), 1);
    world.state = 2;
    ck_assert(tiered_cache_invalidate(cache, "models"));
    ck_assert_uint_eq(ask(cache, "models"), 2);
    world.now_ns += 400000000u;
    ck_assert_uint_eq(ask(other, "models"), 2);
    tiered_cache_close(&cache);
    tiered_cache_close(&other);
}
END_TEST

START_TEST(each_key_lives_by_the_rule_of_its_endpoint_and_dies_by_its_events)
{
    static const struct tiered_endpoint rules[] = {
        {"/api/models", "models", 600 * SECOND, 120 * SECOND, 0, {"models.synced"}},
        {"/api/user/data", "user-{id}", 300 * SECOND, 60 * SECOND, 30 * SECOND, {"user.updated"}},
    };
    static const struct {
        const char *key;
        unsigned refresh_s, stale_s, gone_s;
    } rows[] = {{"models", 480, 600, 600}, {"user-17", 240, 300, 330}, {"other", 900, 900, 900}};
    struct tiered_options options = options_two();
    options.endpoints = (struct tiered_endpoints){rules, 2};
    options.ttl_ns = 900 * SECOND;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tiered_cache *cache = open_with(options);
        uint64_t loaded = world.now_ns;
        unsigned calls = world.calls + 1;
        struct tiered_value value;
        ask(cache, rows[i].key);
        for (unsigned s = 1; s < rows[i].gone_s; s++) {
            world.now_ns = loaded + s * SECOND;
            ck_assert(tiered_cache_get(cache, rows[i].key, &value));
            ck_assert_msg(value.stale == (s >= rows[i].stale_s), "%s at %u s", rows[i].key, s);
            ck_assert_msg(!value.refresh || s >= rows[i].refresh_s, "%s at %u s", rows[i].key, s);
            ck_assert_msg(value.refresh || s != rows[i].refresh_s, "%s at %u s", rows[i].key, s);
        }
        ck_assert_uint_eq(world.calls, calls);
        world.now_ns = loaded + rows[i].gone_s * SECOND;
        ask(cache, rows[i].key);
        ck_assert_uint_eq(world.calls, calls + 1);
        tiered_cache_close(&cache);
    }
    struct tiered_cache *cache = open_with(options);
    size_t keys;
    ask(cache, "user-17");
    ask(cache, "user-18");
    world.state = 5;
    ck_assert(
        tiered_cache_event(cache, "user.updated", &(struct tiered_field){"id", "17"}, 1, &keys));
    ck_assert_uint_eq(keys, 1);
    ck_assert_uint_eq(ask(cache, "user-17"), 5);
    ck_assert_uint_eq(ask(cache, "user-18"), 0);
    ck_assert(tiered_cache_event(cache, "no.such", NULL, 0, &keys));
    ck_assert_uint_eq(keys, 0);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(a_loader_that_died_is_waited_for_until_its_claim_ends)
{
    struct tiered_cache *cache = open_with(options_two());
    void *sqlite = store_sqlite.open(world.file, &(struct store_limits){0});
    uint64_t began = world.now_ns;
    ck_assert_int_eq(
        store_sqlite.claim(sqlite, (struct store_key){"models", 6}, 1, began, began + 30 * SECOND),
        STORE_YES);
    ask(cache, "models");
    ck_assert_uint_ge(world.now_ns - began, 30 * SECOND);
    ck_assert_uint_le(world.now_ns - began, 31 * SECOND);
    ck_assert_uint_eq(world.calls, 1);
    store_sqlite.close(sqlite);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(without_its_log_it_asks_the_source_and_counts_it)
{
    char away[100];
    struct tiered_cache *cache = open_with(options_two());
    ask(cache, "models");
    snprintf(away, sizeof away, "%s.away", world.folder);
    ck_assert_int_eq(rename(world.folder, away), 0);
    world.state = 1;
    world.now_ns += SECOND;
    ck_assert_uint_eq(ask(cache, "models"), 1); /* memory cannot be believed any longer */
    ck_assert(!tiered_cache_invalidate(cache, "models"));
    ck_assert_int_eq(rename(away, world.folder), 0);
    world.now_ns += 2 * SECOND;
    ask(cache, "models");
    struct tiered_statistics s = statistics_of(cache);
    ck_assert_uint_eq(s.direct, 1);
    ck_assert_uint_eq(s.unpublished, 1);
    ck_assert_uint_eq(s.levels[1].outages, 1);
    ck_assert_uint_eq(s.levels[1].recoveries, 1);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(a_larger_tolerance_serves_from_memory_while_the_log_is_away)
{
    char away[100];
    struct tiered_options options = options_two();
    options.deaf_ns = 60 * SECOND;
    struct tiered_cache *cache = open_with(options);
    ask(cache, "models");
    snprintf(away, sizeof away, "%s.away", world.folder);
    ck_assert_int_eq(rename(world.folder, away), 0);
    world.state = 1;
    world.now_ns += 59 * SECOND;
    ck_assert_uint_eq(ask(cache, "models"), 0);
    world.now_ns += SECOND;
    ck_assert_uint_eq(ask(cache, "models"), 1);
    ck_assert_int_eq(rename(away, world.folder), 0);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(a_damaged_or_vanished_file_is_begun_anew_and_memory_forgets)
{
    for (int damage = 0; damage < 2; damage++) {
        struct tiered_cache *cache = open_with(options_two()), *second = open_with(options_two());
        world.state = 0;
        ck_assert(tiered_cache_refresh(cache, "models"));
        world.now_ns += SECOND; /* the second hears of nothing: it begins here */
        ask(second, "models");
        if (damage) {
            char garbage[65536];
            memset(garbage, 0x5a, sizeof garbage);
            FILE *file = fopen(world.file, "r+");
            ck_assert_ptr_nonnull(file);
            ck_assert_uint_eq(fwrite(garbage, 1, sizeof garbage, file), sizeof garbage);
            fclose(file);
        } else {
            ck_assert_int_eq(unlink(world.file), 0);
        }
        world.state = 1;
        ck_assert(tiered_cache_refresh(cache, "models") || damage);
        world.now_ns += 2 * SECOND;
        ck_assert(tiered_cache_refresh(cache, "models"));
        ck_assert(tiered_cache_invalidate(cache, "models"));
        world.now_ns += 2 * SECOND;
        ck_assert_uint_eq(ask(second, "models"), 1);
        ck_assert_uint_eq(ask(cache, "models"), 1);
        tiered_cache_close(&cache);
        tiered_cache_close(&second);
    }
}
END_TEST

START_TEST(what_the_source_cannot_give_is_not_cached)
{
    struct tiered_cache *cache = open_with(options_two());
    struct tiered_value value;
    world.failing = true;
    ck_assert(!tiered_cache_get(cache, "models", &value));
    world.failing = false;
    ck_assert(tiered_cache_get(cache, "models", &value));
    ck_assert_uint_eq(world.calls, 2);
    ck_assert_uint_eq(statistics_of(cache).failures, 1);
    ck_assert_uint_eq(statistics_of(cache).loads, 2);
    tiered_cache_close(&cache);
}
END_TEST

/* An event's own process purges what lies above at once, and does not merely stop believing it. */
START_TEST(an_event_removes_the_entry_from_the_levels_above)
{
    struct tiered_cache *cache = open_with(options_two());
    uint64_t entries, bytes;
    ask(cache, "models");
    ask(cache, "users");
    ck_assert(tiered_cache_usage(cache, 0, &entries, &bytes));
    ck_assert_uint_eq(entries, 2);
    ck_assert(tiered_cache_invalidate(cache, "models"));
    ck_assert(tiered_cache_usage(cache, 0, &entries, &bytes));
    ck_assert_uint_eq(entries, 1);
    ck_assert_uint_eq(statistics_of(cache).purged, 1);
    tiered_cache_close(&cache);
}
END_TEST

/* A row whose bytes were changed on the disk is no value. */
START_TEST(a_row_that_was_torn_fails_its_checksum_and_is_loaded_again)
{
    sqlite3 *db;
    struct tiered_options options = options_two();
    options.levels[0] = options.levels[1];
    options.levels[1] = (struct tiered_level){0};
    struct tiered_cache *cache = open_with(options);
    ask(cache, "models");
    ck_assert_int_eq(sqlite3_open(world.file, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "UPDATE entry SET data='\"models/9\"'", NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_changes(db), 1);
    sqlite3_close(db);
    ck_assert_uint_eq(ask(cache, "models"), 0);
    ck_assert_uint_eq(world.calls, 2);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(expired_rows_are_swept_and_counted)
{
    if (!log_there(_i)) {
        return;
    }
    struct tiered_cache *cache = open_with(options_over(_i));
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert(tiered_cache_set(cache, key, "1", 1, i < 40 ? SECOND : 0));
    }
    world.now_ns += 2 * SECOND;
    ck_assert_uint_eq(tiered_cache_sweep(cache), 80); /* 40 rows, and 40 in memory */
    ck_assert_uint_eq(tiered_cache_sweep(cache), 0);
    uint64_t entries, bytes;
    ck_assert(tiered_cache_usage(cache, 1, &entries, &bytes));
    ck_assert_uint_eq(entries, 60);
    tiered_cache_close(&cache);
}
END_TEST

START_TEST(a_file_with_a_bound_stays_within_it)
{
    static char data[20000];
    struct tiered_options options = options_two();
    options.levels[1].limits.bytes = 1 << 20;
    struct tiered_cache *cache = open_with(options);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert(tiered_cache_set(cache, key, data, sizeof data, 0));
        uint64_t entries, bytes;
        ck_assert(tiered_cache_usage(cache, 1, &entries, &bytes));
        ck_assert_uint_le(bytes, 1 << 20);
    }
    tiered_cache_close(&cache);
}
END_TEST

/* Redis between memory and SQLite. --------------------------------------------------------------
 */

static struct tiered_options options_three(const struct redis_fixture *redis)
{
    struct tiered_options options = options_two();
    options.levels[0] = (struct tiered_level){
        .kind = &store_redis, .address = redis->socket, .ttl_ns = 300 * SECOND};
    return options;
}

static bool redis_there(struct redis_fixture *redis)
{
    if (redis_missing()) {
        fprintf(stderr, "skipped: %s\n", redis_missing());
        return false;
    }
    ck_assert(redis_start(redis, world.folder));
    return true;
}

START_TEST(redis_killed_in_mid_run_is_left_out_and_taken_up_again)
{
    struct redis_fixture redis = {0};
    if (!redis_there(&redis)) {
        return;
    }
    struct tiered_options options = options_three(&redis);
    options.levels[0].limits.deadline_ns = 5 * SECOND; /* a busy machine is no outage */
    struct tiered_cache *cache = open_with(options);
    ask(cache, "models");
    ask(cache, "models");
    ck_assert_uint_eq(statistics_of(cache).levels[0].hits, 1);
    redis_kill(&redis);
    ask(cache, "models"); /* SQLite serves */
    ask(cache, "models");
    ck_assert_uint_eq(world.calls, 1);
    ck_assert(redis_start(&redis, world.folder));
    world.now_ns += 2 * SECOND;
    ask(cache, "models"); /* promoted again */
    ask(cache, "models");
    struct tiered_statistics s = statistics_of(cache);
    ck_assert_uint_eq(world.calls, 1);
    ck_assert_uint_eq(s.levels[0].hits, 2);
    ck_assert_uint_eq(s.levels[0].outages, 1);
    ck_assert_uint_eq(s.levels[0].recoveries, 1);
    tiered_cache_close(&cache);
    redis_kill(&redis);
}
END_TEST

/* The hard case: it was away when the event came, and comes back with what it had. */
START_TEST(redis_that_slept_through_an_event_does_not_serve_what_it_remembers)
{
    struct redis_fixture redis = {0};
    if (!redis_there(&redis)) {
        return;
    }
    struct tiered_cache *first = open_with(options_three(&redis));
    struct tiered_cache *second = open_with(options_three(&redis));
    ask(first, "models");
    kill(redis.pid, SIGSTOP);
    world.state = 1;
    ck_assert(tiered_cache_invalidate(first, "models"));
    kill(redis.pid, SIGCONT);
    world.now_ns += SECOND;
    ck_assert_uint_eq(ask(second, "models"), 1);
    world.now_ns += SECOND;
    ck_assert_uint_eq(ask(first, "models"), 1);
    tiered_cache_close(&first);
    tiered_cache_close(&second);
    redis_kill(&redis);
}
END_TEST

/* Redis has its entries and has lost its state, as after an eviction: an event meanwhile. What was
 * put before the log is read again counts no more. */
START_TEST(a_level_that_lost_its_memory_serves_nothing_from_before)
{
    struct redis_fixture redis = {0};
    char command[200];
    if (!redis_there(&redis)) {
        return;
    }
    struct tiered_options options = options_three(&redis);
    options.levels[0].limits.deadline_ns = 20 * SECOND;
    struct tiered_cache *cache = open_with(options), *other = open_with(options_two());
    ask(cache, "models");
    ask(cache, "models");
    ck_assert_uint_eq(statistics_of(cache).levels[0].hits, 1);
    world.state = 1;
    ck_assert(tiered_cache_invalidate(other, "models")); /* which knows of no Redis */
    snprintf(command, sizeof command, "redis-cli -s %s DEL tidemark:state >/dev/null",
             redis.socket);
    ck_assert_int_eq(system(command), 0);
    struct tiered_cache *young = open_with(options);
    ck_assert_uint_eq(ask(young, "models"), 1);
    ck_assert_uint_eq(ask(cache, "models"), 1);
    tiered_cache_close(&cache);
    tiered_cache_close(&other);
    tiered_cache_close(&young);
    redis_kill(&redis);
}
END_TEST

static void fixtures(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, world_make, world_end);
}

static const TTest *const *const tests[] = {
    &a_loader_that_died_is_waited_for_until_its_claim_ends,
    &each_key_lives_by_the_rule_of_its_endpoint_and_dies_by_its_events,
    &a_level_that_stays_away_is_asked_less_and_less_often,
    &without_its_log_it_asks_the_source_and_counts_it,
    &a_larger_tolerance_serves_from_memory_while_the_log_is_away,
    &a_damaged_or_vanished_file_is_begun_anew_and_memory_forgets,
    &what_the_source_cannot_give_is_not_cached,
    &an_event_removes_the_entry_from_the_levels_above,
    &a_row_that_was_torn_fails_its_checksum_and_is_loaded_again,
    &a_level_that_lost_its_memory_serves_nothing_from_before,
    &a_file_with_a_bound_stays_within_it,
    &redis_killed_in_mid_run_is_left_out_and_taken_up_again,
    &redis_that_slept_through_an_event_does_not_serve_what_it_remembers,
};

static const TTest *const *const tests_of_each_log[] = {
    &after_expiry_the_old_value_is_served_while_one_caller_of_all_loads_it_anew,
    &a_value_is_never_served_after_its_stale_time_nor_after_an_event,
    &keys_of_any_bytes_and_any_length_are_told_apart_by_every_store,
    &a_second_process_finds_what_the_first_has_loaded,
    &a_value_found_below_is_held_above_no_longer_than_it_has_left,
    &an_event_reaches_the_memory_of_other_processes_within_the_poll,
    &a_load_under_way_at_an_event_does_not_bring_old_data_back,
    &one_caller_of_all_is_told_to_refresh_before_expiry,
    &expired_rows_are_swept_and_counted,
};

int main(void)
{
    const char *missing = postgres_missing();
    if (missing) {
        fprintf(stderr, "without PostgreSQL: %s\n", missing);
    } else if (!postgres_start(&postgres)) {
        fprintf(stderr, "the PostgreSQL server does not start, see %s/log\n", postgres.folder);
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("tiered_cache");
    TCase *tcase = tcase_create("tiered_cache");
    fixtures(tcase);
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tcase_add_test(tcase, *tests[i]);
    }
    for (size_t i = 0; i < sizeof tests_of_each_log / sizeof tests_of_each_log[0]; i++) {
        tcase_add_loop_test(tcase, *tests_of_each_log[i], 0, LOGS);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    postgres_end(&postgres);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
