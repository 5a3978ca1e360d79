/* evidence_test.c - each sentence of evidence, word for word. */
#include "harness/judge/evidence.h"

#include "harness/base/suite.h"

#include <stdlib.h>
#include <string.h>

static void texts_equal(const char *name, char *text, const char *expected)
{
    if (!expected) {
        ck_assert_msg(!text, "%s: %s", name, text);
    } else {
        ck_assert_msg(text && strcmp(text, expected) == 0, "%s:\n%s\nis not\n%s", name, text,
                      expected);
    }
    free(text);
}

START_TEST(a_test_says_what_its_verdict_rests_on)
{
    static const struct {
        struct evidence_calls test;
        const char *text;
    } rows[] = {
        {{VERDICT_NONE, 5, false, false, false, 0}, NULL},
        {{VERDICT_ACCUMULATES, 5, false, false, false, 0}, NULL},
        {{VERDICT_CLEAN, 1024, false, false, false, 0}, "equal at each of 1,024 boundaries"},
        {{VERDICT_CLEAN, 64, true, true, false, 0}, "equal at each of 64 boundaries"},
        {{VERDICT_LEAK, 8, false, false, false, 0},
         "grew through 8 repetitions, and nothing points at what is left"},
        {{VERDICT_LEAK, 8, false, true, false, 0},
         "grew through 8 repetitions, and nothing points at what is left"},
        {{VERDICT_LEAK, 256, true, false, false, 0}, "grew through 256 repetitions"},
        {{VERDICT_GROWTH, 4096, false, true, false, 0},
         "grew through 4,096 repetitions; a cache with more free slots than that looks the same"},
        {{VERDICT_GROWTH, 4096, true, false, false, 0},
         "grew through 4,096 repetitions; a cache with more free slots than that looks the same"},
        {{VERDICT_GROWTH, 4096, false, true, true, 0},
         "grew through 4,096 repetitions, and no allocation site holds what grew"},
        {{VERDICT_INCONCLUSIVE, 1024, false, true, false, 300},
         "its resident memory rose by 300 B a call in 1,024 repetitions, and neither heap nor "
         "mappings explain it: they came to rest"},
        {{VERDICT_CLEAN, 1024, false, false, false, 300}, "equal at each of 1,024 boundaries"},
        {{VERDICT_INCONCLUSIVE, 20, false, false, true, 0},
         "neither levelled off nor grew steadily in 20 repetitions; --budget TIME allows more"},
        {{VERDICT_SATURATING, 1024, false, false, false, 0},
         "stopped growing within 1,024 repetitions"},
        {{VERDICT_INCONCLUSIVE, 20, false, false, false, 0},
         "neither levelled off nor grew steadily in 20 repetitions; --budget TIME allows more"},
        {{VERDICT_INCONCLUSIVE, 20, true, false, false, 0},
         "neither levelled off nor grew steadily in 20 repetitions; --budget TIME allows more"},
        {{VERDICT_INCONCLUSIVE, 20, false, true, false, 0},
         "grew in the 20 repetitions that the budget allowed, as a cache with more free slots than "
         "that would; --budget TIME allows more"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        texts_equal(result_verdict_name(rows[i].test.verdict), evidence_test(&rows[i].test),
                    rows[i].text);
    }
}
END_TEST

START_TEST(a_whole_program_says_what_its_verdict_rests_on)
{
    static const struct {
        enum result_verdict verdict;
        const char *text;
        bool growing;
    } rows[] = {
        {VERDICT_NONE, NULL, false},
        {VERDICT_INCONCLUSIVE,
         "grew in the 1,000 passes of the whole program that could be made; so would a cache with "
         "more free slots",
         true},
        {VERDICT_GROWTH, "grew through 1,000 passes of the whole program; so would a larger cache",
         true},
        {VERDICT_CLEAN, "kept the same through 1,000 passes of the whole program", false},
        {VERDICT_LEAK,
         "grew through 1,000 passes of the whole program, and nothing points at what "
         "is left",
         false},
        {VERDICT_GROWTH, "grew through 1,000 passes of the whole program; so would a larger cache",
         false},
        {VERDICT_SATURATING, "stopped growing within 1,000 passes of the whole program", false},
        {VERDICT_INCONCLUSIVE,
         "neither levelled off nor grew steadily in 1,000 passes of the whole program", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        texts_equal(result_verdict_name(rows[i].verdict),
                    evidence_program(rows[i].verdict, 1000, rows[i].growing), rows[i].text);
    }
}
END_TEST

START_TEST(a_suite_says_what_its_verdict_rests_on)
{
    static const struct {
        struct evidence_suite suite;
        const char *text;
    } rows[] = {
        {{.verdict = VERDICT_CLEAN, .tests = 40}, "judged over 40 tests in order, one pass"},
        {{.verdict = VERDICT_CLEAN, .tests = 40, .shuffled = 4, .accusing = 1, .seed = 7},
         "judged over 40 tests in order and in 4 shuffled orders (seed 7), one pass"},
        {{.verdict = VERDICT_SATURATING, .tests = 40, .shuffled = 1, .seed = 7, .again = true},
         "judged over 40 tests in order and in 1 shuffled order (seed 7); a second pass in the "
         "same process added nothing"},
        {{.verdict = VERDICT_ACCUMULATES,
          .tests = 40,
          .shuffled = 4,
          .accusing = 4,
          .seed = 7,
          .again = true,
          .again_bytes = -3,
          .depositors = 2,
          .first = "a",
          .largest = "b"},
         "judged over 40 tests in order and in 4 shuffled orders (seed 7), 4 of 5 passes accuse; "
         "a second pass in the same process added nothing, as with a cache that keeps each input "
         "once; "
         "left by 2 tests, first a, most by b"},
        {{.verdict = VERDICT_GROWTH,
          .tests = 40,
          .shuffled = 4,
          .accusing = 5,
          .again = true,
          .again_bytes = 4930,
          .depositors = 1,
          .first = "a",
          .largest = "a"},
         "judged over 40 tests in order and in 4 shuffled orders (seed 0), 5 of 5 passes accuse; "
         "a second pass in the same process added 4.93 KB; left by 1 test, first a"},
        {{.verdict = VERDICT_GROWTH,
          .tests = 9,
          .shuffled = 1,
          .accusing = 2,
          .again = true,
          .again_bytes = 1},
         "judged over 9 tests in order and in 1 shuffled order (seed 0), 2 of 2 passes accuse; a "
         "second pass in the same process added 1 B"},
        {{.verdict = VERDICT_INCONCLUSIVE, .tests = 9, .shuffled = 2, .accusing = 1, .seed = 1},
         "judged over 9 tests in order and in 2 shuffled orders (seed 1), 1 of 3 passes accuse, "
         "one pass"},
        {{.verdict = VERDICT_INCONCLUSIVE,
          .tests = 9,
          .accusing = 1,
          .few_orders = true,
          .again = true},
         "judged over 9 tests in order; a second pass in the same process added nothing; in so few "
         "orders a table over few inputs looks like what accumulates"},
        {{.verdict = VERDICT_ACCUMULATES, .tests = 9, .accusing = 1, .depositors = 3, .first = "a"},
         "judged over 9 tests in order, one pass; left by 3 tests, first a"},
        {{.verdict = VERDICT_ACCUMULATES,
          .tests = 9,
          .traced = 6,
          .depositors = 3,
          .first = "a",
          .largest = "c"},
         "judged over 9 tests in order, one pass; of the first 6, which the sites "
         "are of, 3 left something, first a, most by c"},
        {{.verdict = VERDICT_ACCUMULATES, .tests = 9, .depositors = 3},
         "judged over 9 tests in order, one pass"},
        {{.verdict = VERDICT_ACCUMULATES, .tests = 9, .first = "a"},
         "judged over 9 tests in order, one pass"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        texts_equal("suite", evidence_suite(&rows[i].suite), rows[i].text);
    }
}
END_TEST

SUITE("evidence", &a_test_says_what_its_verdict_rests_on,
      &a_whole_program_says_what_its_verdict_rests_on, &a_suite_says_what_its_verdict_rests_on)
