/* leftover.c - see leftover.h. Supervisor only. */
#include "harness/worker/leftover.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

union semctl_argument {
    struct semid_ds *status;
};

/* What stands after a prefix, if it is a name without a slash; else NULL. */
static const char *name_after(const char *name, const char *prefix)
{
    size_t bytes = strlen(prefix);
    bool has = strncmp(name, prefix, bytes) == 0 && name[bytes] && !strchr(name + bytes, '/');
    return has ? name + bytes : NULL;
}

static bool is_number(const char *text)
{
    return text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

static bool is_ours(uid_t uid, time_t made, time_t started)
{
    return uid == geteuid() && made >= started;
}

static bool remove_file(const char *path, time_t started)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           is_ours(status.st_uid, status.st_ctim.tv_sec, started) && unlink(path) == 0;
}

static bool remove_queue(const char *name, time_t started)
{
    char full[WIRE_OBJECT_NAME + 1];
    struct stat status = {0};
    snprintf(full, sizeof full, "/%s", name);
    mqd_t queue = mq_open(full, O_RDONLY | O_CLOEXEC);
    bool ours = queue >= 0 && fstat(queue, &status) == 0 &&
                is_ours(status.st_uid, status.st_ctim.tv_sec, started);
    if (queue >= 0) {
        mq_close(queue);
    }
    return ours && mq_unlink(full) == 0;
}

static bool remove_segment(int id, time_t started)
{
    struct shmid_ds status = {0};
    return shmctl(id, IPC_STAT, &status) == 0 &&
           is_ours(status.shm_perm.cuid, status.shm_ctime, started) &&
           shmctl(id, IPC_RMID, NULL) == 0;
}

static bool remove_semaphores(int id, time_t started)
{
    struct semid_ds status = {0};
    return semctl(id, 0, IPC_STAT, (union semctl_argument){.status = &status}) == 0 &&
           is_ours(status.sem_perm.cuid, status.sem_ctime, started) && semctl(id, 0, IPC_RMID) == 0;
}

static bool remove_messages(int id, time_t started)
{
    struct msqid_ds status = {0};
    return msgctl(id, IPC_STAT, &status) == 0 &&
           is_ours(status.msg_perm.cuid, status.msg_ctime, started) &&
           msgctl(id, IPC_RMID, NULL) == 0;
}

static bool remove_object(const char *name, time_t started)
{
    static const struct {
        const char *prefix;
        bool (*remove)(int id, time_t started);
    } numbered[] = {{"//sysv-shm/", remove_segment},
                    {"//sysv-sem/", remove_semaphores},
                    {"//sysv-msg/", remove_messages}};
    for (size_t i = 0; i < sizeof numbered / sizeof numbered[0]; i++) {
        const char *number = name_after(name, numbered[i].prefix);
        if (is_number(number)) {
            return numbered[i].remove((int)strtol(number, NULL, 10), started);
        }
    }
    const char *queue = name_after(name, "//mqueue/");
    if (queue) {
        return remove_queue(queue, started);
    }
    return name_after(name, "/dev/shm/") && remove_file(name, started);
}

size_t leftover_remove(const struct wire *wire, time_t started, char first[WIRE_OBJECT_NAME])
{
    size_t removed = 0;
    for (size_t i = 0; i < WIRE_OBJECTS_MOST; i++) {
        char name[WIRE_OBJECT_NAME];
        if (atomic_load(&wire->objects.list[i].state) != WIRE_OBJECT_THERE) {
            continue;
        }
        memcpy(name, wire->objects.list[i].name, sizeof name);
        name[sizeof name - 1] = 0;
        if (remove_object(name, started) && removed++ == 0) {
            memcpy(first, name, sizeof name);
        }
    }
    return removed;
}
