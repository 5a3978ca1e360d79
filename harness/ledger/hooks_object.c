/*
 * hooks_object.c - libc's functions that make and remove what outlives the process (object.h).
 * Runs in the worker, on any thread.
 */
#include "harness/ledger/descriptor.h"
#include "harness/ledger/object.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define EXPORT    __attribute__((visibility("default"))) UNWIND_HOOK_SECTION
#define FRAME     __builtin_frame_address(0)
#define NAME_ROOM 300u

/* "/dev/shm/sem.NAME": the slashes that it may begin with are no part of it. */
static const char *name_full(char *room, const char *prefix, const char *name)
{
    while (name != NULL && *name == '/') {
        name++;
    }
    size_t first = strlen(prefix), bytes = name == NULL ? NAME_ROOM : strnlen(name, NAME_ROOM);
    if (first + bytes + 1 > NAME_ROOM) {
        return ""; /* no such name can be opened */
    }
    stpcpy(stpcpy(room, prefix), name);
    return room;
}

static const char *number_full(char *room, const char *prefix, int id)
{
    char digits[16];
    size_t count = 0, at = (size_t)(stpcpy(room, prefix) - room);
    do {
        digits[count++] = (char)('0' + id % 10);
        id /= 10;
    } while (id > 0);
    while (count > 0) {
        room[at++] = digits[--count];
    }
    room[at] = '\0';
    return room;
}

static bool fresh_name(int flags, const char *full)
{
    return (flags & O_CREAT) != 0 && full[0] != '\0' && !object_exists(full);
}

EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
    char room[NAME_ROOM];
    const char *full = name_full(room, "/dev/shm/", name);
    bool fresh = fresh_name(flags, full);
    int fd = NEXT_FUNCTION(shm_open)(name, flags, mode);
    if (fd >= 0 && fresh) {
        object_made(full, FRAME);
    }
    return descriptor_opened(fd, FRAME);
}

EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
    char room[NAME_ROOM];
    va_list more;
    va_start(more, flags); /* absent without O_CREAT, and then not looked at */
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    unsigned value = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : 0;
    va_end(more);
    const char *full = name_full(room, "/dev/shm/sem.", name);
    bool fresh = fresh_name(flags, full);
    sem_t *semaphore = NEXT_FUNCTION(sem_open)(name, flags, mode, value);
    if (semaphore != SEM_FAILED && fresh) {
        object_made(full, FRAME);
    }
    return semaphore;
}

EXPORT mqd_t mq_open(const char *name, int flags, ...)
{
    char room[NAME_ROOM];
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    struct mq_attr *attributes = (flags & O_CREAT) != 0 ? va_arg(more, struct mq_attr *) : NULL;
    va_end(more);
    const char *full = name_full(room, "//mqueue/", name);
    bool fresh = fresh_name(flags, full);
    mqd_t queue = NEXT_FUNCTION(mq_open)(name, flags, mode, attributes);
    if (queue >= 0 && fresh) {
        object_made(full, FRAME);
    }
    return descriptor_opened(queue, FRAME);
}

EXPORT int mq_close(mqd_t queue)
{
    return NEXT_FUNCTION(mq_close)(descriptor_closing(queue));
}

#define UNLINKS(name, prefix)                                                                      \
    EXPORT int name(const char *object)                                                            \
    {                                                                                              \
        char room[NAME_ROOM];                                                                      \
        int answer = NEXT_FUNCTION(name)(object);                                                  \
        if (answer == 0) {                                                                         \
            object_gone(name_full(room, prefix, object));                                          \
        }                                                                                          \
        return answer;                                                                             \
    }

UNLINKS(shm_unlink, "/dev/shm/")
UNLINKS(sem_unlink, "/dev/shm/sem.")
UNLINKS(mq_unlink, "//mqueue/")

/* Does a key's object have to be made? Asked by the call itself, without making it. */
static bool fresh_key(key_t key, int flags, long number)
{
    return key == IPC_PRIVATE ||
           ((flags & IPC_CREAT) != 0 && kernel_call(number, key, 0, 0, 0, 0, 0) == -ENOENT);
}

static int key_got(int id, bool fresh, const char *prefix, const void *frame)
{
    char room[NAME_ROOM];
    if (id >= 0 && fresh) {
        object_made(number_full(room, prefix, id), frame);
    }
    return id;
}

static int key_removed(int answer, int command, const char *prefix, int id)
{
    char room[NAME_ROOM];
    if (answer == 0 && command == IPC_RMID) {
        object_gone(number_full(room, prefix, id));
    }
    return answer;
}

EXPORT int shmget(key_t key, size_t bytes, int flags)
{
    bool fresh = fresh_key(key, flags, SYS_shmget);
    return key_got(NEXT_FUNCTION(shmget)(key, bytes, flags), fresh, "//sysv-shm/", FRAME);
}

EXPORT int shmctl(int id, int command, struct shmid_ds *status)
{
    return key_removed(NEXT_FUNCTION(shmctl)(id, command, status), command, "//sysv-shm/", id);
}

EXPORT int semget(key_t key, int count, int flags)
{
    bool fresh = fresh_key(key, flags, SYS_semget);
    return key_got(NEXT_FUNCTION(semget)(key, count, flags), fresh, "//sysv-sem/", FRAME);
}

EXPORT int semctl(int id, int number, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *); /* a union of a word, or absent */
    va_end(more);
    return key_removed(NEXT_FUNCTION(semctl)(id, number, command, argument), command, "//sysv-sem/",
                       id);
}

EXPORT int msgget(key_t key, int flags)
{
    bool fresh = key == IPC_PRIVATE || fresh_key(key, flags, SYS_msgget);
    return key_got(NEXT_FUNCTION(msgget)(key, flags), fresh, "//sysv-msg/", FRAME);
}

EXPORT int msgctl(int id, int command, struct msqid_ds *status)
{
    return key_removed(NEXT_FUNCTION(msgctl)(id, command, status), command, "//sysv-msg/", id);
}

/* A socket of the file system stays when it is closed. */
EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    int answer = NEXT_FUNCTION(bind)(fd, address, length);
    struct sockaddr_un name = {.sun_family = AF_UNSPEC};
    const void *given = *(const void *const *)&address;
    if (answer == 0 && length > sizeof name.sun_family && length <= sizeof name) {
        memcpy(&name, given, length);
        if (name.sun_family == AF_UNIX && name.sun_path[0] != '\0' &&
            strnlen(name.sun_path, sizeof name.sun_path) < sizeof name.sun_path) {
            resource_file_made(name.sun_path, FRAME);
        }
    }
    return answer;
}

EXPORT int mkfifo(const char *path, mode_t mode)
{
    int answer = NEXT_FUNCTION(mkfifo)(path, mode);
    if (answer == 0) {
        resource_file_made(path, FRAME);
    }
    return answer;
}
