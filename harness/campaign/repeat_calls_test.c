/* repeat_calls_test.c - which calls are asked for, and what is kept of their answers. */
#include "harness/campaign/repeat_fixture.h"

START_TEST(figures_are_of_the_first_call_after_the_warm_up)
{
    static struct scripted worker;
    static const struct row row = {.call = leak, .limits = {.most = 16, .flags = WIRE_NO_FLOORS}};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_uint_eq(repeat.figures.allocs, 3); /* calls before it */
    ck_assert_int_eq(repeat.figures_live, 4 * 32);
    ck_assert_int_eq(repeat.first.live_bytes, 3 * 32);
    ck_assert_int_eq(repeat.first.live_blocks, 3);
    ck_assert_int_eq(repeat.now.live_bytes, 16 * 32);
    ck_assert_uint_eq(repeat.still, 4);
    ck_assert(repeat.moved);
    ck_assert_uint_eq(worker.asks, 10); /* 3, 4 to 8, 10, 12, 14, 16 */
    ck_assert_double_eq(repeat.spent_ns, 16 * CALL_NS);
    ck_assert_double_eq(repeat.call_ns, CALL_NS);
    static const struct {
        unsigned calls;
        int64_t live;
    } points[] = {{3, 96},  {4, 128},  {5, 160},  {6, 192},  {7, 224},
                  {8, 256}, {10, 320}, {12, 384}, {14, 448}, {16, 512}};
    ck_assert_uint_eq(repeat.live_count, sizeof points / sizeof points[0]);
    for (size_t i = 0; i < repeat.live_count; i++) {
        ck_assert_uint_eq(repeat.live_calls[i], points[i].calls);
        ck_assert_int_eq(repeat.live[i], points[i].live);
    }
    ck_assert_uint_eq(repeat.sums[REPEAT_HEAP].count, repeat.live_count);
    ck_assert_uint_eq(repeat.places[0].series.count, repeat.live_count);
    ck_assert_int_eq(repeat.places[0].series.spans[6].floor, 9 * 33); /* the least of 9 and 10 */
    ck_assert_int_eq(repeat.sums[REPEAT_HEAP].spans[6].floor, 9 * 33);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

START_TEST(the_peak_is_asked_for_once)
{
    static struct scripted worker;
    static const struct row rows_of_most[] = {{.call = nothing, .limits = {.most = 3}},
                                              {.call = nothing, .limits = {.most = 5}},
                                              {.call = leak, .limits = {.most = 5}}};
    for (size_t i = 0; i < 3; i++) {
        struct repeat repeat;
        scripted_begin(&worker);
        worker.stop_after = i == 0 ? 2 : 3; /* answers: 3 calls, then the 4th, then the 5th */
        scripted_run(&worker, &repeat, &rows_of_most[i]);
        ck_assert_uint_eq(worker.flags & WIRE_PEAK_RSS, i == 0 ? WIRE_PEAK_RSS : 0);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

static void moves_at_the_fifth(struct world *world, unsigned call)
{
    heap_add(world, 1, call == 5, call == 5 ? 100 : 0);
}

START_TEST(what_has_not_moved_is_called_many_times_in_one_question)
{
    static struct scripted worker;
    static const struct {
        struct row row;
        unsigned asks, ends[8];
    } cases[] = {
        {{.call = nothing}, 4, {3, 4, 64, 1024}},
        {{.call = nothing, .limits = {.still_ns = 600 * CALL_NS}}, 4, {3, 4, 64, 512}},
        /* what moves ends the answer, and then they are asked one by one */
        {{.call = moves_at_the_fifth, .limits = {.most = 9}}, 6, {3, 4, 8, 6, 7, 8}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, &cases[i].row);
        ck_assert_msg(worker.asks == cases[i].asks, "case %zu: %u", i, worker.asks);
        for (unsigned k = 0; k < worker.asks; k++) {
            ck_assert_msg(worker.ends[k] == cases[i].ends[k], "case %zu, question %u: %u", i, k,
                          worker.ends[k]);
        }
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

/* A worker that says that it made no call, and sends no boundary: it is believed to have made them,
 * so that the questions come to an end. */
START_TEST(an_answer_without_boundaries_adds_none)
{
    static struct scripted worker;
    static const struct row row = {.call = leak, .silent = true, .limits = {.most = 64}};
    struct repeat repeat;
    scripted_begin(&worker);
    scripted_run(&worker, &repeat, &row);
    ck_assert_uint_eq(repeat.calls, 64);
    ck_assert_uint_eq(repeat.sums[REPEAT_HEAP].count, 0);
    ck_assert(!repeat.moved);
    repeat_fini(&repeat);
    observed_fini(&worker.seen);
}
END_TEST

static uint64_t fourth_takes_ns;

static void fourth_takes(struct world *world, unsigned call)
{
    world->wall_ns = call == 4 ? fourth_takes_ns : 1000000;
}

START_TEST(sleep_is_what_takes_four_times_the_processors_time_and_two_milliseconds)
{
    static struct scripted worker;
    static const struct {
        unsigned cost_ns;
        uint64_t wall_ns;
        double call_ns;
    } calls[] = {{1000000, 6000000, 1000000},
                 {1000000, 6000001, 6000001},
                 {1000, 2004000, 1000},
                 {1000, 2004001, 2004001},
                 {1000000, 500000, 1000000}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct row row = {
            .call = fourth_takes, .limits = {.still_ns = 1}, .cost_ns = calls[i].cost_ns};
        struct repeat repeat;
        fourth_takes_ns = calls[i].wall_ns;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, &row);
        ck_assert_uint_eq(repeat.calls, 4);
        ck_assert_msg(fabs(repeat.call_ns - calls[i].call_ns) < 1e-6, "row %zu: %g", i,
                      repeat.call_ns);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

START_TEST(the_scan_for_what_is_lost_is_asked_for_seldom)
{
    static struct scripted worker;
    static const struct {
        struct row row;
        unsigned scans;
    } cases[] = {
        {{.call = leak}, 4},                        /* after 64, 256, 1,024, 4,096 calls */
        {{.call = leak, .unreachable = 1 << 1}, 1}, /* after 64 calls */
        {{.call = leak_sometimes, .unreachable = 1 << 1}, 1},
        {{.call = leak, .limits = {.moved_ns = 8 * CALL_NS}}, 1},
        {{.call = leak, .limits = {.moved_ns = 8 * CALL_NS}, .suppressed = 1 << 1}, 0},
        {{.call = flood}, 2}, /* after 8 and 64 */
        {{.call = toggle, .limits = {.moved_ns = 8 * CALL_NS}}, 0},
        {{.call = descriptors, .limits = {.moved_ns = 8 * CALL_NS}}, 0},
        {{.call = nothing, .limits = {.still_ns = 8 * CALL_NS}}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct repeat repeat;
        scripted_begin(&worker);
        scripted_run(&worker, &repeat, &cases[i].row);
        ck_assert_msg(worker.scans == cases[i].scans, "case %zu: %u scans", i, worker.scans);
        repeat_fini(&repeat);
        observed_fini(&worker.seen);
    }
}
END_TEST

SUITE("repeat_calls", &figures_are_of_the_first_call_after_the_warm_up, &the_peak_is_asked_for_once,
      &what_has_not_moved_is_called_many_times_in_one_question,
      &an_answer_without_boundaries_adds_none,
      &sleep_is_what_takes_four_times_the_processors_time_and_two_milliseconds,
      &the_scan_for_what_is_lost_is_asked_for_seldom)
