/* progress_test.c - the line that says how far a run is. */
#include "harness/base/suite.h"
#include "harness/cli/progress.h"

START_TEST(says_the_phase_the_test_the_repetition_and_the_time_that_is_left)
{
    static const struct {
        const char *subject, *phase, *test;
        size_t done, count;
        unsigned call, calls;
        double budget, elapsed;
        unsigned columns;
        const char *text;
    } rows[] = {
        {"", "first pass", "s/c/a", 0, 12, 0, 0, 0, 1e9, 80, "first pass 1/12 s/c/a"},
        {"", "repeating", "s/c/a", 3, 12, 1234, 4096, 35e9, 23e9, 80,
         "repeating 4/12 (12 s left) s/c/a, repetition 1,234 of 4,096"},
        {"", "repeating", "s/c/a", 3, 12, 1, 1, 600e9, 0, 80, "repeating 4/12 (10 min left) s/c/a"},
        {"", "repeating", "s/c/a", 3, 12, 0, 0, 5e9, 6e9, 80,
         "repeating 4/12 (over its budget) s/c/a"},
        {"registry-60gb", "", "s/c/a", 3, 12, 0, 0, 0, 0, 80, "registry-60gb 4/12 s/c/a"},
        {"", "first pass", "", 0, 0, 0, 0, 0, 0, 80, "first pass"},
        /* The name gives way first, from its beginning, and the line never is too long. */
        {"", "repeating", "suite/tcase/finds_the_models", 3, 12, 33, 64, 35e9, 23e9, 70,
         "repeating 4/12 (12 s left) \xe2\x80\xa6"
         "case/finds_the_models, repetition 33 of 64"},
        {"", "repeating", "suite/tcase/finds_the_models", 3, 12, 33, 64, 35e9, 23e9, 40,
         "repeating 4/12 (12 s left) \xe2\x80\xa6"
         "_the_models,"},
        {"", "first pass", "\x1b[2J", 0, 1, 0, 0, 0, 0, 80, "first pass 1/1 \\x1b[2J"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct runner_progress at = {.variant = "",
                                     .test = rows[i].test,
                                     .done = rows[i].done,
                                     .count = rows[i].count,
                                     .call = rows[i].call,
                                     .calls = rows[i].calls,
                                     .budget_ns = rows[i].budget};
        struct text text = {0};
        snprintf(at.phase, sizeof at.phase, "%s", rows[i].phase);
        progress_line(&text, rows[i].subject, &at, rows[i].elapsed, rows[i].columns);
        ck_assert_str_eq(text_peek(&text), rows[i].text);
        ck_assert_uint_le(text_width(text_peek(&text)), rows[i].columns);
        text_fini(&text);
    }
}
END_TEST

START_TEST(a_log_has_a_line_every_half_minute_and_a_terminal_twenty_a_second)
{
    ck_assert(!progress_due(false, 29.9e9));
    ck_assert(progress_due(false, 30e9));
    ck_assert(!progress_due(true, 0.04e9));
    ck_assert(progress_due(true, 0.05e9));
}
END_TEST

SUITE("progress", &says_the_phase_the_test_the_repetition_and_the_time_that_is_left,
      &a_log_has_a_line_every_half_minute_and_a_terminal_twenty_a_second)
