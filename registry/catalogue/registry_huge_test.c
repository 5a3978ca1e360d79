/* registry_huge_test.c - which memory the kernel is asked to keep in huge pages, by its own word:
 * the flag `hg` in /proc/self/smaps. */
#include "registry/image.h"

#include "harness/base/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE REGISTRY_HUGE_PAGE
#define ROOM (12 * (size_t)HUGE)

static char *room;         /* of so many bytes... */
static char *room_aligned; /* ... and where in it a huge page begins, with 11 to come */

static void room_make(void)
{
    room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(room, MAP_FAILED);
    room_aligned = room + -(uintptr_t)room % HUGE;
}

static void room_give_back(void)
{
    ck_assert_int_eq(munmap(room, ROOM), 0);
}

static bool kernel_can(void)
{
    return access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
}

/* Bytes from `from` to `to` that lie in mappings with the flag. */
static size_t flagged(const char *from, const char *to)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    ck_assert_ptr_nonnull(maps);
    char line[512];
    uintptr_t low = 0, high = 0;
    size_t bytes = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        char *end;
        unsigned long start = strtoul(line, &end, 16);
        if (*end == '-') {
            uintptr_t stop = strtoul(end + 1, NULL, 16);
            low = start > (uintptr_t)from ? start : (uintptr_t)from;
            high = stop < (uintptr_t)to ? stop : (uintptr_t)to;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != NULL) {
            bytes += low < high ? high - low : 0;
        }
    }
    ck_assert_int_eq(fclose(maps), 0);
    return bytes;
}

static struct registry_image *image_at(char *at, size_t bytes)
{
    struct registry_image *image = (struct registry_image *)(void *)at;
    image->bytes = bytes;
    return image;
}

START_TEST(a_large_image_is_asked_for_whole)
{
    room_make();
    struct registry_image *image = image_at(room_aligned, 10 * (size_t)HUGE);
    errno = ENOTTY;
    ck_assert_int_eq(registry_image_advise_huge_pages(image), kernel_can());
    ck_assert_int_eq(errno, ENOTTY);
    ck_assert_uint_eq(flagged(room, room + ROOM), kernel_can() ? 10 * (size_t)HUGE : 0);
    room_give_back();
}
END_TEST

START_TEST(of_an_image_between_huge_pages_those_within_it)
{
    room_make();
    struct registry_image *image = image_at(room_aligned + 4096, 10 * (size_t)HUGE);
    ck_assert_int_eq(registry_image_advise_huge_pages(image), kernel_can());
    ck_assert_uint_eq(flagged(room_aligned + HUGE, room_aligned + 10 * (size_t)HUGE),
                      kernel_can() ? 9 * (size_t)HUGE : 0);
    ck_assert_uint_eq(flagged(room, room_aligned + HUGE), 0);
    room_give_back();
}
END_TEST

START_TEST(for_a_small_image_nothing_is_asked)
{
    room_make();
    struct registry_image *image = image_at(room_aligned, REGISTRY_HUGE_FROM - 64);
    ck_assert(!registry_image_advise_huge_pages(image));
    ck_assert_uint_eq(flagged(room, room + ROOM), 0);
    room_give_back();
}
END_TEST

START_TEST(the_built_in_catalogue_by_its_size)
{
    ck_assert_int_eq(registry_advise_huge_pages(),
                     registry_tables.bytes >= REGISTRY_HUGE_FROM && kernel_can());
}
END_TEST

SUITE("registry, huge pages", &a_large_image_is_asked_for_whole,
      &of_an_image_between_huge_pages_those_within_it, &for_a_small_image_nothing_is_asked,
      &the_built_in_catalogue_by_its_size)
