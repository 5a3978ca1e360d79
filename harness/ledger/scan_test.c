/* scan_test.c - who holds what, in this very program. */
#include "harness/ledger/ledger.h"

#include "harness/base/suite.h"
#include "harness/meter/meter.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct wire *wire;
static int wire_fd;

static union {
    struct wire_record head;
    struct wire_site site;
    struct wire_held held;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static void scan_begin(void)
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

/* The site whose live bytes are exactly these: each test uses sizes of its own. */
static uint32_t site_of(int64_t live_bytes)
{
    uint32_t found = 0;
    ledger_sites_put(wire);
    while (record_next(WIRE_SITE)) {
        found = record.site.live_bytes == live_bytes ? record.site.site : found;
    }
    ck_assert_msg(found != 0, "no site with %lld bytes", (long long)live_bytes);
    return found;
}

/* Overwrites what earlier calls left of pointers on the stack and in registers. */
static __attribute__((noinline)) void stack_wipe(void)
{
    volatile char room[16384];
    memset((void *)room, 0, sizeof room);
}

static int held_count;
static struct wire_held held[8];

static __attribute__((noinline)) void scan(uint32_t site)
{
    stack_wipe();
    ledger_scan_put(wire, &site, 1);
    held_count = 0;
    while (record_next(WIRE_HELD) && held_count < 8) {
        held[held_count++] = record.held;
    }
}

/* Addresses that nothing may hold are kept inverted, and volatile: else the compiler keeps them
 * plain. */

/* A table of chained entries behind a global, as caches are. */
struct entry {
    struct entry *next;
    char *value;
    char room[40];
};

struct cache {
    size_t used;
    struct entry **buckets;
};

static struct cache cache;

static __attribute__((noinline)) struct entry *entry_new(struct entry *next, size_t value_bytes)
{
    struct entry *entry = malloc(sizeof *entry);
    entry->next = next;
    entry->value = malloc(value_bytes);
    return entry;
}

static __attribute__((noinline)) void cache_fill(size_t count, size_t value_bytes)
{
    cache.buckets = calloc(16, sizeof *cache.buckets);
    for (volatile size_t i = 0; i < count; i++) { /* volatile: no first round is taken out of it */
        cache.buckets[i % 16] = entry_new(cache.buckets[i % 16], value_bytes);
    }
}

static __attribute__((noinline)) void cache_drop(void)
{
    for (size_t i = 0; i < 16; i++) {
        for (struct entry *entry = cache.buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free(entry->value);
            free(entry);
        }
    }
    free(cache.buckets);
    cache.buckets = NULL;
}

START_TEST(what_a_global_holds_is_traced_to_it)
{
    scan_begin();
    cache_fill(100, 777);
    uint32_t site = site_of(77700);
    scan(site);
    struct wire_held found = held[0];
    int count = held_count;
    cache_drop();
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(found.root, WIRE_ROOT_GLOBAL);
    ck_assert_uint_eq(found.root_address, (uintptr_t)&cache.buckets);
    ck_assert_int_eq(found.blocks, 100);
    ck_assert_int_eq(found.bytes, 77700);
    ck_assert_uint_eq(found.chain_count, 3); /* the buckets, the latest entry, its value */
    ck_assert_uint_eq(found.chain[0].bytes, 16 * sizeof(void *));
    ck_assert_uint_eq(found.chain[1].bytes, sizeof(struct entry));
    ck_assert_uint_eq(found.chain[1].offset, offsetof(struct entry, value));
    ck_assert_uint_eq(found.chain[2].site, site);
    ck_assert_uint_eq(found.chain[2].bytes, 777);
}
END_TEST

static __attribute__((noinline)) void buckets_make(void)
{
    cache.buckets = calloc(16, sizeof *cache.buckets);
}

START_TEST(blocks_born_before_tracing_hold_too)
{
    scan_begin();
    ledger_depth_set(WIRE_COUNT);
    buckets_make();
    ledger_depth_set(WIRE_TRACE);
    for (size_t i = 0; i < 100; i++) {
        cache.buckets[i % 16] = entry_new(cache.buckets[i % 16], 779);
    }
    uint32_t site = site_of(77900);
    scan(site);
    struct wire_held found = held[0];
    int count = held_count;
    cache_drop();
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(found.root, WIRE_ROOT_GLOBAL);
    ck_assert_uint_eq(found.root_address, (uintptr_t)&cache.buckets);
    ck_assert_uint_eq(found.chain_count, 3);
    ck_assert_uint_eq(found.chain[0].site, 0); /* born at count depth */
    ck_assert_uint_eq(found.chain[0].bytes, 16 * sizeof(void *));
}
END_TEST

START_TEST(what_nothing_holds_is_unreachable)
{
    scan_begin();
    cache_fill(50, 333);
    uint32_t site = site_of(50 * 333);
    volatile uintptr_t hidden = ~(uintptr_t)cache.buckets;
    cache.buckets = NULL;
    scan(site);
    struct wire_held found = held[0];
    int count = held_count;
    cache.buckets = (struct entry **)~hidden;
    cache_drop();
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(found.root, WIRE_ROOT_NONE);
    ck_assert_int_eq(found.bytes, 50 * 333);
    ck_assert_uint_eq(found.chain_count, 0);
}
END_TEST

static __attribute__((noinline)) uintptr_t ring_make(void)
{
    struct entry *one = malloc(601), *two = malloc(602);
    one->next = two;
    two->next = one;
    return ~(uintptr_t)one;
}

START_TEST(a_ring_that_only_holds_itself_is_unreachable)
{
    scan_begin();
    volatile uintptr_t hidden = ring_make();
    scan(site_of(601));
    int kind = (int)held[0].root;
    scan(site_of(602));
    int kind_too = (int)held[0].root;
    struct entry *one = (struct entry *)~hidden, *two = one->next;
    free(one);
    free(two);
    ck_assert_int_eq(kind, WIRE_ROOT_NONE);
    ck_assert_int_eq(kind_too, WIRE_ROOT_NONE);
}
END_TEST

static char *interior;

static __attribute__((noinline)) void interior_make(void)
{
    char *block = malloc(5003);
    interior = block + 5002;
}

START_TEST(a_pointer_into_the_middle_holds_and_one_behind_the_end_does_not)
{
    scan_begin();
    interior_make();
    uint32_t site = site_of(5003);
    scan(site);
    int inside = (int)held[0].root;
    interior += 1;
    scan(site);
    int behind = (int)held[0].root;
    free(interior - 5003);
    ck_assert_int_eq(inside, WIRE_ROOT_GLOBAL);
    ck_assert_int_eq(behind, WIRE_ROOT_NONE);
}
END_TEST

static __thread char *thread_held __attribute__((tls_model("initial-exec")));

static __attribute__((noinline)) void thread_held_make(void)
{
    thread_held = malloc(4001);
}

START_TEST(thread_local_storage_holds)
{
    scan_begin();
    thread_held_make();
    scan(site_of(4001));
    struct wire_held found = held[0];
    free(thread_held);
    thread_held = NULL;
    ck_assert_int_eq(found.root, WIRE_ROOT_TLS);
    ck_assert_uint_eq(found.root_address, (uintptr_t)&thread_held);
    ck_assert_int_eq(found.thread, (int)gettid());
}
END_TEST

/* Another thread holds a block on its stack, in a key of its own, and waits in one of several ways.
 */
static pthread_barrier_t ready;
static pthread_mutex_t leave_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int leave;
static volatile int interrupted;
static pthread_key_t key;
static pid_t other;

static void *hold_and_wait(void *how)
{
    char *volatile mine = malloc(4003);
    pthread_setspecific(key, malloc(4005));
    other = gettid();
    pthread_barrier_wait(&ready);
    if (how == NULL) {
        pthread_mutex_lock(&leave_lock);
        pthread_mutex_unlock(&leave_lock);
    } else if (strcmp(how, "sleep") == 0) {
        struct timespec pause = {.tv_nsec = 300000000};
        interrupted = nanosleep(&pause, NULL) != 0;
    } else {
        while (!leave) {
        }
    }
    free(mine);
    return NULL;
}

static void other_thread_case(void *how)
{
    pthread_t thread;
    scan_begin();
    pthread_key_create(&key, free);
    pthread_barrier_init(&ready, NULL, 2);
    pthread_mutex_lock(&leave_lock);
    leave = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, hold_and_wait, how), 0);
    pthread_barrier_wait(&ready);
    usleep(20000); /* let it reach its wait */
    uint32_t stack_site = site_of(4003), key_site = site_of(4005);
    scan(stack_site);
    struct wire_held on_stack = held[0];
    scan(key_site);
    struct wire_held in_key = held[0];
    leave = 1;
    pthread_mutex_unlock(&leave_lock);
    pthread_join(thread, NULL);
    pthread_key_delete(key);
    ck_assert_int_eq(on_stack.root, WIRE_ROOT_STACK);
    ck_assert_int_eq(on_stack.thread, other);
    ck_assert_int_eq(in_key.root, WIRE_ROOT_TLS);
    ck_assert_int_eq(in_key.thread, other);
}

START_TEST(the_stack_of_a_waiting_thread_holds)
{
    other_thread_case(NULL);
}
END_TEST

START_TEST(the_stack_of_a_running_thread_holds)
{
    other_thread_case("run");
}
END_TEST

START_TEST(a_sleeping_thread_is_not_woken)
{
    interrupted = -1;
    other_thread_case("sleep");
    ck_assert_int_eq(interrupted, 0);
}
END_TEST

static char **mapped;

static __attribute__((noinline)) void mapped_make(void)
{
    mapped = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapped[1000000] = malloc(4007);
}

START_TEST(what_lies_in_a_mapping_is_held_through_it)
{
    scan_begin();
    mapped_make();
    scan(site_of(4007));
    struct wire_held found = held[0];
    free(mapped[1000000]);
    munmap(mapped, 64 << 20);
    mapped = NULL;
    ck_assert_int_eq(found.root, WIRE_ROOT_GLOBAL);
    ck_assert_uint_eq(found.root_address, (uintptr_t)&mapped);
    ck_assert_uint_eq(found.chain_count, 2);
    ck_assert_uint_eq(found.chain[0].bytes, 64 << 20);
    ck_assert_uint_eq(found.chain[0].offset, 8000000);
}
END_TEST

/* By a call of its own, so that the plain address stays in no register. */
static __attribute__((noinline)) uintptr_t mapped_hidden(void)
{
    return ~(uintptr_t)mapped[1000000];
}

START_TEST(memory_that_may_not_be_read_is_left_out)
{
    scan_begin();
    mapped_make();
    uint32_t site = site_of(4007);
    volatile uintptr_t hidden = mapped_hidden();
    mprotect(mapped, 64 << 20, PROT_NONE);
    scan(site);
    int kind = (int)held[0].root;
    munmap(mapped, 64 << 20);
    mapped = NULL;
    free((void *)~hidden);
    ck_assert_int_ne(kind, WIRE_ROOT_GLOBAL); /* a stale word of some frame may hold it still */
}
END_TEST

static struct entry *list;

static __attribute__((noinline)) void list_make(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = malloc(sizeof *entry);
        entry->next = list;
        entry->value = NULL;
        list = entry;
    }
}

START_TEST(a_million_blocks_in_a_list_are_one_way)
{
    scan_begin();
    list_make(1000000);
    uint32_t site = site_of(1000000 * (int64_t)sizeof(struct entry));
    uint64_t start = meter_now_ns();
    scan(site);
    uint64_t took = meter_now_ns() - start;
    struct wire_held found = held[0];
    int count = held_count;
    while (list != NULL) {
        struct entry *next = list->next;
        free(list);
        list = next;
    }
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(found.root, WIRE_ROOT_GLOBAL);
    ck_assert_uint_eq(found.root_address, (uintptr_t)&list);
    ck_assert_int_eq(found.blocks, 1000000);
    ck_assert_uint_eq(found.chain_count, 1);
    ck_assert_uint_lt(took, 5000000000u); /* a machine under load; docs/ledger.md has the figure */
    printf("scan of 1,000,000 blocks: %.3f s\n", (double)took / 1e9);
}
END_TEST

SUITE("scan", &what_a_global_holds_is_traced_to_it, &blocks_born_before_tracing_hold_too,
      &what_nothing_holds_is_unreachable, &a_ring_that_only_holds_itself_is_unreachable,
      &a_pointer_into_the_middle_holds_and_one_behind_the_end_does_not, &thread_local_storage_holds,
      &the_stack_of_a_waiting_thread_holds, &the_stack_of_a_running_thread_holds,
      &a_sleeping_thread_is_not_woken, &what_lies_in_a_mapping_is_held_through_it,
      &memory_that_may_not_be_read_is_left_out, &a_million_blocks_in_a_list_are_one_way)
