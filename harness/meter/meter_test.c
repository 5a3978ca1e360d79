/* meter_test.c - what is counted at a boundary beside the heap; the suite's own counters; the
 * clock. */
#include "harness/meter/meter.h"

#include "harness/base/suite.h"
#include "harness/meter/kernel.h"
#include "include/tidemark.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct meter_sample sample(void)
{
    struct meter_sample now;
    meter_sample_get(&now);
    return now;
}

START_TEST(descriptors_are_counted)
{
    uint32_t before = sample().fds;
    int fd = open("/dev/null", O_RDONLY), copy = dup(fd);
    ck_assert_uint_eq(sample().fds, before + 2);
    close(fd);
    close(copy);
    ck_assert_uint_eq(sample().fds, before);
}
END_TEST

static struct meter_sample trusting(void)
{
    struct meter_sample now;
    meter_sample_trusting(&now);
    return now;
}

/* `open` and `close` are the ledger's here: its hooks are linked in. */
START_TEST(hooks_are_trusted_until_they_missed_something)
{
    uint32_t before = sample().fds;
    int fd = open("/dev/null", O_RDONLY);
    ck_assert_uint_eq(trusting().fds, before + 1);
    close(fd);
    ck_assert_uint_eq(trusting().fds, before);
    int raw = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    ck_assert_uint_eq(trusting().fds, before); /* nobody told us */
    ck_assert_uint_eq(sample().fds, before + 1);
    int again = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    ck_assert_uint_eq(trusting().fds, before + 2); /* from now on the kernel is asked */
    syscall(SYS_close, raw);
    syscall(SYS_close, again);
    ck_assert_uint_eq(trusting().fds, before);
}
END_TEST

static _Atomic bool may_end;

static void *end_when_told(void *argument)
{
    while (!may_end) {
        usleep(100);
    }
    return argument;
}

START_TEST(threads_are_looked_for_while_there_are_some)
{
    pthread_t thread;
    int raw;
    ck_assert_uint_eq(sample().threads, 1);
    ck_assert(meter_alone());
    ck_assert_int_eq(pthread_create(&thread, NULL, end_when_told, NULL), 0);
    ck_assert_uint_eq(trusting().threads, 1); /* pthread_create is not hooked in this program */
    meter_thread_touched();
    ck_assert(!meter_alone());
    ck_assert_uint_eq(trusting().threads, 2);
    uint32_t fds = trusting().fds;
    raw = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    ck_assert_uint_eq(trusting().fds, fds + 1); /* beside threads the kernel is asked */
    syscall(SYS_close, raw);
    may_end = true;
    pthread_join(thread, NULL);
    ck_assert_uint_eq(trusting().threads, 1);
    ck_assert(meter_alone());
}
END_TEST

START_TEST(resident_memory_is_that_of_now)
{
    size_t bytes = 40u << 20;
    uint64_t before = meter_rss();
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(map, 1, bytes);
    uint64_t held = meter_rss();
    munmap(map, bytes);
    ck_assert_uint_ge(held, before + bytes / 2);
    ck_assert_uint_le(meter_rss(), held - bytes / 2);
}
END_TEST

static void number_note(void *context, int32_t number)
{
    *(bool *)context |= number == 300;
}

START_TEST(listing_agrees_with_counting)
{
    bool seen = false;
    int fd = dup2(0, 300);
    ck_assert_uint_eq(kernel_numbers_list("/proc/self/fd", number_note, &seen), sample().fds);
    ck_assert(seen);
    close(fd);
}
END_TEST

static void *end_at_once(void *argument)
{
    return argument;
}

START_TEST(a_joined_thread_is_never_counted)
{
    meter_init(NULL);
    for (int i = 0; i < 500; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, end_at_once, NULL), 0);
        pthread_join(thread, NULL);
        ck_assert_uint_eq(sample().threads, 1);
    }
}
END_TEST

START_TEST(peak_rss_is_of_the_time_since_its_reset)
{
    size_t bytes = 40u << 20;
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(map, 1, bytes);
    munmap(map, bytes);
    uint64_t high = meter_rss_peak();
    meter_rss_reset();
    uint64_t low = meter_rss_peak();
    ck_assert_uint_gt(high, low + bytes / 2);
    map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(map, 1, bytes);
    munmap(map, bytes);
    ck_assert_uint_gt(meter_rss_peak(), low + bytes / 2);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    errno = 55;
    sample();
    meter_rss_reset();
    (void)meter_rss_peak();
    (void)meter_now_ns();
    ck_assert_int_eq(errno, 55);
}
END_TEST

START_TEST(the_clock_is_the_monotonic_one)
{
    struct timespec now;
    for (int i = 0; i < 100; i++) {
        uint64_t before = meter_now_ns();
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
        uint64_t kernels = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        ck_assert_uint_le(before, kernels);
        ck_assert_uint_ge(meter_now_ns(), kernels);
    }
}
END_TEST

/* Counters: what is put on the wire.
 * --------------------------------------------------------------- */

static union {
    struct wire_record head;
    struct wire_counter counter;
    struct wire_note note;
    struct wire_histogram histogram;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static struct wire *wire;

static bool record_next(void)
{
    bool broken = false;
    bool got = wire_get(wire, &record, &broken);
    ck_assert(!broken);
    return got;
}

START_TEST(counters_are_sent_once)
{
    int fd;
    wire = wire_new(&fd);
    tidemark_count("lookups", 3);
    tidemark_count("hits", 2);
    tidemark_count("lookups", 4);
    tidemark_count("a name that is much longer than thirty-one bytes", 1);
    meter_counters_put(wire);
    uint64_t lookups = 0, hits = 0, other = 0;
    while (record_next()) {
        lookups += strcmp(record.counter.name, "lookups") == 0 ? record.counter.value : 0;
        hits += strcmp(record.counter.name, "hits") == 0 ? record.counter.value : 0;
        other += strlen(record.counter.name) == 31 ? record.counter.value : 0;
    }
    ck_assert_uint_eq(lookups, 7);
    ck_assert_uint_eq(hits, 2);
    ck_assert_uint_eq(other, 1);
    meter_counters_put(wire); /* named again, at 0: what was sent is not sent twice */
    unsigned named = 0;
    while (record_next()) {
        ck_assert_uint_eq(record.counter.value, 0);
        named++;
    }
    ck_assert_uint_eq(named, 3);
    wire_free(&wire);
}
END_TEST

/* Notes and counters that were sent: how many, and what the last note says. */
static unsigned sent_take(unsigned *counted, char *note)
{
    unsigned notes = 0;
    *counted = 0;
    while (record_next()) {
        *counted += record.head.type == WIRE_COUNTER && record.counter.value == 1;
        if (record.head.type == WIRE_NOTE) {
            notes++;
            memcpy(note, record.note.text, WIRE_TEXT_MAX);
        }
    }
    return notes;
}

START_TEST(a_counter_without_room_is_said_by_name)
{
    int fd;
    char name[32], note[WIRE_TEXT_MAX];
    unsigned counted;
    wire = wire_new(&fd);
    for (int i = 0; i < 256; i++) {
        snprintf(name, sizeof name, "name_%d", i);
        tidemark_count(name, 1);
    }
    meter_counters_put(wire);
    ck_assert_uint_eq(sent_take(&counted, note), 0);
    ck_assert_uint_eq(counted, 256);
    tidemark_count("one_too_many", 1);
    tidemark_count("and_another", 1);
    tidemark_count("name_7", 1); /* that one still counts */
    meter_counters_put(wire);
    ck_assert_uint_eq(sent_take(&counted, note), 1);
    ck_assert_uint_eq(counted, 1);
    ck_assert_ptr_nonnull(strstr(note, "256 names: what it counts as one_too_many,"));
    wire_free(&wire);
}
END_TEST

static void *count_much(void *argument)
{
    (void)argument;
    for (int i = 0; i < 100000; i++) {
        tidemark_count("shared", 1);
    }
    return NULL;
}

START_TEST(threads_lose_no_count)
{
    int fd;
    pthread_t threads[4];
    wire = wire_new(&fd);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    meter_counters_put(wire);
    ck_assert(record_next());
    ck_assert_uint_eq(record.counter.value, 400000);
    wire_free(&wire);
}
END_TEST

START_TEST(samples_fall_into_buckets_of_their_size)
{
    static const struct {
        uint64_t value;
        uint32_t bucket;
    } cases[] = {{0, 0},    {31, 31},  {32, 32},    {63, 63},           {64, 64},          {65, 64},
                 {127, 95}, {128, 96}, {1000, 190}, {UINT64_MAX, 1919}, {1ull << 40, 1152}};
    int fd;
    wire = wire_new(&fd);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tidemark_sample("lookup_ns", cases[i].value, i + 1);
        meter_counters_put(wire);
        ck_assert(record_next());
        ck_assert_int_eq(record.head.type, WIRE_HISTOGRAM);
        ck_assert_str_eq(record.histogram.name, "lookup_ns");
        ck_assert_msg(record.histogram.count[cases[i].bucket] == i + 1, "%llu not in bucket %u",
                      (unsigned long long)cases[i].value, cases[i].bucket);
    }
    wire_free(&wire);
}
END_TEST

SUITE("meter", &descriptors_are_counted, &hooks_are_trusted_until_they_missed_something,
      &threads_are_looked_for_while_there_are_some, &resident_memory_is_that_of_now,
      &listing_agrees_with_counting, &a_joined_thread_is_never_counted,
      &peak_rss_is_of_the_time_since_its_reset, &errno_is_left_alone,
      &the_clock_is_the_monotonic_one, &counters_are_sent_once,
      &a_counter_without_room_is_said_by_name, &threads_lose_no_count,
      &samples_fall_into_buckets_of_their_size)
