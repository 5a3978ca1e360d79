/*
 * meter.c - see meter.h: descriptors, threads, mappings, files and resident memory at a boundary.
 * Runs in the worker. Every look is one or two system calls; nothing is kept open between calls, so
 * that a test which closes every descriptor takes nothing from us.
 *
 * A trusting sample repeats the last count while no hook was touched. While there is more than one
 * thread, everything is looked at: another thread may be about to close what its hook announced.
 */
#include "harness/meter/meter.h"

#include "harness/meter/kernel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic int64_t own_bytes, mappings, mapped_bytes;
static _Atomic int32_t files;
static void nothing_to_settle(bool all)
{
    (void)all;
}

void (*meter_settle)(bool all) = nothing_to_settle;

/* A count of the kernel's, at the last boundary. */
struct count {
    uint32_t last;
    bool known;           /* it was counted before */
    bool distrusted;      /* it changed once without a hook's seeing it */
    _Atomic bool touched; /* a hook was called since */
};
static struct count fds_counted, threads_counted = {.last = 1}, children_counted;

void meter_init(struct wire *wire)
{
    (void)wire;
    threads_counted.last = meter_threads();
}

void meter_fd_touched(void)
{
    atomic_store_explicit(&fds_counted.touched, true, memory_order_relaxed);
}

void meter_thread_touched(void)
{
    atomic_store_explicit(&threads_counted.touched, true, memory_order_relaxed);
}

void meter_child_touched(void)
{
    atomic_store_explicit(&children_counted.touched, true, memory_order_relaxed);
}

bool meter_alone(void)
{
    return threads_counted.known && threads_counted.last == 1 && !threads_counted.distrusted &&
           !atomic_load_explicit(&threads_counted.touched, memory_order_relaxed);
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
    for (int look = 0; now > threads_counted.last && look < 20; look++) {
        struct timespec pause = {.tv_nsec = 100000};
        kernel_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
        now = meter_threads();
    }
    return now;
}

/* The numbers in a file of the kernel's list of a thread's children. 0 where it has no such list.
 */
static uint32_t children_of(const char *path)
{
    static char list[32768];
    size_t bytes = kernel_read_file(path, list, sizeof list);
    uint32_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        count += list[i] == ' ';
    }
    return count;
}

static uint32_t children_count(void)
{
    uint32_t count = children_of("/proc/thread-self/children");
    int32_t pid = kernel_pid();
    if (pid != kernel_tid()) {
        char path[64] = "/proc/self/task/", digits[12];
        size_t at = strlen(path), length = 0;
        for (int32_t left = pid; left > 0; left /= 10) {
            digits[length++] = (char)('0' + left % 10);
        }
        while (length > 0) {
            path[at++] = digits[--length];
        }
        memcpy(path + at, "/children", sizeof "/children");
        count += children_of(path);
    }
    return count;
}

static void count_again(struct count *count, uint32_t (*counted)(void), bool steady)
{
    bool touched = atomic_exchange_explicit(&count->touched, false, memory_order_acquire);
    uint32_t now = counted();
    count->distrusted |= count->known && steady && !touched && now != count->last;
    count->last = now;
    count->known = true;
}

static void sample_take(struct meter_sample *sample, bool look)
{
    bool alone = meter_alone();
    if (look || !alone) {
        count_again(&threads_counted, threads_settled, alone);
    }
    bool touched = atomic_load_explicit(&fds_counted.touched, memory_order_relaxed);
    uint32_t before = fds_counted.last;
    if (look || !alone || touched || !fds_counted.known || fds_counted.distrusted) {
        count_again(&fds_counted, fds_count, alone);
    }
    bool born = atomic_load_explicit(&children_counted.touched, memory_order_relaxed);
    if (born || children_counted.last > 0) { /* none was made that the hooks have not seen */
        count_again(&children_counted, children_count, false);
    }
    /* Where other threads run, too, the hooks see what comes and goes; what they cannot have seen
     * is looked for where the count says that there is something. */
    meter_settle(look || (!touched && fds_counted.last != before));
    sample->fds = fds_counted.last;
    sample->threads = threads_counted.last;
    sample->children = children_counted.last;
    int32_t left = atomic_load_explicit(&files, memory_order_relaxed);
    sample->files = left > 0 ? (uint32_t)left : 0;
    sample->mappings = atomic_load_explicit(&mappings, memory_order_relaxed);
    sample->mapped_bytes = atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
}

void meter_sample_get(struct meter_sample *sample)
{
    sample_take(sample, true);
}

void meter_sample_trusting(struct meter_sample *sample)
{
    sample_take(sample, false);
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

static uint64_t number_next(const char **text)
{
    uint64_t number = 0;
    while (**text == ' ') {
        ++*text;
    }
    for (; **text >= '0' && **text <= '9'; ++*text) {
        number = number * 10 + (uint64_t)(**text - '0');
    }
    return number;
}

uint64_t meter_rss(void)
{
    char pages[128]; /* all, resident, resident of files and shared memory ... */
    size_t bytes = kernel_read_file("/proc/self/statm", pages, sizeof pages - 1);
    pages[bytes] = '\0';
    const char *at = pages;
    number_next(&at);
    uint64_t resident = number_next(&at), shared = number_next(&at);
    return resident > shared ? (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t meter_queued_ns(void)
{
    char text[128];
    size_t bytes = kernel_read_file("/proc/thread-self/schedstat", text, sizeof text - 1), at = 0;
    uint64_t queued = 0;
    text[bytes] = '\0';
    while (text[at] != ' ' && text[at] != '\0') {
        at++;
    }
    for (at += text[at] == ' '; text[at] >= '0' && text[at] <= '9'; at++) {
        queued = queued * 10 + (uint64_t)(text[at] - '0');
    }
    return queued;
}
