/*
 * cache_admin_test.c - administration beside the processes that it is done to: over SQLite and over
 * a PostgreSQL server of this program's own, where there is one.
 */
#include "harness/base/suite.h"
#include "registry/admin/cache_admin.h"
#include "registry/tiered/postgres_fixture.h"
#include "registry/tiered/tiered_cache.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000000ull

struct place {
    const struct store_kind *kind;
    char address[200], url[200], folder[64];
};

static struct postgres_fixture server;

static void server_end(void)
{
    postgres_end(&server);
}

static bool place_begin(struct place *place, int which)
{
    snprintf(place->folder, sizeof place->folder, "/tmp/tidemark-admin-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place->folder));
    if (which == 0) {
        place->kind = &store_sqlite;
        snprintf(place->address, sizeof place->address, "%s/app.db", place->folder);
        snprintf(place->url, sizeof place->url, "%s", place->address);
        return true;
    }
    const char *missing = postgres_missing();
    if (missing) {
        printf("skipped: %s\n", missing);
        return false;
    }
    place->kind = &store_postgres;
    ck_assert_msg(postgres_start(&server), "the PostgreSQL server does not start");
    atexit(server_end);
    snprintf(place->address, sizeof place->address, "%s", server.address);
    snprintf(place->url, sizeof place->url, "postgresql://tidemark@/postgres?host=%s&port=%d",
             server.folder, server.port);
    return true;
}

static void place_end(struct place *place)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
    ck_assert_int_eq(system(command), 0);
    if (place->kind == &store_postgres) {
        postgres_end(&server);
        server.folder[0] = 0;
    }
}

struct world {
    unsigned loads;
    const char *value;
    struct cache_admin *meanwhile; /* what is done during a load */
    bool clears;
};

static bool world_load(void *context, struct store_key key, const void **data, size_t *bytes)
{
    struct world *world = context;
    (void)key;
    world->loads++;
    *data = world->value;
    *bytes = strlen(world->value);
    if (world->meanwhile && world->clears) {
        uint64_t removed;
        ck_assert_int_eq(cache_admin_clear(world->meanwhile, &removed), ADMIN_YES);
    } else if (world->meanwhile) {
        ck_assert_int_eq(cache_admin_invalidate(world->meanwhile, "k", 1), ADMIN_YES);
    }
    return true;
}

static bool admin_load(void *context, const char *key, size_t key_bytes, const void **data,
                       size_t *bytes)
{
    return world_load(context, (struct store_key){key, key_bytes}, data, bytes);
}

static struct tiered_cache *service(const struct place *place, struct world *world, bool memory)
{
    struct tiered_options options = {.load = world_load, .context = world, .totals = true};
    unsigned n = 0;
    if (memory) {
        options.levels[n++] = (struct tiered_level){.kind = &store_memory};
    }
    options.levels[n] = (struct tiered_level){.kind = place->kind, .address = place->address};
    struct tiered_cache *cache = tiered_cache_open(&options);
    ck_assert_ptr_nonnull(cache);
    return cache;
}

static void gets(struct tiered_cache *cache, const char *key, const char *wanted)
{
    struct tiered_value value;
    ck_assert(tiered_cache_get(cache, key, &value));
    ck_assert_msg(value.bytes == strlen(wanted) && memcmp(value.data, wanted, value.bytes) == 0,
                  "%s: '%.*s', not '%s'", key, (int)value.bytes, (const char *)value.data, wanted);
}

static struct cache_admin *admin_of(const struct place *place, struct world *world)
{
    char trouble[ADMIN_TROUBLE_BYTES] = "";
    struct cache_admin *admin = cache_admin_open(
        &(struct admin_options){
            .store = place->url, .load = world ? admin_load : NULL, .context = world},
        trouble);
    ck_assert_msg(admin != NULL, "%s", trouble);
    return admin;
}

static void nap(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* Over both stores; the body is called with a place. */
static void over_all(void (*body)(const struct place *place))
{
    for (int which = 0; which < 2; which++) {
        struct place place = {0};
        if (place_begin(&place, which)) {
            body(&place);
        }
        place_end(&place);
    }
}

/* ------------------------------------------------------------------------------------------------
 */

static void clear_body(const struct place *place)
{
    struct world world = {.value = "old"};
    struct tiered_cache *cache = service(place, &world, true);
    gets(cache, "k", "old");
    gets(cache, "k", "old");
    ck_assert_uint_eq(world.loads, 1);
    struct cache_admin *admin = admin_of(place, NULL);
    uint64_t removed;
    world.value = "new";
    ck_assert_int_eq(cache_admin_clear(admin, &removed), ADMIN_YES);
    ck_assert_uint_eq(removed, 1);
    nap(450); /* poll_ns is 400 ms */
    gets(cache, "k", "new");
    ck_assert_uint_eq(world.loads, 2);
    gets(cache, "k", "new");
    ck_assert_uint_eq(world.loads, 2);
    cache_admin_close(&admin);
    tiered_cache_close(&cache);
}

START_TEST(a_clear_reaches_the_memory_of_other_processes)
{
    over_all(clear_body);
}
END_TEST

/* The value that was loaded before is right for whoever asked, and stays nowhere. */
static void meanwhile_body(const struct place *place)
{
    for (int clears = 0; clears < 2; clears++) {
        struct world world = {.value = "old", .clears = clears};
        struct tiered_cache *cache = service(place, &world, false);
        gets(cache, "warm", "old"); /* there must be a store to be opened */
        world.meanwhile = admin_of(place, NULL);
        gets(cache, "k", "old");
        cache_admin_close(&world.meanwhile);
        world.value = "new";
        gets(cache, "k", "new");
        ck_assert_uint_eq(world.loads, 3);
        struct cache_admin *admin = admin_of(place, NULL);
        uint64_t removed;
        ck_assert_int_eq(cache_admin_clear(admin, &removed), ADMIN_YES);
        cache_admin_close(&admin);
        tiered_cache_close(&cache);
    }
}

START_TEST(a_load_that_is_under_way_does_not_bring_back_what_was_cleared_or_invalidated)
{
    over_all(meanwhile_body);
}
END_TEST

/* The same from the other side: an event during the administrator's own load. */
static void overtaken_body(const struct place *place)
{
    struct world world = {.value = "old"}, source = {.value = "mine"};
    struct tiered_cache *cache = service(place, &world, false);
    gets(cache, "k", "old");
    struct cache_admin *admin = admin_of(place, &source), *other = admin_of(place, NULL);
    source.meanwhile = other;
    ck_assert_int_eq(cache_admin_refresh(admin, "k", 1), ADMIN_NO);
    world.value = "new";
    gets(cache, "k", "new");
    source.meanwhile = NULL;
    ck_assert_int_eq(cache_admin_refresh(admin, "k", 1), ADMIN_YES);
    gets(cache, "k", "mine");
    ck_assert_uint_eq(world.loads, 2);
    cache_admin_close(&admin);
    cache_admin_close(&other);
    tiered_cache_close(&cache);
}

START_TEST(a_refresh_that_an_event_overtakes_is_refused)
{
    over_all(overtaken_body);
}
END_TEST

/* Another process has the claim, loads and puts: nobody else loads. */
static void joined_body(const struct place *place)
{
    struct world world = {.value = "old"}, source = {.value = "twice"};
    struct tiered_cache *cache = service(place, &world, false);
    gets(cache, "k", "old");
    tiered_cache_close(&cache);
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store_limits limits = {0};
        void *store = place->kind->open(place->address, &limits);
        struct timespec now;
        uint64_t generation;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t ns = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
        struct store_key key = {"k", 1};
        bool ok = place->kind->claim(store, key, 7, ns, ns + 30 * SECOND) == STORE_YES &&
                  place->kind->generation(store, &generation) == STORE_YES;
        ok = write(ready[1], "x", 1) == 1 && ok;
        /* Again and again, because only what was loaded after the other has begun will do. */
        for (int times = 0; ok && times < 40; times++) {
            nap(250);
            clock_gettime(CLOCK_REALTIME, &now);
            ns = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
            struct store_entry entry = {.data = "theirs",
                                        .bytes = 6,
                                        .loaded_ns = ns,
                                        .expires_ns = ns + 600 * SECOND,
                                        .until_ns = ns + 600 * SECOND,
                                        .as_of = generation};
            ok = place->kind->put(store, key, &entry, ns) == STORE_YES;
        }
        place->kind->close(store);
        _exit(ok ? 0 : 1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    struct cache_admin *admin = admin_of(place, &source);
    ck_assert_int_eq(cache_admin_refresh(admin, "k", 1), ADMIN_YES);
    ck_assert_uint_eq(source.loads, 0);
    struct admin_value value;
    ck_assert_int_eq(cache_admin_get(admin, "k", 1, &value), ADMIN_YES);
    ck_assert_msg(value.bytes == 6 && memcmp(value.data, "theirs", 6) == 0, "another value");
    cache_admin_close(&admin);
    kill(pid, SIGKILL); /* it never gives the claim back */
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    close(ready[0]);
    close(ready[1]);
}

START_TEST(a_refresh_joins_the_load_of_another_process)
{
    over_all(joined_body);
}
END_TEST

/* Figures of processes that end, and of one that goes on. */
static void totals_body(const struct place *place)
{
    for (int i = 0; i < 3; i++) {
        struct world world = {.value = "v"};
        struct tiered_cache *cache = service(place, &world, i == 2);
        gets(cache, "a", "v");
        gets(cache, "a", "v");
        tiered_cache_close(&cache);
    }
    struct world world = {.value = "v"};
    struct tiered_cache *idle = service(place, &world, false);
    tiered_cache_close(&idle); /* served nobody */
    struct cache_admin *admin = admin_of(place, NULL);
    struct admin_stats stats;
    bool given[REGISTRY_ADVICES];
    struct registry_advice_figures figures;
    ck_assert_int_eq(cache_admin_stats(admin, &stats), ADMIN_YES);
    ck_assert_uint_eq(stats.lookups, 6);
    ck_assert_uint_eq(stats.hits, 5);
    ck_assert_uint_eq(stats.misses, 1);
    ck_assert_uint_eq(stats.size, 1);
    ck_assert_int_eq(cache_admin_advise(admin, given, &figures), ADMIN_YES);
    ck_assert_uint_eq(figures.processes, 3);
    ck_assert(!figures.redis); /* memory is no level that others see */
    ck_assert_double_eq_tol(figures.ttl_s, 600, 1e-6);
    ck_assert(figures.interval_s > 0 && figures.interval_s < 60);
    ck_assert(figures.cached_ms > 0 && figures.cached_ms < 1000);
    for (unsigned i = 0; i < REGISTRY_ADVICES; i++) {
        ck_assert_msg(!given[i], "%s", registry_advice_text((enum registry_advice)i));
    }
    cache_admin_close(&admin);
}

START_TEST(what_processes_count_adds_up)
{
    over_all(totals_body);
}
END_TEST

static bool wait_clock_moves(void *clock)
{
    *(uint64_t *)clock += 61 * SECOND;
    return true;
}

static uint64_t test_now(void *clock)
{
    return *(uint64_t *)clock;
}

START_TEST(a_process_that_goes_on_adds_its_figures_once_a_minute)
{
    struct place place = {0};
    struct world world = {.value = "v"};
    ck_assert(place_begin(&place, 0));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t clock = (uint64_t)now.tv_sec * SECOND;
    struct tiered_cache *cache = tiered_cache_open(
        &(struct tiered_options){.levels = {{.kind = &store_sqlite, .address = place.address}},
                                 .load = world_load,
                                 .context = &world,
                                 .totals = true,
                                 .now_ns = test_now,
                                 .clock = &clock});
    struct admin_stats stats;
    gets(cache, "a", "v");
    gets(cache, "a", "v");
    struct cache_admin *admin = admin_of(&place, NULL);
    ck_assert_int_eq(cache_admin_stats(admin, &stats), ADMIN_YES);
    ck_assert_uint_eq(stats.lookups, ADMIN_UNKNOWN);
    for (int i = 0; i < 3; i++) {
        wait_clock_moves(&clock);
        gets(cache, "a", "v");
        gets(cache, "a", "v");
    }
    ck_assert_int_eq(cache_admin_stats(admin, &stats), ADMIN_YES);
    ck_assert_uint_eq(stats.lookups, 7); /* all but the last */
    tiered_cache_close(&cache);
    ck_assert_int_eq(cache_admin_stats(admin, &stats), ADMIN_YES);
    ck_assert_uint_eq(stats.lookups, 8);
    cache_admin_close(&admin);
    place_end(&place);
}
END_TEST

struct damages {
    unsigned count;
    char key[32];
};

static void damage_note(void *context, const char *key, size_t key_bytes, const char *what)
{
    struct damages *damages = context;
    (void)what;
    damages->count++;
    snprintf(damages->key, sizeof damages->key, "%.*s", (int)key_bytes, key);
}

START_TEST(verify_names_what_is_damaged_and_leaves_it)
{
    struct place place = {0};
    struct world world = {.value = "value"};
    ck_assert(place_begin(&place, 0));
    struct tiered_cache *cache = service(&place, &world, false);
    gets(cache, "a", "value");
    gets(cache, "b", "value");
    tiered_cache_close(&cache);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(place.address, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "UPDATE entry SET data='valve' WHERE key='b'", 0, 0, 0),
                     SQLITE_OK);
    sqlite3_close(db);
    for (int times = 0; times < 2; times++) {
        struct cache_admin *admin = admin_of(&place, NULL);
        struct damages damages = {0};
        uint64_t checked;
        ck_assert_int_eq(cache_admin_verify(admin, damage_note, &damages, &checked), ADMIN_NO);
        ck_assert_uint_eq(checked, 2);
        ck_assert_uint_eq(damages.count, 1);
        ck_assert_str_eq(damages.key, "b");
        cache_admin_close(&admin);
    }
    place_end(&place);
}
END_TEST

static void count_entry(void *context, const struct admin_entry *entry)
{
    (void)entry;
    ++*(unsigned *)context;
}

START_TEST(a_long_key_is_found_by_itself_and_by_its_name_in_the_list)
{
    struct place place = {0};
    struct world world = {.value = "v"};
    char key[2000];
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = 0;
    ck_assert(place_begin(&place, 0));
    struct tiered_cache *cache = service(&place, &world, false);
    gets(cache, key, "v");
    struct cache_admin *admin = admin_of(&place, NULL);
    struct admin_value value;
    unsigned count = 0;
    ck_assert_int_eq(cache_admin_list(admin, count_entry, &count), ADMIN_YES);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(cache_admin_get(admin, key, strlen(key), &value), ADMIN_YES);
    ck_assert_int_eq(cache_admin_invalidate(admin, key, strlen(key)), ADMIN_YES);
    ck_assert_int_eq(cache_admin_get(admin, key, strlen(key), &value), ADMIN_NO);
    ck_assert_int_eq(cache_admin_get(admin, key, strlen(key) - 1, &value), ADMIN_NO);
    cache_admin_close(&admin);
    tiered_cache_close(&cache);
    place_end(&place);
}
END_TEST

SUITE("cache_admin", &a_clear_reaches_the_memory_of_other_processes,
      &a_load_that_is_under_way_does_not_bring_back_what_was_cleared_or_invalidated,
      &a_refresh_that_an_event_overtakes_is_refused, &a_refresh_joins_the_load_of_another_process,
      &what_processes_count_adds_up, &a_process_that_goes_on_adds_its_figures_once_a_minute,
      &verify_names_what_is_damaged_and_leaves_it,
      &a_long_key_is_found_by_itself_and_by_its_name_in_the_list)
