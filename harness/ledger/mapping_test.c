/* mapping_test.c - mappings held against a picture of each page, made at random: holes, mappings
 * over older ones, unmapping in parts, mremap; shared segments and the program's own data segment.
 */
#include "harness/ledger/mapping.h"

#include "harness/base/suite.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/site.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#define PAGE 4096u
enum { PAGES = 96, SITES = 4096 };

static struct wire *wire;
static int wire_fd;
static struct wire_site known[SITES];

static union {
    struct wire_record head;
    struct wire_site site;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static struct meter_sample sample(void)
{
    struct meter_sample now;
    meter_sample_get(&now);
    return now;
}

static void begin(void)
{
    if (wire == NULL) {
        wire = wire_new(&wire_fd);
        ck_assert_ptr_nonnull(wire);
        meter_init(wire);
        ledger_init(wire);
    }
    ledger_depth_set(WIRE_TRACE);
    ledger_birth_set(0);
    ledger_watch_set(true);
    ledger_floor_reset();
}

/* What is known of the sites after a boundary. */
static void boundary(void)
{
    bool broken = false;
    ledger_floor_update();
    ledger_watch_put(wire);
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_SITE && record.site.site < SITES) {
            memcpy(&known[record.site.site], &record, offsetof(struct wire_site, frames));
        }
    }
    ck_assert(!broken);
}

static uint32_t site_with(int64_t bytes)
{
    uint32_t site = 0;
    for (uint32_t i = 1; i < SITES; i++) {
        if (known[i].kind == WIRE_SITE_MMAP && known[i].live_bytes == bytes) {
            ck_assert_uint_eq(site, 0);
            site = i;
        }
    }
    ck_assert_uint_ne(site, 0);
    return site;
}

static uint32_t chance(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

/* A page's picture: whose mapping it is, by the number of the call that made it; 0: nobody's. */
static uint32_t pages[PAGES];

static void paint(uint32_t from, uint32_t count, uint32_t colour)
{
    for (uint32_t i = from; i < from + count && i < PAGES; i++) {
        pages[i] = colour;
    }
}

struct picture {
    uint32_t pieces, held;
};

/* Pieces are runs of one colour, since no colour is used twice. */
static struct picture picture_now(void)
{
    struct picture picture = {0};
    for (uint32_t i = 0; i < PAGES; i++) {
        picture.held += pages[i] != 0;
        picture.pieces += pages[i] != 0 && (i == 0 || pages[i - 1] != pages[i]);
    }
    return picture;
}

static bool one_colour(uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        if (pages[i] == 0 || pages[i] != pages[from]) {
            return false;
        }
    }
    return true;
}

static void step(char *area, uint32_t *seed, uint32_t colour)
{
    uint32_t from = chance(seed, PAGES - 8), count = 1 + chance(seed, 8);
    char *at = area + (size_t)from * PAGE;
    switch (chance(seed, 4)) {
    case 0:
        munmap(at, (size_t)count * PAGE);
        paint(from, count, 0);
        break;
    case 1: { /* moves a piece, longer or shorter than it was */
        uint32_t to = chance(seed, PAGES - 8), longer = 1 + chance(seed, 8);
        if ((to + longer > from && from + count > to) || !one_colour(from, count)) {
            break; /* they must not overlap, and it must be one mapping */
        }
        if (mremap(at, (size_t)count * PAGE, (size_t)longer * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                   area + (size_t)to * PAGE) != MAP_FAILED) {
            paint(from, count, 0);
            paint(to, longer, colour);
        }
        break;
    }
    default:
        mmap(at, (size_t)count * PAGE - chance(seed, PAGE), PROT_READ,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        paint(from, count, colour);
    }
}

START_TEST(what_is_known_is_what_a_picture_of_all_pages_shows)
{
    uint32_t seed = (uint32_t)getpid();
    printf("seed %u\n", seed);
    begin();
    struct meter_sample before = sample();
    for (int round = 0; round < 5; round++) {
        /* Not through the hooks: nobody's. */
        char *area = (char *)kernel_call(SYS_mmap, 0, (long)PAGES * PAGE, PROT_NONE,
                                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        paint(0, PAGES, 0);
        for (uint32_t colour = 1; colour < 400; colour++) {
            step(area, &seed, colour);
            struct picture picture = picture_now();
            struct meter_sample now = sample();
            ck_assert_int_eq(now.mapped_bytes - before.mapped_bytes, (int64_t)picture.held * PAGE);
            ck_assert_int_eq(now.mappings - before.mappings, picture.pieces);
        }
        boundary();
        int64_t watched = 0, pieces = 0;
        for (uint32_t i = 1; i < SITES; i++) {
            watched += known[i].kind == WIRE_SITE_MMAP ? known[i].live_bytes : 0;
            pieces += known[i].kind == WIRE_SITE_MMAP ? known[i].live_blocks : 0;
        }
        struct picture picture = picture_now();
        ck_assert_int_eq(watched, (int64_t)picture.held * PAGE);
        ck_assert_int_eq(pieces, picture.pieces);
        munmap(area, (size_t)PAGES * PAGE);
        ck_assert_int_eq(sample().mapped_bytes, before.mapped_bytes);
        ck_assert_int_eq(sample().mappings, before.mappings);
        boundary();
    }
}
END_TEST

START_TEST(what_mremap_grows_is_of_its_site_and_one_family)
{
    begin();
    char *map = mmap(NULL, 5 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *other = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    boundary();
    uint32_t first = site_with(5 * PAGE), alone = site_with(3 * PAGE), second = 0;
    ledger_birth_set(7);
    for (uint32_t size = 1000; size <= 3000; size += 1000) {
        char *grown = mremap(map, (size == 1000 ? 5 : size - 1000) * PAGE, (size_t)size * PAGE,
                             MREMAP_MAYMOVE);
        ck_assert_ptr_ne(grown, MAP_FAILED);
        map = grown;
        boundary();
        second = site_with((int64_t)size * PAGE);
        ck_assert_int_eq(known[second].live_blocks, 1);
        ck_assert_int_eq(known[first].live_bytes, 0);
        ck_assert_int_eq(known[first].live_blocks, 0);
        ck_assert_uint_eq(known[second].family, first);
        ck_assert_uint_eq(known[first].family, first);
        ck_assert_uint_eq(known[alone].family, alone);
    }
    bool broken = false, found = false;
    ledger_survivors_put(wire);
    while (wire_get(wire, &record, &broken)) {
        const struct wire_survivor *survivor = (const void *)&record;
        found |= record.head.type == WIRE_SURVIVOR && survivor->site == second &&
                 survivor->birth == 0 && survivor->bytes == 3000 * (int64_t)PAGE;
    }
    ck_assert(found); /* it keeps its birth */
    ck_assert_ptr_eq(mremap(map, PAGE, 0, MREMAP_MAYMOVE), MAP_FAILED);
    ck_assert_int_eq(munmap(map + 1, PAGE), -1); /* refused: nothing has changed */
    boundary();
    ck_assert_int_eq(known[second].live_bytes, 3000 * (int64_t)PAGE);
    munmap(map, 3000 * (size_t)PAGE);
    munmap(other, 3 * PAGE);
    boundary();
    ck_assert_int_eq(known[second].live_bytes, 0);
}
END_TEST

START_TEST(shared_memory_counts)
{
    begin();
    struct meter_sample before = sample();
    int fd = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, 6 * PAGE), 0);
    char *one = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 6 * PAGE);
    char *two = mremap(one, 0, 6 * PAGE, MREMAP_MAYMOVE); /* the same memory, once more */
    if (two != MAP_FAILED) {                              /* valgrind's kernel cannot do that */
        ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 12 * PAGE);
        munmap(two, 6 * PAGE);
    }
    munmap(one, 6 * PAGE);
    close(fd);
    ck_assert_int_eq(sample().mapped_bytes, before.mapped_bytes);

    int id = shmget(IPC_PRIVATE, 9 * PAGE, IPC_CREAT | 0600);
    if (id < 0) {
        fprintf(stderr, "mapping_test: no shared segments here\n");
        return;
    }
    char *segment = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    ck_assert_ptr_ne(segment, (void *)-1);
    boundary();
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 9 * PAGE);
    ck_assert_int_eq(known[site_with(9 * PAGE)].live_blocks, 1);
    ck_assert_int_eq(shmdt(segment), 0);
    ck_assert_int_eq(sample().mapped_bytes, before.mapped_bytes);
}
END_TEST

START_TEST(the_data_segment_counts_to_the_byte)
{
    begin();
    struct meter_sample before = sample();
    char *start = sbrk(0);
    ck_assert_int_eq(sample().mapped_bytes, before.mapped_bytes);
    for (int i = 1; i <= 10; i++) { /* as a bump allocator does */
        ck_assert_ptr_eq(sbrk(1000), start + (size_t)(i - 1) * 1000);
        memset(start, i, (size_t)i * 1000);
        ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, i * 1000);
    }
    boundary();
    ck_assert_int_eq(known[site_with(10000)].live_blocks, 10);
    ck_assert_int_eq(brk(start + 20000), 0);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 20000);
    sbrk(-12500);
    ck_assert_int_eq(sample().mapped_bytes - before.mapped_bytes, 7500);
    ck_assert_int_eq(brk(start), 0);
    ck_assert_int_eq(sample().mapped_bytes, before.mapped_bytes);
    ck_assert_int_eq(sample().mappings, before.mappings);
}
END_TEST

SUITE("mapping", &what_is_known_is_what_a_picture_of_all_pages_shows,
      &what_mremap_grows_is_of_its_site_and_one_family, &shared_memory_counts,
      &the_data_segment_counts_to_the_byte)
