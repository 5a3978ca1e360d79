/* calls_test.c - the verdict of facts, in a table; the spans that are asked for; and whole tests
 * that are made up at random, guilty and innocent, with the rates at which they are told apart. */
#include "harness/judge/calls.h"

#include "harness/base/suite.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

START_TEST(facts_make_a_verdict)
{
    static const struct {
        const char *name;
        struct calls_facts facts;
        enum calls_verdict verdict;
    } rows[] = {
        {"still, and more can be had", {.calls = 1023, .affordable = true}, CALLS_GO_ON},
        {"still for 1,024 calls", {.calls = 1024, .affordable = true}, CALLS_CLEAN},
        {"still, and no more can be had", {.calls = 4}, CALLS_CLEAN},
        {"still, and enough", {.calls = 64, .affordable = true, .enough = true}, CALLS_CLEAN},
        {"level, and more can be had",
         {.calls = 1023, .moved = true, .affordable = true},
         CALLS_GO_ON},
        {"level for 1,024 calls", {.calls = 1024, .moved = true, .affordable = true}, CALLS_LEVEL},
        {"level, having been still for half of the calls",
         {.calls = 2048, .still = 1024, .moved = true, .affordable = true},
         CALLS_LEVEL},
        {"level, having been still for more",
         {.calls = 2047, .still = 1024, .moved = true, .affordable = true},
         CALLS_GO_ON},
        {"level, having been still for more, and no more can be had",
         {.calls = 1024, .still = 1024, .moved = true},
         CALLS_LEVEL},
        {"level, and no more can be had", {.calls = 48, .moved = true}, CALLS_LEVEL},
        {"level in too few calls to have a factor without a rise",
         {.calls = 47, .moved = true},
         CALLS_UNSURE},
        {"level, and enough",
         {.calls = 64, .moved = true, .affordable = true, .enough = true},
         CALLS_LEVEL},
        {"open, and more can be had",
         {.calls = 16383, .moved = true, .affordable = true, .open = 1},
         CALLS_GO_ON},
        {"open to the last",
         {.calls = 16384, .moved = true, .affordable = true, .open = 1},
         CALLS_UNSURE},
        {"open, and no more can be had", {.calls = 8, .moved = true, .open = 1}, CALLS_UNSURE},
        {"open, and enough",
         {.calls = 64, .moved = true, .affordable = true, .enough = true, .open = 1},
         CALLS_UNSURE},
        {"grows, and more can be had",
         {.calls = 4095, .moved = true, .affordable = true, .growing = 1, .share = 0.9},
         CALLS_GO_ON},
        {"grows for certain",
         {.calls = 4096, .moved = true, .affordable = true, .growing = 1, .share = 0.4},
         CALLS_GROWS},
        {"grows, with a share that may be a cache",
         {.calls = 4096, .moved = true, .affordable = true, .growing = 1, .share = 0.39},
         CALLS_GO_ON},
        {"grows slowly to the last",
         {.calls = 16384, .moved = true, .affordable = true, .growing = 1, .share = 0.25},
         CALLS_GROWS},
        {"grows, and enough",
         {.calls = 8, .moved = true, .affordable = true, .enough = true, .growing = 1},
         CALLS_GROWS},
        {"grows for 1,024 calls, and no more can be had",
         {.calls = 1024, .moved = true, .growing = 1, .share = 0.3},
         CALLS_GROWS},
        {"grows, in fewer, and no more can be had",
         {.calls = 1023, .moved = true, .growing = 1, .share = 0.9},
         CALLS_UNSURE},
        {"one grows while others are open",
         {.calls = 4096, .moved = true, .affordable = true, .growing = 1, .open = 3, .share = 0.5},
         CALLS_GROWS},
        {"open ones do not make the one that grows unsure",
         {.calls = 1024, .moved = true, .growing = 1, .open = 3, .share = 0.3},
         CALLS_GROWS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(judge_calls(&rows[i].facts) == rows[i].verdict, "%s: %d", rows[i].name,
                      judge_calls(&rows[i].facts));
    }
}
END_TEST

START_TEST(answers_add_up_to_facts)
{
    static const struct series_answer answers[] = {
        {.shape = SERIES_STILL, .share = 0.9}, {.shape = SERIES_LEVEL, .share = 0.8},
        {.shape = SERIES_OPEN, .share = 0.7},  {.shape = SERIES_GROWS, .share = 0.3},
        {.shape = SERIES_GROWS, .share = 0.5}, {.shape = SERIES_GROWS, .share = 0.4},
        {.shape = SERIES_OPEN, .share = 0.6},
    };
    struct calls_facts facts = {0};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        calls_add(&facts, &answers[i]);
    }
    ck_assert_uint_eq(facts.growing, 3);
    ck_assert_uint_eq(facts.open, 2);
    ck_assert_double_eq(facts.share, 0.5);
}
END_TEST

START_TEST(boundaries_differ_in_each_of_their_numbers)
{
    const struct boundary one = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct boundary others[] = {{0, 2, 3, 4, 5, 6, 7, 8}, {1, 0, 3, 4, 5, 6, 7, 8},
                                      {1, 2, 0, 4, 5, 6, 7, 8}, {1, 2, 3, 0, 5, 6, 7, 8},
                                      {1, 2, 3, 4, 0, 6, 7, 8}, {1, 2, 3, 4, 5, 0, 7, 8},
                                      {1, 2, 3, 4, 5, 6, 0, 8}, {1, 2, 3, 4, 5, 6, 7, 0}};
    struct boundary same = one;
    ck_assert(boundary_equal(&one, &same));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert_msg(!boundary_equal(&one, &others[i]), "number %zu", i);
    }
}
END_TEST

START_TEST(spans_are_single_calls_then_parts_of_octaves)
{
    static const struct {
        unsigned calls, still, moved;
    } rows[] = {{0, 3, 3},     {1, 3, 3},       {2, 3, 3},          {3, 4, 4},
                {4, 5, 5},     {7, 8, 8},       {8, 16, 10},        {9, 16, 10},
                {10, 16, 12},  {14, 16, 16},    {15, 16, 16},       {16, 32, 20},
                {20, 32, 24},  {31, 32, 32},    {32, 64, 40},       {40, 64, 48},
                {64, 128, 80}, {100, 128, 112}, {1024, 2048, 1280}, {8192, 16384, 10240}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(calls_next(rows[i].calls, false) == rows[i].still, "%u still: %u",
                      rows[i].calls, calls_next(rows[i].calls, false));
        ck_assert_msg(calls_next(rows[i].calls, true) == rows[i].moved, "%u moved: %u",
                      rows[i].calls, calls_next(rows[i].calls, true));
    }
}
END_TEST

/* Tests that are made up. ---------------------------------------------------------------------- */

static uint64_t state;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* Evenly in its logarithm. */
static double between(double low, double high)
{
    return low * pow(high / low, uniform());
}

enum kind { /* of what a test does with its memory; those before INNOCENT keep more and more */
            LINE,
            LEAK_SOMETIMES,
            LEAK_RARELY,
            CONTAINER,
            SQUARE_ROOT,
            LATE_LINE,
            UNDER_TEETH,
            BATCHES,
            INNOCENT,
            CACHE = INNOCENT,
            CACHE_WITH_HITS,
            COUPONS,
            LEAST_RECENT,
            TOGGLE,
            STEPS,
            POOL,
            SAW,
            RANDOM_LEVEL,
            APPROACH,
            KINDS
};

static const char *const names[KINDS] = {
    [LINE] = "a block a call",
    [LEAK_SOMETIMES] = "a block in some calls",
    [LEAK_RARELY] = "a block in every kth call",
    [CONTAINER] = "a container that grows by a factor",
    [SQUARE_ROOT] = "a power of the calls",
    [LATE_LINE] = "a block a call from some call on",
    [UNDER_TEETH] = "a block a call below a saw-tooth",
    [BATCHES] = "batches of which a part stays",
    [CACHE] = "a cache",
    [CACHE_WITH_HITS] = "a cache that is often hit",
    [COUPONS] = "a table over random keys",
    [LEAST_RECENT] = "a cache that evicts and trims",
    [TOGGLE] = "a block held every second call",
    [STEPS] = "lazy initialisation",
    [POOL] = "a pool with a high-water mark",
    [SAW] = "a log that is flushed",
    [RANDOM_LEVEL] = "a random number of blocks",
    [APPROACH] = "less and less in each call",
};

struct made { /* one test */
    enum kind kind;
    double size, period, factor, held, room, phase;
    unsigned char seen[2048];
};

static void made_init(struct made *made, enum kind kind)
{
    *made = (struct made){.kind = kind, .size = between(1, 5000)};
    switch (kind) {
    case LEAK_SOMETIMES:
        made->period = between(1, 60);
        break;
    case LEAK_RARELY:
        made->period = floor(between(2, 400));
        break;
    case CONTAINER:
        made->factor = between(1.2, 4);
        made->room = floor(between(1, 64));
        made->period = between(0.2, 3);
        break;
    case SQUARE_ROOT:
        made->factor = between(0.5, 2);
        break;
    case LATE_LINE:
        made->period = floor(between(4, 1000));
        break;
    case CACHE:
    case CACHE_WITH_HITS:
    case LEAST_RECENT:
    case APPROACH:
        made->period = floor(between(2, 250));
        made->factor = between(0.3, 1);
        break;
    case COUPONS:
        made->period = floor(between(2, 150));
        break;
    case STEPS:
        made->period = floor(between(4, 250));
        break;
    default:
        made->period = floor(between(2, 50));
    }
    made->phase = floor(uniform() * made->period);
}

/* What it holds after this call: calls are made in order. */
static double made_call(struct made *made, unsigned call)
{
    switch (made->kind) {
    case LINE:
        return call * made->size;
    case LEAK_SOMETIMES:
        return made->held += uniform() < 1 / made->period ? made->size : 0;
    case LEAK_RARELY:
        return floor((call + made->phase) / made->period) * made->size;
    case CONTAINER:
        while (made->room < call * made->period) {
            made->room = ceil(made->room * made->factor);
        }
        return made->room * 16;
    case SQUARE_ROOT:
        return 1000 * pow(call, made->factor);
    case LATE_LINE:
        return call > made->period ? (call - made->period) * made->size : 0;
    case UNDER_TEETH:
        return call * made->size + fmod(call, made->period) * made->size * 3;
    case BATCHES:
        made->held += made->size;
        return made->held + (uniform() < 0.5 ? made->size * made->period : 0);
    case CACHE:
        return fmin(call, made->period) * made->size;
    case CACHE_WITH_HITS:
        made->held += made->held < made->period && uniform() < made->factor;
        return made->held * made->size;
    case COUPONS: {
        unsigned char *seen = &made->seen[(unsigned)(uniform() * made->period)];
        made->held += !*seen;
        *seen = 1;
        return made->held * made->size;
    }
    case LEAST_RECENT:
        made->held = made->held + 1 < made->period ? made->held + 1 : floor(made->period / 2);
        return made->held * made->size;
    case TOGGLE:
        return call % 2 * made->size;
    case STEPS:
        return ((call >= made->period) + (call >= made->period / 3)) * made->size;
    case POOL:
        made->held = fmax(made->held, floor(uniform() * made->period));
        return made->held * made->size;
    case SAW:
        return fmod(call + made->phase, made->period) * made->size;
    case RANDOM_LEVEL:
        return floor(uniform() * made->period) * made->size;
    default:
        return made->size * made->period * (1 - exp(-(double)call / made->period * 4));
    }
}

START_TEST(resident_memory_rises_as_a_line_does)
{
    enum { KB = 1024 };
    static const struct {
        const char *name;
        struct series_span spans[8];
        double rate;
    } rows[] = {
        {"as a line", {{3, 1000}, {4, 1300}, {64, 19300}, {256, 76900}, {1024, 307300}}, 300},
        {"just enough", {{3, 0}, {4, 0}, {16, 40 * KB}, {64, 128 * KB}}, 128. * KB / 61},
        {"too few calls", {{3, 0}, {4, 0}, {15, 40 * KB}, {63, 128 * KB}}, 0},
        {"too little", {{3, 1}, {4, 0}, {16, 40 * KB}, {64, 128 * KB}}, 0},
        {"in one step", {{3, 0}, {64, 128 * KB}}, 0},
        {"three quarters of its pace", {{3, 0}, {250, 435250}, {1003, 1000000}}, 1000},
        {"less than that", {{3, 0}, {250, 435251}, {1003, 1000000}}, 0},
        {"not in the step before", {{3, 0}, {64, 300 * KB}, {256, 300 * KB}, {1024, 1500 * KB}}, 0},
        {"nor in the last", {{3, 0}, {64, 300 * KB}, {256, 600 * KB}, {1024, 600 * KB}}, 0},
        {"it rose in the first half of the last step",
         {{3, 0}, {256, 80000}, {320, 400000}, {1024, 480000 + 41}},
         480041. / 1021},
        {"it rose at the begin of the step before",
         {{3, 0}, {64, 80000}, {68, 200000}, {256, 200000}, {1024, 1000000}},
         1000000. / 1021},
        {"a heap in pieces",
         {{3, 0},
          {4, 144 * KB},
          {16, 1080 * KB},
          {64, 1976 * KB},
          {256, 2944 * KB},
          {1024, 4020 * KB}},
         0},
        {"it falls", {{3, 900 * KB}, {64, 300 * KB}, {256, 200 * KB}, {1024, 100 * KB}}, 0},
        {"in questions of sixteen times as many",
         {{3, 0}, {4, 0}, {64, 18000}, {1024, 306300}},
         300},
        {"nothing", {{0, 0}}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series series = {0};
        for (size_t k = 0; k < 8 && rows[i].spans[k].end > 0; k++) {
            series_add(&series, rows[i].spans[k].end, rows[i].spans[k].floor);
        }
        double rate = judge_resident(&series);
        ck_assert_msg(fabs(rate - rows[i].rate) < 1e-9, "%s: %g", rows[i].name, rate);
    }
}
END_TEST

/* All calls of a made-up test until there is a verdict; at most so many can be had. */
static enum calls_verdict made_judge(struct made *made, unsigned most)
{
    struct series series = {0};
    struct calls_facts facts = {0};
    enum calls_verdict verdict = CALLS_GO_ON;
    double first = 0;
    while (verdict == CALLS_GO_ON) {
        unsigned end = calls_next(facts.calls, facts.moved);
        int64_t floor = INT64_MAX;
        for (unsigned call = facts.calls + 1; call <= end; call++) {
            double held = made_call(made, call);
            first = call == 3 ? held : first;
            facts.moved = facts.moved || (call > 3 && held != first);
            facts.still = facts.moved && facts.still == 0 ? end : facts.still;
            floor = (int64_t)held < floor ? (int64_t)held : floor;
        }
        series_add(&series, end, floor);
        struct series_answer answer = judge_series(&series);
        facts = (struct calls_facts){.calls = end, .still = facts.still, .moved = facts.moved};
        facts.affordable = calls_next(end, facts.moved) <= most;
        calls_add(&facts, &answer);
        verdict = judge_calls(&facts);
    }
    return verdict;
}

#define MADE 300

START_TEST(made_up_tests_are_told_apart)
{
    const char *seed = getenv("TIDEMARK_TEST_SEED");
    state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) % 1000000;
    printf("made-up tests: TIDEMARK_TEST_SEED=%llu\n", (unsigned long long)state);
    unsigned wrong = 0, unsure = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        unsigned verdicts[CALLS_UNSURE + 1] = {0};
        for (unsigned i = 0; i < MADE; i++) {
            struct made made;
            made_init(&made, (enum kind)kind);
            verdicts[made_judge(&made, 16384)]++;
        }
        unsigned clean = verdicts[CALLS_CLEAN] + verdicts[CALLS_LEVEL];
        unsigned missed = kind < INNOCENT ? clean : verdicts[CALLS_GROWS];
        printf("%-40s %3u grow, %3u level off, %3u clean, %3u unsure\n", names[kind],
               verdicts[CALLS_GROWS], verdicts[CALLS_LEVEL], verdicts[CALLS_CLEAN],
               verdicts[CALLS_UNSURE]);
        ck_assert_msg(missed * 100 <= MADE, "%s: %u of %u are wrong", names[kind], missed, MADE);
        wrong += missed;
        unsure += verdicts[CALLS_UNSURE];
    }
    ck_assert_msg(wrong * 1000 <= MADE * KINDS, "%u are wrong", wrong);
    ck_assert_msg(unsure * 100 <= MADE * KINDS, "%u are unsure", unsure);
}
END_TEST

SUITE("calls", &facts_make_a_verdict, &answers_add_up_to_facts,
      &boundaries_differ_in_each_of_their_numbers, &spans_are_single_calls_then_parts_of_octaves,
      &resident_memory_rises_as_a_line_does, &made_up_tests_are_told_apart)
