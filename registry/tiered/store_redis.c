/*
 * store_redis.c - the level beside the processes: a Redis server, on a Unix socket or by TCP or TLS
 * (redis_address.h). Holds no log; it may be killed, restarted empty, or come back with what it
 * had.
 *
 *   tidemark:v:NAME   | struct head | data |   expires by itself
 *   tidemark:state    hash: floor applied confirmed
 *
 * Puts and commits are scripts, each one step for all clients: a put that is older than what the
 * level was purged of is refused there, not here. Numbers in scripts are doubles: generations are
 * microseconds of the clock, below 2^53 until the year 2255.
 *
 * A user with few rights needs: ~tidemark:* +hello +get +set +del +hmget +hget +hset +eval, and for
 * figures +dbsize +info; +select where the database is not 0. To list and to clear: +scan +strlen
 * +getrange.
 */
#include "registry/tiered/redis_link.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC 0x31656c6974646974u
static const struct store_key no_key = {"", 0};

struct head {
    uint64_t magic, sum, loaded_ns, expires_ns, until_ns, as_of;
};

struct redis {
    struct redis_link link;
    bool usable; /* its address is one */
    struct store_buffer buffer, out;
};

static const char put_script[] = "local a = redis.call('HGET', KEYS[2], 'applied')"
                                 " if not a or tonumber(a) > tonumber(ARGV[1]) then return 0 end"
                                 " redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";
static const char commit_script[] =
    "local a = redis.call('HGET', KEYS[1], 'applied')"
    " if a and tonumber(a) > tonumber(ARGV[2]) then return 0 end"
    " redis.call('HSET', KEYS[1], 'floor', ARGV[1], 'applied', ARGV[2], 'confirmed', ARGV[3])"
    " return 1";

static bool ready(struct redis *redis)
{
    return redis->usable && redis_link_ready(&redis->link);
}

/* The number that a command returned: YES unless it is 0. The server's memory being full is a
 * refusal, any other error an outage. */
static enum store_answer answer_of(struct redis *redis)
{
    const struct redis_item *reply = redis_link_reply(&redis->link);
    if (!reply) {
        return STORE_DOWN;
    }
    if (reply->type == '-') {
        bool full =
            reply->bytes > 4 && memcmp(redis_item_text(&redis->link, reply), "OOM ", 4) == 0;
        return full ? STORE_NO : STORE_DOWN;
    }
    return redis_item_number(&redis->link, reply) != 0 ? STORE_YES : STORE_NO;
}

static void *redis_open(const char *address, const struct store_limits *limits)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis) {
        redis->usable = redis_link_init(&redis->link, address,
                                        limits->deadline_ns ? limits->deadline_ns : 100000000u);
    }
    return redis;
}

static void redis_close(void *store)
{
    struct redis *redis = store;
    redis_link_fini(&redis->link);
    free(redis->buffer.data);
    free(redis->out.data);
    free(redis);
}

static const char *redis_trouble(const void *store)
{
    const struct redis *redis = store;
    return redis->link.trouble;
}

static void state_take(const struct redis_link *link, const struct redis_item *reply,
                       struct store_state *state)
{
    if (reply->type == '*' && reply->number == 3 && reply[2].type == '$') {
        *state = (struct store_state){.known = true,
                                      .floor = redis_item_number(link, &reply[1]),
                                      .applied = redis_item_number(link, &reply[2]),
                                      .confirmed_ns = redis_item_number(link, &reply[3])};
    }
}

static enum store_answer entry_take(struct redis *redis, const struct redis_item *reply,
                                    struct store_entry *entry)
{
    struct head head;
    if (reply->type == '-') {
        return STORE_DOWN;
    }
    if (reply->type != '$' || reply->bytes < sizeof head) {
        return STORE_NO;
    }
    const char *text = redis_item_text(&redis->link, reply);
    size_t bytes = reply->bytes - sizeof head;
    memcpy(&head, text, sizeof head);
    if (!store_buffer_fit(&redis->buffer, bytes + 1)) {
        return STORE_DOWN;
    }
    memcpy(redis->buffer.data, text + sizeof head, bytes);
    if (head.magic != MAGIC || head.sum != store_check(redis->buffer.data, bytes)) {
        return STORE_NO;
    }
    *entry = (struct store_entry){.data = redis->buffer.data,
                                  .bytes = bytes,
                                  .loaded_ns = head.loaded_ns,
                                  .expires_ns = head.expires_ns,
                                  .until_ns = head.until_ns,
                                  .as_of = head.as_of};
    return STORE_YES;
}

/* One round trip: the state, then the entry. In this order, because a purge may come between the
 * two: an entry that is read after the state can only be newer than the state says. */
static enum store_answer redis_get(void *store, struct store_key key, struct store_entry *entry,
                                   struct store_state *state)
{
    struct redis *redis = store;
    struct redis_link *link = &redis->link;
    *state = (struct store_state){0};
    if (!ready(redis) || !redis_link_command(link, 5) || !redis_link_text(link, "HMGET") ||
        !redis_link_name(link, "state", no_key) || !redis_link_text(link, "floor") ||
        !redis_link_text(link, "applied") || !redis_link_text(link, "confirmed") ||
        !redis_link_command(link, 2) || !redis_link_text(link, "GET") ||
        !redis_link_name(link, "v:", key)) {
        return STORE_DOWN;
    }
    const struct redis_item *reply = redis_link_reply(link);
    if (!reply) {
        return STORE_DOWN;
    }
    bool refused = reply->type == '-';
    state_take(link, reply, state);
    reply = redis_link_reply(link);
    return !reply || refused ? STORE_DOWN : entry_take(redis, reply, entry);
}

static enum store_answer redis_put(void *store, struct store_key key,
                                   const struct store_entry *entry, uint64_t now_ns)
{
    struct redis *redis = store;
    struct redis_link *link = &redis->link;
    struct head head = {.magic = MAGIC,
                        .sum = store_check(entry->data, entry->bytes),
                        .loaded_ns = entry->loaded_ns,
                        .expires_ns = entry->expires_ns,
                        .until_ns = entry->until_ns,
                        .as_of = entry->as_of};
    uint64_t left_ms = entry->until_ns > now_ns ? (entry->until_ns - now_ns) / 1000000 : 0;
    size_t bytes = sizeof head + entry->bytes;
    if (left_ms == 0 || !store_buffer_fit(&redis->out, bytes)) {
        return STORE_NO;
    }
    memcpy(redis->out.data, &head, sizeof head);
    memcpy(redis->out.data + sizeof head, entry->data, entry->bytes);
    bool ok = ready(redis) && redis_link_command(link, 8) && redis_link_text(link, "EVAL") &&
              redis_link_text(link, put_script) && redis_link_text(link, "2") &&
              redis_link_name(link, "v:", key) && redis_link_name(link, "state", no_key) &&
              redis_link_number(link, entry->as_of) &&
              redis_link_word(link, redis->out.data, bytes) && redis_link_number(link, left_ms);
    return ok ? answer_of(redis) : STORE_DOWN;
}

static enum store_answer redis_drop(void *store, struct store_key key)
{
    struct redis *redis = store;
    struct redis_link *link = &redis->link;
    bool ok = ready(redis) && redis_link_command(link, 2) && redis_link_text(link, "DEL") &&
              redis_link_name(link, "v:", key);
    return ok ? answer_of(redis) : STORE_DOWN;
}

static enum store_answer redis_sweep(void *store, uint64_t now_ns, uint64_t keep_ns,
                                     uint64_t *removed)
{
    (void)store;
    (void)now_ns;
    (void)keep_ns;
    *removed = 0; /* the server expires by itself */
    return STORE_YES;
}

/* Of the whole database, whoever else uses it. */
static enum store_answer redis_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    static const char name[] = "used_memory_dataset:";
    struct redis *redis = store;
    struct redis_link *link = &redis->link;
    *entries = *bytes = 0;
    if (!ready(redis) || !redis_link_command(link, 1) || !redis_link_text(link, "DBSIZE") ||
        !redis_link_command(link, 2) || !redis_link_text(link, "INFO") ||
        !redis_link_text(link, "memory")) {
        return STORE_DOWN;
    }
    const struct redis_item *reply = redis_link_reply(link);
    uint64_t keys = reply && reply->type == ':' ? (uint64_t)reply->number : 0;
    *entries = keys > 0 ? keys - 1 : 0; /* the state is no entry */
    reply = reply ? redis_link_reply(link) : NULL;
    if (!reply || reply->type != '$') {
        return STORE_DOWN;
    }
    const char *used = memmem(redis_item_text(link, reply), reply->bytes, name, strlen(name));
    *bytes = used ? strtoull(used + strlen(name), NULL, 10) : 0; /* a line ends there */
    return STORE_YES;
}

static enum store_answer redis_commit(void *store, const struct store_state *state)
{
    struct redis *redis = store;
    struct redis_link *link = &redis->link;
    bool ok = ready(redis) && redis_link_command(link, 7) && redis_link_text(link, "EVAL") &&
              redis_link_text(link, commit_script) && redis_link_text(link, "1") &&
              redis_link_name(link, "state", no_key) && redis_link_number(link, state->floor) &&
              redis_link_number(link, state->applied) &&
              redis_link_number(link, state->confirmed_ns);
    return ok ? answer_of(redis) : STORE_DOWN;
}

/* Listing: the names first, because the server may give one twice. --------------------------------
 */

struct names {
    struct store_buffer text;
    size_t used, count;
    size_t *starts; /* of each name; after sorting they may be in any order */
    size_t room;
};

static bool names_add(struct names *names, const char *text, size_t bytes)
{
    size_t wanted = names->used + sizeof bytes + bytes;
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 256;
        size_t *longer = realloc(names->starts, room * sizeof *longer);
        if (!longer) {
            return false;
        }
        names->starts = longer;
        names->room = room;
    }
    if (wanted > names->text.room && !store_buffer_fit(&names->text, 2 * wanted)) {
        return false;
    }
    memcpy(names->text.data + names->used, &bytes, sizeof bytes);
    memcpy(names->text.data + names->used + sizeof bytes, text, bytes);
    names->starts[names->count++] = names->used;
    names->used = wanted;
    return true;
}

static struct store_key name_at(const struct names *names, size_t i)
{
    struct store_key key;
    const unsigned char *at = names->text.data + names->starts[i];
    memcpy(&key.length, at, sizeof key.length);
    key.text = (const char *)at + sizeof key.length;
    return key;
}

static int names_compare(const void *a, const void *b, void *context)
{
    const unsigned char *text = context, *x = text + *(const size_t *)a,
                        *y = text + *(const size_t *)b;
    size_t m, n;
    memcpy(&m, x, sizeof m);
    memcpy(&n, y, sizeof n);
    int order = memcmp(x + sizeof m, y + sizeof n, m < n ? m : n);
    return order ? order : (m > n) - (m < n);
}

/* Sorted, each once. */
static void names_sort(struct names *names)
{
    size_t kept = 0;
    if (names->count > 0) {
        qsort_r(names->starts, names->count, sizeof *names->starts, names_compare,
                names->text.data);
    }
    for (size_t i = 0; i < names->count; i++) {
        if (kept == 0 ||
            names_compare(&names->starts[kept - 1], &names->starts[i], names->text.data) != 0) {
            names->starts[kept++] = names->starts[i];
        }
    }
    names->count = kept;
}

/* PREFIX:v:*, with what is a pattern in the prefix quoted. */
static bool pattern_word(struct redis_link *link)
{
    char pattern[2 * sizeof link->address.text + 8];
    size_t at = 0;
    for (const char *c = link->address.prefix; *c; c++) {
        if (strchr("*?[]\\", *c)) {
            pattern[at++] = '\\';
        }
        pattern[at++] = *c;
    }
    memcpy(pattern + at, ":v:*", 5);
    return redis_link_text(link, pattern);
}

/* One step of the server's iteration. *cursor ends as "0". */
static enum store_answer names_step(struct redis *redis, struct names *names, char cursor[24])
{
    struct redis_link *link = &redis->link;
    size_t before = strlen(link->address.prefix) + 3;
    if (!ready(redis) || !redis_link_command(link, 6) || !redis_link_text(link, "SCAN") ||
        !redis_link_text(link, cursor) || !redis_link_text(link, "MATCH") || !pattern_word(link) ||
        !redis_link_text(link, "COUNT") || !redis_link_text(link, "1000")) {
        return STORE_DOWN;
    }
    const struct redis_item *reply = redis_link_reply(link);
    if (!reply || reply->type != '*' || link->item_count < 3 || reply[1].type != '$' ||
        reply[1].bytes >= 24 || reply[2].type != '*') {
        return STORE_DOWN;
    }
    memcpy(cursor, redis_item_text(link, &reply[1]), reply[1].bytes);
    cursor[reply[1].bytes] = 0;
    for (size_t i = 3; i < link->item_count; i++) {
        if (reply[i].type == '$' && reply[i].bytes >= before &&
            !names_add(names, redis_item_text(link, &reply[i]) + before, reply[i].bytes - before)) {
            return STORE_DOWN;
        }
    }
    return STORE_YES;
}

static enum store_answer names_read(struct redis *redis, struct names *names)
{
    char cursor[24] = "0";
    enum store_answer answer;
    do {
        answer = names_step(redis, names, cursor);
    } while (answer == STORE_YES && strcmp(cursor, "0") != 0);
    names_sort(names);
    return answer;
}

static void names_fini(struct names *names)
{
    free(names->text.data);
    free(names->starts);
}

/* False: the server does not answer. What vanished meanwhile is not listed; what is no entry has
 * neither time. */
static bool entry_list(struct redis *redis, struct store_key name,
                       void (*each)(void *context, const struct store_listed *entry), void *context)
{
    struct redis_link *link = &redis->link;
    struct store_listed entry = {.name = name};
    struct head head;
    if (!ready(redis) || !redis_link_command(link, 2) || !redis_link_text(link, "STRLEN") ||
        !redis_link_name(link, "v:", name) || !redis_link_command(link, 4) ||
        !redis_link_text(link, "GETRANGE") || !redis_link_name(link, "v:", name) ||
        !redis_link_text(link, "0") || !redis_link_number(link, sizeof head - 1)) {
        return false;
    }
    const struct redis_item *reply = redis_link_reply(link);
    uint64_t bytes = reply && reply->type == ':' ? (uint64_t)reply->number : 0;
    bool refused = reply && reply->type == '-';
    reply = reply ? redis_link_reply(link) : NULL;
    if (!reply || refused || reply->type == '-') {
        return false;
    }
    entry.bytes = bytes > sizeof head ? bytes - sizeof head : 0;
    if (reply->type == '$' && reply->bytes == sizeof head) {
        memcpy(&head, redis_item_text(link, reply), sizeof head);
        if (head.magic == MAGIC) {
            entry.loaded_ns = head.loaded_ns;
            entry.expires_ns = head.until_ns;
        }
    }
    if (bytes > 0) {
        each(context, &entry);
    }
    return true;
}

static enum store_answer redis_list(void *store,
                                    void (*each)(void *context, const struct store_listed *entry),
                                    void *context)
{
    struct names names = {0};
    enum store_answer answer = names_read(store, &names);
    for (size_t i = 0; i < names.count && answer == STORE_YES; i++) {
        answer = entry_list(store, name_at(&names, i), each, context) ? STORE_YES : STORE_DOWN;
    }
    names_fini(&names);
    return answer;
}

/* The entries of this prefix only: other services may use the server. */
static enum store_answer redis_clear(void *store, uint64_t *removed)
{
    struct names names = {0};
    enum store_answer answer = names_read(store, &names);
    *removed = 0;
    for (size_t i = 0; i < names.count && answer == STORE_YES; i++) {
        enum store_answer one = redis_drop(store, name_at(&names, i));
        *removed += one == STORE_YES;
        answer = one == STORE_DOWN ? STORE_DOWN : STORE_YES;
    }
    names_fini(&names);
    return answer;
}

const struct store_kind store_redis = {
    .name = "redis",
    .shared = true,
    .open = redis_open,
    .close = redis_close,
    .trouble = redis_trouble,
    .get = redis_get,
    .put = redis_put,
    .drop = redis_drop,
    .sweep = redis_sweep,
    .usage = redis_usage,
    .commit = redis_commit,
    .list = redis_list,
    .clear = redis_clear,
    .verify = store_no_verify,
    .generation = store_no_generation,
    .events = store_no_events,
    .publish = store_no_publish,
    .claim = store_no_claim,
    .release = store_no_release,
    .totals = store_no_totals,
};
