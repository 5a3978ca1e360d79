/* cache_admin_file.c - see cache_admin_inside.h: a file cache. */
#include "registry/admin/cache_admin_inside.h"
#include "registry/file/file_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct admin_file {
    struct file_cache *cache;
    struct file_snapshot *held; /* of the last get */
    unsigned versions;          /* how many there are, and may be */
};

/* A list has as many rows as there are files, damaged ones among them. */
static unsigned versions_count(const char *path)
{
    unsigned most = 0;
    for (unsigned v = 1; v <= FILE_VERSIONS_MAX; v++) {
        char name[4096];
        struct stat status;
        if (snprintf(name, sizeof name, "%s.%u", path, v) < (int)sizeof name &&
            stat(name, &status) == 0) {
            most = v;
        }
    }
    return most;
}

static bool file_fetch(void *context, const char *etag, struct file_answer_of_source *answer)
{
    struct cache_admin *admin = context;
    size_t bytes = 0;
    (void)etag;
    if (!admin->options.load ||
        !admin->options.load(admin->options.context, "", 0, &answer->data, &bytes)) {
        return false;
    }
    answer->bytes = bytes;
    return true;
}

static const char *read_words(enum file_read read)
{
    switch (read) {
    case FILE_READ_OK:
        return "well";
    case FILE_READ_ABSENT:
        return "not there";
    case FILE_READ_CORRUPT:
        return "damaged: its checksum, or its head, is wrong";
    case FILE_READ_FOREIGN:
        return "another user's";
    case FILE_READ_DENIED:
        return "not readable for this user";
    case FILE_READ_NO_MEMORY:
        return "too long for the memory that is there";
    }
    return "";
}

static void file_close(struct cache_admin *admin)
{
    struct admin_file *file = admin->inside;
    file_snapshot_release(&file->held);
    file_cache_free(&file->cache);
    free(file);
}

static struct admin_entry entry_of(const struct admin_file *file,
                                   const struct file_snapshot *snapshot, const char *name)
{
    struct admin_entry entry = {
        .key = name, .key_bytes = strlen(name), .bytes = snapshot->head.bytes};
    file_cache_age(file->cache, snapshot, &entry.age_ns, &entry.left_ns);
    if (entry.age_ns == FILE_AGE_UNKNOWN) {
        entry.age_ns = ADMIN_UNKNOWN;
    }
    return entry;
}

static enum admin_answer file_list(struct cache_admin *admin,
                                   void (*each)(void *context, const struct admin_entry *entry),
                                   void *context)
{
    struct admin_file *file = admin->inside;
    for (unsigned v = 0; v <= file->versions; v++) {
        char name[16];
        struct file_snapshot *snapshot;
        snprintf(name, sizeof name, "%u", v);
        if (file_cache_peek(file->cache, v, &snapshot) == FILE_READ_OK) {
            struct admin_entry entry = entry_of(file, snapshot, name);
            each(context, &entry);
            file_snapshot_release(&snapshot);
        }
    }
    return ADMIN_YES;
}

struct file_sum {
    struct admin_stats *stats;
};

static void entry_count(void *context, const struct admin_entry *entry)
{
    struct admin_stats *stats = ((struct file_sum *)context)->stats;
    stats->bytes += entry->bytes;
    *(entry->left_ns > 0 ? &stats->size : &stats->expired) += 1;
}

static enum admin_answer file_stats(struct cache_admin *admin, struct admin_stats *stats)
{
    struct admin_file *file = admin->inside;
    struct file_statistics totals;
    struct file_sum sum = {stats};
    file_cache_totals(file->cache, &totals);
    stats->lookups = totals.lookups;
    stats->misses = totals.fetched + totals.failed;
    stats->hits = stats->lookups > stats->misses ? stats->lookups - stats->misses : 0;
    return file_list(admin, entry_count, &sum);
}

static enum admin_answer file_get(struct cache_admin *admin, const char *key, size_t key_bytes,
                                  struct admin_value *value)
{
    struct admin_file *file = admin->inside;
    unsigned version = key_bytes > 0 ? (unsigned)(unsigned char)key[0] - '0' : 0;
    if (key_bytes > 1 || version > FILE_VERSIONS_MAX) {
        return admin_say(admin, ADMIN_NO, "a file cache has versions, 0 to %u, and no key '%.*s'",
                         FILE_VERSIONS_MAX, (int)(key_bytes < 100 ? key_bytes : 100), key);
    }
    file_snapshot_release(&file->held);
    enum file_read read = file_cache_peek(file->cache, version, &file->held);
    if (read != FILE_READ_OK) {
        return admin_say(admin, ADMIN_NO, "version %u is %s", version, read_words(read));
    }
    *value = (struct admin_value){.data = file->held->data,
                                  .bytes = file->held->head.bytes,
                                  .entry = entry_of(file, file->held, key_bytes ? key : "0")};
    value->entry.key_bytes = 1;
    return ADMIN_YES;
}

static enum admin_answer file_refresh(struct cache_admin *admin, const char *key, size_t key_bytes)
{
    struct admin_file *file = admin->inside;
    struct file_answer answer = {0};
    (void)key;
    (void)key_bytes;
    bool ok = file_cache_refresh(file->cache, &answer);
    enum file_trouble trouble = answer.trouble;
    int error = answer.error;
    file_answer_release(&answer);
    if (ok && trouble == FILE_FINE) {
        return ADMIN_YES;
    }
    return admin_say(admin, ADMIN_NO, "%s%s%s", file_trouble_words(trouble), error ? ": " : "",
                     error ? strerror(error) : "");
}

static enum admin_answer no_lock(struct cache_admin *admin, const char *otherwise)
{
    return admin_say(admin, ADMIN_NO, "%s, or the lock is held, or no lock can be had here",
                     otherwise);
}

static enum admin_answer file_clear(struct cache_admin *admin, uint64_t *removed)
{
    struct admin_file *file = admin->inside;
    struct admin_stats stats = {0};
    struct file_sum sum = {&stats};
    (void)file_list(admin, entry_count, &sum);
    if (!file_cache_clear(file->cache)) {
        return no_lock(admin, "the file cannot be removed");
    }
    *removed = stats.size + stats.expired;
    return ADMIN_YES;
}

static enum admin_answer file_invalidate(struct cache_admin *admin, const char *key,
                                         size_t key_bytes)
{
    struct admin_file *file = admin->inside;
    (void)key;
    (void)key_bytes;
    return file_cache_invalidate(file->cache) ? ADMIN_YES
                                              : no_lock(admin, "there is no good file to make old");
}

static enum admin_answer file_rollback(struct cache_admin *admin)
{
    struct admin_file *file = admin->inside;
    return file_cache_rollback(file->cache) ? ADMIN_YES
                                            : no_lock(admin, "there is no good older version");
}

static enum admin_answer file_verify(struct cache_admin *admin,
                                     void (*each)(void *context, const char *key, size_t key_bytes,
                                                  const char *what),
                                     void *context, uint64_t *checked)
{
    struct admin_file *file = admin->inside;
    enum admin_answer answer = ADMIN_YES;
    for (unsigned v = 0; v <= file->versions; v++) {
        char name[16];
        struct file_snapshot *snapshot;
        enum file_read read = file_cache_peek(file->cache, v, &snapshot);
        file_snapshot_release(&snapshot);
        *checked += read != FILE_READ_ABSENT;
        if (read != FILE_READ_OK && (read != FILE_READ_ABSENT || v == 0)) {
            snprintf(name, sizeof name, "%u", v);
            each(context, name, strlen(name), read_words(read));
            answer = admin_say(admin, ADMIN_NO, "version %u is %s", v, read_words(read));
        }
    }
    return answer;
}

static enum admin_answer file_figures(struct cache_admin *admin,
                                      struct registry_advice_figures *figures)
{
    figures->ttl_s = (double)admin->options.ttl_ns / 1e9;
    return ADMIN_YES;
}

static const struct admin_kind kind_file = {
    .has_versions = true,
    .close = file_close,
    .stats = file_stats,
    .list = file_list,
    .get = file_get,
    .refresh = file_refresh,
    .clear = file_clear,
    .invalidate = file_invalidate,
    .rollback = file_rollback,
    .verify = file_verify,
    .figures = file_figures,
};

bool admin_file_open(struct cache_admin *admin)
{
    struct stat status;
    const char *path = admin->options.store;
    struct admin_file *file = calloc(1, sizeof *file);
    if (!file) {
        return admin_say(admin, ADMIN_DOWN, "no memory") == ADMIN_YES;
    }
    unsigned there = versions_count(path), wanted = admin->options.versions;
    file->versions = wanted > there ? wanted : there;
    if (file->versions > FILE_VERSIONS_MAX) {
        file->versions = FILE_VERSIONS_MAX;
    }
    if (!admin->options.ttl_ns) {
        admin->options.ttl_ns = 3600000000000u;
    }
    file->cache = file_cache_new(&(struct file_options){
        .path = path,
        .ttl_ns = admin->options.ttl_ns,
        .versions = file->versions,
        .bytes_max = (uint64_t)1 << 40,
        .mode = stat(path, &status) == 0 ? status.st_mode & 0777 : 0,
        .foreign = true,
        .no_memory = true,
        .fetch = file_fetch,
        .context = admin,
    });
    if (!file->cache) {
        free(file);
        return admin_say(admin, ADMIN_DOWN, "no memory") == ADMIN_YES;
    }
    admin->kind = &kind_file;
    admin->name = "file";
    admin->inside = file;
    return true;
}
