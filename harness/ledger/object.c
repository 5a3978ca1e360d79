/* object.c - see object.h. Runs in the worker. */
#include "harness/ledger/object.h"

#include "harness/ledger/resource.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

static struct wire_objects *left; /* NULL: nobody cleans up */

void object_init(struct wire *wire)
{
    left = wire == NULL ? NULL : &wire->objects;
}

static void left_add(const char *name)
{
    size_t bytes = strlen(name) + 1;
    for (uint32_t i = 0; left != NULL && bytes <= WIRE_OBJECT_NAME && i < WIRE_OBJECTS_MOST; i++) {
        uint32_t none = WIRE_OBJECT_NONE;
        if (atomic_compare_exchange_strong(&left->list[i].state, &none, WIRE_OBJECT_FILLING)) {
            memcpy(left->list[i].name, name, bytes);
            atomic_store(&left->list[i].state, WIRE_OBJECT_THERE);
            return;
        }
    }
}

static void left_drop(const char *name)
{
    for (uint32_t i = 0; left != NULL && i < WIRE_OBJECTS_MOST; i++) {
        if (atomic_load(&left->list[i].state) == WIRE_OBJECT_THERE &&
            strncmp(left->list[i].name, name, WIRE_OBJECT_NAME) == 0) {
            atomic_store(&left->list[i].state, WIRE_OBJECT_NONE);
            return;
        }
    }
}

UNWIND_HOOK_SECTION void object_made(const char *name, const void *frame)
{
    resource_file_made(name, frame);
    left_add(name);
}

UNWIND_HOOK_SECTION void object_gone(const char *name)
{
    resource_file_gone(name);
    left_drop(name);
}

static bool number_of(const char *name, const char *prefix, long *number)
{
    size_t bytes = strlen(prefix);
    if (strncmp(name, prefix, bytes) != 0) {
        return false;
    }
    *number = 0;
    for (const char *digit = name + bytes; *digit >= '0' && *digit <= '9'; digit++) {
        *number = *number * 10 + (*digit - '0');
    }
    return true;
}

static bool there(long answer)
{
    return answer != -EINVAL && answer != -EIDRM && answer != -ENOENT;
}

bool object_exists(const char *name)
{
    static const char queue[] = "//mqueue/";
    long id;
    if (number_of(name, "//sysv-shm/", &id)) {
        struct shmid_ds status;
        return there(kernel_call(SYS_shmctl, id, IPC_STAT, (long)&status, 0, 0, 0));
    }
    if (number_of(name, "//sysv-sem/", &id)) {
        struct semid_ds status;
        return there(kernel_call(SYS_semctl, id, 0, IPC_STAT, (long)&status, 0, 0));
    }
    if (number_of(name, "//sysv-msg/", &id)) {
        struct msqid_ds status;
        return there(kernel_call(SYS_msgctl, id, IPC_STAT, (long)&status, 0, 0, 0));
    }
    if (strncmp(name, queue, sizeof queue - 1) == 0) {
        long fd = kernel_call(SYS_mq_open, (long)(name + sizeof queue - 1), O_RDONLY | O_CLOEXEC, 0,
                              0, 0, 0);
        if (fd >= 0) {
            kernel_close((int)fd);
        }
        return there(fd);
    }
    struct stat status;
    return kernel_call(SYS_newfstatat, AT_FDCWD, (long)name, (long)&status, AT_SYMLINK_NOFOLLOW, 0,
                       0) != -ENOENT;
}
