/* cache_refresh.c - see cache.h: keys that are loaded anew, those that were named or all that are
 * there. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/cli/cache.h"

#include <stdlib.h>
#include <string.h>

struct keys {
    char **keys;
    size_t *bytes;
    size_t count, room, bytes_room;
};

static void key_add(struct keys *keys, const char *key, size_t bytes)
{
    memory_grow(&keys->keys, &keys->room, keys->count + 1, sizeof *keys->keys);
    memory_grow(&keys->bytes, &keys->bytes_room, keys->count + 1, sizeof *keys->bytes);
    keys->keys[keys->count] = memory_copy_bytes(key, bytes);
    keys->bytes[keys->count++] = bytes;
}

static void entry_add(void *keys, const struct admin_entry *entry)
{
    key_add(keys, entry->key, entry->key_bytes);
}

static enum admin_answer keys_fill(struct cache_admin *admin, const char *const *named,
                                   size_t count, struct keys *keys)
{
    for (size_t i = 0; i < count; i++) {
        key_add(keys, named[i], strlen(named[i]));
    }
    if (count > 0) {
        return ADMIN_YES;
    }
    if (!cache_admin_has_keys(admin)) {
        key_add(keys, "", 0);
        return ADMIN_YES;
    }
    return cache_admin_list(admin, entry_add, keys);
}

enum admin_answer cache_refresh(struct cache_admin *admin, const char *const *named, size_t count,
                                const struct cache_failed *failed, uint64_t *refreshed)
{
    struct keys keys = {0};
    *refreshed = 0;
    enum admin_answer answer = keys_fill(admin, named, count, &keys);
    for (size_t i = 0; i < keys.count && answer != ADMIN_DOWN; i++) {
        enum admin_answer one = cache_admin_refresh(admin, keys.keys[i], keys.bytes[i]);
        *refreshed += one == ADMIN_YES;
        if (one != ADMIN_YES) {
            answer = one;
            failed->each(failed->context, keys.keys[i], keys.bytes[i], cache_admin_trouble(admin));
        }
    }
    for (size_t i = 0; i < keys.count; i++) {
        free(keys.keys[i]);
    }
    free(keys.keys);
    free(keys.bytes);
    return answer;
}
