/* crash.c - rows 0.1 and 0.2: the crash on the call, and what holds. */
#include "rows.h"

#include "global.h"
#include "memory.h"
#include "tidemark.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sanitizer reports such a death and exits instead: then it is the sanitizer's exit that is
 * counted. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACES_SEEN 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define RACES_SEEN 1
#endif
#ifndef RACES_SEEN
#define RACES_SEEN 0
#endif

/* How many of 20 children die of signal 11. */
static unsigned deaths_of(void (*crash)(void))
{
    unsigned deaths = 0;
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            if (SANITIZED) {
                close(2); /* 20 reports are no news */
            } else {
                signal(SIGSEGV, SIG_DFL); /* nobody shall look after it */
            }
            crash();
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        deaths += SANITIZED ? WIFEXITED(status) && WEXITSTATUS(status) != 0
                            : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
    }
    return deaths;
}

START_TEST(a_call_before_the_first_fetch)
{
    if (as_it_was) {
        crash_publish_before_init();
    } else {
        struct shared *shared = shared_new();
        ck_assert_ptr_null(shared_take(shared)); /* there is none, and that is an answer */
        shared_free(&shared);
    }
}
END_TEST

START_TEST(a_call_while_the_list_is_replaced)
{
    struct virtual_upstream upstream;
    if (as_it_was) {
        crash_replace_while_reading();
    }
    virtual_upstream_init(&upstream);
    struct shared *shared = shared_new();
    shared_put(shared, snapshot_fetch(&upstream.transport, 1));
    struct snapshot *mine = shared_take(shared);
    shared_put(shared, snapshot_fetch(&upstream.transport, 1));
    char *text = snapshot_print(mine); /* the old one is still there for its reader */
    ck_assert_ptr_nonnull(text);
    memory_give(text);
    snapshot_release(&mine);
    shared_free(&shared);
}
END_TEST

START_TEST(twenty_of_twenty_runs_die_where_it_is_published_before_it_is_filled)
{
    unsigned deaths = deaths_of(crash_publish_before_init);
    tidemark_count("died_publish_before_init", deaths);
    ck_assert_uint_eq(deaths, 20);
}
END_TEST

START_TEST(twenty_of_twenty_runs_die_where_it_is_replaced_under_a_reader)
{
    unsigned deaths = deaths_of(crash_replace_while_reading);
    tidemark_count("died_replace_while_reading", deaths);
    ck_assert_uint_eq(deaths, 20);
}
END_TEST

/* Where the build has a race detector; elsewhere nobody sees it, and the reader lives. */
START_TEST(a_race_detector_sees_the_reader_that_takes_no_lock_and_nobody_else_does)
{
    unsigned seen = 0;
    for (int i = 0; i < 3; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            if (RACES_SEEN) {
                close(2);
            }
            race_replace_while_reading();
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        seen += WEXITSTATUS(status) != 0;
    }
    ck_assert_uint_eq(seen, RACES_SEEN ? 3 : 0);
}
END_TEST

struct reading {
    struct shared *shared;
    _Atomic bool over;
    uint64_t read, empty;
};

static void *reader_run(void *context)
{
    struct reading *reading = context;
    while (!reading->over) {
        struct snapshot *snapshot = shared_take(reading->shared);
        if (snapshot) {
            char *text = snapshot_print(snapshot);
            reading->read += text != NULL;
            memory_give(text);
        } else {
            reading->empty++;
        }
        snapshot_release(&snapshot);
    }
    return NULL;
}

START_TEST(two_hundred_refreshes_under_a_reader_and_nothing_left_behind)
{
    struct virtual_upstream upstream;
    virtual_upstream_init(&upstream);
    int64_t before = memory_now().live;
    struct reading reading = {.shared = shared_new()};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, reader_run, &reading), 0);
    for (int i = 0; i < 200; i++) {
        struct snapshot *snapshot = snapshot_fetch(&upstream.transport, 8);
        ck_assert_ptr_nonnull(snapshot);
        shared_put(reading.shared, snapshot);
    }
    reading.over = true;
    pthread_join(thread, NULL);
    shared_free(&reading.shared);
    ck_assert_int_eq(memory_now().live, before);
}
END_TEST

TCase *rows_crash(void)
{
    TCase *tcase = tcase_create("crash");
    tcase_add_test(tcase, a_call_before_the_first_fetch);
    tcase_add_test(tcase, a_call_while_the_list_is_replaced);
    tcase_add_test(tcase, twenty_of_twenty_runs_die_where_it_is_published_before_it_is_filled);
    tcase_add_test(tcase, twenty_of_twenty_runs_die_where_it_is_replaced_under_a_reader);
    tcase_add_test(tcase, a_race_detector_sees_the_reader_that_takes_no_lock_and_nobody_else_does);
    tcase_add_test(tcase, two_hundred_refreshes_under_a_reader_and_nothing_left_behind);
    return tcase;
}
