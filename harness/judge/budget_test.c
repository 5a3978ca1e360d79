/* budget_test.c - plans of hunts by what one pass took and what the user allows. */
#include "harness/judge/budget.h"

#include "harness/base/suite.h"

#include <math.h>

#define MS 1e6
#define S  1e9

START_TEST(a_plan_is_made_from_one_pass_and_the_wish)
{
    static const struct {
        const char *name;
        double pass, wish;
        unsigned most;
        double total;
        bool again;
        unsigned orders;
        double repeats;
    } rows[] = {
        /* five passes and 5 s: 40 % of them for the suite, an order starts for 0.3 s */
        {"a suite of 100 ms", 100 * MS, 0, 5, 5.5 * S, true, 5, 5.5 * S - 200 * MS - 4 * 400 * MS},
        {"a suite of 1 s", 1 * S, 0, 5, 10 * S, true, 3, 10 * S - 2 * S - 2 * 1.3 * S},
        {"a suite of 10 s", 10 * S, 0, 5, 55 * S, true, 2, 55 * S - 20 * S - 10.3 * S},
        {"a suite of 10 s that may take 20 s", 10 * S, 20 * S, 5, 20 * S, false, 1, 10 * S},
        {"a suite of 10 s that may take 25 s", 10 * S, 25 * S, 5, 25 * S, true, 1, 5 * S},
        {"a suite of 10 s that may take 24.9 s", 10 * S, 24.9 * S, 5, 24.9 * S, false, 1, 14.9 * S},
        {"a suite of 2 s that may take 9.9 s", 2 * S, 9.9 * S, 5, 9.9 * S, true, 1, 5.9 * S},
        {"a suite that takes all there is", 10 * S, 10 * S, 5, 10 * S, false, 1, 0},
        {"a suite that takes more", 10 * S, 5 * S, 5, 5 * S, false, 1, 0},
        {"two orders, though the starts are dear", 100 * MS, 600 * MS, 5, 600 * MS, true, 2, 0},
        {"but one is asked for", 100 * MS, 600 * MS, 1, 600 * MS, true, 1, 400 * MS},
        {"a pass of a fifth has one order", 100 * MS, 500 * MS, 5, 500 * MS, true, 1, 300 * MS},
        {"a quick hunt", 100 * MS, 0, 1, 5.5 * S, true, 1, 5.3 * S},
        {"two minutes", 1 * S, 120 * S, 5, 120 * S, true, 5, 120 * S - 2 * S - 4 * 1.3 * S},
        {"a nanosecond is a wish, too", 10 * S, 1, 5, 1, false, 1, 0},
        {"an empty suite", 0, 0, 5, 5 * S, true, 5, 5 * S - 1.2 * S},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct budget budget = budget_plan(rows[i].pass, rows[i].wish, 7, rows[i].most);
        ck_assert_msg(fabs(budget.total - rows[i].total) < 0.5 && budget.again == rows[i].again &&
                          budget.orders == rows[i].orders &&
                          fabs(budget.repeats - rows[i].repeats) < 1,
                      "%s: total %g, again %d, %u orders, repeats %g", rows[i].name, budget.total,
                      budget.again, budget.orders, budget.repeats);
        ck_assert(budget.pass == rows[i].pass && budget.tests == 7);
    }
}
END_TEST

START_TEST(what_one_test_may_take_is_its_part_and_four_times_that_once_it_moves)
{
    static const struct {
        double repeats;
        size_t tests;
        double still, moved;
    } rows[] = {
        {1000, 100, 10, 100}, /* a tenth of all is more than four times 10 */
        {1000, 20, 50, 200},   {1000, 40, 25, 100},        {1000, 8, 125, 500},
        {1000, 4, 250, 1000},  {1000, 3, 1000. / 3, 1000}, /* no more than there is */
        {1000, 1, 1000, 1000}, {1000, 0, 0, 100},          {0, 5, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct budget budget = {.repeats = rows[i].repeats, .tests = rows[i].tests};
        ck_assert_msg(fabs(budget_still(&budget) - rows[i].still) < 1e-9 &&
                          fabs(budget_moved(&budget) - rows[i].moved) < 1e-9,
                      "row %zu: %g, %g", i, budget_still(&budget), budget_moved(&budget));
    }
}
END_TEST

START_TEST(what_a_test_spent_is_taken_from_what_the_others_share)
{
    struct budget budget = {.repeats = 1000, .tests = 3};
    budget_spend(&budget, 400);
    ck_assert_double_eq(budget.repeats, 600);
    ck_assert_uint_eq(budget.tests, 2);
    budget_spend(&budget, 600);
    ck_assert_double_eq(budget.repeats, 0);
    budget.repeats = 10;
    budget_spend(&budget, 11);
    ck_assert_double_eq(budget.repeats, 0);
    ck_assert_uint_eq(budget.tests, 0);
    budget_spend(&budget, 1);
    ck_assert_uint_eq(budget.tests, 0);
}
END_TEST

SUITE("budget", &a_plan_is_made_from_one_pass_and_the_wish,
      &what_one_test_may_take_is_its_part_and_four_times_that_once_it_moves,
      &what_a_test_spent_is_taken_from_what_the_others_share)
