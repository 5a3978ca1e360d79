/* guard.c - see guard.h. */
#include "harness/worker/guard.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EACH_NS     50000000u /* between two looks: even a greedy test gets no further than 200 MB */
#define DESCENDANTS 1024      /* that are looked at */
#define UNLIMITED   ((uint64_t)1 << 60)

/* The number behind `key` in a file of lines "key number [kB]"; the first number with a key of "".
 * Returns UINT64_MAX if there is none, or "max". */
static uint64_t number_of(const char *path, const char *key)
{
    char line[256];
    uint64_t number = UINT64_MAX;
    FILE *file = fopen(path, "r");
    size_t length = strlen(key);
    while (file && number == UINT64_MAX && fgets(line, sizeof line, file)) {
        char unit[8] = "";
        if (strncmp(line, key, length) == 0 &&
            sscanf(line + length, "%" SCNu64 " %7s", &number, unit) >= 1 &&
            strcmp(unit, "kB") == 0) {
            number *= 1024;
        }
    }
    if (file) {
        fclose(file);
    }
    return number;
}

static uint64_t of_group(const char *group, const char *name, const char *key)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return number_of(path, key);
}

/* What a control group has left: pages of files that it would give back count as free. */
static uint64_t group_free(const char *group, const char *limit, const char *used)
{
    uint64_t most = of_group(group, limit, ""), now = of_group(group, used, "");
    uint64_t files = of_group(group, "memory.stat", "inactive_file ");
    if (most > UNLIMITED || now == UINT64_MAX) {
        return UINT64_MAX;
    }
    now -= files < now ? files : 0;
    return most > now ? most - now : 0;
}

/* The least of a group's and of all above it, down to where they are mounted. */
static uint64_t groups_free(const char *mount, char *path, const char *limit, const char *used)
{
    uint64_t least = UINT64_MAX;
    for (;;) {
        char group[768];
        snprintf(group, sizeof group, "%s%s", mount, path);
        uint64_t here = group_free(group, limit, used);
        least = here < least ? here : least;
        char *slash = strrchr(path, '/');
        if (!slash) {
            return least;
        }
        *slash = 0;
    }
}

static uint64_t least_of_groups(const char *root)
{
    char path[512], line[512], mount[256];
    uint64_t least = UINT64_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) { /* number:controllers:path */
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'),
             *own = controllers ? strchr(controllers + 1, ':') : 0;
        if (!own) {
            continue;
        }
        *own++ = 0;
        bool second = controllers[1] == 0, first = strstr(controllers + 1, "memory") != NULL;
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, second ? "" : "/memory");
        uint64_t here =
            second  ? groups_free(mount, own, "memory.max", "memory.current")
            : first ? groups_free(mount, own, "memory.limit_in_bytes", "memory.usage_in_bytes")
                    : UINT64_MAX;
        least = here < least ? here : least;
    }
    if (file) {
        fclose(file);
    }
    return least;
}

uint64_t guard_default(const char *root)
{
    char path[512];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    uint64_t machine = number_of(path, "MemAvailable:"), groups = least_of_groups(root);
    uint64_t least = machine < groups ? machine : groups;
    return least == UINT64_MAX ? 0 : least / 4 * 3;
}

static uint64_t process_resident(pid_t pid, bool exact)
{
    char path[64];
    if (exact) {
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
        uint64_t bytes = number_of(path, "Pss:");
        if (bytes != UINT64_MAX) {
            return bytes;
        }
    }
    uint64_t pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*u %" SCNu64, &pages) != 1) {
        pages = 0;
    }
    if (file) {
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The children of all its threads, behind the `count` that there are. */
static size_t children_add(pid_t pid, pid_t *list, size_t count)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        char name[sizeof path + 32];
        int child;
        snprintf(name, sizeof name, "%s/%.12s/children", path, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(name, "r");
        while (file && count < DESCENDANTS && fscanf(file, "%d", &child) == 1) {
            list[count++] = child;
        }
        if (file) {
            fclose(file);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
    return count;
}

uint64_t guard_resident(pid_t pid, bool exact)
{
    pid_t list[DESCENDANTS] = {pid};
    size_t count = 1;
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += process_resident(list[i], exact);
        count = children_add(list[i], list, count);
    }
    return bytes;
}

void guard_look(struct guard *guard, pid_t worker, uint64_t now_ns)
{
    if (guard->bytes == 0 || now_ns - guard->looked_ns < EACH_NS) {
        return;
    }
    guard->looked_ns = now_ns;
    if (guard_resident(worker, false) > guard->bytes) {
        uint64_t found = guard_resident(worker, true);
        guard->found = found > guard->bytes ? found : 0;
    }
}
