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
 * figures +dbsize +info; +select where the database is not 0.
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
    .generation = store_no_generation,
    .events = store_no_events,
    .publish = store_no_publish,
    .claim = store_no_claim,
    .release = store_no_release,
};
