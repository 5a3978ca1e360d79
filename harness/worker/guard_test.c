/* guard_test.c - how much memory is free, from files that say so, and what a family of processes
 * has. */
#include "harness/worker/guard.h"

#include "harness/base/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static char root[64];

/* Writes a file below `root`, and the folders above it. */
static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(path, 0755);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void root_begin(void)
{
    snprintf(root, sizeof root, "/tmp/guard_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void root_end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(three_quarters_of_what_the_machine_has)
{
    root_begin();
    ck_assert_uint_eq(guard_default(root), 0); /* nothing is told */
    put("proc/meminfo", "MemTotal: 1000000 kB\nMemFree: 10 kB\nMemAvailable:    400000 kB\n");
    ck_assert_uint_eq(guard_default(root), 300000u * 1024);
    root_end();
}
END_TEST

START_TEST(the_least_of_all_groups_of_the_second_kind)
{
    root_begin();
    put("proc/meminfo", "MemAvailable: 400000 kB\n");
    put("proc/self/cgroup", "0::/a/b\n");
    put("sys/fs/cgroup/a/b/memory.max", "max\n");
    put("sys/fs/cgroup/a/b/memory.current", "5\n");
    ck_assert_uint_eq(guard_default(root), 300000u * 1024);
    put("sys/fs/cgroup/a/memory.max", "104857600\n");
    put("sys/fs/cgroup/a/memory.current", "62914560\n");
    ck_assert_uint_eq(guard_default(root), 30 * MIB);
    put("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 20971520\n");
    ck_assert_uint_eq(guard_default(root), 45 * MIB);
    put("sys/fs/cgroup/a/memory.current", "209715200\n");
    ck_assert_uint_eq(guard_default(root), 0);
    root_end();
}
END_TEST

START_TEST(the_least_of_all_groups_of_the_first_kind)
{
    root_begin();
    put("proc/meminfo", "MemAvailable: 400000 kB\n");
    put("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/here\n0::/\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "500\n");
    ck_assert_uint_eq(guard_default(root), 300000u * 1024);
    put("sys/fs/cgroup/memory/here/memory.limit_in_bytes", "41943040\n");
    put("sys/fs/cgroup/memory/here/memory.usage_in_bytes", "0\n");
    ck_assert_uint_eq(guard_default(root), 30 * MIB);
    root_end();
}
END_TEST

static char *touched(size_t bytes)
{
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    memset(map, 1, bytes);
    return map;
}

/* In a group of its own, until it is killed. */
static _Noreturn void waits(const int ends[2])
{
    ssize_t put = write(ends[1], "x", 1);
    for (;;) {
        alarm(put == 1 ? 20 : 1);
        pause();
    }
}

static void all_ready(const int ends[2], int count)
{
    char byte;
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    }
}

static pid_t group_fork(void)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    setpgid(child, child == 0 ? 0 : child);
    return child;
}

static void group_end(pid_t child)
{
    kill(-child, SIGKILL);
    waitpid(child, NULL, 0);
}

START_TEST(what_children_of_children_have_counts)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = group_fork();
    if (child == 0) {
        char *map = touched(32 * MIB);
        if (fork() == 0) {
            memset(map, 2, 32 * MIB); /* pages of its own */
        }
        waits(ends);
    }
    all_ready(ends, 2);
    for (int exact = 0; exact < 2; exact++) {
        uint64_t bytes = guard_resident(child, exact);
        ck_assert_uint_ge(bytes, 64 * MIB);
        ck_assert_uint_le(bytes, 96 * MIB);
    }
    struct guard enough = {.bytes = 200 * MIB}, less = {.bytes = 48 * MIB}, none = {0};
    guard_look(&enough, child, 1000000000);
    guard_look(&none, child, 1000000000);
    guard_look(&less, child, 1000000000);
    group_end(child);
    ck_assert_uint_eq(enough.found, 0);
    ck_assert_uint_eq(none.found, 0);
    ck_assert_uint_ge(less.found, 64 * MIB);
}
END_TEST

/* Thirty children that share 20 MiB have not 600. */
START_TEST(what_children_share_is_not_more_than_it_is)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = group_fork();
    if (child == 0) {
        touched(20 * MIB);
        for (int i = 0; i < 30 && fork() != 0; i++) {
        }
        waits(ends);
    }
    all_ready(ends, 31);
    struct guard guard = {.bytes = 300 * MIB};
    uint64_t all = guard_resident(child, false);
    guard_look(&guard, child, 1000000000);
    group_end(child);
    ck_assert_uint_ge(all, 400 * MIB);
    ck_assert_uint_eq(guard.found, 0);
}
END_TEST

SUITE("guard", &three_quarters_of_what_the_machine_has, &the_least_of_all_groups_of_the_second_kind,
      &the_least_of_all_groups_of_the_first_kind, &what_children_of_children_have_counts,
      &what_children_share_is_not_more_than_it_is)
