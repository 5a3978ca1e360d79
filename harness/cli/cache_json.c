/* cache_json.c - see cache.h: answers as JSON, the same for --json and for the server. Supervisor
 * only. */
#include "harness/base/memory.h"
#include "harness/cli/cache.h"
#include "harness/result/json_write.h"

#include <math.h>
#include <stdlib.h>

/* Milliseconds are enough for people who look. */
static double seconds(uint64_t ns)
{
    return round((double)ns / 1e6) / 1e3;
}

static void key_put(struct text *json, const char *name, const char *key, size_t key_bytes)
{
    char *copy = memory_copy_bytes(key, key_bytes);
    json_text(json, name, copy);
    free(copy);
}

static void seconds_put(struct text *json, const char *name, uint64_t ns)
{
    if (ns == ADMIN_UNKNOWN) {
        text_format(json, ",\"%s\":null", name);
    } else {
        json_number(json, name, seconds(ns));
    }
}

void cache_entry_json(struct text *json, const struct admin_entry *entry)
{
    json_open(json, NULL, '{');
    key_put(json, "key", entry->key, entry->key_bytes);
    seconds_put(json, "age", entry->age_ns);
    seconds_put(json, "ttl_remaining", entry->left_ns);
    json_unsigned(json, "bytes", entry->bytes);
    json_close(json, '}');
}

struct entries {
    struct text *json;
    uint64_t room, left_out;
};

static void entry_put(void *context, const struct admin_entry *entry)
{
    struct entries *entries = context;
    if (entry->left_ns == 0) {
        return;
    }
    if (entries->room == 0) {
        entries->left_out++;
        return;
    }
    entries->room--;
    cache_entry_json(entries->json, entry);
}

static void count_put(struct text *json, const char *name, uint64_t value)
{
    if (value == ADMIN_UNKNOWN) {
        text_format(json, ",\"%s\":null", name);
    } else {
        json_unsigned(json, name, value);
    }
}

static void recommendations_put(struct cache_admin *admin, struct text *json)
{
    bool given[REGISTRY_ADVICES];
    struct registry_advice_figures figures;
    json_open(json, "recommendations", '[');
    if (cache_admin_advise(admin, given, &figures) == ADMIN_YES) {
        for (unsigned i = 0; i < REGISTRY_ADVICES; i++) {
            if (given[i]) {
                json_text(json, NULL, registry_advice_text((enum registry_advice)i));
            }
        }
    }
    json_close(json, ']');
}

enum admin_answer cache_stats_json(struct cache_admin *admin, uint64_t entries_max,
                                   struct text *json)
{
    struct admin_stats stats;
    struct text list = {0};
    struct entries entries = {&list, entries_max, 0};
    enum admin_answer answer = cache_admin_stats(admin, &stats);
    json_open(&list, NULL, '[');
    if (answer == ADMIN_YES) {
        answer = cache_admin_list(admin, entry_put, &entries);
    }
    json_close(&list, ']');
    if (answer == ADMIN_YES) {
        json_open(json, NULL, '{');
        json_text(json, "store", stats.kind);
        json_unsigned(json, "size", stats.size);
        json_unsigned(json, "expired", stats.expired);
        json_unsigned(json, "bytes", stats.bytes);
        count_put(json, "hits", stats.hits);
        count_put(json, "misses", stats.misses);
        if (stats.lookups == ADMIN_UNKNOWN || stats.lookups == 0) {
            text_put(json, ",\"hit_rate\":null");
        } else {
            json_number(json, "hit_rate",
                        round(1e4 * (double)stats.hits / (double)stats.lookups) / 100);
        }
        text_format(json, ",\"entries\":%s", text_peek(&list));
        json_unsigned(json, "entries_left_out", entries.left_out);
        recommendations_put(admin, json);
        json_close(json, '}');
    }
    text_fini(&list);
    return answer;
}

void cache_done_json(struct text *json, const struct cache_admin *admin, const char *done,
                     const char *count_name, uint64_t count)
{
    json_open(json, NULL, '{');
    json_text(json, "store", cache_admin_kind(admin));
    json_text(json, "done", done);
    if (count_name) {
        json_unsigned(json, count_name, count);
    }
    json_close(json, '}');
}

void cache_error_json(struct text *json, const char *error)
{
    json_open(json, NULL, '{');
    json_text(json, "error", error);
    json_close(json, '}');
}
