/*
 * cache.h - the parts of `tidemark cache`: the verbs (cache.c), what they answer as JSON
 * (cache_json.c), the command that is the source (cache_source.c), and the server
 * (cache_serve.c). This header is the only door to registry/admin/. Supervisor only.
 */
#ifndef CLI_CACHE_H
#define CLI_CACHE_H

#include "harness/base/text.h"
#include "harness/cli/command.h"
#include "registry/admin/cache_admin.h"

/* A source that is a shell command: the key is in its variable TIDEMARK_CACHE_KEY, the value is
 * what it prints. */
struct cache_source {
    const char *command;
    uint64_t timeout_ns;
    uint64_t bytes_max;
    struct text value;
};
/* For admin_options.load. False: it ended with another status than 0, printed nothing, too much, or
 * took too long; a line on standard error says which. */
bool cache_source_load(void *source, const char *key, size_t key_bytes, const void **data,
                       size_t *bytes);

/* The document of GET /cache/stats and of `stats --json`: docs/statistics.schema.json. At most
 * `entries_max` entries. */
enum admin_answer cache_stats_json(struct cache_admin *admin, uint64_t entries_max,
                                   struct text *json);
/* One entry, as a member of an array or a line of its own. */
void cache_entry_json(struct text *json, const struct admin_entry *entry);
/* The answer to a call that did something, or did not: {"store":...,"done":"clear",...}. */
void cache_done_json(struct text *json, const struct cache_admin *admin, const char *done,
                     const char *count_name, uint64_t count);
void cache_error_json(struct text *json, const char *error);

/* Refreshes the keys, or all that are there; those that failed are said one by one. */
struct cache_failed {
    void (*each)(void *context, const char *key, size_t key_bytes, const char *why);
    void *context;
};
enum admin_answer cache_refresh(struct cache_admin *admin, const char *const *keys, size_t count,
                                const struct cache_failed *failed, uint64_t *refreshed);

struct cache_serve {
    struct cache_admin *admin;
    const char *host; /* an address, no name */
    uint16_t port;    /* 0: any that is free */
    const char *key;  /* of X-API-KEY; NULL: nothing may be changed */
    double rate;      /* requests a second, of all clients together */
    bool verbose;     /* one line for each request on standard error */
};
/* Serves until a signal; an exit status. */
int cache_serve_run(const struct cache_serve *serve);

#endif
