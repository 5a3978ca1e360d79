/* ledger_test.c - the ledger inside this very program: its hooks are linked in and count these
 * tests. */
#include "harness/ledger/ledger.h"

#include "harness/base/suite.h"
#include "harness/ledger/unwind.h"

#include <alloca.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct wire *wire;
static int wire_fd;

static void ledger_begin(enum wire_depth depth)
{
    if (wire == NULL) {
        wire = wire_new(&wire_fd);
        ck_assert_ptr_nonnull(wire);
        ledger_init(wire);
    }
    ledger_depth_set(depth);
    ledger_birth_set(0);
}

static struct ledger_totals totals(void)
{
    struct ledger_totals now;
    ledger_totals_get(&now);
    return now;
}

static void *volatile kept; /* so that the compiler keeps every allocation */

static void *hold(void *block)
{
    kept = block;
    return kept;
}

/* Each entry point with what it must add to the totals. */
struct entry {
    const char *name;
    void *(*call)(void);
    int64_t size;
    size_t alignment;
};

static void *by_malloc(void)
{
    return malloc(100);
}
static void *by_malloc_zero(void)
{
    return malloc(0);
}
static void *by_malloc_large(void)
{
    return malloc(3000001);
}
static void *by_calloc(void)
{
    return calloc(7, 13);
}
static void *by_realloc(void)
{
    return realloc(NULL, 33);
}
static void *by_reallocarray(void)
{
    return reallocarray(NULL, 9, 11);
}
static void *by_memalign(void)
{
    return memalign(64, 10);
}
static void *by_memalign_odd(void)
{
    static volatile size_t odd = 3; /* unseen by a compiler that would refuse it */
    return memalign(odd, 10);
}
static void *by_aligned_alloc(void)
{
    return aligned_alloc(4096, 4096);
}
static void *by_posix_memalign(void)
{
    void *block = NULL;
    return posix_memalign(&block, 256, 777) == 0 ? block : NULL;
}
static void *by_valloc(void)
{
    return valloc(5);
}
static void *by_pvalloc(void)
{
    return pvalloc(5);
}
static void *by_strdup(void)
{
    return strdup("seven..");
}

static const struct entry entries[] = {
    {"malloc", by_malloc, 100, 16},
    {"malloc(0)", by_malloc_zero, 0, 1},
    {"large malloc", by_malloc_large, 3000001, 16},
    {"calloc", by_calloc, 91, 16},
    {"realloc", by_realloc, 33, 16},
    {"reallocarray", by_reallocarray, 99, 16},
    {"memalign", by_memalign, 10, 64},
    {"memalign, odd alignment", by_memalign_odd, 10, 4},
    {"aligned_alloc", by_aligned_alloc, 4096, 4096},
    {"posix_memalign", by_posix_memalign, 777, 256},
    {"valloc", by_valloc, 5, 4096},
    {"pvalloc", by_pvalloc, 4096, 4096},
    {"strdup", by_strdup, 8, 1},
};

static void check_entries(void)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const struct entry *entry = &entries[i];
        struct ledger_totals before = totals();
        void *block = hold(entry->call());
        struct ledger_totals held = totals();
        uintptr_t address = (uintptr_t)block;
        size_t usable = malloc_usable_size(block);
        memset(block, 0xff, (size_t)entry->size);
        free(block);
        struct ledger_totals after = totals(); /* no assertion before: those allocate */
        ck_assert_uint_ne(address, 0);
        ck_assert_msg(address % entry->alignment == 0, "%s: alignment", entry->name);
        ck_assert_msg(held.allocs == before.allocs + 1, "%s: allocs", entry->name);
        ck_assert_msg(held.live_bytes == before.live_bytes + entry->size, "%s: %lld bytes",
                      entry->name, (long long)(held.live_bytes - before.live_bytes));
        ck_assert_msg((int64_t)usable == entry->size, "%s: usable", entry->name);
        ck_assert_msg(after.frees == before.frees + 1, "%s: frees", entry->name);
        ck_assert_msg(after.live_bytes == before.live_bytes, "%s: not all freed", entry->name);
    }
}

START_TEST(every_entry_point_counts_the_size_asked_for)
{
    ledger_begin(WIRE_COUNT);
    check_entries();
}
END_TEST

START_TEST(every_entry_point_counts_at_trace_depth_too)
{
    ledger_begin(WIRE_TRACE);
    check_entries();
}
END_TEST

START_TEST(absurd_sizes_are_refused_as_libc_does)
{
    volatile size_t huge = SIZE_MAX;
    ledger_begin(WIRE_COUNT);
    int64_t before = totals().live_blocks;
    errno = 0;
    ck_assert_ptr_null(hold(malloc(huge)));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(hold(malloc(huge - 8)));
    ck_assert_ptr_null(hold(calloc(huge / 2, 3)));
    ck_assert_ptr_null(hold(calloc(1, huge)));
    ck_assert_ptr_null(hold(reallocarray(NULL, huge / 2, 3)));
    ck_assert_ptr_null(hold(memalign(64, huge - 32)));
    char *volatile block =
        hold(malloc(10)); /* volatile: realloc fails, and the block is still there */
    void *out = block;
    memset(block, 'x', 10);
    ck_assert_ptr_null(hold(realloc(block, huge)));
    ck_assert_int_eq(block[9], 'x');
    ck_assert_int_eq(posix_memalign(&out, 3, 10), EINVAL);
    ck_assert_int_eq(posix_memalign(&out, 64, huge - 100), ENOMEM);
    ck_assert_ptr_eq(out, block);
    free(block);
    ck_assert_int_eq(totals().live_blocks, before);
    ck_assert_uint_eq(atomic_load(&wire->crash.refused), SIZE_MAX);
}
END_TEST

START_TEST(realloc_grows_shrinks_and_frees)
{
    for (int depth = WIRE_COUNT; depth <= WIRE_TRACE; depth++) {
        ledger_begin((enum wire_depth)depth);
        struct ledger_totals before = totals();
        char *block = hold(malloc(20));
        memset(block, 'a', 20);
        block = hold(realloc(block, 200000));
        struct ledger_totals grown = totals();
        bool kept_first = block[19] == 'a';
        block = hold(realloc(block, 3));
        struct ledger_totals shrunk = totals();
        bool kept_then = block[2] == 'a';
        void *nothing = hold(realloc(block, 0));
        struct ledger_totals after = totals();
        ck_assert(kept_first && kept_then);
        ck_assert_ptr_null(nothing);
        ck_assert_int_eq(grown.live_bytes - before.live_bytes, 200000);
        ck_assert_int_eq(shrunk.live_bytes - before.live_bytes, 3);
        ck_assert_uint_eq(shrunk.allocs - before.allocs, 3);
        ck_assert_uint_eq(shrunk.frees - before.frees, 2);
        ck_assert_int_eq(after.live_bytes, before.live_bytes);
        ck_assert_int_eq(after.live_blocks, before.live_blocks);
    }
}
END_TEST

START_TEST(realloc_of_an_aligned_block_keeps_its_content)
{
    ledger_begin(WIRE_COUNT);
    struct ledger_totals before = totals();
    char *block = hold(aligned_alloc(1024, 3000));
    memset(block, 'b', 3000);
    block = hold(realloc(block, 5000));
    for (int i = 0; i < 3000; i++) {
        ck_assert_int_eq(block[i], 'b');
    }
    ck_assert_int_eq(totals().live_bytes - before.live_bytes, 5000);
    free(block);
    ck_assert_int_eq(totals().live_bytes, before.live_bytes);
}
END_TEST

START_TEST(peak_is_exact_on_one_thread)
{
    ledger_begin(WIRE_COUNT);
    ledger_peak_reset();
    int64_t before = totals().live_bytes;
    ck_assert_int_eq(totals().peak_live_bytes, before);
    void *one = hold(malloc(1000)), *two = hold(malloc(500));
    free(one);
    void *three = hold(malloc(1));
    ck_assert_int_eq(totals().peak_live_bytes - before, 1500);
    free(two);
    free(three);
    ck_assert_int_eq(totals().peak_live_bytes - before, 1500);
    ledger_peak_reset();
    ck_assert_int_eq(totals().peak_live_bytes, before);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    ledger_begin(WIRE_TRACE);
    errno = 77;
    void *block = hold(malloc(10));
    free(block);
    ledger_birth_set(3);
    ledger_peak_reset();
    ledger_depth_set(WIRE_COUNT);
    ck_assert_int_eq(errno, 77);
}
END_TEST

/* Records. --------------------------------------------------------------------------------------
 */

static union {
    struct wire_record head;
    struct wire_site site;
    struct wire_survivor survivor;
    struct wire_held held;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static bool record_next(uint32_t type)
{
    bool broken = false;
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == type) {
            return true;
        }
    }
    ck_assert(!broken);
    return false;
}

static __attribute__((noinline)) void *innermost(size_t size)
{
    void *block = hold(malloc(size));
    return block;
}

static __attribute__((noinline)) void *deep(int levels, size_t size)
{
    void *block = levels == 0 ? innermost(size) : deep(levels - 1, size);
    kept = block; /* after the call: no tail call */
    return block;
}

START_TEST(a_site_is_named_by_its_stack)
{
    ledger_begin(WIRE_TRACE);
    void *blocks[3];
    for (int i = 0; i < 3; i++) { /* one line, one stack */
        blocks[i] = deep(5, 24);
    }
    ledger_sites_put(wire);
    int found = 0;
    while (record_next(WIRE_SITE)) {
        if (record.site.live_blocks == 3 && record.site.live_bytes == 72) {
            found++;
            ck_assert_uint_ge(record.site.frame_count, 8);
            uint64_t first = record.site.frames[0] - (uint64_t)(uintptr_t)innermost;
            ck_assert_uint_lt(first, 64);
            for (int i = 1; i <= 6; i++) { /* deep, six times */
                ck_assert_uint_lt(record.site.frames[i] - (uint64_t)(uintptr_t)deep, 128);
            }
        }
    }
    ck_assert_int_eq(found, 1);
    for (int i = 0; i < 3; i++) {
        free(blocks[i]);
    }
    ledger_sites_put(wire);
    while (record_next(WIRE_SITE)) {
        ck_assert(record.site.live_bytes != 72 || record.site.live_blocks != 3);
    }
}
END_TEST

START_TEST(a_stack_is_cut_at_its_limit)
{
    ledger_begin(WIRE_TRACE);
    void *shallow = deep(3, 1001), *far = deep(50, 1002), *farther = deep(300, 1003);
    int found = 0;
    ledger_sites_put(wire);
    while (record_next(WIRE_SITE)) {
        if (record.site.live_bytes == 1001) {
            found++;
            ck_assert_uint_eq(record.site.cut, 0);
            ck_assert_uint_lt(record.site.frame_count, WIRE_FRAMES_MAX);
        } else if (record.site.live_bytes == 2005) { /* the same innermost frames: one site */
            found++;
            ck_assert_uint_eq(record.site.cut, 1);
            ck_assert_uint_eq(record.site.frame_count, WIRE_FRAMES_MAX);
        }
    }
    ck_assert_int_eq(found, 2);
    free(shallow);
    free(far);
    free(farther);
}
END_TEST

static void *on_return[100];

static __attribute__((noinline)) void allocate_on_return(int levels)
{
    if (levels > 0) {
        allocate_on_return(levels - 1);
        __asm__ volatile("nop"); /* no tail call */
    }
    on_return[levels] = malloc(1007);
}

START_TEST(a_stack_is_followed_beyond_where_the_last_was_cut)
{
    ledger_begin(WIRE_TRACE);
    allocate_on_return(
        99); /* deepest first: each stack needs a frame that the one before cut off */
    ledger_sites_put(wire);
    int64_t most = 0;
    while (record_next(WIRE_SITE)) {
        if (record.site.live_bytes % 1007 == 0 && record.site.live_blocks > most) {
            most = record.site.live_blocks;
        }
    }
    for (int i = 0; i < 100; i++) {
        free(on_return[i]);
    }
    /* All but the deepest and the last 32 or so have the same 32 innermost frames. */
    ck_assert_int_ge(most, 60);
    ck_assert_int_lt(most, 70);
}
END_TEST

/* The frames that the walk's memory gives must be those that a walk without memory gives. */
static uint64_t expected[WIRE_FRAMES_MAX];
static uint32_t expected_count;

static __attribute__((noinline)) void *walk_and_allocate(size_t size)
{
    expected_count = ledger_unwind(expected, WIRE_FRAMES_MAX, NULL);
    void *block = hold(malloc(size));
    return block;
}

static __attribute__((noinline)) void *zigzag(unsigned path, int levels, size_t size)
{
    void *block;
    volatile char *room = alloca(1 + (path & 3) * 40); /* frames of changing size, by rbp */
    room[0] = 1;
    if (levels == 0) {
        block = walk_and_allocate(size);
    } else if (path & 1) {
        block = zigzag(path >> 1, levels - 1, size);
        __asm__ volatile("nop"); /* so that the two calls stay two */
    } else {
        block = zigzag(path >> 1 | 256, levels - 1, size);
    }
    kept = (void *)(uintptr_t)room[0];
    return block;
}

START_TEST(remembered_frames_never_differ_from_fresh_ones)
{
    ledger_begin(WIRE_TRACE);
    unsigned random = 12345;
    int compared = 0;
    for (int i = 0; i < 2000; i++) {
        random = random * 1103515245u + 12345u;
        void *block = zigzag(random >> 8, (int)(random >> 20) % 20, 5000 + (size_t)i);
        ledger_sites_put(wire);
        while (record_next(WIRE_SITE)) {
            if (record.site.live_bytes == 5000 + i && record.site.frame_count > 0) {
                compared++; /* frames are sent once: a path taken before has none */
                ck_assert_uint_eq(record.site.frame_count, expected_count);
                for (uint32_t f = 1; f < expected_count; f++) { /* 0: the two calls' own lines */
                    ck_assert_uint_eq(record.site.frames[f], expected[f]);
                }
            }
        }
        free(block);
    }
    ck_assert_int_gt(compared, 500);
}
END_TEST

/* Frames of the sites that were seen; they are sent once. */
static struct {
    uint32_t count;
    uint64_t frames[WIRE_FRAMES_MAX];
} sites_seen[1 << 13];

/* Is there a site with this one block, and are its frames the expected ones? */
static void check_site_of(size_t size, int turn)
{
    int found = 0;
    ledger_sites_put(wire);
    while (record_next(WIRE_SITE)) {
        uint32_t number = record.site.site;
        ck_assert_uint_lt(number, sizeof sites_seen / sizeof sites_seen[0]);
        if (record.site.frame_count > 0) {
            sites_seen[number].count = record.site.frame_count;
            memcpy(sites_seen[number].frames, record.site.frames,
                   record.site.frame_count * sizeof record.site.frames[0]);
        }
        bool ours = sites_seen[number].frames[0] - (uint64_t)(uintptr_t)walk_and_allocate < 128;
        if (ours && record.site.live_blocks == 1) {
            found++;
            ck_assert_uint_eq((uint64_t)record.site.live_bytes, size);
            ck_assert_msg(sites_seen[number].count == expected_count, "turn %d: depth", turn);
            for (uint32_t f = 1; f < expected_count; f++) {
                ck_assert_msg(sites_seen[number].frames[f] == expected[f], "turn %d: frame %u",
                              turn, f);
            }
        }
    }
    ck_assert_int_eq(found, 1);
}

START_TEST(a_stack_that_comes_back_is_never_taken_for_another)
{
    ledger_begin(WIRE_TRACE);
    struct {
        unsigned path;
        int levels;
    } stacks[48];
    unsigned random = 4711;
    for (int i = 0; i < 48; i++) { /* many differ in their outer frames only */
        random = random * 1103515245u + 12345u;
        stacks[i].levels = i % 3 == 0 ? 12 : (int)(random >> 20) % 16;
        stacks[i].path = i % 3 == 0 ? 0xa0 ^ 1u << (i / 3 % 12) : random >> 8;
    }
    for (int i = 0; i < 1500; i++) {
        random = random * 1103515245u + 12345u;
        int which = (int)(random >> 16) % 48;
        size_t size = 100 + (size_t)i % 999;
        void *block = zigzag(stacks[which].path, stacks[which].levels, size);
        check_site_of(size, i);
        free(block);
    }
}
END_TEST

START_TEST(survivors_carry_their_birth)
{
    ledger_begin(WIRE_TRACE);
    ledger_birth_set(7);
    void *seven = deep(1, 700);
    ledger_birth_set(8);
    void *eight = deep(1, 800), *freed = deep(1, 801);
    free(freed);
    int64_t blocks, bytes;
    ledger_retained_get(8, &blocks, &bytes);
    ck_assert_int_eq(blocks, 1);
    ck_assert_int_eq(bytes, 800);
    ledger_birth_set(WIRE_NO_TEST);
    void *outside = deep(1, 900);
    ledger_survivors_put(wire);
    int64_t seen[3] = {0};
    while (record_next(WIRE_SURVIVOR)) {
        seen[0] += record.survivor.birth == 7 ? record.survivor.bytes : 0;
        seen[1] += record.survivor.birth == 8 ? record.survivor.bytes : 0;
        seen[2] += record.survivor.birth == WIRE_NO_TEST ? record.survivor.bytes : 0;
    }
    ck_assert_int_eq(seen[0], 700);
    ck_assert_int_eq(seen[1], 800);
    ck_assert_int_eq(seen[2], 900);
    free(seven);
    free(eight);
    free(outside);
}
END_TEST

START_TEST(a_floor_is_the_least_at_any_boundary)
{
    ledger_begin(WIRE_TRACE);
    ledger_floor_reset();
    static const int counts[] = {5, 3, 4};
    void *blocks[5];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < counts[round]; i++) {
            blocks[i] = deep(2, 10);
        }
        ledger_floor_update();
        for (int i = 0; i < counts[round]; i++) {
            free(blocks[i]);
        }
    }
    ledger_sites_put(wire);
    int found = 0;
    while (record_next(WIRE_SITE)) {
        found += record.site.floor_blocks == 3 && record.site.floor_bytes == 30;
    }
    ck_assert_int_eq(found, 1);
}
END_TEST

START_TEST(what_was_born_before_tracing_can_die_during_and_after_it)
{
    ledger_begin(WIRE_COUNT);
    struct ledger_totals before = totals();
    void *early = hold(malloc(11)), *early_too = hold(malloc(12));
    ledger_depth_set(WIRE_TRACE);
    free(early);
    void *traced = hold(malloc(13)), *traced_too = hold(malloc(14));
    free(traced);
    ledger_depth_set(WIRE_COUNT);
    free(traced_too);
    ledger_depth_set(WIRE_TRACE);
    void *again = hold(malloc(15));
    free(early_too);
    free(again);
    ck_assert_int_eq(totals().live_bytes, before.live_bytes);
    ck_assert_int_eq(totals().live_blocks, before.live_blocks);
}
END_TEST

/* Threads, signals, forks. ----------------------------------------------------------------------
 */

static pthread_barrier_t
    *together; /* all threads of a round at once: libc keeps something for each stack */

static void *churn(void *argument)
{
    void *blocks[64] = {0};
    if (together != NULL) {
        pthread_barrier_wait(together);
    }
    unsigned random = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < 200000; i++) {
        random = random * 1103515245u + 12345u;
        unsigned slot = random >> 16 & 63;
        free(blocks[slot]);
        blocks[slot] = malloc(random >> 20 & 511);
    }
    for (int i = 0; i < 64; i++) {
        free(blocks[i]);
    }
    return NULL;
}

START_TEST(eight_threads_are_counted_to_the_byte)
{
    for (int depth = WIRE_COUNT; depth <= WIRE_TRACE; depth++) {
        ledger_begin((enum wire_depth)depth);
        pthread_t threads[8];
        pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, NULL, 8);
        together = &barrier;
        for (uintptr_t round = 0; round < 3;
             round++) { /* what pthreads itself keeps is kept by then */
            struct ledger_totals before = totals();
            for (uintptr_t i = 0; i < 8; i++) {
                ck_assert_int_eq(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
            }
            for (int i = 0; i < 8; i++) {
                pthread_join(threads[i], NULL);
            }
            struct ledger_totals after = totals();
            ck_assert_uint_ge(after.allocs - before.allocs, 8 * 200000);
            if (round > 0) {
                ck_assert_int_eq(after.live_blocks, before.live_blocks);
                ck_assert_int_eq(after.live_bytes, before.live_bytes);
            }
        }
        pthread_barrier_destroy(&barrier);
        together = NULL;
    }
}
END_TEST

static void *free_given(void *argument)
{
    void **blocks = argument;
    for (int i = 0; i < 20000; i++) {
        free(blocks[i]);
    }
    return NULL;
}

START_TEST(blocks_may_be_freed_by_another_thread)
{
    static void *blocks[20000];
    ledger_begin(WIRE_TRACE);
    uint64_t own = 0;
    for (int round = 0; round < 30; round++) {
        ledger_birth_set((uint32_t)round + 1);
        for (int i = 0; i < 20000; i++) {
            blocks[i] = malloc(16);
        }
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, free_given, blocks), 0);
        pthread_join(thread, NULL);
        int64_t retained_blocks, retained_bytes;
        ledger_retained_get((uint32_t)round + 1, &retained_blocks, &retained_bytes);
        ck_assert_int_lt(retained_bytes, 1000);
        own = round == 20 ? ledger_own_bytes() : own;
    }
    ck_assert_uint_eq(ledger_own_bytes(), own); /* records go round: no growth of our own */
}
END_TEST

static void allocate_in_handler(int number)
{
    (void)number;
    void *block = malloc(50);
    kept = block;
    free(block);
}

START_TEST(allocation_in_a_signal_handler_does_not_deadlock)
{
    ledger_begin(WIRE_TRACE);
    struct sigaction action = {.sa_handler = allocate_in_handler};
    sigaction(SIGUSR1, &action, NULL);
    struct ledger_totals before = totals();
    for (int i = 0; i < 100; i++) {
        raise(SIGUSR1);
    }
    ck_assert_int_eq(totals().live_blocks, before.live_blocks);
}
END_TEST

START_TEST(a_forked_child_goes_on_counting)
{
    ledger_begin(WIRE_TRACE);
    void *block = hold(malloc(10));
    pid_t child = fork();
    if (child == 0) {
        struct ledger_totals before = totals();
        void *more = hold(malloc(20));
        free(block);
        bool right = totals().live_bytes == before.live_bytes + 10;
        free(more);
        pthread_t thread;
        pthread_create(&thread, NULL, churn, (void *)1);
        pthread_join(thread, NULL);
        _exit(right ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    free(block);
}
END_TEST

START_TEST(an_overrun_is_survived)
{
    for (int depth = WIRE_COUNT; depth <= WIRE_TRACE; depth++) {
        for (size_t beyond = 1; beyond <= 16; beyond++) {
            ledger_begin((enum wire_depth)depth);
            struct ledger_totals before = totals();
            char *blocks[100];
            for (int i = 0; i < 100; i++) {
                blocks[i] = malloc(48);
            }
            for (int i = 0; i < 100; i++) {
                char *volatile end = blocks[i] + 48;
                memset(end, 0x41, beyond <= 8 ? beyond : 8);
            }
            for (int i = 0; i < 100; i++) {
                free(blocks[i]);
            }
            ck_assert_int_eq(totals().live_bytes, before.live_bytes);
        }
    }
}
END_TEST

SUITE("ledger", &every_entry_point_counts_the_size_asked_for,
      &every_entry_point_counts_at_trace_depth_too, &absurd_sizes_are_refused_as_libc_does,
      &realloc_grows_shrinks_and_frees, &realloc_of_an_aligned_block_keeps_its_content,
      &peak_is_exact_on_one_thread, &errno_is_left_alone, &a_site_is_named_by_its_stack,
      &a_stack_is_cut_at_its_limit, &a_stack_is_followed_beyond_where_the_last_was_cut,
      &remembered_frames_never_differ_from_fresh_ones,
      &a_stack_that_comes_back_is_never_taken_for_another, &survivors_carry_their_birth,
      &a_floor_is_the_least_at_any_boundary,
      &what_was_born_before_tracing_can_die_during_and_after_it,
      &eight_threads_are_counted_to_the_byte, &blocks_may_be_freed_by_another_thread,
      &allocation_in_a_signal_handler_does_not_deadlock, &a_forked_child_goes_on_counting,
      &an_overrun_is_survived)
