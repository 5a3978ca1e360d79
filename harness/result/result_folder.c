/* result_folder.c - see result_folder.h. */
#include "harness/result/result_folder.h"

#include "harness/base/memory.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct paths {
    char **items;
    size_t count, room;
};

static void path_add(struct paths *paths, char *path)
{
    memory_grow(&paths->items, &paths->room, paths->count + 2, sizeof *paths->items);
    paths->items[paths->count++] = path;
    paths->items[paths->count] = NULL;
}

static int path_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returns false when it is no folder, or has no result in it. */
static bool folder_add(struct paths *paths, const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    size_t before = paths->count, length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && strcmp(dot, ".jsonl") == 0) {
            path_add(paths, memory_format("%.*s/%s", (int)length, path, entry->d_name));
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (paths->count > before) {
        qsort(paths->items + before, paths->count - before, sizeof *paths->items, path_compare);
    }
    return paths->count > before;
}

char **result_folders_expand(const char *const *paths, size_t count, size_t *expanded)
{
    struct paths all = {0};
    for (size_t i = 0; i < count; i++) {
        if (!folder_add(&all, paths[i])) {
            path_add(&all, memory_copy(paths[i]));
        }
    }
    *expanded = all.count;
    return all.items != NULL ? all.items : memory_new(1, sizeof *all.items);
}

void result_folders_free(char **paths)
{
    for (char **path = paths; path != NULL && *path != NULL; path++) {
        free(*path);
    }
    free(paths);
}
