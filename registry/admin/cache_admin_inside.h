/*
 * cache_admin_inside.h - the inside of the administration, shared by its files.
 *
 *   cache_admin.c        which kind a store is, and what all kinds have in common
 *   cache_admin_file.c   a file cache
 *   cache_admin_store.c  a shared level of a tiered cache
 */
#ifndef ADMIN_CACHE_ADMIN_INSIDE_H
#define ADMIN_CACHE_ADMIN_INSIDE_H

#include "registry/admin/cache_admin.h"

struct admin_kind {
    bool has_keys, has_versions;
    void (*close)(struct cache_admin *admin);
    enum admin_answer (*stats)(struct cache_admin *admin, struct admin_stats *stats);
    enum admin_answer (*list)(struct cache_admin *admin,
                              void (*each)(void *context, const struct admin_entry *entry),
                              void *context);
    enum admin_answer (*get)(struct cache_admin *admin, const char *key, size_t key_bytes,
                             struct admin_value *value);
    enum admin_answer (*refresh)(struct cache_admin *admin, const char *key, size_t key_bytes);
    enum admin_answer (*clear)(struct cache_admin *admin, uint64_t *removed);
    enum admin_answer (*invalidate)(struct cache_admin *admin, const char *key, size_t key_bytes);
    enum admin_answer (*rollback)(struct cache_admin *admin);
    enum admin_answer (*verify)(struct cache_admin *admin,
                                void (*each)(void *context, const char *key, size_t key_bytes,
                                             const char *what),
                                void *context, uint64_t *checked);
    /* Of figures what the kind knows; `hits` and `lookups` are there. */
    enum admin_answer (*figures)(struct cache_admin *admin,
                                 struct registry_advice_figures *figures);
};

struct cache_admin {
    const struct admin_kind *kind;
    const char *name;
    struct admin_options options;
    bool has_log;
    void *inside; /* of the kind */
    char trouble[ADMIN_TROUBLE_BYTES];
};

enum admin_answer admin_say(struct cache_admin *admin, enum admin_answer answer, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

/* Each fills in the kind; false: the trouble says why. */
bool admin_file_open(struct cache_admin *admin);
bool admin_sqlite_open(struct cache_admin *admin);
bool admin_postgres_open(struct cache_admin *admin);
bool admin_redis_open(struct cache_admin *admin);

#endif
