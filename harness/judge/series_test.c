/* series_test.c - the shape of a series, by scripted numbers: functions of the number of the call,
 * and spans at the exact boundary of each threshold. */
#include "harness/judge/series.h"

#include "harness/base/suite.h"
#include "harness/judge/calls.h"

#include <math.h>
#include <stdint.h>

typedef double held_after(unsigned call, double size);

static double line(unsigned call, double size)
{
    return call * size;
}

static double each_kth(unsigned call, double k)
{
    return floor(call / k) * 100;
}

static double container(unsigned call, double factor)
{
    double room = 1;
    while (room < call) {
        room = ceil(room * factor);
    }
    return room * 16;
}

static double square_root(unsigned call, double size)
{
    return size * sqrt(call);
}

static double logarithm(unsigned call, double size)
{
    return size * log(call);
}

static double late(unsigned call, double from)
{
    return call > from ? (call - from) * 50 : 0;
}

static double cache(unsigned call, double entries)
{
    return call < entries ? call * 64 : entries * 64;
}

static double step(unsigned call, double at)
{
    return call < at ? 1000 : 5000;
}

static double steps_of_four(unsigned call, double size)
{
    return (call >= 16) * size + (call >= 64) * size + (call >= 256) * size;
}

static double toggle(unsigned call, double size)
{
    return call % 2 * size;
}

static double teeth(unsigned call, double period)
{
    return fmod(call, period) * 1000;
}

/* Its lowest point is a little higher in the last eighth. */
static double uneven_teeth(unsigned call, double period)
{
    return fmod(call, period) * 1000 + (call > 900) * 8 + 100;
}

static double rising_teeth(unsigned call, double period)
{
    return fmod(call, period) * 1000 + call * 8;
}

static double falling(unsigned call, double size)
{
    return size / call;
}

static double peak(unsigned call, double at)
{
    return call == at ? 1e6 : 100;
}

static double collector(unsigned call, double coupons)
{
    return coupons * (1 - pow(1 - 1 / coupons, call));
}

/* The series that calls which hold so much make, in the spans that are asked for. */
static struct series series_made(held_after *held, double size, unsigned calls, bool moved)
{
    struct series series = {0};
    for (unsigned made = 0; made < calls;) {
        unsigned end = calls_next(made, moved);
        int64_t floor = INT64_MAX;
        for (unsigned call = made + 1; call <= end; call++) {
            int64_t now = (int64_t)held(call, size);
            floor = now < floor ? now : floor;
        }
        ck_assert(series_add(&series, end, floor));
        made = end;
    }
    return series;
}

static const struct {
    const char *name;
    held_after *held;
    double size;
    unsigned calls;
    enum series_shape shape;
    double share; /* -1: any */
} functions[] = {
    {"line of 64 calls", line, 24, 64, SERIES_GROWS, 16. / 29},
    {"line of 1,024 calls", line, 24, 1024, SERIES_GROWS, 256. / 509},
    {"line of 20 calls", line, 24, 20, SERIES_GROWS, 5. / 7},
    {"line of 16 calls", line, 24, 16, SERIES_OPEN, 4. / 5}, /* all in one factor of four */
    {"line that falls", line, -24, 1024, SERIES_LEVEL, 0},
    {"every second call", each_kth, 2, 64, SERIES_GROWS, -1},
    {"every 7th call", each_kth, 7, 64, SERIES_GROWS, -1},
    {"every 20th call of 64", each_kth, 20, 64, SERIES_OPEN, -1},
    {"every 20th call of 256", each_kth, 20, 256, SERIES_GROWS, -1},
    {"every 100th call of 1,024", each_kth, 100, 1024, SERIES_GROWS, -1},
    {"every 500th call of 4,096", each_kth, 500, 4096, SERIES_GROWS, -1},
    {"doubles", container, 2, 64, SERIES_GROWS, -1},
    {"doubles through 4,096", container, 2, 4096, SERIES_GROWS, -1},
    {"grows by half", container, 1.5, 1024, SERIES_GROWS, -1},
    {"grows by a quarter", container, 1.25, 1024, SERIES_GROWS, -1},
    {"grows fourfold, and stands still", container, 4, 1024, SERIES_OPEN, 0},
    {"grows fourfold, and just grew", container, 4, 2048, SERIES_GROWS, -1},
    {"grows eightfold: flat for a factor of four", container, 8, 2048, SERIES_OPEN, 0},
    {"square root", square_root, 1000, 1024, SERIES_GROWS, -1},
    {"square root of 16,384", square_root, 1000, 16384, SERIES_GROWS, -1},
    {"logarithm of 64", logarithm, 1000, 64, SERIES_GROWS, -1},
    {"logarithm of 1,024", logarithm, 1000, 1024, SERIES_OPEN, -1},
    {"logarithm of 16,384", logarithm, 1000, 16384, SERIES_OPEN, -1},
    {"begins in the last quarter", late, 800, 1024, SERIES_OPEN, 0},
    {"begins in the second quarter", late, 300, 1024, SERIES_OPEN, 1}, /* one step of four */
    {"begins late, and four times as long", late, 200, 1024, SERIES_GROWS, -1},
    {"cache of more than half of the calls", cache, 40, 64, SERIES_GROWS, -1},
    {"cache of a third of the calls", cache, 22, 64, SERIES_GROWS, 5. / 18},
    {"cache of less than a third", cache, 19, 64, SERIES_OPEN, 2. / 15},
    {"cache of a quarter of the calls", cache, 16, 64, SERIES_OPEN, 0},
    {"cache of an eighth of the calls", cache, 128, 1024, SERIES_OPEN, 0},
    {"cache of a sixteenth of the calls", cache, 64, 1024, SERIES_LEVEL, 0},
    {"cache of little more than a sixteenth", cache, 69, 1024, SERIES_LEVEL, 0},
    {"cache of little more than that", cache, 72, 1024, SERIES_OPEN, 0},
    {"cache that is full before the warm-up ends", cache, 3, 64, SERIES_STILL, 0},
    {"cache of 5", cache, 5, 64, SERIES_LEVEL, 0},
    {"cache of 5, and 56 calls", cache, 5, 56, SERIES_OPEN, 0},
    {"step in the last half", step, 600, 1024, SERIES_OPEN, 0},
    {"step in the second quarter", step, 300, 1024, SERIES_OPEN, 1},
    {"step before a sixteenth", step, 60, 1024, SERIES_LEVEL, 0},
    {"step after a sixteenth", step, 70, 1024, SERIES_OPEN, 0},
    {"step within the warm-up", step, 3, 1024, SERIES_STILL, 0},
    {"one step in each factor of four", steps_of_four, 100, 512, SERIES_GROWS, 1. / 3},
    {"toggle", toggle, 100, 64, SERIES_LEVEL, 0},
    {"teeth of 5", teeth, 5, 64, SERIES_LEVEL, 0},
    {"teeth of 39 whose low point is uneven", uneven_teeth, 39, 1024, SERIES_LEVEL, 0},
    {"teeth of 5 that rise", rising_teeth, 5, 1024, SERIES_GROWS, -1},
    {"teeth of 100 that rise", rising_teeth, 100, 4096, SERIES_GROWS, -1},
    {"falls", falling, 1000, 1024, SERIES_LEVEL, 0},
    {"peak", peak, 50, 64, SERIES_STILL, 0}, /* the least of a span does not see it */
    {"peak at a call that is a span", peak, 5, 64, SERIES_LEVEL, 0},
    {"all coupons", collector, 20, 1024, SERIES_LEVEL, -1},
    {"half of the coupons", collector, 700, 1024, SERIES_GROWS, -1},
    {"most coupons", collector, 150, 1024, SERIES_OPEN, -1},
};

START_TEST(functions_of_the_call_have_their_shape)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        struct series series =
            series_made(functions[i].held, functions[i].size, functions[i].calls, true);
        struct series_answer answer = judge_series(&series);
        ck_assert_msg(answer.shape == functions[i].shape, "%s: shape %d, share %g, rises %u",
                      functions[i].name, answer.shape, answer.share, answer.rises);
        ck_assert_msg(functions[i].share < 0 || fabs(answer.share - functions[i].share) < 1e-9,
                      "%s: share %g", functions[i].name, answer.share);
        ck_assert_uint_eq(answer.calls, functions[i].calls);
    }
}
END_TEST

START_TEST(spans_of_whole_octaves_have_the_same_shapes)
{
    static const struct {
        held_after *held;
        double size;
        enum series_shape shape;
    } rows[] = {{line, 24, SERIES_GROWS},       {container, 2, SERIES_GROWS},
                {cache, 64, SERIES_LEVEL},      {cache, 600, SERIES_GROWS},
                {step, 3, SERIES_STILL},        {step, 300, SERIES_OPEN},
                {square_root, 9, SERIES_GROWS}, {toggle, 9, SERIES_LEVEL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series series = series_made(rows[i].held, rows[i].size, 1024, false);
        struct series_answer answer = judge_series(&series);
        ck_assert_msg(answer.shape == rows[i].shape, "row %zu: shape %d", i, answer.shape);
    }
}
END_TEST

START_TEST(figures_of_a_line_are_exact)
{
    static const struct {
        unsigned calls;
        int64_t total;
        double per_call;
    } rows[] = {{3, 0, 0},     {4, 0, 0},        {8, 10, 10},       {16, 50, 10},
                {64, 290, 10}, {1024, 5090, 10}, {16384, 81890, 10}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series series = series_made(line, 10, rows[i].calls, true);
        struct series_answer answer = judge_series(&series);
        ck_assert_uint_eq(series_calls(&series), rows[i].calls);
        ck_assert_msg(answer.total == rows[i].total && answer.per_call == rows[i].per_call,
                      "%u calls: %lld, %g", rows[i].calls, (long long)answer.total,
                      answer.per_call);
    }
}
END_TEST

/* A first span that ends after the warm-up stands for its last call alone. */
static struct series series_of(const struct series_span *spans, size_t count)
{
    struct series series = {0};
    if (spans[0].end == 3) {
        series_add(&series, 2, spans[0].floor);
    }
    for (size_t i = 0; i < count && spans[i].end > 0; i++) {
        series_add(&series, spans[i].end, spans[i].floor);
    }
    return series;
}

#define SPANS 12

START_TEST(each_threshold_decides_at_its_exact_value)
{
    static const struct {
        const char *name;
        struct series_span spans[SPANS];
        enum series_shape shape;
        double share;
        unsigned rises;
    } rows[] = {
        /* calls 16 of JUDGED_CALLS */
        {"16 calls in spans",
         {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {8, 4}, {10, 5}, {12, 6}, {16, 7}},
         SERIES_GROWS,
         3. / 5,
         7},
        {"15 calls in spans",
         {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {8, 4}, {10, 5}, {12, 6}, {15, 7}},
         SERIES_OPEN,
         4. / 5,
         7},
        /* a quarter of GROWS_SHARE */
        {"share of a quarter",
         {{3, 0}, {4, 4}, {16, 75}, {32, 75}, {64, 100}},
         SERIES_GROWS,
         0.25,
         3},
        {"share below a quarter",
         {{3, 0}, {4, 4}, {16, 76}, {32, 76}, {64, 100}},
         SERIES_OPEN,
         0.24,
         3},
        /* three RISES, the one of call 4 among them */
        {"three rises", {{3, 0}, {8, 10}, {16, 20}, {32, 20}, {64, 30}}, SERIES_GROWS, 1. / 3, 3},
        {"two rises", {{3, 0}, {8, 20}, {16, 20}, {32, 20}, {64, 30}}, SERIES_OPEN, 1. / 3, 2},
        {"what falls again is no rise",
         {{3, 0}, {8, 50}, {16, 10}, {32, 10}, {64, 30}},
         SERIES_OPEN,
         2. / 3,
         2},
        /* two STEPS: within the last factor of four, and before it */
        {"all rises in one factor of four",
         {{3, 0}, {4, 0}, {8, 0}, {16, 0}, {20, 1}, {24, 2}, {32, 3}, {64, 4}},
         SERIES_OPEN,
         3. / 4,
         4},
        {"rises in two factors of four",
         {{3, 0}, {4, 0}, {8, 0}, {14, 0}, {16, 1}, {20, 2}, {24, 3}, {32, 4}, {64, 5}},
         SERIES_GROWS,
         3. / 5,
         5},
        {"rises in the first and the last",
         {{3, 0}, {4, 1}, {8, 1}, {16, 1}, {20, 2}, {24, 3}, {32, 3}, {64, 3}},
         SERIES_GROWS,
         1. / 3,
         3},
        /* a sixteenth of LEVEL_SHARE, over a factor of 16 */
        {"late rise of a sixteenth",
         {{3, 0}, {4, 150}, {16, 150}, {32, 150}, {64, 160}},
         SERIES_LEVEL,
         0.0625,
         2},
        {"late rise of more",
         {{3, 0}, {4, 149}, {16, 149}, {32, 149}, {64, 160}},
         SERIES_OPEN,
         11. / 160,
         2},
        {"rises after a sixteenth of the calls",
         {{3, 0}, {4, 50}, {8, 50}, {10, 50}, {80, 100}, {128, 100}},
         SERIES_OPEN,
         0,
         2},
        {"rises right after a sixteenth of the calls",
         {{3, 0}, {4, 50}, {8, 50}, {10, 50}, {80, 100}, {143, 100}},
         SERIES_OPEN,
         0,
         2},
        {"flat after a sixteenth of the calls",
         {{3, 0}, {4, 50}, {8, 50}, {10, 50}, {80, 100}, {144, 100}},
         SERIES_LEVEL,
         0,
         2},
        /* and the eighth of END_PART */
        {"the last eighth holds more",
         {{3, 0}, {4, 32}, {32, 32}, {56, 32}, {64, 35}},
         SERIES_OPEN,
         0,
         2},
        {"the last eighth holds a sixteenth more",
         {{3, 0}, {4, 32}, {32, 32}, {56, 32}, {64, 34}},
         SERIES_LEVEL,
         0,
         2},
        {"a part of the last eighth holds more",
         {{3, 0}, {4, 32}, {32, 32}, {56, 32}, {57, 32}, {64, 99}},
         SERIES_LEVEL,
         0,
         2},
        {"a seventh holds less than the last eighth",
         {{3, 0}, {4, 32}, {32, 32}, {55, 32}, {56, 32}, {64, 50}},
         SERIES_OPEN,
         0,
         2},
        /* three calls of WARM_UP */
        {"moves only within the warm-up",
         {{1, 0}, {2, 50}, {3, 100}, {64, 100}},
         SERIES_STILL,
         0,
         0},
        {"moves at the first call that counts",
         {{1, 0}, {2, 0}, {3, 0}, {4, 1}, {64, 1}},
         SERIES_LEVEL,
         0,
         1},
        {"falls after the first call that counts", {{3, 100}, {64, 50}}, SERIES_LEVEL, 0, 0},
        {"swings in few calls, and begins lower",
         {{4, 0}, {5, 100}, {6, 101}, {8, 100}},
         SERIES_OPEN,
         0,
         0},
        {"rises by one in all", {{3, 0}, {4, 0}, {16, 0}, {32, 0}, {64, 1}}, SERIES_OPEN, 1, 1},
        {"rises once for ever, in the first call that counts",
         {{2, 0}, {3, 0}, {4, 9}, {16, 9}, {64, 9}, {80, 9}},
         SERIES_LEVEL,
         0,
         1},
        {"moves before the second span only", {{4, 0}, {64, 5}}, SERIES_STILL, 0, 0},
        {"less than a warm-up", {{1, 0}, {2, 50}}, SERIES_OPEN, 0, 0},
        {"no more than a warm-up", {{1, 0}, {2, 50}, {3, 50}}, SERIES_STILL, 0, 0},
        {"one span", {{64, 5}}, SERIES_STILL, 0, 0},
        {"negative, and rising",
         {{3, -90}, {4, -80}, {16, -40}, {32, -40}, {64, -20}},
         SERIES_GROWS,
         2. / 7,
         3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series series = series_of(rows[i].spans, SPANS);
        struct series_answer answer = judge_series(&series);
        ck_assert_msg(answer.shape == rows[i].shape && answer.rises == rows[i].rises &&
                          (rows[i].share < 0 || fabs(answer.share - rows[i].share) < 1e-9),
                      "%s: shape %d, share %g, %u rises", rows[i].name, answer.shape, answer.share,
                      answer.rises);
    }
}
END_TEST

START_TEST(total_and_rate_count_from_the_warm_up_and_between_spans)
{
    static const struct {
        struct series_span spans[SPANS];
        int64_t total;
        double per_call;
    } rows[] = {
        {{{1, 0}, {2, 50}, {3, 100}, {64, 300}}, 200, 0},
        {{{1, 0}, {2, 50}, {3, 50}}, 0, 50},              /* calls 1 and 2 are all there is */
        {{{3, 0}, {11, 1}, {14, 5}, {40, 9}}, 9, 4. / 3}, /* the last is of call 15 on */
        {{{3, 0}, {16, 0}, {32, 16}, {64, 32}}, 32, 1},
        {{{3, 0}, {16, 0}, {32, 32}, {64, 32}}, 32, 0},
        {{{3, 0}, {16, 0}, {32, 0}, {64, 1}}, 1, 1. / 16},
        {{{4, 7}, {64, 3}}, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series series = series_of(rows[i].spans, SPANS);
        struct series_answer answer = judge_series(&series);
        ck_assert_msg(
            answer.total == rows[i].total && fabs(answer.per_call - rows[i].per_call) < 1e-9,
            "row %zu: total %lld, %g per call", i, (long long)answer.total, answer.per_call);
    }
}
END_TEST

START_TEST(an_empty_series_is_open)
{
    struct series series = {0};
    ck_assert_uint_eq(series_calls(&series), 0);
    ck_assert_int_eq(judge_series(&series).shape, SERIES_OPEN);
}
END_TEST

START_TEST(a_full_series_joins_what_comes_to_its_last_span)
{
    struct series series = {0};
    for (unsigned i = 1; i <= SERIES_SPANS; i++) {
        ck_assert(series_add(&series, i, i));
    }
    ck_assert(!series_add(&series, 100, 90));
    ck_assert_uint_eq(series.count, SERIES_SPANS);
    ck_assert_uint_eq(series_calls(&series), 100);
    ck_assert_int_eq(series.spans[SERIES_SPANS - 1].floor, SERIES_SPANS);
    ck_assert(!series_add(&series, 101, 7));
    ck_assert_int_eq(series.spans[SERIES_SPANS - 1].floor, 7);
    ck_assert_int_eq(series.spans[SERIES_SPANS - 2].floor, SERIES_SPANS - 1);
}
END_TEST

START_TEST(all_calls_of_a_test_fit_into_a_series)
{
    struct series series = series_made(line, 1, 16384, true);
    ck_assert_uint_le(series.count, SERIES_SPANS);
}
END_TEST

START_TEST(rises_in_a_row_are_spans_that_each_leave_more)
{
    static const struct {
        const char *name;
        struct series_span spans[SPANS];
        unsigned calls;
        bool rises;
    } rows[] = {
        {"five", {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {7, 4}, {8, 5}}, 5, true},
        {"four of five", {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {7, 4}}, 5, false},
        {"four", {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {7, 4}}, 4, true},
        {"five, and no more spans", {{4, 0}, {5, 2}, {6, 3}, {7, 4}, {8, 5}, {9, 6}}, 5, true},
        {"four, and no more spans", {{5, 2}, {6, 3}, {7, 4}, {8, 5}, {9, 6}}, 5, false},
        {"one that does not", {{3, 0}, {4, 1}, {5, 2}, {6, 2}, {7, 4}, {8, 5}}, 5, false},
        {"the first does not", {{3, 0}, {4, 0}, {5, 2}, {6, 3}, {7, 4}, {8, 5}}, 5, false},
        {"the last does not", {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {7, 4}, {8, 4}}, 5, false},
        {"the last falls", {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {7, 4}, {8, 1}}, 5, false},
        {"one before them does not",
         {{2, 7}, {3, 0}, {4, 1}, {5, 2}, {6, 3}, {7, 4}, {8, 5}},
         5,
         true},
        {"a span of two calls", {{3, 0}, {4, 1}, {5, 2}, {6, 3}, {8, 4}, {9, 5}}, 5, true},
        {"spans of many calls", {{32, 0}, {40, 1}, {48, 2}, {56, 3}, {64, 4}, {80, 5}}, 5, true},
        {"the last span of many calls does not",
         {{32, 0}, {40, 1}, {48, 2}, {56, 3}, {64, 4}, {80, 4}},
         5,
         false},
        {"none", {{0, 0}}, 5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series series = series_of(rows[i].spans, SPANS);
        ck_assert_msg(series_rises_in_a_row(&series, rows[i].calls) == rows[i].rises, "%s",
                      rows[i].name);
    }
}
END_TEST

/* A cache that is full after four calls, below a saw-tooth, hides a byte a call. */
START_TEST(a_part_that_has_levelled_off_is_taken_out_of_the_sum)
{
    static const struct series_span of_part[] = {{3, 1000},  {4, 5000},  {8, 5000},
                                                 {16, 4900}, {32, 4900}, {64, 4950}};
    static const int64_t remains[] = {3, 104, 108, 16, 32, 64};
    struct series part = {0}, sum = {0};
    for (size_t i = 0; i < 6; i++) {
        series_add(&part, of_part[i].end, of_part[i].floor);
        series_add(&sum, of_part[i].end, of_part[i].floor + of_part[i].end);
    }
    sum.spans[5].floor -= 50; /* when the saw-tooth is at its least */
    series_rest(&sum, &part);
    for (size_t i = 0; i < 6; i++) {
        int64_t want = remains[i] - (i == 5 ? 50 : 0);
        ck_assert_msg(sum.spans[i].floor == want, "span %zu: %lld", i,
                      (long long)sum.spans[i].floor);
    }
    part.count = 2; /* a shorter one takes nothing from the rest */
    series_rest(&sum, &part);
    ck_assert_int_eq(sum.spans[2].floor, 108);
    ck_assert_int_eq(sum.spans[0].floor, 3 - 1000);
}
END_TEST

SUITE("series", &functions_of_the_call_have_their_shape,
      &spans_of_whole_octaves_have_the_same_shapes, &figures_of_a_line_are_exact,
      &each_threshold_decides_at_its_exact_value,
      &total_and_rate_count_from_the_warm_up_and_between_spans, &an_empty_series_is_open,
      &a_full_series_joins_what_comes_to_its_last_span, &all_calls_of_a_test_fit_into_a_series,
      &rises_in_a_row_are_spans_that_each_leave_more,
      &a_part_that_has_levelled_off_is_taken_out_of_the_sum)
