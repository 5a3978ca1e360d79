/* redis_link.c - see redis_link.h. Runs in the process that caches. */
#include "registry/tiered/redis_link.h"
#include "registry/tiered/redis_socket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool redis_link_init(struct redis_link *link, const char *address, uint64_t deadline_ns)
{
    *link = (struct redis_link){.fd = -1, .deadline_ns = deadline_ns};
    return redis_address_read(&link->address, address, link->trouble, sizeof link->trouble);
}

void redis_link_close(struct redis_link *link)
{
    redis_socket_close(link);
    link->out_bytes = link->in_bytes = link->in_used = 0;
}

void redis_link_fini(struct redis_link *link)
{
    redis_link_close(link);
    free(link->out.data);
    free(link->in.data);
    free(link->items.data);
}

/* What is sent. ---------------------------------------------------------------------------------
 */

static bool append(struct redis_link *link, const void *data, size_t bytes)
{
    size_t wanted = link->out_bytes + bytes;
    if (wanted > link->out.room && !store_buffer_fit(&link->out, wanted + wanted / 2)) {
        redis_link_close(link); /* half a command is none */
        snprintf(link->trouble, sizeof link->trouble, "redis: no memory");
        return false;
    }
    if (bytes > 0) {
        memcpy(link->out.data + link->out_bytes, data, bytes);
    }
    link->out_bytes = wanted;
    return true;
}

static bool append_head(struct redis_link *link, char type, size_t number)
{
    char head[32];
    int bytes = snprintf(head, sizeof head, "%c%zu\r\n", type, number);
    return append(link, head, (size_t)bytes);
}

bool redis_link_command(struct redis_link *link, unsigned words)
{
    return append_head(link, '*', words);
}

bool redis_link_word(struct redis_link *link, const void *data, size_t bytes)
{
    return append_head(link, '$', bytes) && append(link, data, bytes) && append(link, "\r\n", 2);
}

bool redis_link_text(struct redis_link *link, const char *text)
{
    return redis_link_word(link, text, strlen(text));
}

bool redis_link_number(struct redis_link *link, uint64_t number)
{
    char text[24];
    int bytes = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return redis_link_word(link, text, (size_t)bytes);
}

bool redis_link_name(struct redis_link *link, const char *kind, struct store_key key)
{
    size_t prefix = strlen(link->address.prefix), middle = strlen(kind);
    return append_head(link, '$', prefix + 1 + middle + key.length) &&
           append(link, link->address.prefix, prefix) && append(link, ":", 1) &&
           append(link, kind, middle) && append(link, key.text, key.length) &&
           append(link, "\r\n", 2);
}

/* What is received. -----------------------------------------------------------------------------
 */

#define ITEMS_MAX (1u << 20)
#define BULK_MAX  (512u << 20) /* the server's own limit */

static struct redis_item *item_new(struct redis_link *link)
{
    size_t bytes = (link->item_count + 1) * sizeof(struct redis_item);
    if (link->item_count >= ITEMS_MAX ||
        (bytes > link->items.room && !store_buffer_fit(&link->items, 2 * bytes))) {
        return NULL;
    }
    struct redis_item *items = (struct redis_item *)(void *)link->items.data;
    return &items[link->item_count++];
}

enum reading { READING_DONE, READING_MORE, READING_BAD };

/* The line at *at, without its end. */
static enum reading line_take(const struct redis_link *link, size_t *at, size_t *bytes)
{
    if (*at >= link->in_bytes) {
        return READING_MORE;
    }
    const unsigned char *begin = link->in.data + *at;
    const unsigned char *end = memchr(begin, '\n', link->in_bytes - *at);
    if (!end) {
        return READING_MORE;
    }
    *bytes = (size_t)(end - begin);
    if (*bytes < 2 || end[-1] != '\r') {
        return READING_BAD;
    }
    --*bytes;
    return READING_DONE;
}

static bool number_take(const unsigned char *text, size_t bytes, int64_t *number)
{
    char digits[24], *end;
    if (bytes == 0 || bytes >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, bytes);
    digits[bytes] = 0;
    *number = strtoll(digits, &end, 10);
    return *end == 0;
}

/* One item from *at on. */
static enum reading item_take(struct redis_link *link, size_t *at, int64_t *more)
{
    size_t bytes;
    enum reading reading = line_take(link, at, &bytes);
    if (reading != READING_DONE) {
        return reading;
    }
    struct redis_item *item = item_new(link);
    const unsigned char *line = link->in.data + *at;
    if (!item) {
        return READING_BAD;
    }
    *item = (struct redis_item){.type = (char)line[0], .at = *at + 1, .bytes = bytes - 1};
    *at += bytes + 2;
    if (item->type == '+' || item->type == '-') {
        return READING_DONE;
    }
    if (!strchr(":$*", item->type) || !number_take(line + 1, bytes - 1, &item->number)) {
        return READING_BAD;
    }
    if (item->type == ':') {
        return READING_DONE;
    }
    if (item->number < 0) {
        item->type = '0';
        return READING_DONE;
    }
    if (item->type == '*') {
        *more += item->number;
        return item->number <= ITEMS_MAX ? READING_DONE : READING_BAD;
    }
    if (item->number > BULK_MAX) {
        return READING_BAD;
    }
    item->at = *at;
    item->bytes = (size_t)item->number;
    *at += item->bytes + 2;
    return *at <= link->in_bytes ? READING_DONE : READING_MORE;
}

/* The reply at the beginning of what came and was not used yet. */
static enum reading reply_take(struct redis_link *link)
{
    size_t at = link->in_used;
    enum reading reading = READING_DONE;
    link->item_count = 0;
    for (int64_t more = 1; more > 0 && reading == READING_DONE; more--) {
        reading = item_take(link, &at, &more);
    }
    if (reading == READING_DONE) {
        link->in_used = at;
    }
    return reading;
}

const struct redis_item *redis_link_reply(struct redis_link *link)
{
    uint64_t until = redis_socket_until(link);
    enum reading reading = READING_MORE;
    if (link->fd < 0 || !redis_socket_send(link, until)) {
        redis_link_close(link);
        return NULL;
    }
    if (link->in_used == link->in_bytes) {
        link->in_used = link->in_bytes = 0;
    }
    while ((reading = reply_take(link)) == READING_MORE) {
        if (!redis_socket_receive(link, until)) {
            redis_link_close(link);
            return NULL;
        }
    }
    if (reading == READING_BAD) {
        snprintf(link->trouble, sizeof link->trouble,
                 "redis: what answers there is no Redis server");
        redis_link_close(link);
        return NULL;
    }
    const struct redis_item *reply = (const struct redis_item *)(const void *)link->items.data;
    if (reply->type == '-') {
        snprintf(link->trouble, sizeof link->trouble, "redis: %.*s", (int)reply->bytes,
                 redis_item_text(link, reply));
    }
    return reply;
}

const char *redis_item_text(const struct redis_link *link, const struct redis_item *item)
{
    return (const char *)link->in.data + item->at;
}

bool redis_item_is(const struct redis_link *link, const struct redis_item *item, const char *text)
{
    return strchr("+$", item->type) && item->bytes == strlen(text) &&
           memcmp(redis_item_text(link, item), text, item->bytes) == 0;
}

uint64_t redis_item_number(const struct redis_link *link, const struct redis_item *item)
{
    char digits[24] = "";
    if (item->type == ':') {
        return (uint64_t)item->number;
    }
    if (item->type == '$' && item->bytes < sizeof digits) {
        memcpy(digits, redis_item_text(link, item), item->bytes);
    }
    return strtoull(digits, NULL, 10);
}

/* The beginning of a connection. ----------------------------------------------------------------
 */

static bool refuse(struct redis_link *link, const char *why)
{
    snprintf(link->trouble, sizeof link->trouble, "redis: %s", why);
    return false;
}

/* HELLO's answer is a list of names and values. */
static bool server_is_alone(struct redis_link *link, const struct redis_item *reply)
{
    for (size_t i = 1; i + 1 < link->item_count; i++) {
        const struct redis_item *name = &reply[i], *value = &reply[i + 1];
        if (redis_item_is(link, name, "mode") && redis_item_is(link, value, "cluster")) {
            return refuse(link, "this server is a member of a cluster, which holds a part of the "
                                "keys; name one that stands alone");
        }
        if (redis_item_is(link, name, "mode") && redis_item_is(link, value, "sentinel")) {
            return refuse(link, "this server is a sentinel, which holds no keys; name the server "
                                "that it watches");
        }
        if (redis_item_is(link, name, "role") && redis_item_is(link, value, "replica")) {
            return refuse(link, "this server is a replica, which lags; name its primary");
        }
    }
    return true;
}

static bool greet(struct redis_link *link)
{
    const struct redis_address *a = &link->address;
    bool ok = redis_link_command(link, a->password ? 5 : 2) && redis_link_text(link, "HELLO") &&
              redis_link_text(link, "2") &&
              (!a->password || (redis_link_text(link, "AUTH") &&
                                redis_link_text(link, a->user ? a->user : "default") &&
                                redis_link_text(link, a->password)));
    const struct redis_item *reply = ok ? redis_link_reply(link) : NULL;
    if (!reply || reply->type != '*' || !server_is_alone(link, reply)) {
        return false;
    }
    if (a->database == 0) {
        return true;
    }
    reply = redis_link_command(link, 2) && redis_link_text(link, "SELECT") &&
                    redis_link_number(link, a->database)
                ? redis_link_reply(link)
                : NULL;
    return reply && reply->type == '+';
}

bool redis_link_ready(struct redis_link *link)
{
    if (redis_socket_is_open(link)) {
        return true;
    }
    redis_link_close(link); /* the server may have ended an idle connection: that is no outage */
    bool ok = (link->address.path || link->address.host) && redis_socket_open(link) && greet(link);
    if (!ok) {
        redis_link_close(link);
    }
    return ok;
}
