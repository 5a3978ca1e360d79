/* release_test.c - who releases what, and what that had to do with blocks that stay: inside this
 * very program, whose frees are the ledger's. */
#include "harness/ledger/ledger.h"

#include "harness/base/suite.h"
#include "harness/ledger/release.h"
#include "harness/meter/meter.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static struct wire *wire;
static int wire_fd;

static union {
    struct wire_record head;
    struct wire_site site;
    struct wire_release release;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static struct wire_site sites[512]; /* by number, as far as the wire told of them */
static struct wire_release told[512];
static int told_count;

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
    ledger_releases_set(true);
}

static void records_take(void)
{
    bool broken = false;
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_SITE && record.site.site < 512 &&
            record.site.frame_count > 0) {
            sites[record.site.site] = record.site;
        } else if (record.head.type == WIRE_RELEASE && told_count < 512) {
            told[told_count++] = record.release;
        }
    }
    ck_assert(!broken);
}

/* What was seen, in its relation to the site with so many live bytes. */
static uint32_t end(int64_t live_bytes)
{
    uint32_t site = 0;
    bool broken = false;
    ledger_releases_set(false);
    ledger_sites_put(wire);
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_SITE && record.site.frame_count > 0 &&
            record.site.site < 512) {
            sites[record.site.site] = record.site;
        }
        if (record.head.type == WIRE_SITE && record.site.live_bytes == live_bytes) {
            site = record.site.site;
        }
    }
    ck_assert_uint_ne(site, 0);
    told_count = 0;
    ledger_releases_put(wire, &site, 1);
    records_take();
    return site;
}

static const struct wire_release *told_of(enum wire_relation relation, uint32_t site)
{
    const struct wire_release *found = NULL;
    for (int i = 0; i < told_count; i++) {
        if (told[i].relation == relation && told[i].site == site) {
            ck_assert_msg(found == NULL, "told twice");
            found = &told[i];
        }
    }
    return found;
}

struct queue {
    char *name;
    int *items;
};

static struct queue *volatile kept;

static APART struct queue *queue_new(void)
{
    struct queue *queue = malloc(sizeof *queue);
    queue->name = malloc(5);
    queue->items = malloc(1111);
    return queue;
}

static APART void queue_free(struct queue *queue)
{
    free(queue->name);
    free(queue);
    __asm__ volatile(""); /* no tail call: this frame is wanted */
}

static APART void other_free(void *block)
{
    free(block);
    __asm__ volatile("");
}

/* Which of these functions the stack's innermost frame is in. */
static const void *released_in(const struct wire_release *release)
{
    const uintptr_t known[] = {(uintptr_t)queue_new, (uintptr_t)queue_free, (uintptr_t)other_free};
    uintptr_t pc = sites[release->release].frames[0], best = 0;
    ck_assert_uint_eq(sites[release->release].kind, WIRE_SITE_RELEASE);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        best = known[i] < pc && known[i] > best ? known[i] : best;
    }
    return pc - best < 256 ? (const void *)best : NULL;
}
#define IN(function) ((const void *)(uintptr_t)(function))

START_TEST(the_last_that_pointed_to_it_is_its_holder)
{
    begin();
    struct queue *queue = queue_new();
    /* It pointed there too, and is freed before the real holder. */
    void *volatile *early = malloc(sizeof *early);
    *early = queue->items;
    other_free((void *)early);
    int *items = queue->items;
    queue_free(queue);
    uint32_t site = end(1111);
    const struct wire_release *holder = told_of(WIRE_RELATION_HOLDER, site);
    ck_assert_ptr_nonnull(holder);
    ck_assert_int_eq(holder->blocks, 1);
    ck_assert_ptr_eq(released_in(holder), IN(queue_free));
    ck_assert_int_eq(told_of(WIRE_RELATION_KEPT, site)->blocks, 1);
    ck_assert_ptr_null(told_of(WIRE_RELATION_MEMBER, site));
    free(items);
}
END_TEST

START_TEST(what_stays_is_followed_to_what_it_holds)
{
    begin();
    struct queue *queue = queue_new();
    void *volatile *between = malloc(sizeof *between), *volatile *head = malloc(sizeof *head);
    *between = queue->items;
    *head = (void *)between;
    int *items = queue->items;
    queue->items = NULL;
    queue_free(queue);
    other_free((void *)head); /* head -> between -> items */
    uint32_t site = end(1111);
    ck_assert_ptr_eq(released_in(told_of(WIRE_RELATION_HOLDER, site)), IN(other_free));
    free(items);
    free((void *)between);
}
END_TEST

START_TEST(what_it_points_to_is_its_member_though_the_address_would_be_used_again)
{
    begin();
    kept = queue_new();
    other_free(kept->items);
    for (int i = 0; i < 100; i++) { /* of the same size: an allocator gives the same block */
        free(malloc(1111));
    }
    char *name = kept->name;
    uint32_t site = end(sizeof *kept);
    const struct wire_release *member = told_of(WIRE_RELATION_MEMBER, site);
    ck_assert_ptr_nonnull(member);
    ck_assert_ptr_eq(released_in(member), IN(other_free));
    free(name);
    free(kept);
}
END_TEST

START_TEST(all_releases_are_told_with_the_sites_of_what_they_released)
{
    begin();
    char *volatile stays = malloc(77);
    for (int i = 0; i < 10; i++) {
        struct queue *queue = queue_new();
        free(queue->items);
        queue_free(queue);
    }
    end(77);
    int64_t in_queue_free = 0;
    for (int i = 0; i < told_count; i++) {
        if (told[i].relation == WIRE_RELATION_NONE && released_in(&told[i]) == IN(queue_free)) {
            in_queue_free += told[i].blocks;
            ck_assert_uint_gt(sites[told[i].born].frame_count, 0);
        }
    }
    ck_assert_int_eq(in_queue_free, 20);
    free(stays);
}
END_TEST

START_TEST(what_is_held_back_counts_as_freed_and_is_given_back)
{
    begin();
    struct ledger_totals before, held, after;
    void *volatile stays = malloc(99);
    ledger_totals_get(&before);
    struct queue *queue = queue_new();
    free(queue->items);
    queue_free(queue);
    ledger_totals_get(&held);
    uint64_t own = ledger_own_bytes();
    end(99);
    ledger_totals_get(&after);
    ck_assert_int_eq(held.live_blocks, before.live_blocks);
    ck_assert_int_eq(held.live_bytes, before.live_bytes);
    ck_assert_uint_eq(held.frees, before.frees + 3);
    ck_assert_uint_lt(ledger_own_bytes(), own); /* the ring is gone */
    ck_assert_uint_eq(release_count(), 0);
    free(stays);
}
END_TEST

START_TEST(more_than_can_be_remembered_drops_the_oldest)
{
    begin();
    kept = queue_new();
    struct queue *early = queue_new();
    free(early->items);
    queue_free(early);
    for (uint32_t i = 0; i < RELEASE_MOST + 1000; i++) {
        other_free(malloc(16));
    }
    for (int i = 0; i < 100; i++) { /* and more bytes than are held back */
        other_free(malloc(RELEASE_HELD_BYTES / 16));
    }
    other_free(malloc(RELEASE_HELD_BYTES)); /* one that never is */
    uint32_t count = release_count();
    char *name = kept->name;
    int *items = kept->items;
    queue_free(kept);
    free(items);
    (void)name;
    char *volatile stays = malloc(55);
    end(55);
    ck_assert_uint_eq(count, RELEASE_MOST);
    bool late = false;
    for (int i = 0; i < told_count; i++) {
        late = late ||
               (told[i].relation == WIRE_RELATION_NONE && released_in(&told[i]) == IN(queue_free));
    }
    ck_assert(late);
    free(stays);
}
END_TEST

static void *frees_many(void *context)
{
    for (int i = 0; i < 2000; i++) {
        other_free(malloc(24));
    }
    return context;
}

START_TEST(threads_release_at_the_same_time)
{
    pthread_t threads[4];
    begin();
    char *volatile stays = malloc(66);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, frees_many, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    end(66);
    int64_t blocks = 0;
    for (int i = 0; i < told_count; i++) {
        bool here =
            told[i].relation == WIRE_RELATION_NONE && released_in(&told[i]) == IN(other_free);
        blocks += here ? told[i].blocks : 0;
    }
    ck_assert_int_eq(blocks, 8000);
    free(stays);
}
END_TEST

START_TEST(a_forked_child_frees_as_usual)
{
    begin();
    void *volatile block = malloc(44);
    pid_t child = fork();
    if (child == 0) {
        bool off = !release_on;
        free(block);
        free(malloc(10));
        _exit(off ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    end(44);
    free(block);
}
END_TEST

static APART int descriptor_make(void)
{
    return open("/dev/null", O_RDONLY);
}

START_TEST(descriptors_mappings_and_files_are_told_too)
{
    char path[] = "/tmp/release_test.XXXXXX";
    begin();
    close(descriptor_make());
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    close(mkstemp(path));
    unlink(path);
    char *volatile stays = malloc(33);
    end(33);
    int64_t of_kind[WIRE_SITE_RELEASE] = {0};
    for (int i = 0; i < told_count; i++) {
        if (told[i].relation == WIRE_RELATION_NONE && sites[told[i].born].frame_count > 0) {
            of_kind[sites[told[i].born].kind] += told[i].blocks;
        }
    }
    ck_assert_int_eq(of_kind[WIRE_SITE_FD], 2);
    ck_assert_int_eq(of_kind[WIRE_SITE_MMAP], 1);
    ck_assert_int_eq(of_kind[WIRE_SITE_FILE], 1);
    free(stays);
}
END_TEST

START_TEST(nothing_is_remembered_without_being_asked)
{
    begin();
    ledger_releases_set(false);
    char *volatile stays = malloc(22);
    struct queue *queue = queue_new();
    free(queue->items);
    queue_free(queue);
    end(22);
    for (int i = 0; i < told_count; i++) {
        ck_assert_int_eq(told[i].relation, WIRE_RELATION_KEPT);
    }
    free(stays);
}
END_TEST

SUITE("release", &the_last_that_pointed_to_it_is_its_holder,
      &what_stays_is_followed_to_what_it_holds,
      &what_it_points_to_is_its_member_though_the_address_would_be_used_again,
      &all_releases_are_told_with_the_sites_of_what_they_released,
      &what_is_held_back_counts_as_freed_and_is_given_back,
      &more_than_can_be_remembered_drops_the_oldest, &threads_release_at_the_same_time,
      &a_forked_child_frees_as_usual, &descriptors_mappings_and_files_are_told_too,
      &nothing_is_remembered_without_being_asked)
