/* cache_admin.c - see cache_admin.h. Runs in the process of the administrator. */
#include "registry/admin/cache_admin_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum admin_answer admin_say(struct cache_admin *admin, enum admin_answer answer, const char *format,
                            ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(admin->trouble, sizeof admin->trouble, format, list);
    va_end(list);
    return answer;
}

/* What the first bytes of a file say. */
static bool path_open(struct cache_admin *admin)
{
    static const char sqlite[] = "SQLite format 3", file[] = "tidemark-file ";
    const char *path = admin->options.store;
    char head[sizeof sqlite] = "";
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return admin_say(admin, ADMIN_DOWN, "%s: %s", path, strerror(errno)) == ADMIN_YES;
    }
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    ssize_t got = regular ? read(fd, head, sizeof head - 1) : -1;
    close(fd);
    if (got > 0 && strncmp(head, sqlite, sizeof sqlite - 1) == 0) {
        return admin_sqlite_open(admin);
    }
    if (got > 0 && strncmp(head, file, sizeof file - 1) == 0) {
        return admin_file_open(admin);
    }
    return admin_say(admin, ADMIN_DOWN, "%s: %s", path,
                     !regular ? "not a file"
                              : "neither a file cache nor a SQLite file of a cache, by its first "
                                "bytes") == ADMIN_YES;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool kind_open(struct cache_admin *admin)
{
    const char *store = admin->options.store;
    static const struct {
        const char *scheme;
        bool (*open)(struct cache_admin *admin);
    } schemes[] = {
        {"postgresql://", admin_postgres_open}, {"postgres://", admin_postgres_open},
        {"redis://", admin_redis_open},         {"rediss://", admin_redis_open},
        {"unix://", admin_redis_open},
    };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (begins(store, schemes[i].scheme)) {
            return schemes[i].open(admin);
        }
    }
    const char *scheme = strstr(store, "://");
    if (scheme && strcspn(store, "/") == (size_t)(scheme - store) + 1) {
        return admin_say(admin, ADMIN_DOWN,
                         "no store is called '%.*s://': a path, postgresql://, redis://, rediss:// "
                         "or unix://",
                         (int)(scheme - store), store) == ADMIN_YES;
    }
    return path_open(admin);
}

struct cache_admin *cache_admin_open(const struct admin_options *options,
                                     char trouble[ADMIN_TROUBLE_BYTES])
{
    struct cache_admin *admin = calloc(1, sizeof *admin);
    if (!admin) {
        snprintf(trouble, ADMIN_TROUBLE_BYTES, "no memory");
        return NULL;
    }
    admin->options = *options;
    bool ok = kind_open(admin);
    if (ok && options->table && !begins(admin->name, "postgres")) {
        ok = admin_say(admin, ADMIN_DOWN, "a %s store has no tables to choose from", admin->name) ==
             ADMIN_YES;
    }
    if (!ok) {
        snprintf(trouble, ADMIN_TROUBLE_BYTES, "%s", admin->trouble);
        cache_admin_close(&admin);
    }
    return admin;
}

void cache_admin_close(struct cache_admin **admin)
{
    if (*admin) {
        if ((*admin)->kind) {
            (*admin)->kind->close(*admin);
        }
        free(*admin);
        *admin = NULL;
    }
}

const char *cache_admin_trouble(const struct cache_admin *admin)
{
    return admin->trouble;
}

const char *cache_admin_kind(const struct cache_admin *admin)
{
    return admin->name;
}

bool cache_admin_has_keys(const struct cache_admin *admin)
{
    return admin->kind->has_keys;
}

bool cache_admin_has_versions(const struct cache_admin *admin)
{
    return admin->kind->has_versions;
}

bool cache_admin_has_log(const struct cache_admin *admin)
{
    return admin->has_log;
}

enum admin_answer cache_admin_stats(struct cache_admin *admin, struct admin_stats *stats)
{
    *stats = (struct admin_stats){.kind = admin->name,
                                  .hits = ADMIN_UNKNOWN,
                                  .misses = ADMIN_UNKNOWN,
                                  .lookups = ADMIN_UNKNOWN};
    return admin->kind->stats(admin, stats);
}

enum admin_answer cache_admin_list(struct cache_admin *admin,
                                   void (*each)(void *context, const struct admin_entry *entry),
                                   void *context)
{
    return admin->kind->list(admin, each, context);
}

enum admin_answer cache_admin_get(struct cache_admin *admin, const char *key, size_t key_bytes,
                                  struct admin_value *value)
{
    *value = (struct admin_value){0};
    return admin->kind->get(admin, key, key_bytes, value);
}

enum admin_answer cache_admin_refresh(struct cache_admin *admin, const char *key, size_t key_bytes)
{
    if (!admin->options.load) {
        return admin_say(admin, ADMIN_NO, "no source was given to refresh from");
    }
    return admin->kind->refresh(admin, key, key_bytes);
}

enum admin_answer cache_admin_clear(struct cache_admin *admin, uint64_t *removed)
{
    *removed = 0;
    return admin->kind->clear(admin, removed);
}

enum admin_answer cache_admin_invalidate(struct cache_admin *admin, const char *key,
                                         size_t key_bytes)
{
    return admin->kind->invalidate(admin, key, key_bytes);
}

enum admin_answer cache_admin_rollback(struct cache_admin *admin)
{
    return admin->kind->rollback(admin);
}

enum admin_answer cache_admin_verify(struct cache_admin *admin,
                                     void (*each)(void *context, const char *key, size_t key_bytes,
                                                  const char *what),
                                     void *context, uint64_t *checked)
{
    *checked = 0;
    return admin->kind->verify(admin, each, context, checked);
}

enum admin_answer cache_admin_advise(struct cache_admin *admin, bool given[REGISTRY_ADVICES],
                                     struct registry_advice_figures *figures)
{
    struct admin_stats stats;
    *figures = (struct registry_advice_figures){.shared = true};
    enum admin_answer answer = cache_admin_stats(admin, &stats);
    if (answer != ADMIN_YES) {
        return answer;
    }
    bool counted = stats.lookups != ADMIN_UNKNOWN;
    figures->lookups = counted ? stats.lookups : 0;
    figures->hits = counted ? stats.hits : 0;
    answer = admin->kind->figures(admin, figures);
    if (answer != ADMIN_YES) {
        return answer;
    }
    registry_advice_give(figures, given);
    bool any = false;
    for (unsigned i = 0; i < REGISTRY_ADVICES; i++) {
        any = any || given[i];
    }
    return counted || any
               ? ADMIN_YES
               : admin_say(admin, ADMIN_NO,
                           "nobody counts look-ups in this store, so that nothing can be "
                           "recommended");
}
