/* repeat_settle_test.c - threads that give back late are waited for: after each answer, and once
 * more before a test is accused. */
#include "harness/campaign/repeat_fixture.h"

/* The worker waited for threads: the boundary after the wait belongs to the last call, and all
 * waits together are bounded. */
START_TEST(what_is_waited_for_threads_is_bounded)
{
    static struct scripted worker;
    static const struct row row = {.call = leak, .limits = {.most = 8}, .settles_ns = 30000000};
    static const uint64_t allowed[] = {100000000, 70000000, 40000000, 10000000, 0, 0};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_uint_eq(worker.asks, 6);
    for (size_t i = 0; i < worker.asks; i++) {
        ck_assert_msg(worker.settle_ns[i] == allowed[i], "answer %zu: %llu", i,
                      (unsigned long long)worker.settle_ns[i]);
    }
    ck_assert_double_eq(repeat.settled_ns, 6 * 30000000.0);
    ck_assert_uint_eq(repeat.calls, 8);
    ck_assert_int_eq(repeat.first.live_blocks, 2); /* after the wait a block less is there */
    ck_assert_int_eq(repeat.places[0].series.spans[1].floor, 3 * 33);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

START_TEST(what_is_given_back_late_is_seen_by_the_boundary_after_the_wait)
{
    static struct scripted worker;
    static const struct {
        const char *name;
        struct row row;
        bool gave_back;
    } cases[] = {
        {"a block", {.call = leak, .settles_ns = 1}, true},
        {"a block without bytes", {.call = leak, .settles_ns = 9, .late_blocks = -1}, true},
        {"bytes", {.call = leak, .settles_ns = 9, .late_bytes = -1}, true},
        {"a block for bytes",
         {.call = leak, .settles_ns = 9, .late_blocks = -1, .late_bytes = 9},
         true},
        {"bytes for a block",
         {.call = leak, .settles_ns = 9, .late_blocks = 1, .late_bytes = -9},
         true},
        {"more", {.call = leak, .settles_ns = 9, .late_blocks = 1, .late_bytes = 32}, false},
        {"more blocks", {.call = leak, .settles_ns = 9, .late_blocks = 1}, false},
        {"more bytes", {.call = leak, .settles_ns = 9, .late_bytes = 1}, false},
        {"no boundary", {.call = leak, .settles_ns = 9, .unseen = true}, false},
        {"no wait", {.call = toggle}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned most = 4; most <= 64; most *= 4) {
            struct row row = cases[i].row;
            struct repeat repeat;
            row.limits.most = most;
            scripted_begin(&worker);
            scripted_run(&worker, &repeat, &row);
            ck_assert_msg(repeat.gave_back == cases[i].gave_back, "%s, %u calls", cases[i].name,
                          most);
            repeat_fini(&repeat);
            observed_fini(&worker.seen);
        }
    }
}
END_TEST

static void leak_beside_a_thread(struct world *world, unsigned call)
{
    world->at.threads = 2;
    leak(world, call);
}

static void leak_in_one_thread(struct world *world, unsigned call)
{
    world->at.threads = 1;
    leak(world, call);
}

static void still_beside_a_thread(struct world *world, unsigned call)
{
    (void)call;
    world->at.threads = 2;
}

START_TEST(all_threads_are_waited_for_before_a_test_is_accused)
{
    static struct scripted worker;
    static const struct {
        const char *name;
        struct row row;
        unsigned whole;
        double whole_ns;
        bool gave_back;
    } cases[] = {
        {"in vain",
         {.call = leak_beside_a_thread, .verdict = CALLS_GROWS, .calls = 4097},
         1,
         0,
         false},
        {"in few calls, in vain",
         {.call = leak_beside_a_thread,
          .limits = {.most = 64},
          .verdict = CALLS_UNSURE,
          .calls = 65},
         1,
         0,
         false},
        {"one thread is the test's own",
         {.call = leak_in_one_thread, .verdict = CALLS_GROWS, .calls = 4096},
         0,
         0,
         false},
        {"nothing is accused",
         {.call = still_beside_a_thread, .verdict = CALLS_CLEAN, .calls = 1024},
         0,
         0,
         false},
        {"what is lost is lost",
         {.call = leak_beside_a_thread,
          .limits = {.moved_ns = 8 * CALL_NS},
          .unreachable = 1 << 1,
          .verdict = CALLS_GROWS,
          .calls = 8},
         0,
         0,
         false},
        {"what is lost is lost after 64 calls",
         {.call = leak_in_one_thread, .unreachable = 1 << 1, .verdict = CALLS_GROWS, .calls = 64},
         0,
         0,
         false},
        {"but for a thread, which may give it back",
         {.call = leak_beside_a_thread,
          .unreachable = 1 << 1,
          .verdict = CALLS_GROWS,
          .calls = 4097},
         1,
         0,
         false},
        {"all comes back, and more again",
         {.call = leak_beside_a_thread,
          .limits = {.most = 64},
          .whole_ns = 70,
          .verdict = CALLS_LEVEL,
          .calls = 65},
         1,
         70,
         true},
        {"the call fails",
         {.call = leak_beside_a_thread,
          .whole_ns = 70,
          .whole_fails = true,
          .verdict = CALLS_GO_ON,
          .calls = 4096},
         1,
         0,
         false},
        {"the worker ends",
         {.call = leak_beside_a_thread,
          .whole_ns = 70,
          .whole_ends = true,
          .verdict = CALLS_GO_ON,
          .calls = 4096},
         1,
         0,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct row *row = &cases[i].row;
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, row);
        ck_assert_msg(repeat.verdict == row->verdict && repeat.calls == row->calls,
                      "%s: verdict %d after %u calls", cases[i].name, repeat.verdict, repeat.calls);
        ck_assert_msg(worker.whole == cases[i].whole, "%s: %u", cases[i].name, worker.whole);
        ck_assert_msg(fabs(repeat.whole_ns - cases[i].whole_ns) < 0.5, "%s: %g", cases[i].name,
                      repeat.whole_ns);
        ck_assert_msg(repeat.gave_back == cases[i].gave_back, "%s", cases[i].name);
        ck_assert_msg(worker.whole == 0 || worker.asks > 32 ||
                          worker.settle_ns[worker.asks - 1] == 1000000000,
                      "%s: %llu", cases[i].name,
                      (unsigned long long)worker.settle_ns[worker.asks - 1]);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

SUITE("repeat_settle", &what_is_waited_for_threads_is_bounded,
      &what_is_given_back_late_is_seen_by_the_boundary_after_the_wait,
      &all_threads_are_waited_for_before_a_test_is_accused)
