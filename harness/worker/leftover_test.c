/* leftover_test.c - what a worker's list may have removed: nothing but what it can have made. */
#include "harness/worker/leftover.h"

#include "harness/base/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct wire *wire;
static char shared[WIRE_OBJECT_NAME], elsewhere[] = "/tmp/tidemark-leftover.XXXXXX";

static void list_add(size_t at, const char *name)
{
    strncpy(wire->objects.list[at].name, name, WIRE_OBJECT_NAME);
    wire->objects.list[at].state = WIRE_OBJECT_THERE;
}

static bool file_make(const char *path)
{
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

START_TEST(removes_what_was_made_and_nothing_else)
{
    int fd;
    char first[WIRE_OBJECT_NAME] = "", around[WIRE_OBJECT_NAME];
    time_t now = time(NULL);
    wire = wire_new(&fd);
    close(mkstemp(elsewhere));
    snprintf(shared, sizeof shared, "/dev/shm/tidemark-leftover-%d", (int)getpid());
    snprintf(around, sizeof around, "/dev/shm/../..%s", elsewhere);
    if (file_make(shared)) {
        list_add(0, elsewhere);
        list_add(1, around);
        list_add(2, "/dev/shm/");
        list_add(3, "//sysv-shm/-1");
        list_add(4, "//sysv-shm/12x");
        list_add(5, "");
        memset(wire->objects.list[6].name, '/', WIRE_OBJECT_NAME); /* without an end */
        wire->objects.list[6].state = WIRE_OBJECT_THERE;
        list_add(7, shared);
        ck_assert_uint_eq(leftover_remove(wire, now + 3600, first), 0); /* it was there before */
        ck_assert_int_eq(access(shared, F_OK), 0);
        ck_assert_uint_eq(leftover_remove(wire, now - 1, first), 1);
        ck_assert_str_eq(first, shared);
        ck_assert_int_ne(access(shared, F_OK), 0);
        ck_assert_int_eq(access(elsewhere, F_OK), 0);
    }
    unlink(elsewhere);
    wire_free(&wire);
    close(fd);
}
END_TEST

SUITE("leftover", &removes_what_was_made_and_nothing_else)
