/* kernel.c - see kernel.h. Runs in the worker. */
#include "harness/meter/kernel.h"

#include <fcntl.h>
#include <sys/mman.h>

struct kernel_dirent { /* linux_dirent64 */
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

/* A guard lies on either side: where mappings lie side by side, what overruns another one would
 * otherwise write into ours, and natively it would have died. */
#define PAGE_BYTES  4096u
#define GUARD_BYTES (16u * PAGE_BYTES)

static size_t pages_up(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

void *kernel_map_as(size_t bytes, int share)
{
    size_t room = pages_up(bytes) + 2 * GUARD_BYTES;
    long map = kernel_call(SYS_mmap, 0, (long)room, PROT_NONE,
                           share | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (kernel_failed(map)) {
        return NULL;
    }
    if (kernel_failed(kernel_call(SYS_mprotect, map + (long)GUARD_BYTES, (long)pages_up(bytes),
                                  PROT_READ | PROT_WRITE, 0, 0, 0))) {
        kernel_call(SYS_munmap, map, (long)room, 0, 0, 0, 0);
        return NULL;
    }
    return (char *)map + GUARD_BYTES;
}

void *kernel_map(size_t bytes)
{
    return kernel_map_as(bytes, MAP_PRIVATE);
}

void kernel_unmap(void *map, size_t bytes)
{
    kernel_call(SYS_munmap, (long)map - (long)GUARD_BYTES,
                (long)(pages_up(bytes) + 2 * GUARD_BYTES), 0, 0, 0, 0);
}

int kernel_open(const char *path, int flags)
{
    return (int)kernel_call(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0, 0, 0);
}

void kernel_close(int fd)
{
    kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

size_t kernel_read_file(const char *path, char *buffer, size_t room)
{
    int fd = kernel_open(path, O_RDONLY);
    if (fd < 0) {
        return 0;
    }
    size_t filled = 0;
    while (filled < room) {
        long got =
            kernel_call(SYS_read, fd, (long)(buffer + filled), (long)(room - filled), 0, 0, 0);
        if (got <= 0) {
            break;
        }
        filled += (size_t)got;
    }
    kernel_close(fd);
    return filled;
}

int32_t kernel_tid(void)
{
    return (int32_t)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

int32_t kernel_pid(void)
{
    return (int32_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static int32_t number_parse(const char *text)
{
    int32_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (*text - '0');
    }
    return *text == '\0' ? number : -1;
}

uint32_t kernel_numbers_list(const char *directory, kernel_number_seen *each, void *context)
{
    _Alignas(8) char buffer[4096];
    uint32_t count = 0;
    int fd = kernel_open(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        return 0;
    }
    for (;;) {
        long got = kernel_call(SYS_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0);
        if (got <= 0) {
            break;
        }
        for (long at = 0; at < got;) {
            const struct kernel_dirent *entry = (const struct kernel_dirent *)(buffer + at);
            at += entry->bytes; /* NOLINT(clang-analyzer-core.uninitialized.Assign): the kernel's */
            int32_t number = entry->name[0] == '.' ? -1 : number_parse(entry->name);
            if (number < 0 || number == fd) {
                continue;
            }
            count++;
            each(context, number);
        }
    }
    kernel_close(fd);
    return count;
}
