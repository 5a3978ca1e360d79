/*
 * cache_admin_store.c - see cache_admin_inside.h: a shared level of a tiered cache, SQLite,
 * PostgreSQL or Redis. The first two have the log of events, so that what is done here reaches the
 * levels above them; a Redis server by itself is one of those levels.
 */
#include "registry/admin/cache_admin_inside.h"
#include "registry/tiered/key_name.h"
#include "registry/tiered/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SECOND      1000000000ull
#define TTL_NS      (600 * SECOND)
#define CLAIM_NS    (30 * SECOND)
#define PATIENCE_NS (30 * SECOND)
#define WAIT_NS     20000000ull
#define UNSWEPT_NS  (120 * SECOND) /* two sweeps have passed it by */

struct admin_store {
    const struct store_kind *kind;
    void *store;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static enum admin_answer down(struct cache_admin *admin)
{
    const struct admin_store *store = admin->inside;
    const char *why = store->kind->trouble(store->store);
    return admin_say(admin, ADMIN_DOWN, "%s", *why ? why : "the store does not answer");
}

/* A name of the list is one, whatever begins a key otherwise. */
static struct store_key name_of(struct key_name *named, const char *key, size_t key_bytes)
{
    static const char digest[] = "~sha256:";
    struct store_key plain = {key, key_bytes};
    if (key_bytes > sizeof digest + 64 && key_bytes < sizeof named->text &&
        memcmp(key, digest, sizeof digest - 1) == 0) {
        return plain;
    }
    key_name_init(named, plain);
    return named->name;
}

static void store_close(struct cache_admin *admin)
{
    struct admin_store *store = admin->inside;
    if (store->store) {
        store->kind->close(store->store);
    }
    free(store);
}

/* Looking. --------------------------------------------------------------------------------------
 */

static void times_fill(struct admin_entry *entry, uint64_t loaded_ns, uint64_t expires_ns,
                       uint64_t now)
{
    entry->age_ns = loaded_ns == 0 ? ADMIN_UNKNOWN : now > loaded_ns ? now - loaded_ns : 0;
    entry->left_ns = expires_ns > now ? expires_ns - now : 0;
}

struct listing {
    void (*each)(void *context, const struct admin_entry *entry);
    void *context;
    uint64_t now;
};

static void entry_pass(void *context, const struct store_listed *listed)
{
    const struct listing *listing = context;
    struct admin_entry entry = {
        .key = listed->name.text, .key_bytes = listed->name.length, .bytes = listed->bytes};
    times_fill(&entry, listed->loaded_ns, listed->expires_ns, listing->now);
    listing->each(listing->context, &entry);
}

static enum admin_answer store_list(struct cache_admin *admin,
                                    void (*each)(void *context, const struct admin_entry *entry),
                                    void *context)
{
    struct admin_store *store = admin->inside;
    struct listing listing = {each, context, now_ns()};
    return store->kind->list(store->store, entry_pass, &listing) == STORE_YES ? ADMIN_YES
                                                                              : down(admin);
}

struct sum {
    uint64_t now, entries, expired, unswept;
    double ttl_s;
};

static void entry_count(void *context, const struct store_listed *entry)
{
    struct sum *sum = context;
    sum->entries++;
    sum->expired += entry->expires_ns <= sum->now;
    sum->unswept += entry->expires_ns + UNSWEPT_NS <= sum->now;
    if (entry->expires_ns > entry->loaded_ns) {
        sum->ttl_s += (double)(entry->expires_ns - entry->loaded_ns) / 1e9;
    }
}

static enum admin_answer store_stats(struct cache_admin *admin, struct admin_stats *stats)
{
    struct admin_store *store = admin->inside;
    struct store_totals totals;
    struct sum sum = {.now = now_ns()};
    uint64_t entries;
    if (store->kind->list(store->store, entry_count, &sum) != STORE_YES ||
        store->kind->usage(store->store, &entries, &stats->bytes) != STORE_YES) {
        return down(admin);
    }
    stats->size = sum.entries - sum.expired;
    stats->expired = sum.expired;
    enum store_answer counted = store->kind->totals(store->store, NULL, &totals);
    if (counted == STORE_DOWN) {
        return down(admin);
    }
    if (counted == STORE_YES && totals.processes > 0) {
        stats->lookups = totals.lookups;
        stats->hits = totals.hits;
        stats->misses = totals.lookups - totals.hits;
    }
    return ADMIN_YES;
}

static enum admin_answer store_figures(struct cache_admin *admin,
                                       struct registry_advice_figures *figures)
{
    struct admin_store *store = admin->inside;
    struct store_totals totals;
    struct sum sum = {.now = now_ns()};
    if (store->kind->list(store->store, entry_count, &sum) != STORE_YES ||
        store->kind->totals(store->store, NULL, &totals) == STORE_DOWN) {
        return down(admin);
    }
    figures->processes = totals.processes;
    figures->outages = totals.outages;
    figures->redis = totals.nearer > 0;
    figures->expired_unswept = sum.unswept;
    figures->ttl_s = sum.entries ? sum.ttl_s / (double)sum.entries : 0;
    if (totals.hits > 0) {
        figures->cached_ms = (double)totals.cached_ns / (double)totals.hits / 1e6;
    }
    if (totals.lookups > 0 && totals.since_ns > 0 && totals.since_ns < sum.now) {
        figures->interval_s = (double)(sum.now - totals.since_ns) / 1e9 * (double)sum.entries /
                              (double)totals.lookups;
    }
    return ADMIN_YES;
}

static enum admin_answer store_get(struct cache_admin *admin, const char *key, size_t key_bytes,
                                   struct admin_value *value)
{
    struct admin_store *store = admin->inside;
    struct key_name named;
    struct store_entry entry;
    struct store_state state;
    struct store_key name = name_of(&named, key, key_bytes);
    enum store_answer answer = store->kind->get(store->store, name, &entry, &state);
    if (answer == STORE_DOWN) {
        return down(admin);
    }
    if (answer == STORE_NO) {
        return admin_say(admin, ADMIN_NO, "there is no such entry, or it is damaged");
    }
    *value =
        (struct admin_value){.data = entry.data,
                             .bytes = entry.bytes,
                             .entry = {.key = key, .key_bytes = key_bytes, .bytes = entry.bytes}};
    times_fill(&value->entry, entry.loaded_ns,
               store->kind->has_log ? entry.expires_ns : entry.until_ns, now_ns());
    return ADMIN_YES;
}

/* Verifying: the names first, because a listing and a get are calls of one store. */
struct names {
    char *text;
    size_t *bytes;
    size_t used, room, count, count_room;
    bool short_of_memory;
};

static bool room_make(void *slot, size_t *room, size_t need, size_t size)
{
    void **at = slot;
    if (need <= *room) {
        return true;
    }
    void *longer = realloc(*at, 2 * need * size);
    if (longer) {
        *at = longer;
        *room = 2 * need;
    }
    return longer != NULL;
}

static void name_keep(void *context, const struct store_listed *entry)
{
    struct names *names = context;
    if (!room_make(&names->text, &names->room, names->used + entry->name.length + 1, 1) ||
        !room_make(&names->bytes, &names->count_room, names->count + 1, sizeof *names->bytes)) {
        names->short_of_memory = true;
        return;
    }
    if (entry->name.length > 0) {
        memcpy(names->text + names->used, entry->name.text, entry->name.length);
    }
    names->used += entry->name.length;
    names->bytes[names->count++] = entry->name.length;
}

struct presence {
    struct store_key name;
    bool found;
};

static void name_compare(void *context, const struct store_listed *entry)
{
    struct presence *presence = context;
    presence->found =
        presence->found || (entry->name.length == presence->name.length &&
                            memcmp(entry->name.text, presence->name.text, entry->name.length) == 0);
}

/* What a get does not find was removed since, or is damaged: the list says which. */
static enum store_answer is_damaged(struct admin_store *store, struct store_key name, bool *damaged)
{
    struct store_entry entry;
    struct store_state state;
    *damaged = false;
    enum store_answer answer = store->kind->get(store->store, name, &entry, &state);
    if (answer == STORE_NO) {
        struct presence presence = {.name = name};
        answer = store->kind->list(store->store, name_compare, &presence);
        *damaged = presence.found;
    }
    return answer == STORE_DOWN ? STORE_DOWN : STORE_YES;
}

static enum admin_answer names_verify(struct cache_admin *admin, const struct names *names,
                                      void (*each)(void *context, const char *key, size_t key_bytes,
                                                   const char *what),
                                      void *context, uint64_t *checked)
{
    struct admin_store *store = admin->inside;
    enum admin_answer answer = ADMIN_YES;
    uint64_t bad = 0;
    const char *at = names->text;
    for (size_t i = 0; i < names->count; at += names->bytes[i++]) {
        bool damaged;
        if (is_damaged(store, (struct store_key){at, names->bytes[i]}, &damaged) == STORE_DOWN) {
            return down(admin);
        }
        ++*checked;
        if (damaged) {
            each(context, at, names->bytes[i], "its checksum, or its head, is wrong");
            bad++;
            answer = admin_say(admin, ADMIN_NO, "%llu of %llu entries are damaged",
                               (unsigned long long)bad, (unsigned long long)*checked);
        }
    }
    return answer;
}

static enum admin_answer store_verify(struct cache_admin *admin,
                                      void (*each)(void *context, const char *key, size_t key_bytes,
                                                   const char *what),
                                      void *context, uint64_t *checked)
{
    struct admin_store *store = admin->inside;
    struct names names = {0};
    enum store_answer whole = store->kind->verify(store->store);
    if (whole == STORE_NO) { /* what its entries say then is worth nothing */
        each(context, "", 0, store->kind->trouble(store->store));
        return admin_say(admin, ADMIN_NO, "%s", store->kind->trouble(store->store));
    }
    enum admin_answer answer;
    if (whole == STORE_DOWN || store->kind->list(store->store, name_keep, &names) != STORE_YES) {
        answer = down(admin);
    } else if (names.short_of_memory) {
        answer = admin_say(admin, ADMIN_DOWN, "no memory for the names of all entries");
    } else {
        answer = names_verify(admin, &names, each, context, checked);
    }
    free(names.text);
    free(names.bytes);
    return answer;
}

/* Doing. ----------------------------------------------------------------------------------------
 */

static enum admin_answer store_clear(struct cache_admin *admin, uint64_t *removed)
{
    struct admin_store *store = admin->inside;
    enum store_answer answer = store->kind->clear(store->store, removed);
    return answer == STORE_YES ? ADMIN_YES
           : answer == STORE_NO
               ? admin_say(admin, ADMIN_NO, "%s", store->kind->trouble(store->store))
               : down(admin);
}

static enum admin_answer store_invalidate(struct cache_admin *admin, const char *key,
                                          size_t key_bytes)
{
    struct admin_store *store = admin->inside;
    struct key_name named;
    struct store_key name = name_of(&named, key, key_bytes);
    enum store_answer answer = store->kind->has_log
                                   ? store->kind->publish(store->store, name, now_ns())
                                   : store->kind->drop(store->store, name);
    if (answer == STORE_NO) {
        return admin_say(admin, ADMIN_NO, "%s",
                         store->kind->has_log ? store->kind->trouble(store->store)
                                              : "there is no such entry");
    }
    return answer == STORE_YES ? ADMIN_YES : down(admin);
}

static enum admin_answer store_rollback(struct cache_admin *admin)
{
    return admin_say(admin, ADMIN_NO, "a %s store keeps one version of a value", admin->name);
}

static void pause_ns(uint64_t ns)
{
    struct timespec pause = {.tv_nsec = (long)ns};
    nanosleep(&pause, NULL);
}

/* YES: ours. NO: another loaded it meanwhile, which will do. */
static enum store_answer claim_get(struct admin_store *store, struct store_key name, uint64_t owner,
                                   uint64_t begun, bool *timed_out)
{
    *timed_out = false;
    for (;;) {
        uint64_t now = now_ns();
        struct store_entry entry;
        struct store_state state;
        enum store_answer answer =
            store->kind->claim(store->store, name, owner, now, now + CLAIM_NS);
        if (answer != STORE_NO) {
            return answer;
        }
        answer = store->kind->get(store->store, name, &entry, &state);
        if (answer == STORE_DOWN) {
            return STORE_DOWN;
        }
        if (answer == STORE_YES && entry.loaded_ns >= begun) {
            return STORE_NO;
        }
        if (now - begun >= PATIENCE_NS) {
            *timed_out = true;
            return STORE_NO;
        }
        pause_ns(WAIT_NS);
    }
}

/* What the entry had is what it gets again. */
static void times_choose(const struct cache_admin *admin, const struct store_entry *old, bool there,
                         struct store_entry *entry)
{
    uint64_t ttl = admin->options.ttl_ns, had = there ? old->expires_ns - old->loaded_ns : 0;
    uint64_t level = there ? old->until_ns - old->loaded_ns : 0;
    ttl = ttl ? ttl : had ? had : TTL_NS;
    entry->expires_ns = entry->loaded_ns + ttl;
    entry->until_ns = entry->loaded_ns + (level && level < ttl ? level : ttl);
}

static enum admin_answer value_load(struct cache_admin *admin, const char *key, size_t key_bytes,
                                    struct store_key name)
{
    struct admin_store *store = admin->inside;
    struct store_entry old, entry = {0};
    struct store_state state = {0};
    enum store_answer there = store->kind->get(store->store, name, &old, &state);
    enum store_answer log =
        store->kind->has_log ? store->kind->generation(store->store, &entry.as_of) : STORE_YES;
    if (there == STORE_DOWN || log != STORE_YES) {
        return down(admin);
    }
    if (!store->kind->has_log && !state.known) {
        return admin_say(admin, ADMIN_NO,
                         "no process of the cache has used this server since it began: what would "
                         "be put there would not be believed");
    }
    entry.as_of = store->kind->has_log ? entry.as_of : state.applied;
    entry.loaded_ns = now_ns();
    times_choose(admin, &old, there == STORE_YES, &entry);
    if (!admin->options.load(admin->options.context, key, key_bytes, &entry.data, &entry.bytes)) {
        return admin_say(admin, ADMIN_NO, "the source has no answer");
    }
    enum store_answer put = store->kind->put(store->store, name, &entry, now_ns());
    if (put == STORE_NO) {
        const char *why = store->kind->trouble(store->store);
        return admin_say(admin, ADMIN_NO, "%s",
                         *why ? why
                              : "an event made it old while it was loaded, or it does not fit");
    }
    return put == STORE_YES ? ADMIN_YES : down(admin);
}

static enum admin_answer store_refresh(struct cache_admin *admin, const char *key, size_t key_bytes)
{
    struct admin_store *store = admin->inside;
    struct key_name named;
    struct store_key name = name_of(&named, key, key_bytes);
    uint64_t owner = 0;
    bool timed_out;
    if (!store->kind->has_log) {
        return value_load(admin, key, key_bytes, name);
    }
    if (getrandom(&owner, sizeof owner, 0) != sizeof owner) {
        owner = now_ns();
    }
    owner &= INT64_MAX;
    enum store_answer claim = claim_get(store, name, owner, now_ns(), &timed_out);
    if (claim == STORE_DOWN) {
        return down(admin);
    }
    if (claim == STORE_NO) {
        return timed_out
                   ? admin_say(admin, ADMIN_NO, "another process has been loading it for 30 s")
                   : ADMIN_YES;
    }
    enum admin_answer answer = value_load(admin, key, key_bytes, name);
    store->kind->release(store->store, name, owner);
    return answer;
}

static const struct admin_kind kind_store = {
    .has_keys = true,
    .close = store_close,
    .stats = store_stats,
    .list = store_list,
    .get = store_get,
    .refresh = store_refresh,
    .clear = store_clear,
    .invalidate = store_invalidate,
    .rollback = store_rollback,
    .verify = store_verify,
    .figures = store_figures,
};

static bool store_open(struct cache_admin *admin, const struct store_kind *kind,
                       const char *address)
{
    const struct store_limits limits = {.existing = true, .deadline_ns = 5 * SECOND};
    struct admin_store *store = calloc(1, sizeof *store);
    if (store) {
        *store = (struct admin_store){.kind = kind, .store = kind->open(address, &limits)};
    }
    if (!store || !store->store) {
        free(store);
        return admin_say(admin, ADMIN_DOWN, "no memory") == ADMIN_YES;
    }
    admin->kind = &kind_store;
    admin->name = kind->name;
    admin->has_log = kind->has_log;
    admin->inside = store;
    return true;
}

bool admin_sqlite_open(struct cache_admin *admin)
{
    uint64_t generation;
    if (!store_open(admin, &store_sqlite, admin->options.store)) {
        return false;
    }
    /* A damaged file is opened, to be verified. */
    struct admin_store *store = admin->inside;
    if (store->kind->generation(store->store, &generation) != STORE_YES &&
        store->kind->verify(store->store) == STORE_DOWN) {
        (void)down(admin);
        store_close(admin);
        admin->kind = NULL;
        return false;
    }
    return true;
}

bool admin_redis_open(struct cache_admin *admin)
{
    return store_open(admin, &store_redis, admin->options.store);
}

/* Is this table there? The trouble says why not. */
static bool postgres_try(struct cache_admin *admin, const struct store_kind *kind)
{
    uint64_t generation;
    if (!store_open(admin, kind, admin->options.store)) {
        return false;
    }
    struct admin_store *store = admin->inside;
    if (store->kind->generation(store->store, &generation) == STORE_YES) {
        return true;
    }
    (void)down(admin);
    store_close(admin);
    admin->kind = NULL;
    return false;
}

bool admin_postgres_open(struct cache_admin *admin)
{
    static const struct {
        const char *table;
        const struct store_kind *kind;
    } tables[] = {{"tidemark_entry", &store_postgres}, {"cache_entries", &store_postgres_json}};
    const char *wanted = admin->options.table;
    unsigned found = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (wanted && strcmp(wanted, tables[i].table) == 0) {
            return postgres_try(admin, tables[i].kind);
        }
    }
    if (wanted) {
        return admin_say(admin, ADMIN_DOWN, "no table '%s': tidemark_entry or cache_entries",
                         wanted) == ADMIN_YES;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (postgres_try(admin, tables[i].kind)) {
            found |= 1u << i;
            store_close(admin);
            admin->kind = NULL;
        }
    }
    if (found == 3) {
        return admin_say(admin, ADMIN_DOWN,
                         "the database has two caches, in the tables tidemark_entry and "
                         "cache_entries: name one") == ADMIN_YES;
    }
    return found && postgres_try(admin, tables[found - 1].kind);
}
