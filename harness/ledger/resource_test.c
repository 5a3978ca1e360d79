/* resource_test.c - descriptors, threads, mappings and files, each with the stack that made it. */
#include "harness/ledger/ledger.h"

#include "harness/base/suite.h"
#include "harness/ledger/hooks_thread.h"
#include "harness/meter/meter.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static struct wire *wire;
static int wire_fd;

static union {
    struct wire_record head;
    struct wire_site site;
    struct wire_survivor survivor;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static void begin(enum wire_depth depth)
{
    if (wire == NULL) {
        wire = wire_new(&wire_fd);
        ck_assert_ptr_nonnull(wire);
        meter_init(wire);
        ledger_init(wire);
    }
    ledger_depth_set(depth);
    ledger_birth_set(0);
}

static struct meter_sample sample(void)
{
    struct meter_sample now;
    meter_sample_get(&now);
    return now;
}

/* How many of a kind are alive. */
static int64_t alive(enum wire_site_kind kind)
{
    bool broken = false;
    int64_t count = 0;
    ledger_sites_put(wire);
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_SITE && record.site.kind == kind) {
            count += record.site.live_blocks;
        }
    }
    ck_assert(!broken);
    return count;
}

/* Every way to get descriptors: opens `count` of them into fds.
 * ------------------------------------ */
struct opener {
    const char *name;
    void (*open)(int *fds);
    int count;
};

static void open_open(int *fds)
{
    fds[0] = open("/dev/null", O_RDONLY);
}
static void open_openat(int *fds)
{
    fds[0] = openat(AT_FDCWD, "/dev/null", O_RDONLY);
}
static void open_socket(int *fds)
{
    fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
}
static void open_socketpair(int *fds)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}
static void open_pipe(int *fds)
{
    ck_assert_int_eq(pipe(fds), 0);
}
static void open_pipe2(int *fds)
{
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
}
static void open_dup(int *fds)
{
    fds[0] = dup(0);
}
static void open_dup2(int *fds)
{
    fds[0] = dup2(0, 200);
}
static void open_dup3(int *fds)
{
    fds[0] = dup3(0, 201, O_CLOEXEC);
}
static void open_fcntl(int *fds)
{
    fds[0] = fcntl(0, F_DUPFD_CLOEXEC, 100);
}
static void open_epoll(int *fds)
{
    fds[0] = epoll_create1(0);
}
static void open_eventfd(int *fds)
{
    fds[0] = eventfd(0, 0);
}
static void open_timerfd(int *fds)
{
    fds[0] = timerfd_create(CLOCK_MONOTONIC, 0);
}
static void open_signalfd(int *fds)
{
    sigset_t none;
    sigemptyset(&none);
    fds[0] = signalfd(-1, &none, 0);
}
static void open_inotify(int *fds)
{
    fds[0] = inotify_init1(0);
}
static void open_memfd(int *fds)
{
    fds[0] = memfd_create("test", 0);
}

static const struct opener openers[] = {
    {"open", open_open, 1},       {"openat", open_openat, 1},
    {"socket", open_socket, 1},   {"socketpair", open_socketpair, 2},
    {"pipe", open_pipe, 2},       {"pipe2", open_pipe2, 2},
    {"dup", open_dup, 1},         {"dup2", open_dup2, 1},
    {"dup3", open_dup3, 1},       {"fcntl", open_fcntl, 1},
    {"epoll", open_epoll, 1},     {"eventfd", open_eventfd, 1},
    {"timerfd", open_timerfd, 1}, {"signalfd", open_signalfd, 1},
    {"inotify", open_inotify, 1}, {"memfd_create", open_memfd, 1},
};

START_TEST(every_way_to_open_a_descriptor_is_seen)
{
    begin(WIRE_TRACE);
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        int fds[2];
        uint32_t before = sample().fds;
        int64_t alive_before = alive(WIRE_SITE_FD);
        openers[i].open(fds);
        ck_assert_msg(fds[0] >= 0, "%s failed", openers[i].name);
        ck_assert_msg(sample().fds == before + (uint32_t)openers[i].count, "%s", openers[i].name);
        ck_assert_msg(alive(WIRE_SITE_FD) == alive_before + openers[i].count, "%s has no site",
                      openers[i].name);
        for (int f = 0; f < openers[i].count; f++) {
            close(fds[f]);
        }
        ck_assert_msg(sample().fds == before, "%s, closed", openers[i].name);
        ck_assert_msg(alive(WIRE_SITE_FD) == alive_before, "%s, closed", openers[i].name);
    }
}
END_TEST

START_TEST(streams_and_folders_hold_descriptors)
{
    begin(WIRE_TRACE);
    int64_t before = alive(WIRE_SITE_FD);
    FILE *file = fopen64("/dev/null", "r"), *temporary = tmpfile();
    DIR *folder = opendir("/proc/self");
    FILE *command = popen("true", "r");
    ck_assert_int_eq(alive(WIRE_SITE_FD), before + 4);
    fclose(file);
    fclose(temporary);
    closedir(folder);
    pclose(command);
    ck_assert_int_eq(alive(WIRE_SITE_FD), before);
}
END_TEST

START_TEST(a_descriptor_closed_behind_our_back_is_gone)
{
    begin(WIRE_TRACE);
    int64_t before = alive(WIRE_SITE_FD);
    int fd = open("/dev/null", O_RDONLY);
    ck_assert_int_eq(alive(WIRE_SITE_FD), before + 1);
    syscall(SYS_close, fd);
    ck_assert_int_eq(alive(WIRE_SITE_FD), before);
}
END_TEST

static __attribute__((noinline)) int open_deep(void)
{
    int fd = open("/dev/null", O_RDONLY);
    __asm__ volatile("" : "+r"(fd));
    return fd;
}

START_TEST(a_descriptor_has_the_stack_that_opened_it_and_its_birth)
{
    bool broken = false, found = false, born = false;
    begin(WIRE_TRACE);
    ledger_birth_set(41);
    int fd = open_deep();
    ledger_sites_put(wire);
    uint32_t site = 0;
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_SITE && record.site.kind == WIRE_SITE_FD &&
            record.site.frame_count > 0 &&
            record.site.frames[0] - (uint64_t)(uintptr_t)open_deep < 64) {
            found = true;
            site = record.site.site;
        }
    }
    ledger_survivors_put(wire);
    while (wire_get(wire, &record, &broken)) {
        born |= record.head.type == WIRE_SURVIVOR && record.survivor.site == site &&
                record.survivor.birth == 41 && record.survivor.blocks == 1;
    }
    close(fd);
    ck_assert(found);
    ck_assert(born);
}
END_TEST

static void *end_at_once(void *argument)
{
    return argument;
}

static int end_at_once_too(void *argument)
{
    (void)argument;
    return 0;
}

/* What the boundary's pthread_create does, which is not linked in here. */
static void thread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    ck_assert_int_eq(pthread_create(thread, attributes, start, argument), 0);
    hooks_thread_made(*thread, attributes, __builtin_frame_address(0));
}

static void *wait_for_pipe(void *argument)
{
    char byte;
    return (void *)(intptr_t)read(*(int *)argument, &byte, 1);
}

/* A detached thread ends when the machine finds time for it: wait for that, at most five seconds.
 */
static void threads_settle(int64_t sites, uint32_t threads)
{
    for (int i = 0; i < 500; i++) {
        if (alive(WIRE_SITE_THREAD) == sites && sample().threads == threads) {
            return;
        }
        usleep(10000);
    }
}

START_TEST(a_thread_is_gone_when_joined_or_detached_and_ended)
{
    pthread_t joinable, detached;
    pthread_attr_t attributes;
    thrd_t other;
    int fds[2];
    begin(WIRE_TRACE);
    ck_assert_int_eq(pipe(fds), 0);
    int64_t before = alive(WIRE_SITE_THREAD);
    uint32_t threads = sample().threads;
    thread_create(&joinable, NULL, end_at_once, NULL);
    usleep(10000);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD),
                     before + 1); /* ended, not joined: its stack is kept */
    pthread_join(joinable, NULL);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD), before);

    thread_create(&detached, NULL, wait_for_pipe, fds);
    pthread_detach(detached);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD), before + 1);
    ck_assert_uint_eq(sample().threads, threads + 1);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    threads_settle(before, threads);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD), before);
    ck_assert_uint_eq(sample().threads, threads);

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    thread_create(&detached, &attributes, end_at_once, NULL);
    threads_settle(before, threads);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD), before);

    ck_assert_int_eq(thrd_create(&other, end_at_once_too, NULL), thrd_success);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD), before + 1);
    thrd_join(other, NULL);
    ck_assert_int_eq(alive(WIRE_SITE_THREAD), before);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(mappings_are_cut_grown_and_covered)
{
    begin(WIRE_TRACE);
    struct meter_sample before = sample();
    int64_t alive_before = alive(WIRE_SITE_MMAP);
    char *map = mmap(NULL, 10 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(sample().mappings - before.mappings, 1);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 10 * 4096);
    ck_assert_int_eq(alive(WIRE_SITE_MMAP), alive_before + 1);
    munmap(map + 4096, 2 * 4096); /* a hole: two are left */
    ck_assert_int_eq(sample().mappings - before.mappings, 2);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 8 * 4096);
    char *over =
        mmap(map + 2 * 4096, 4 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    ck_assert_ptr_eq(over, map + 2 * 4096);
    ck_assert_int_eq(sample().mappings - before.mappings, 3);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 9 * 4096);
    char *moved = mremap(over, 4 * 4096, 20 * 4096, MREMAP_MAYMOVE);
    ck_assert_ptr_ne(moved, MAP_FAILED);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 25 * 4096);
    munmap(moved, 20 * 4096);
    munmap(map, 10 * 4096);
    ck_assert_int_eq(sample().mappings, before.mappings);
    ck_assert_int_eq(sample().mapped_bytes, before.mapped_bytes);
    ck_assert_int_eq(alive(WIRE_SITE_MMAP), alive_before);
}
END_TEST

START_TEST(files_made_are_counted_until_removed)
{
    char folder[] = "/tmp/tidemark-test.XXXXXX", path[64], other[64];
    for (int depth = WIRE_COUNT; depth <= WIRE_TRACE; depth++) {
        begin((enum wire_depth)depth);
        strcpy(folder + strlen(folder) - 6, "XXXXXX");
        uint32_t before = sample().files;
        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_uint_eq(sample().files, before + 1);
        snprintf(path, sizeof path, "%s/one", folder);
        snprintf(other, sizeof other, "%s/two", folder);
        for (int i = 0; i < 3; i++) { /* one file, however often it is opened */
            close(open(path, O_CREAT | O_WRONLY, 0600));
        }
        ck_assert_uint_eq(sample().files, before + 2);
        FILE *file = fopen64(other, "w");
        fclose(file);
        ck_assert_uint_eq(sample().files, before + 3);
        rename(other, path);
        ck_assert_uint_eq(sample().files, before + 2);
        unlink(path);
        snprintf(path, sizeof path, "%s/XXXXXX", folder);
        close(mkstemp(path));
        ck_assert_uint_eq(sample().files, before + 2);
        syscall(SYS_unlinkat, AT_FDCWD, path, 0); /* as another process would */
        ck_assert_uint_eq(sample().files, before + 1);
        rmdir(folder);
        ck_assert_uint_eq(sample().files, before);
        file = fopen64("/dev/null", "w");
        fclose(file);
        ck_assert_uint_eq(sample().files, before);
    }
}
END_TEST

SUITE("resource", &every_way_to_open_a_descriptor_is_seen, &streams_and_folders_hold_descriptors,
      &a_descriptor_closed_behind_our_back_is_gone,
      &a_descriptor_has_the_stack_that_opened_it_and_its_birth,
      &a_thread_is_gone_when_joined_or_detached_and_ended, &mappings_are_cut_grown_and_covered,
      &files_made_are_counted_until_removed)
