/*
 * store_redis.c - the level beside the processes: a Redis server on a Unix socket, by hiredis.
 * Holds no log; it may be killed, restarted empty, or come back with what it had.
 *
 *   tidemark:v:KEY    | struct head | data |   expires by itself
 *   tidemark:state    hash: floor applied confirmed
 *
 * Puts and commits are scripts, each one step for all clients: a put that is older than what the
 * level was purged of is refused there, not here. Numbers in scripts are doubles: generations are
 * microseconds of the clock, below 2^53 until the year 2255.
 */
#include "registry/tiered/store.h"

#ifdef HAVE_HIREDIS
#include <hiredis/hiredis.h>

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAGIC   0x31656c6974646974u
#define KEY_MAX 512u

struct head {
    uint64_t magic, sum, loaded_ns, expires_ns, until_ns, as_of;
};

struct redis {
    char *path;
    redisContext *context;
    struct timeval deadline;
    struct store_buffer buffer, out;
};

static const char put_script[] = "local a = redis.call('HGET', 'tidemark:state', 'applied')"
                                 " if not a or tonumber(a) > tonumber(ARGV[1]) then return 0 end"
                                 " redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";
static const char commit_script[] =
    "local a = redis.call('HGET', 'tidemark:state', 'applied')"
    " if a and tonumber(a) > tonumber(ARGV[2]) then return 0 end"
    " redis.call('HSET', 'tidemark:state', 'floor', ARGV[1], 'applied', ARGV[2], 'confirmed', "
    "ARGV[3])"
    " return 1";

static void hang_up(struct redis *redis)
{
    if (redis->context) {
        redisFree(redis->context);
        redis->context = NULL;
    }
}

/* hiredis 0.14 aborts the process when memory is short in its own way of connecting. The time-out
 * of sending bounds the connect, too. */
static redisContext *connect_unix(const struct redis *redis)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(redis->path) >= sizeof address.sun_path) {
        return NULL;
    }
    memcpy(address.sun_path, redis->path, strlen(redis->path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &redis->deadline, sizeof redis->deadline) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &redis->deadline, sizeof redis->deadline) != 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        goto out;
    }
    redisContext *context = redisConnectFd(fd);
    if (context) {
        return context;
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

/* hiredis 0.14 goes on without its output buffer where there was no memory for a new one. */
static bool is_whole(const redisContext *context)
{
    return context->obuf != NULL;
}

static bool ready(struct redis *redis)
{
    if (redis->context && !is_whole(redis->context)) {
        hang_up(redis);
    }
    if (!redis->context) {
        redis->context = connect_unix(redis);
        if (redis->context && (redis->context->err || !is_whole(redis->context))) {
            hang_up(redis);
        }
    }
    return redis->context != NULL;
}

/* The next reply, NULL when the server is gone or had an error (out of memory, loading; then the
 * connection stays). The only place that writes and reads: a server that was killed must not kill
 * this process by SIGPIPE, and whose handler that is, is not for a cache to decide. */
static redisReply *reply_next(struct redis *redis)
{
    const struct timespec none = {0};
    sigset_t pipe, before, pending;
    void *answer = NULL;
    if (!is_whole(redis->context)) {
        hang_up(redis);
        return NULL;
    }
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    int status = redisGetReply(redis->context, &answer);
    if (status != REDIS_OK && !sigismember(&pending, SIGPIPE)) {
        sigtimedwait(&pipe, NULL, &none);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    redisReply *reply = answer;
    if (status != REDIS_OK || !reply) {
        hang_up(redis);
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static redisReply *command(struct redis *redis, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int status = redisvAppendCommand(redis->context, format, arguments);
    va_end(arguments);
    if (status != REDIS_OK) {
        hang_up(redis);
        return NULL;
    }
    return reply_next(redis);
}

static enum store_answer as_answer(redisReply *reply)
{
    enum store_answer answer = !reply ? STORE_DOWN : reply->integer != 0 ? STORE_YES : STORE_NO;
    if (reply) {
        freeReplyObject(reply);
    }
    return answer;
}

static void *redis_open(const char *address, const struct store_limits *limits)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis) {
        uint64_t deadline = limits->deadline_ns ? limits->deadline_ns : 100000000u;
        redis->deadline = (struct timeval){.tv_sec = (time_t)(deadline / 1000000000u),
                                           .tv_usec = (suseconds_t)(deadline / 1000 % 1000000)};
        redis->path = strdup(address);
        if (!redis->path) {
            free(redis);
            return NULL;
        }
    }
    return redis;
}

static void redis_close(void *store)
{
    struct redis *redis = store;
    hang_up(redis);
    free(redis->buffer.data);
    free(redis->out.data);
    free(redis->path);
    free(redis);
}

static uint64_t number_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
}

static void state_take(const redisReply *reply, struct store_state *state)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
        reply->element[1]->type == REDIS_REPLY_STRING) {
        *state = (struct store_state){.known = true,
                                      .floor = number_of(reply->element[0]),
                                      .applied = number_of(reply->element[1]),
                                      .confirmed_ns = number_of(reply->element[2])};
    }
}

static enum store_answer entry_take(struct redis *redis, const redisReply *reply,
                                    struct store_entry *entry)
{
    struct head head;
    if (reply->type != REDIS_REPLY_STRING || reply->len < sizeof head) {
        return STORE_NO;
    }
    size_t bytes = reply->len - sizeof head;
    memcpy(&head, reply->str, sizeof head);
    if (!store_buffer_fit(&redis->buffer, bytes + 1)) {
        return STORE_DOWN;
    }
    memcpy(redis->buffer.data, reply->str + sizeof head, bytes);
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
 * two: an entry that is read behind the state can only be newer than the state says. */
static enum store_answer redis_get(void *store, struct store_key key, struct store_entry *entry,
                                   struct store_state *state)
{
    struct redis *redis = store;
    enum store_answer answer = STORE_DOWN;
    *state = (struct store_state){0};
    if (!ready(redis) ||
        redisAppendCommand(redis->context, "HMGET tidemark:state floor applied confirmed") !=
            REDIS_OK ||
        redisAppendCommand(redis->context, "GET tidemark:v:%b", key.text, key.length) != REDIS_OK) {
        hang_up(redis);
        return STORE_DOWN;
    }
    redisReply *levels = reply_next(redis);
    redisReply *value = redis->context ? reply_next(redis) : NULL;
    if (value && levels) {
        state_take(levels, state);
        answer = entry_take(redis, value, entry);
    }
    if (value) {
        freeReplyObject(value);
    }
    if (levels) {
        freeReplyObject(levels);
    }
    return answer;
}

static enum store_answer redis_put(void *store, struct store_key key,
                                   const struct store_entry *entry, uint64_t now_ns)
{
    struct redis *redis = store;
    struct head head = {.magic = MAGIC,
                        .sum = store_check(entry->data, entry->bytes),
                        .loaded_ns = entry->loaded_ns,
                        .expires_ns = entry->expires_ns,
                        .until_ns = entry->until_ns,
                        .as_of = entry->as_of};
    uint64_t left_ms = entry->until_ns > now_ns ? (entry->until_ns - now_ns) / 1000000 : 0;
    if (left_ms == 0 || key.length > KEY_MAX ||
        !store_buffer_fit(&redis->out, sizeof head + entry->bytes)) {
        return STORE_NO;
    }
    if (!ready(redis)) {
        return STORE_DOWN;
    }
    memcpy(redis->out.data, &head, sizeof head);
    memcpy(redis->out.data + sizeof head, entry->data, entry->bytes);
    return as_answer(command(redis, "EVAL %s 1 tidemark:v:%b %llu %b %llu", put_script, key.text,
                             key.length, (unsigned long long)entry->as_of, redis->out.data,
                             sizeof head + entry->bytes, (unsigned long long)left_ms));
}

static enum store_answer redis_drop(void *store, struct store_key key)
{
    struct redis *redis = store;
    return ready(redis) ? as_answer(command(redis, "DEL tidemark:v:%b", key.text, key.length))
                        : STORE_DOWN;
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

static enum store_answer redis_usage(void *store, uint64_t *entries, uint64_t *bytes)
{
    struct redis *redis = store;
    *entries = *bytes = 0;
    redisReply *size = ready(redis) ? command(redis, "DBSIZE") : NULL;
    redisReply *info = size ? command(redis, "INFO memory") : NULL;
    if (size && info) {
        const char *used = strstr(info->str, "used_memory_dataset:");
        *entries = size->integer > 0 ? (uint64_t)size->integer - 1 : 0; /* the state is no entry */
        *bytes = used ? strtoull(used + strlen("used_memory_dataset:"), NULL, 10) : 0;
    }
    enum store_answer answer = size && info ? STORE_YES : STORE_DOWN;
    if (size) {
        freeReplyObject(size);
    }
    if (info) {
        freeReplyObject(info);
    }
    return answer;
}

static enum store_answer redis_commit(void *store, const struct store_state *state)
{
    struct redis *redis = store;
    return ready(redis) ? as_answer(command(redis, "EVAL %s 0 %llu %llu %llu", commit_script,
                                            (unsigned long long)state->floor,
                                            (unsigned long long)state->applied,
                                            (unsigned long long)state->confirmed_ns))
                        : STORE_DOWN;
}

static const struct store_kind kind = {
    .name = "redis",
    .shared = true,
    .open = redis_open,
    .close = redis_close,
    .trouble = store_no_trouble,
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

const struct store_kind *store_redis(void)
{
    return &kind;
}

#else

const struct store_kind *store_redis(void)
{
    return NULL;
}

#endif
