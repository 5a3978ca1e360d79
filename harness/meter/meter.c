/*
 * meter.c - see meter.h: descriptors, threads, mappings, files and resident memory at a boundary.
 * Runs in the worker. Every look is one or two system calls; nothing is kept open between calls, so
 * that a test which closes every descriptor takes nothing from us.
 */
#include "harness/meter/meter.h"

#include "harness/meter/kernel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic int64_t own_bytes, mappings, mapped_bytes;
static _Atomic int32_t files;
static void nothing_to_settle(void)
{
}

void (*meter_settle)(void) = nothing_to_settle;

static uint32_t threads_before = 1; /* at the last boundary */

void meter_init(struct wire *wire)
{
    (void)wire;
    threads_before = meter_threads();
}

void *meter_own_map(size_t bytes)
{
    void *map = kernel_map(bytes);
    if (map != NULL) {
        atomic_fetch_add_explicit(&own_bytes, (int64_t)bytes, memory_order_relaxed);
    }
    return map;
}

void meter_own_unmap(void *map, size_t bytes)
{
    kernel_unmap(map, bytes);
    atomic_fetch_sub_explicit(&own_bytes, (int64_t)bytes, memory_order_relaxed);
}

uint64_t meter_own_bytes(void)
{
    return (uint64_t)atomic_load_explicit(&own_bytes, memory_order_relaxed);
}

void meter_mapping_add(int64_t count, int64_t bytes)
{
    atomic_fetch_add_explicit(&mappings, count, memory_order_relaxed);
    atomic_fetch_add_explicit(&mapped_bytes, bytes, memory_order_relaxed);
}

void meter_file_add(int32_t count)
{
    atomic_fetch_add_explicit(&files, count, memory_order_relaxed);
}

static bool path_stat(const char *path, struct stat *status)
{
    return kernel_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)status, 0, 0, 0) == 0;
}

static void number_ignore(void *context, int32_t number)
{
    (void)context;
    (void)number;
}

/* Since Linux 6.2 the size of /proc/self/fd is the number of open descriptors; 0 before. */
static uint32_t fds_count(void)
{
    struct stat status = {0};
    if (path_stat("/proc/self/fd", &status) && status.st_size > 0) {
        return (uint32_t)status.st_size;
    }
    return kernel_numbers_list("/proc/self/fd", number_ignore, NULL);
}

uint32_t meter_threads(void)
{
    struct stat status = {0};
    if (path_stat("/proc/self/task", &status) && status.st_nlink > 2) {
        return (uint32_t)status.st_nlink - 2;
    }
    uint32_t count = kernel_numbers_list("/proc/self/task", number_ignore, NULL);
    return count > 0 ? count : 1;
}

/* pthread_join returns when the kernel clears the thread's id, a moment before it takes the thread
 * off the list: a thread more than at the last boundary is looked at again before it is believed.
 */
static uint32_t threads_settled(void)
{
    uint32_t now = meter_threads();
    for (int look = 0; now > threads_before && look < 20; look++) {
        struct timespec pause = {.tv_nsec = 100000};
        kernel_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
        now = meter_threads();
    }
    threads_before = now;
    return now;
}

void meter_sample_get(struct meter_sample *sample)
{
    meter_settle();
    sample->fds = fds_count();
    sample->threads = threads_settled();
    int32_t left = atomic_load_explicit(&files, memory_order_relaxed);
    sample->files = left > 0 ? (uint32_t)left : 0;
    sample->mappings = atomic_load_explicit(&mappings, memory_order_relaxed);
    sample->mapped_bytes = atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
}

void meter_rss_reset(void)
{
    int fd = kernel_open("/proc/self/clear_refs", O_WRONLY);
    if (fd >= 0) {
        kernel_call(SYS_write, fd, (long)"5", 1, 0, 0, 0);
        kernel_close(fd);
    }
}

uint64_t meter_rss_peak(void)
{
    char status[4096];
    size_t bytes = kernel_read_file("/proc/self/status", status, sizeof status - 1);
    status[bytes] = '\0';
    const char *at = strstr(status, "VmHWM:");
    if (at == NULL) {
        return 0;
    }
    uint64_t kilobytes = 0;
    for (at += 6; *at == ' ' || *at == '\t'; at++) {
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        kilobytes = kilobytes * 10 + (uint64_t)(*at - '0');
    }
    return kilobytes * 1024;
}

uint64_t meter_rss(void)
{
    char pages[128]; /* total, resident, ... */
    size_t bytes = kernel_read_file("/proc/self/statm", pages, sizeof pages - 1);
    pages[bytes] = '\0';
    const char *at = strchr(pages, ' ');
    uint64_t resident = 0;
    for (at = at == NULL ? "" : at + 1; *at >= '0' && *at <= '9'; at++) {
        resident = resident * 10 + (uint64_t)(*at - '0');
    }
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
