/* cap.c - see cap.h. */
#include "harness/worker/cap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool file_put(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Path of the group that this process is in, for "memory" of v1 or "" of v2. */
static bool own_group(const char *controller, char *path, size_t room)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "r");
    while (file && !found && fgets(line, sizeof line, file)) {
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (second) {
            *second = 0;
            second[1 + strcspn(second + 1, "\n")] = 0;
            found = controller[0] ? strstr(first + 1, controller) != NULL : first[1] == 0;
            if (found) {
                snprintf(path, room, "%s", second + 1);
            }
        }
    }
    if (file) {
        fclose(file);
    }
    return found;
}

/* What a killed tidemark has left: it could not remove its groups. An empty one is all that rmdir
 * takes, so that of one which still runs (in another PID namespace) is safe while anybody is in it.
 */
static void stale_remove(const char *parent)
{
    DIR *folder = opendir(parent);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        int pid, number;
        if (sscanf(entry->d_name, "tidemark-%d-%d", &pid, &number) == 2 && pid > 0 &&
            kill(pid, 0) != 0 && errno == ESRCH) {
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
        }
    }
    if (folder) {
        closedir(folder);
    }
}

/* Below our own group, else below the root of the hierarchy. */
static bool group_make(struct cap *cap, const char *mount, const char *controller)
{
    static unsigned made;
    char own[300], parent[400];
    if (access(mount, W_OK) != 0 || !own_group(controller, own, sizeof own)) {
        return false;
    }
    snprintf(parent, sizeof parent, "%s%s", mount, own);
    if (made++ == 0) {
        stale_remove(parent);
        stale_remove(mount);
    }
    int wide = snprintf(cap->folder, sizeof cap->folder, "%s%s/tidemark-%d-%u", mount, own,
                        (int)getpid(), made);
    if (wide < (int)sizeof cap->folder && mkdir(cap->folder, 0755) == 0) {
        return true;
    }
    snprintf(cap->folder, sizeof cap->folder, "%s/tidemark-%d-%u", mount, (int)getpid(), made);
    return mkdir(cap->folder, 0755) == 0;
}

static bool group_limit(struct cap *cap, const char *file, const char *swap)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, cap->bytes);
    if (!file_put(cap->folder, file, text)) {
        rmdir(cap->folder);
        cap->folder[0] = 0;
        return false;
    }
    if (!file_put(cap->folder, swap, strstr(swap, "memsw") ? text : "0")) {
        return true; /* no swap is accounted here: then there is none to escape to */
    }
    return true;
}

void cap_init(struct cap *cap, uint64_t bytes)
{
    *cap = (struct cap){.bytes = bytes, .kind = ""};
    if (bytes == 0) {
        return;
    }
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 &&
        group_make(cap, "/sys/fs/cgroup", "") &&
        group_limit(cap, "memory.max", "memory.swap.max")) {
        cap->kind = "cgroup v2";
    } else if (group_make(cap, "/sys/fs/cgroup/memory", "memory") &&
               group_limit(cap, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes")) {
        cap->kind = "cgroup v1";
    } else {
        cap->kind = "rlimit";
    }
}

void cap_enter(const struct cap *cap)
{
    /* A group that cannot be entered (it was removed under our hands) is not to mean no cap. */
    if (cap->bytes && !(cap->folder[0] && file_put(cap->folder, "cgroup.procs", "0"))) {
        setrlimit(RLIMIT_DATA, &(struct rlimit){cap->bytes, cap->bytes});
    }
}

uint64_t cap_kills(const struct cap *cap, bool *known)
{
    static const char *const files[] = {"memory.events", "memory.oom_control"};
    uint64_t kills = 0;
    *known = false;
    for (size_t i = 0; cap->folder[0] && i < 2; i++) {
        char path[512], line[128];
        snprintf(path, sizeof path, "%s/%s", cap->folder, files[i]);
        FILE *file = fopen(path, "r");
        while (file && fgets(line, sizeof line, file)) {
            unsigned long count = 0;
            bool told = sscanf(line, "oom_kill %lu", &count) == 1;
            kills = told && count > kills ? count : kills;
            *known |= told;
        }
        if (file) {
            fclose(file);
        }
    }
    return kills;
}

bool cap_killed(const struct cap *cap, bool *known)
{
    return cap_kills(cap, known) > cap->told;
}

void cap_fini(struct cap *cap)
{
    for (int tries = 0; cap->folder[0] && tries < 100 && rmdir(cap->folder) != 0; tries++) {
        usleep(1000); /* the last process is still on its way out */
    }
    cap->folder[0] = 0;
}
