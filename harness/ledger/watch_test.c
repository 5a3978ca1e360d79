/* watch_test.c - watch mode: what is sent is held against a walk over all blocks, families, records
 * of changed sites only. The hooks are linked in and count these tests. */
#include "harness/ledger/watch.h"

#include "harness/base/suite.h"
#include "harness/ledger/ledger.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/thread.h"
#include "harness/ledger/trace.h"
#include "harness/meter/meter.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SITES = 1 << 15, DEEP = 13 }; /* 2^13 stacks: more than a queue has room for */

static struct wire *wire;
static int wire_fd;

/* What a supervisor knows, and what is so. */
static struct wire_site known[SITES];
static struct {
    int64_t blocks, bytes, floor_blocks, floor_bytes;
} truth[SITES];
static uint32_t records, with_frames;
static struct wire_family known_family[SITES]; /* by the smallest of its sites */

static union {
    struct wire_record head;
    struct wire_site site;
    struct wire_family family;
    unsigned char room[WIRE_RECORD_MAX];
} record;

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
}

static void run_begin(void)
{
    ledger_watch_set(true);
    ledger_floor_reset();
    memset(truth, 0, sizeof truth);
}

static void site_walk(uint32_t site, uint64_t bytes)
{
    if (site < SITES) {
        truth[site].blocks++;
        truth[site].bytes += (int64_t)bytes;
    }
}

static void block_walk(void *context, const struct trace_record *block)
{
    (void)context;
    site_walk(block->site, block->size);
}

static void resource_walk(void *context, const struct resource *resource)
{
    (void)context;
    site_walk(resource->site, resource->bytes);
}

/* A boundary, and the same by a look at everything. */
static void boundary(bool first)
{
    ledger_floor_update();
    for (uint32_t i = 0; i < SITES; i++) {
        truth[i].blocks = truth[i].bytes = 0;
    }
    trace_each(block_walk, NULL);
    resource_each(resource_walk, NULL);
    for (uint32_t i = 0; i < SITES; i++) {
        if (first || truth[i].blocks < truth[i].floor_blocks) {
            truth[i].floor_blocks = truth[i].blocks;
        }
        if (first || truth[i].bytes < truth[i].floor_bytes) {
            truth[i].floor_bytes = truth[i].bytes;
        }
    }
}

static void take(void)
{
    bool broken = false;
    records = with_frames = 0;
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_FAMILY && record.family.family < SITES) {
            known_family[record.family.family] = record.family;
        }
        if (record.head.type != WIRE_SITE || record.site.site >= SITES) {
            continue;
        }
        uint32_t least = offsetof(struct wire_site, frames);
        ck_assert_uint_eq(record.head.bytes, least + 8 * record.site.frame_count);
        memcpy(&known[record.site.site], &record, record.head.bytes);
        records++;
        with_frames += record.site.frame_count > 0;
    }
    ck_assert(!broken);
}

/* The ring would be full of so many records: a thread reads them, as the supervisor does. */
static _Atomic bool put_done;

static void *taker(void *unused)
{
    uint32_t count = 0, framed = 0;
    bool done;
    do {
        done = put_done;
        take();
        count += records;
        framed += with_frames;
    } while (!done);
    records = count;
    with_frames = framed;
    return unused;
}

static void run_end(void)
{
    pthread_t thread;
    put_done = false;
    pthread_create(&thread, NULL, taker, NULL);
    ledger_watch_put(wire);
    put_done = true;
    pthread_join(thread, NULL);
}

static void known_is_true(const char *when)
{
    for (uint32_t i = 1; i < SITES; i++) {
        if (known[i].live_blocks != truth[i].blocks || known[i].live_bytes != truth[i].bytes ||
            known[i].floor_blocks != truth[i].floor_blocks ||
            known[i].floor_bytes != truth[i].floor_bytes) {
            ck_abort_msg("%s: site %u: %lld blocks, %lld B, floor %lld, %lld B are known; %lld, "
                         "%lld, %lld, %lld are there",
                         when, i, (long long)known[i].live_blocks, (long long)known[i].live_bytes,
                         (long long)known[i].floor_blocks, (long long)known[i].floor_bytes,
                         (long long)truth[i].blocks, (long long)truth[i].bytes,
                         (long long)truth[i].floor_blocks, (long long)truth[i].floor_bytes);
        }
    }
}

/* No call below is a tail call. */
static inline void *hold(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

/* Each `way` of `levels` bits is a stack of its own. */
static void *allocate(uint32_t way, int levels, size_t bytes);

static __attribute__((noinline)) void *left(uint32_t way, int levels, size_t bytes)
{
    return hold(allocate(way, levels, bytes));
}

static __attribute__((noinline)) void *right(uint32_t way, int levels, size_t bytes)
{
    __asm__ volatile("# another function, not the same under two names");
    return hold(allocate(way, levels, bytes));
}

static __attribute__((noinline)) void *allocate(uint32_t way, int levels, size_t bytes)
{
    if (levels == 0) {
        return hold(malloc(bytes));
    }
    return hold(way & 1 ? left(way >> 1, levels - 1, bytes) : right(way >> 1, levels - 1, bytes));
}

static uint32_t chance(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

START_TEST(what_is_sent_is_what_a_walk_finds)
{
    static void *blocks[3000];
    uint32_t seed = (uint32_t)getpid();
    printf("seed %u\n", seed);
    begin();
    for (int run = 0; run < 12; run++) {
        uint32_t busy = 1u << chance(&seed, 11); /* from one stack to a thousand */
        run_begin();
        for (int repetition = 0; repetition < 5; repetition++) {
            uint32_t steps = chance(&seed, 600);
            for (uint32_t i = 0; i < steps; i++) {
                void **block = &blocks[chance(&seed, 3000)];
                uint32_t way = chance(&seed, busy);
                if (*block != NULL && chance(&seed, 4) == 0) {
                    *block = realloc(*block, chance(&seed, 100000) + 1);
                } else {
                    free(*block);
                    *block =
                        chance(&seed, 3) == 0 ? NULL : allocate(way, 10, chance(&seed, 9000) + 1);
                }
            }
            boundary(repetition == 0);
        }
        run_end();
        known_is_true("after a run");
    }
    for (int i = 0; i < 3000; i++) {
        free(blocks[i]);
    }
}
END_TEST

START_TEST(more_sites_than_the_queue_has_room_for_are_all_counted)
{
    static void *blocks[1 << DEEP];
    begin();
    run_begin();
    boundary(true);
    run_end();
    for (int round = 0; round < 2; round++) {
        run_begin();
        for (uint32_t i = 0; i < 1u << DEEP; i++) {
            blocks[i] = allocate(i, DEEP, 16 + i);
        }
        boundary(true);
        run_end();
        known_is_true("all are alive");
        ck_assert_uint_ge(records, 1u << DEEP);
        ck_assert(with_frames > 0 || round > 0);
        run_begin();
        for (uint32_t i = 0; i < 1u << DEEP; i++) {
            free(blocks[i]);
        }
        boundary(true);
        run_end();
        known_is_true("all are gone");
    }
}
END_TEST

/* A stack is a site, so that everything that is to be one site is done by one line. */
START_TEST(only_changes_are_sent)
{
    static const struct {
        uint32_t way, bytes;
        bool goes_at_once, born;
    } steps[] = {
        {0, 0, false, false}, /* what this test's own calls leave behind, twice */
        {0, 0, false, false},
        {0, 0, false, false},   /* nothing */
        {5, 1000, false, true}, /* a new site */
        {5, 1000, false, true}, /* as before, but the block was born in this run */
        {6, 1000, true, true},  /* a site that never held anything at a boundary; the other is gone
                                 */
        {6, 1000, true, true},
        {5, 10, true, true}, /* nothing stays, but something was held here once */
    };
    static const uint32_t sent[] = {0, 0, 0, 1, 1, 1, 0, 1}, framed[] = {0, 0, 0, 1, 0, 0, 0, 0};
    void *block = NULL;
    uint32_t site = 0;
    begin();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        run_begin();
        free(block);
        block = steps[i].born ? allocate(steps[i].way, 3, steps[i].bytes) : NULL;
        if (steps[i].goes_at_once) {
            free(block);
            block = NULL;
        }
        boundary(true);
        boundary(false);
        run_end();
        site = i == 3 ? record.site.site : site;
        ck_assert_msg(i < 2 || (records == sent[i] && with_frames == framed[i]),
                      "step %zu: %u records, %u with frames", i, records, with_frames);
        if (i == 4) {
            ck_assert_int_eq(known[site].born_blocks, 1);
            ck_assert_int_eq(known[site].born_bytes, 1000);
            ck_assert_int_eq(known[site].floor_bytes, 1000);
        }
    }
    ck_assert_int_eq(known[site].live_blocks, 0);
    ck_assert_int_eq(known[site].floor_bytes, 0);
    ck_assert_int_eq(known[site].born_blocks, 1);
    ck_assert_int_eq(known[site].born_bytes, 10);
}
END_TEST

START_TEST(a_floor_that_rises_by_itself_is_sent)
{
    begin();
    run_begin();
    boundary(true);
    void *block = allocate(1, 4, 500);
    boundary(false);
    run_end();
    known_is_true("nothing was there at the first boundary");
    uint32_t site = 0;
    for (uint32_t i = 1; i < SITES; i++) {
        site = known[i].live_bytes == 500 && known[i].floor_bytes == 0 ? i : site;
    }
    ck_assert_uint_ne(site, 0);
    run_begin();
    boundary(true);
    run_end();
    known_is_true("it is there at all boundaries");
    ck_assert_int_eq(known[site].floor_bytes, 500);
    ck_assert_int_eq(known[site].floor_blocks, 1);
    free(block);
}
END_TEST

/* Blocks that wander between threads, which come and go. */
static void *shared[64];
static _Atomic bool over;

static void *wander(void *argument)
{
    uint32_t seed = (uint32_t)(uintptr_t)argument;
    for (int i = 0; i < 30000 && !over; i++) {
        void **place = &shared[chance(&seed, 64)];
        void *mine = chance(&seed, 3) == 0 ? NULL : allocate(chance(&seed, 32), 5, 40);
        free(__atomic_exchange_n(place, mine, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

START_TEST(threads_are_counted_to_the_block)
{
    begin();
    run_begin();
    boundary(true);
    for (int round = 0; round < 3; round++) {
        pthread_t threads[3];
        for (uintptr_t i = 0; i < 3; i++) {
            pthread_create(&threads[i], NULL, wander, (void *)(i + 3 * (uintptr_t)round));
        }
        for (int i = 0; i < 40; i++) {
            usleep(200);
            ledger_floor_update(); /* in the midst of it */
        }
        for (int i = 0; i < 3; i++) {
            pthread_join(threads[i], NULL);
        }
        run_begin();
        boundary(true);
        run_end();
        known_is_true("all threads have ended");
    }
}
END_TEST

START_TEST(what_was_there_before_is_counted_while_threads_run)
{
    pthread_t threads[2];
    void *before = NULL;
    for (int round = 0; round < 5; round++) {
        over = false;
        ledger_depth_set(WIRE_COUNT);
        begin();
        before = allocate(3, 6, 12345);
        for (uintptr_t i = 0; i < 2; i++) {
            pthread_create(&threads[i], NULL, wander, (void *)(i + 7 + (uintptr_t)round));
        }
        usleep(1000);
        ledger_watch_set(true);
        over = true;
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
        }
        run_begin();
        boundary(true);
        run_end();
        known_is_true("watching began in the middle");
        free(before);
    }
}
END_TEST

START_TEST(a_block_that_a_signal_handler_frees_within_our_code_is_counted)
{
    begin();
    run_begin();
    void *block = allocate(2, 4, 64);
    boundary(true);
    run_end();
    known_is_true("alive");
    thread_get()->busy = 1; /* as if our own code were interrupted here */
    free(block);
    thread_get()->busy = 0;
    run_begin();
    boundary(true);
    run_end();
    known_is_true("gone");
}
END_TEST

enum place { FIRST, HERE, THERE, ALIGNED };

/* The compiler must not make one call of two. */
static __attribute__((noinline)) void *place_it(enum place place, void *block, size_t bytes)
{
    if (place == FIRST) {
        return hold(malloc(bytes));
    }
    if (place == ALIGNED) {
        return hold(memalign(256, bytes));
    }
    if (place == HERE) {
        block = hold(realloc(block, bytes));
        __asm__ volatile("# here");
        return block;
    }
    block = hold(realloc(block, bytes));
    __asm__ volatile("# there");
    return block;
}

static uint32_t site_with(int64_t bytes)
{
    uint32_t site = 0;
    for (uint32_t i = 1; i < SITES; i++) {
        if (known[i].live_bytes == bytes) {
            ck_assert_uint_eq(site, 0);
            site = i;
        }
    }
    ck_assert_uint_ne(site, 0);
    return site;
}

START_TEST(a_block_that_changes_its_site_makes_a_family)
{
    static const struct {
        int run, slot;
        enum place place;
        size_t bytes;
    } steps[] = {
        {0, 0, FIRST, 70001}, {0, 1, FIRST, 10},   {0, 2, ALIGNED, 70002},
        {0, 3, THERE, 70003}, {1, 1, HERE, 80001}, /* moved from FIRST */
        {2, 1, THERE, 80000}, /* and to where slot 3 is from: these three are one family */
        {3, 2, HERE, 90002},  /* and the aligned one, which realloc copies */
    };
    void *slots[4] = {NULL};
    uint32_t first = 0, here = 0, there = 0, aligned = 0;
    begin();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (i == 0 || steps[i].run != steps[i - 1].run) {
            run_begin();
        }
        void **slot = &slots[steps[i].slot];
        *slot = place_it(steps[i].place, *slot, steps[i].bytes);
        if (i + 1 < sizeof steps / sizeof steps[0] && steps[i].run == steps[i + 1].run) {
            continue;
        }
        boundary(true);
        run_end();
        known_is_true("after a run");
        switch (steps[i].run) {
        case 0:
            first = site_with(70011);
            aligned = site_with(70002);
            there = site_with(70003);
            ck_assert_uint_eq(known[first].family, first);
            ck_assert_uint_eq(known[there].family, there);
            break;
        case 1:
            here = site_with(80001);
            ck_assert_uint_eq(known[here].family, first);
            ck_assert_uint_eq(known[there].family, there);
            break;
        case 2:
            ck_assert_uint_eq(known[there].family, first);
            ck_assert_uint_eq(known[aligned].family, aligned);
            break;
        default:
            ck_assert_uint_eq(known[aligned].family, first);
        }
    }
    for (int i = 0; i < 4; i++) {
        free(slots[i]);
    }
}
END_TEST

/* What each family holds at this boundary, and the least of this run. */
static struct {
    int64_t blocks, bytes, floor_blocks, floor_bytes;
    uint32_t members;
} families[SITES];

static void families_walk(bool first)
{
    for (uint32_t i = 1; i < SITES; i++) {
        families[i].blocks = families[i].bytes = families[i].members = 0;
    }
    for (uint32_t i = 1; i <= site_count() && i < SITES; i++) {
        uint32_t family = site_family(i);
        families[family].members++;
        families[family].blocks += truth[i].blocks;
        families[family].bytes += truth[i].bytes;
    }
    for (uint32_t i = 1; i < SITES; i++) {
        if (first || families[i].blocks < families[i].floor_blocks) {
            families[i].floor_blocks = families[i].blocks;
        }
        if (first || families[i].bytes < families[i].floor_bytes) {
            families[i].floor_bytes = families[i].bytes;
        }
    }
}

/* The floors of a run in which families were joined are of fewer boundaries. */
static uint32_t families_known(int run, bool floors)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i < SITES; i++) {
        const struct wire_family *is = &known_family[i];
        if (families[i].members < 2) {
            continue;
        }
        count++;
        ck_assert_msg(is->live_blocks == families[i].blocks && is->live_bytes == families[i].bytes,
                      "run %d: family %u has %lld blocks of %lld B, not %lld of %lld", run, i,
                      (long long)is->live_blocks, (long long)is->live_bytes,
                      (long long)families[i].blocks, (long long)families[i].bytes);
        ck_assert_msg(!floors || (is->floor_blocks == families[i].floor_blocks &&
                                  is->floor_bytes == families[i].floor_bytes),
                      "run %d: the floor of family %u is %lld blocks, %lld B, not %lld, %lld", run,
                      i, (long long)is->floor_blocks, (long long)is->floor_bytes,
                      (long long)families[i].floor_blocks, (long long)families[i].floor_bytes);
    }
    return count;
}

START_TEST(a_family_is_sent_with_what_its_sites_hold_together)
{
    static const enum place places[] = {FIRST, HERE, THERE};
    void *slots[8] = {NULL};
    uint32_t seed = (uint32_t)getpid(), exact = 0;
    printf("seed %u\n", seed);
    begin();
    for (int run = 0; run < 30; run++) {
        uint32_t joins = site_joins();
        run_begin();
        for (int repetition = 0; repetition < 4; repetition++) {
            for (uint32_t steps = chance(&seed, 6); steps > 0; steps--) {
                void **slot = &slots[chance(&seed, 8)];
                if (*slot && chance(&seed, 4) == 0) {
                    free(*slot);
                    *slot = NULL;
                } else {
                    enum place place = places[*slot ? 1 + chance(&seed, 2) : chance(&seed, 3)];
                    *slot = place_it(place, *slot, 1 + chance(&seed, 90000));
                }
            }
            boundary(repetition == 0);
            families_walk(repetition == 0);
        }
        run_end();
        exact += families_known(run, joins == site_joins()) > 0 && joins == site_joins();
    }
    ck_assert_uint_gt(exact, 10);
    for (int i = 0; i < 8; i++) {
        free(slots[i]);
    }
}
END_TEST

START_TEST(a_block_keeps_its_birth_when_it_is_moved)
{
    int64_t blocks, bytes;
    begin();
    ledger_birth_set(1);
    void *old = place_it(FIRST, NULL, 100);
    ledger_birth_set(2);
    old = place_it(HERE, old, 50000);
    void *fresh = place_it(FIRST, NULL, 7);
    ledger_retained_get(2, &blocks, &bytes);
    free(old);
    free(fresh);
    ck_assert_int_eq(blocks, 1);
    ck_assert_int_eq(bytes, 7);
}
END_TEST

static void *join_them(void *argument)
{
    uint32_t seed = (uint32_t)(uintptr_t)argument;
    for (int i = 0; i < 3000; i++) { /* even ones with even ones */
        uint32_t parity = chance(&seed, 2);
        site_join(1 + parity + 2 * chance(&seed, 500), 1 + parity + 2 * chance(&seed, 500));
    }
    return NULL;
}

START_TEST(families_grow_on_many_threads_at_once)
{
    pthread_t threads[4];
    begin();
    for (uint64_t frame = 0; frame < 1001; frame++) {
        uint64_t frames[2] = {0x1000, frame};
        ck_assert_uint_ne(site_find(frames, 2, false, WIRE_SITE_HEAP), 0);
    }
    for (uintptr_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, join_them, (void *)(i + 1));
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (uint32_t i = 1; i <= 1000; i++) { /* 6,000 random joins of 500: all are one by far */
        ck_assert_uint_eq(site_family(i), 2 - i % 2);
    }
}
END_TEST

START_TEST(all_kinds_of_sites_are_watched)
{
    char path[] = "/tmp/tidemark-watch.XXXXXX";
    begin();
    run_begin();
    boundary(true);
    int fd = open("/dev/null", O_RDONLY);
    char *map = mmap(NULL, 8 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(map + 4096, 4096);
    int file = mkstemp(path);
    boundary(false);
    run_end();
    known_is_true("made");
    uint32_t site = site_with(7 * 4096);
    ck_assert_uint_eq(known[site].kind, WIRE_SITE_MMAP);
    ck_assert_int_eq(known[site].live_blocks, 2);
    ck_assert_int_eq(known[site].born_blocks, 1);
    run_begin();
    close(fd);
    munmap(map, 8 * 4096);
    close(file);
    unlink(path);
    boundary(true);
    run_end();
    known_is_true("gone");
    ck_assert_int_eq(known[site].live_blocks, 0);
}
END_TEST

SUITE("watch", &what_is_sent_is_what_a_walk_finds,
      &more_sites_than_the_queue_has_room_for_are_all_counted, &only_changes_are_sent,
      &a_floor_that_rises_by_itself_is_sent, &threads_are_counted_to_the_block,
      &what_was_there_before_is_counted_while_threads_run,
      &a_block_that_a_signal_handler_frees_within_our_code_is_counted,
      &a_block_that_changes_its_site_makes_a_family,
      &a_family_is_sent_with_what_its_sites_hold_together, &families_grow_on_many_threads_at_once,
      &a_block_keeps_its_birth_when_it_is_moved, &all_kinds_of_sites_are_watched)
