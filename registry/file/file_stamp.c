/* file_stamp.c - see file_stamp.h. Runs in the program that caches. */
#include "registry/file/file_stamp.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UUID_BYTES 36

#define FIRST_TIME_NAMESPACE 4026531834u /* its inode is part of the kernel's interface */

static char boot_name[FILE_BOOT_BYTES] = "-";
static pthread_once_t boot_once = PTHREAD_ONCE_INIT;

/* A time namespace has its own time since boot, so it is a boot of its own: its number takes the
 * place of the last digits. */
static void namespace_mark(char text[UUID_BYTES + 1])
{
    struct stat own;
    if (stat("/proc/self/ns/time", &own) == 0 && own.st_ino != FIRST_TIME_NAMESPACE) {
        char number[16];
        snprintf(number, sizeof number, "%012llx", (unsigned long long)own.st_ino & 0xffffffffffff);
        memcpy(text + UUID_BYTES - 12, number, 12);
    }
}

static void boot_read(void)
{
    char text[UUID_BYTES + 1] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (read(fd, text, UUID_BYTES) == UUID_BYTES &&
        strspn(text, "0123456789abcdef-") == UUID_BYTES) {
        namespace_mark(text);
        memcpy(boot_name, text, UUID_BYTES);
    }
    close(fd);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void file_stamp_now(struct file_stamp *stamp)
{
    pthread_once(&boot_once, boot_read);
    stamp->wall_ns = clock_ns(CLOCK_REALTIME);
    stamp->boot_ns = clock_ns(CLOCK_BOOTTIME);
    memcpy(stamp->boot, boot_name, sizeof stamp->boot);
}

uint64_t file_stamp_age(const struct file_stamp *then, const struct file_stamp *now)
{
    /* The number of a time namespace may be used again for another one, whose time lies before it:
     * then the wall clock decides as if it were another boot. */
    if (then->boot[0] != '-' && strcmp(then->boot, now->boot) == 0 &&
        then->boot_ns <= now->boot_ns) {
        return now->boot_ns - then->boot_ns;
    }
    return then->wall_ns <= now->wall_ns ? now->wall_ns - then->wall_ns : FILE_AGE_UNKNOWN;
}
