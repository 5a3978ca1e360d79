/* given_test.c - the last functions that were given a block, told by a child of this program. */
#include "harness/ledger/given.h"

#include "harness/base/suite.h"
#include "harness/ledger/ledger.h"
#include "harness/meter/meter.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static struct wire *wire;
static int wire_fd;

static union {
    struct wire_record head;
    struct wire_site site;
    struct wire_given given;
    unsigned char room[WIRE_RECORD_MAX];
} record;

static struct wire_given told[64];
static int told_count;

struct buffer {
    size_t used;
    char *text;
};

static APART char *text_new(void)
{
    char *volatile text = malloc(123);
    return text;
}

static APART void buffer_add(struct buffer *buffer, char byte)
{
    buffer->text[buffer->used++] = byte;
    __asm__ volatile("" ::: "memory");
}

static APART void buffer_done(struct buffer *buffer)
{
    buffer->used = 0;
    __asm__ volatile("" ::: "memory");
}

static APART void second_argument(int number, char *text)
{
    text[0] = (char)number;
    __asm__ volatile("" ::: "memory");
}

static APART long unrelated(long number)
{
    __asm__ volatile("" : "+r"(number));
    return number + 1;
}

static APART long recursive(long depth)
{
    __asm__ volatile("" ::: "memory");
    return depth == 0 ? 0 : 1 + recursive(depth - 1);
}

typedef void body_function(void);

static bool in_child;

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

/* The functions here, and the sites from which 123 bytes are alive. */
static void want(void)
{
    static const uintptr_t functions[] = {(uintptr_t)recursive,       (uintptr_t)unrelated,
                                          (uintptr_t)second_argument, (uintptr_t)buffer_done,
                                          (uintptr_t)text_new,        (uintptr_t)buffer_add,
                                          (uintptr_t)buffer_done /* an alias */};
    uint32_t sites[WIRE_SITES_MAX], count = 0;
    bool broken = false;
    ledger_sites_put(wire);
    while (wire_get(wire, &record, &broken)) {
        if (record.head.type == WIRE_SITE && record.site.live_bytes == 123) {
            sites[count++] = record.site.site;
        }
    }
    ck_assert_uint_eq(count, 1);
    given_want(sites, count);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        given_function(functions[i]);
    }
}

/* What is told of the blocks that `body` keeps. The status of the child. */
static int ask(body_function *body)
{
    int status;
    bool broken = false;
    pid_t child = -1;
    begin();
    for (volatile int round = 0; round < 2; round++) { /* volatile: one call, one stack */
        if (round == 1) {
            want();
            child = fork();
            if (child != 0) {
                break;
            }
            in_child = true;
            given_begin();
        }
        body();
    }
    if (child == 0) {
        given_put(wire);
        _exit(0);
    }
    waitpid(child, &status, 0);
    given_unwant();
    told_count = 0;
    while (wire_get(wire, &record, &broken) && told_count < 64) {
        const uintptr_t entry = record.given.frames[0]; /* these two take one number */
        bool left_over = entry == (uintptr_t)unrelated || entry == (uintptr_t)recursive;
        if (record.head.type == WIRE_GIVEN_TO && !left_over) {
            told[told_count++] = record.given;
        }
    }
    ck_assert(!broken);
    return status;
}

static void a_buffer_is_kept(void)
{
    struct buffer buffer = {.text = text_new()};
    buffer_add(&buffer, 'a');
    buffer_done(&buffer);
    unrelated(7);
}

#if defined __x86_64__
static void check_told(int index, uintptr_t function, uint32_t argument, bool held)
{
    ck_assert_int_lt(index, told_count);
    ck_assert_uint_eq(told[index].frames[0], function);
    ck_assert_uint_gt(told[index].order, (uint32_t)index); /* some that were left over are gone */
    ck_assert_uint_eq(told[index].argument, argument);
    ck_assert_uint_eq(told[index].held, held);
    ck_assert_uint_gt(told[index].frame_count, 1);
}

START_TEST(the_last_function_that_was_given_its_holder_comes_first)
{
    ck_assert_int_eq(ask(a_buffer_is_kept), 0);
    ck_assert_int_eq(told_count, 2);
    check_told(0, (uintptr_t)buffer_done, 0, true);
    check_told(1, (uintptr_t)buffer_add, 0, true);
}
END_TEST

static void a_text_is_kept(void)
{
    char *text = text_new();
    second_argument(3, text);
    second_argument(4, text);
}

START_TEST(the_block_itself_is_told_apart_and_each_function_once)
{
    ck_assert_int_eq(ask(a_text_is_kept), 0);
    ck_assert_int_eq(told_count, 1);
    check_told(0, (uintptr_t)second_argument, 1, false);
}
END_TEST

static void it_is_freed_there(void)
{
    struct buffer buffer = {.text = text_new()};
    buffer_done(&buffer);
    if (in_child) {
        free(buffer.text);
    }
}

START_TEST(what_does_not_stay_is_not_told)
{
    ck_assert_int_eq(ask(it_is_freed_there), 0);
    ck_assert_int_eq(told_count, 0);
}
END_TEST

static void many_calls(void)
{
    struct buffer buffer = {.text = text_new()};
    buffer_add(&buffer, 'b');
    recursive(1000);
    for (long i = 0; i < 100000; i++) { /* let alone after a while */
        unrelated(i);
    }
    buffer_done(&buffer);
}

START_TEST(a_function_that_is_given_nothing_is_let_alone)
{
    ck_assert_int_eq(ask(many_calls), 0);
    ck_assert_int_eq(told_count, 2);
    check_told(0, (uintptr_t)buffer_done, 0, true);
}
END_TEST

static void too_many_calls(void)
{
    struct buffer buffer = {.text = text_new()};
    for (long i = 0; i < 210000; i++) { /* in none of these it is told */
        buffer_done(&buffer);
    }
}

START_TEST(what_takes_too_long_is_given_up)
{
    ck_assert_int_eq(ask(too_many_calls), 0);
    ck_assert_int_eq(told_count, 0);
}
END_TEST

static void *other_thread(void *context)
{
    for (int i = 0; i < 1000; i++) {
        buffer_done(context);
    }
    return context;
}

static void four_threads(void)
{
    struct buffer buffer = {.text = text_new()};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, other_thread, &buffer);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

START_TEST(other_threads_are_stepped_too)
{
    ck_assert_int_eq(ask(four_threads), 0);
    ck_assert_int_eq(told_count, 1);
    check_told(0, (uintptr_t)buffer_done, 0, true);
}
END_TEST

static void all_signals_blocked(void)
{
    sigset_t all;
    sigfillset(&all);
    if (in_child) {
        sigprocmask(SIG_BLOCK, &all, NULL);
    }
    struct buffer buffer = {.text = text_new()};
    buffer_done(&buffer);
}

START_TEST(a_child_that_cannot_be_stepped_dies_alone)
{
    int status = ask(all_signals_blocked);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
    ck_assert_int_eq(told_count, 0);
    ck_assert_int_eq(unrelated(1), 2); /* here nothing was changed */
}
END_TEST

SUITE("given", &the_last_function_that_was_given_its_holder_comes_first,
      &the_block_itself_is_told_apart_and_each_function_once, &what_does_not_stay_is_not_told,
      &a_function_that_is_given_nothing_is_let_alone, &what_takes_too_long_is_given_up,
      &other_threads_are_stepped_too, &a_child_that_cannot_be_stepped_dies_alone)
#else
START_TEST(elsewhere_nothing_is_told)
{
    ck_assert_int_eq(ask(a_buffer_is_kept), 0);
    ck_assert_int_eq(told_count, 0);
}
END_TEST

SUITE("given", &elsewhere_nothing_is_told)
#endif
