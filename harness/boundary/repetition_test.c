/* repetition_test.c - a RUN from the supervisor's side: what it tells of sites, what a repetition
 * costs, and how it waits for threads that free late. */
#include "harness/base/suite.h"
#include "harness/boundary/session.h"

#include <sys/ptrace.h>

static void run(struct session *session, uint32_t test, uint32_t warmups, uint32_t repetitions,
                uint32_t flags, uint64_t settle_ns)
{
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = test,
                                   .depth = flags & WIRE_WATCH ? WIRE_TRACE : WIRE_COUNT,
                                   .flags = flags,
                                   .warmups = warmups,
                                   .repetitions = repetitions,
                                   .settle_ns = settle_ns};
    session->sample_count = session->result_count = session->site_records = 0;
    ck_assert(session_command(session, &command));
    ck_assert_uint_eq(session->result_count, 1);
    ck_assert_uint_eq(session->results[0].repetitions, repetitions);
}

/* The site that holds so many bytes. */
static const struct wire_site *site_with(const struct session *session, int64_t bytes)
{
    const struct wire_site *site = NULL;
    for (uint32_t i = 1; i < SESSION_SITES; i++) {
        if (session->sites[i].live_bytes == bytes) {
            ck_assert_ptr_null(site);
            site = &session->sites[i];
        }
    }
    ck_assert_ptr_nonnull(site);
    return site;
}

START_TEST(a_watched_run_tells_what_each_site_holds)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t grows = session_test(session, "/grows"), clean = session_test(session, "/is_clean");
    run(session, grows, 2, 5, WIRE_WATCH, 0);
    ck_assert_uint_gt(session->site_records, 0);
    ck_assert_uint_eq(session->site_records, session->site_records_at_test); /* all before TEST */
    const struct wire_site *site = site_with(session, 7000);
    ck_assert_int_eq(site->live_blocks, 7);
    ck_assert_int_eq(site->floor_blocks, 3); /* two warm-ups and the first repetition */
    ck_assert_int_eq(site->floor_bytes, 3000);
    ck_assert_int_eq(site->born_blocks, 7);
    ck_assert_uint_eq(site->family, site->site);
    ck_assert_uint_gt(site->frame_count, 0);
    ck_assert_uint_gt(session->results[0].rss_bytes, 1u << 16);
    ck_assert_uint_gt(session->results[0].own_bytes, 1u << 16);

    run(session, clean, 0, 3, WIRE_WATCH, 0); /* only that floor changes */
    ck_assert_uint_eq(session->site_records, 1);
    ck_assert_int_eq(site->floor_bytes, 7000);
    ck_assert_int_eq(site->born_blocks, 0);
    run(session, clean, 0, 3, WIRE_WATCH, 0);
    ck_assert_uint_eq(session->site_records, 0);

    run(session, grows, 0, 1, 0, 0); /* at count depth all that was traced is forgotten */
    ck_assert_uint_eq(session->site_records, 0);
    ck_assert_uint_eq(session->results[0].rss_bytes, 0);
    run(session, grows, 0, 2, WIRE_WATCH, 0);
    ck_assert_int_eq(site->live_bytes, 2000);
    ck_assert_int_eq(site->floor_bytes, 1000);
    session_end(&session);
}
END_TEST

START_TEST(processor_time_is_that_of_the_repetitions)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t clean = session_test(session, "/is_clean");
    uint64_t one = UINT64_MAX; /* the least of some: a processor that is shared only adds */
    for (int i = 0; i < 5; i++) {
        run(session, clean, 3000, 1, 0, 0);
        one = session->results[0].cpu_ns < one ? session->results[0].cpu_ns : one;
    }
    run(session, clean, 0, 3000, 0, 0);
    uint64_t many = session->results[0].cpu_ns;
    ck_assert_uint_gt(one, 0);
    ck_assert_uint_gt(many, 20 * one);
    session_end(&session);
}
END_TEST

START_TEST(descriptors_opened_past_the_hooks_are_seen)
{
    struct session *session = session_start("check_empty");
    ck_assert(session_ready(session));
    uint32_t raw = session_test(session, "/opens_past_the_hooks");
    run(session, raw, 0, 10, 0, 0);
    ck_assert_uint_eq(session->samples[9].fds, session->samples[0].fds + 9);
    uint32_t before = session->samples[9].fds;
    run(session, raw, 0, 10, 0, 0); /* now each boundary is looked at */
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_uint_eq(session->samples[i].fds, before + 1 + i);
    }
    session_end(&session);
}
END_TEST

/* How many system calls the worker's main thread makes for a command; -1 when it cannot be traced.
 */
static long calls_of(struct session *session, uint32_t repetitions, uint32_t flags)
{
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = session_test(session, "/allocates"),
                                   .depth = flags & WIRE_WATCH ? WIRE_TRACE : WIRE_COUNT,
                                   .flags = flags,
                                   .repetitions = repetitions};
    long stops = 0;
    int status;
    if (ptrace(PTRACE_SEIZE, session->pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) != 0) {
        return -1;
    }
    ptrace(PTRACE_INTERRUPT, session->pid, NULL, NULL);
    waitpid(session->pid, &status, __WALL);
    ptrace(PTRACE_SYSCALL, session->pid, NULL, NULL);
    session->done = false;
    wire_command_send(session->wire, &command);
    while (!session->done) {
        session_drain(session);
        if (waitpid(session->pid, &status, WNOHANG | __WALL) == session->pid) {
            stops += WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
            ptrace(PTRACE_SYSCALL, session->pid, NULL, NULL);
        }
    }
    ptrace(PTRACE_INTERRUPT, session->pid, NULL, NULL);
    waitpid(session->pid, &status, __WALL);
    ptrace(PTRACE_DETACH, session->pid, NULL, NULL);
    return stops / 2;
}

START_TEST(a_repetition_costs_no_system_call)
{
    static const uint32_t flags[] = {0, WIRE_WATCH};
    for (size_t i = 0; i < 2; i++) {
        struct session *session = session_start("check_empty");
        ck_assert(session_ready(session));
        calls_of(session, 10, flags[i]); /* what is done once */
        long few = calls_of(session, 10, flags[i]), many = calls_of(session, 2010, flags[i]);
        session_end(&session);
        if (few < 0) {
            fprintf(stderr, "repetition_test: system calls cannot be counted here\n");
            return;
        }
        ck_assert_int_gt(few, 5);
        ck_assert_int_lt(many - few, 20); /* the wait for the command may differ by a few */
    }
}
END_TEST

START_TEST(a_full_ring_is_waited_for)
{
    struct session *session = session_start("check_empty");
    ck_assert(session_ready(session));
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = session_test(session, "/keeps"),
                                   .depth = WIRE_COUNT,
                                   .repetitions = 100000};
    session->done = false;
    wire_command_send(session->wire, &command);
    for (int i = 0; i < 500 && atomic_load(&session->wire->read_awaited) == 0; i++) {
        usleep(10000); /* nobody reads */
    }
    ck_assert_uint_eq(atomic_load(&session->wire->read_awaited), 1);
    ck_assert(session_wait(session, &session->done, 20));
    ck_assert_uint_eq(session->results[0].repetitions, 100000);
    ck_assert_uint_eq(atomic_load(&session->wire->read_awaited), 0);
    session_end(&session);
}
END_TEST

START_TEST(boundaries_that_are_alike_are_one_record)
{
    struct session *session = session_start("check_empty");
    ck_assert(session_ready(session));
    uint32_t empty = session_test(session, "/is_empty"), keeps = session_test(session, "/keeps");
    ck_assert(session_run(session, empty, 0, 1000, 0));
    ck_assert_uint_eq(session->sample_records, 1);
    ck_assert_uint_eq(session->sample_count, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(session->samples[i].repetition, i);
    }
    ck_assert(session_run(session, keeps, 0, 1000, 0));
    ck_assert_uint_eq(session->sample_records, 1001);
    ck_assert_uint_eq(session->sample_count, 2000);
    session_end(&session);
}
END_TEST

static uint32_t status_of(struct session *session, uint32_t test)
{
    ck_assert(session_run(session, test, 0, 1, 0));
    return session_result(session, test)->status;
}

START_TEST(handlers_are_put_back)
{
    struct session *session = session_start("check_empty");
    ck_assert(session_ready(session));
    uint32_t sets = session_test(session, "/sets_a_handler");
    uint32_t raw = session_test(session, "/sets_a_handler_past_the_hooks");
    for (int i = 0; i < 70; i++) {
        ck_assert_uint_eq(status_of(session, sets), WIRE_PASS);
    }
    ck_assert_uint_eq(status_of(session, raw), WIRE_PASS);
    int runs = 0;
    while (status_of(session, session_test(session, "/is_empty")) == WIRE_PASS && runs < 64) {
        runs++;
    }
    ck_assert_uint_eq(status_of(session, sets), WIRE_PASS); /* within 64 runs */
    session_end(&session);
}
END_TEST

START_TEST(what_a_thread_frees_late_is_waited_for)
{
    static const uint32_t flags[] = {0, WIRE_WATCH};
    struct session *session = session_start("check_late");
    ck_assert(session_ready(session));
    uint32_t late = session_test(session, "/frees_late");
    run(session, late, 0, 1, 0, 0); /* what a first thread leaves behind once */
    usleep(100000);
    for (size_t i = 0; i < 2; i++) {
        run(session, late, 1, 1, flags[i], 0);
        ck_assert_uint_eq(session->sample_count, 1);
        ck_assert_uint_eq(session->results[0].settled_ns, 0);
        usleep(100000);
        run(session, late, 1, 4, flags[i], 3000000000);
        ck_assert_uint_eq(session->sample_count, 5);
        ck_assert_uint_eq(session->samples[4].repetition, 4);
        ck_assert_uint_eq(session->samples[4].threads, 1);
        ck_assert_int_ge(session->samples[3].live_bytes - session->samples[4].live_bytes, 5000);
        ck_assert_uint_gt(session->results[0].settled_ns, 1000000);
        ck_assert_uint_lt(session->results[0].settled_ns, 2500000000);
        /* libc keeps the memory of a thread's TLS for the next thread. */
        ck_assert_int_lt(session->results[0].retained_bytes, 1000);
        ck_assert_int_ge(session->results[0].retained_bytes, 0);
    }
    for (uint32_t i = 1; i < SESSION_SITES; i++) {
        ck_assert_int_lt(session->sites[i].floor_bytes, 5000);
        ck_assert_int_lt(session->sites[i].live_bytes, 5000);
    }
    session_end(&session);
}
END_TEST

START_TEST(waiting_ends_when_nothing_more_is_freed)
{
    struct session *session = session_start("check_late");
    ck_assert(session_ready(session));
    uint32_t keeps = session_test(session, "/keeps");
    run(session, keeps, 0, 3, WIRE_WATCH, 3000000000); /* no thread: nobody to wait for */
    ck_assert_uint_eq(session->results[0].settled_ns, 0);
    ck_assert_uint_eq(session->sample_count, 3);

    run(session, session_test(session, "/keeps_beside_a_thread"), 0, 3, WIRE_WATCH, 3000000000);
    uint64_t waited = session->results[0].settled_ns;
    ck_assert_uint_gt(waited, 20000000); /* the threads ended, and 20 ms nothing happened */
    ck_assert_uint_lt(waited, 2500000000);
    ck_assert_int_eq(site_with(session, 2700)->floor_bytes, 900);

    run(session, session_test(session, "/keeps_a_thread"), 0, 3, WIRE_WATCH, 30000000);
    ck_assert_uint_ge(session->results[0].settled_ns, 30000000); /* all the time there is */
    ck_assert_uint_lt(session->results[0].settled_ns, 1000000000);
    ck_assert_uint_eq(session->samples[3].threads, 4);
    session_end(&session);
}
END_TEST

START_TEST(a_run_stops_where_something_moves)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t grows = session_test(session, "/grows"), clean = session_test(session, "/is_clean");
    run(session, clean, 2, 1, WIRE_WATCH, 0);
    run(session, clean, 0, 100, WIRE_WATCH | WIRE_STOP_ON_MOVE, 0); /* all of them */
    run(session, grows, 0, 3, WIRE_WATCH | WIRE_STOP_ON_MOVE, 0); /* the RUN before was another's */
    struct wire_command command = {.op = WIRE_OP_RUN,
                                   .test = grows,
                                   .depth = WIRE_TRACE,
                                   .flags = WIRE_WATCH | WIRE_STOP_ON_MOVE,
                                   .repetitions = 100};
    session->sample_count = session->result_count = 0;
    ck_assert(session_command(session, &command));
    ck_assert_uint_eq(session->results[0].repetitions, 1); /* one of a hundred */
    ck_assert_uint_eq(session->sample_count, 1);
    session_end(&session);
}
END_TEST

START_TEST(what_a_test_retains_is_told_unless_it_is_not_asked_for)
{
    struct session *session = session_start("check_basic");
    ck_assert(session_ready(session));
    uint32_t grows = session_test(session, "/grows");
    run(session, grows, 0, 2, WIRE_WATCH, 0);
    ck_assert_int_eq(session->results[0].retained_bytes, 1000);
    run(session, grows, 0, 2, WIRE_WATCH | WIRE_NO_RETAINED, 0);
    ck_assert_int_eq(session->results[0].retained_bytes, 0);
    ck_assert_int_eq(session->results[0].retained_blocks, 0);
    session_end(&session);
}
END_TEST

SUITE("repetition", &a_run_stops_where_something_moves,
      &what_a_test_retains_is_told_unless_it_is_not_asked_for,
      &a_watched_run_tells_what_each_site_holds, &processor_time_is_that_of_the_repetitions,
      &descriptors_opened_past_the_hooks_are_seen, &a_repetition_costs_no_system_call,
      &a_full_ring_is_waited_for, &boundaries_that_are_alike_are_one_record, &handlers_are_put_back,
      &what_a_thread_frees_late_is_waited_for, &waiting_ends_when_nothing_more_is_freed)
