/* budget_test.c - plans of hunts by what one pass took and what the user allows. */
#include "harness/judge/budget.h"

#include "harness/base/suite.h"

#include <math.h>

#define MS 1e6
#define S  1e9

enum { TESTS = 10 };

static struct budget_wish wish_of(double total)
{
    return (struct budget_wish){.total = total, .beside = BUDGET_BESIDE};
}

/* So many tests of the same cost, of which the first few keep something, and one that does not
 * belong to them. */
static void tests_set(struct budget_test tests[TESTS + 1], double call_ns, size_t keepers)
{
    for (size_t i = 0; i < TESTS; i++) {
        tests[i] = (struct budget_test){.call_ns = call_ns, .repeated = true, .keeps = i < keepers};
    }
    tests[TESTS] = (struct budget_test){.call_ns = 1, .repeated = true};
}

START_TEST(a_plan_is_made_from_one_pass_and_the_wish)
{
    static const struct {
        const char *name;
        double call, wish;
        size_t keepers;
        bool again;
        unsigned most;
        double total;
        unsigned orders;
        double repeats;
    } rows[] = {
        /* five passes and 5 s; an order starts for 0.3 s; four calls of each test are for it */
        {"a suite of 100 ms", 10 * MS, 0, 0, true, 5, 5.5 * S, 5, 5.5 * S - 200 * MS - 1.6 * S},
        {"a suite of 1 s", 100 * MS, 0, 0, true, 5, 10 * S, 3, 8 * S - 2.6 * S},
        {"a suite of 2.5 s", 250 * MS, 0, 0, false, 5, 17.5 * S, 2, 15 * S - 2.8 * S},
        {"a suite of 2.5 s in which three keep something", 250 * MS, 0, 3, false, 5, 17.5 * S, 1,
         15 * S},
        {"a suite of 2.5 s in which all do", 250 * MS, 0, 10, false, 5, 17.5 * S, 1, 15 * S},
        {"a suite of 10 s", 1 * S, 0, 0, false, 5, 55 * S, 1, 45 * S},
        {"a suite of 10 s that may take two minutes", 1 * S, 120 * S, 0, true, 5, 120 * S, 4,
         100 * S - 30.9 * S},
        {"no more than 40 % are for orders", 100 * MS, 100 * S, 0, true, 99, 100 * S, 31,
         98 * S - 30 * 1.3 * S},
        {"orders that take all of the 40 %", 70 * MS, 10 * S, 0, false, 99, 10 * S, 5, 5.3 * S},
        {"orders that would take 1 ns more than that", 70 * MS, 10 * S - 2.5, 0, false, 99,
         10 * S - 2.5, 4, 6.3 * S - 2.5},
        {"a quick hunt", 10 * MS, 0, 0, false, 1, 5.5 * S, 1, 5.4 * S},
        {"a wish that one pass uses up", 1 * S, 10 * S, 0, false, 5, 10 * S, 1, 0},
        {"a wish that is less than that", 1 * S, 1, 0, false, 5, 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct budget_test tests[TESTS + 1];
        tests_set(tests, rows[i].call, rows[i].keepers);
        struct budget budget = budget_plan(TESTS * rows[i].call, rows[i].again,
                                           wish_of(rows[i].wish), tests, TESTS, rows[i].most);
        ck_assert_msg(fabs(budget.total - rows[i].total) < 0.5 && budget.orders == rows[i].orders &&
                          fabs(budget.repeats - rows[i].repeats) < 1 &&
                          budget.again == rows[i].again,
                      "%s: total %g, %u orders, repeats %g", rows[i].name, budget.total,
                      budget.orders, budget.repeats);
        ck_assert(budget.pass == TESTS * rows[i].call);
        ck_assert_double_eq(budget.most, 8 * budget.total);
    }
}
END_TEST

START_TEST(cheap_tests_are_called_often_however_many_there_are)
{
    enum { MANY = 10000 };
    static struct budget_test tests[MANY + 1]; /* the last does not belong to them */
    for (size_t i = 0; i <= MANY; i++) {
        tests[i] = (struct budget_test){.call_ns = 2000, .repeated = true};
    }
    /* 1,024 calls of 2 us and 0.5 ms of asking each, and one pass, are six tenths of it */
    struct budget budget = budget_plan(200 * MS, true, wish_of(0), tests, MANY, 5);
    ck_assert_double_eq_tol(budget.total, (200 * MS + MANY * 2.548 * MS) / 0.6, 1);
    ck_assert_double_eq(budget.floors, 1);
    /* of that, 5 ms are for each that is still, though 1,024 calls take less */
    struct budget spent = budget;
    spent.repeats = spent.least = 0;
    ck_assert_double_eq(budget_still(&spent, &tests[0]), 5 * MS);
    /* those that are not repeated take nothing */
    for (size_t i = 0; i < MANY; i += 2) {
        tests[i].repeated = false;
    }
    spent = budget_plan(200 * MS, true, wish_of(0), tests, MANY, 5);
    ck_assert_double_eq_tol(spent.total, (200 * MS + MANY / 2.0 * 2.548 * MS) / 0.6, 1);
    for (size_t i = 0; i < MANY; i += 2) {
        tests[i].repeated = true;
    }
    /* of a wish they get what there is, all alike */
    budget = budget_plan(200 * MS, true, wish_of(2 * S), tests, MANY, 1);
    ck_assert_double_eq(budget.total, 2 * S);
    ck_assert_double_eq_tol(budget.floors, 1.6 * S / (MANY * 2.548 * MS), 1e-9);
    ck_assert_double_eq_tol(budget_still(&budget, &tests[0]),
                            8000 + (1.6 * S - MANY * 8000.0) / MANY, 1);
    budget.repeats = budget.least = 0;
    ck_assert_double_eq_tol(budget_still(&budget, &tests[0]), budget.floors * 2.048 * MS, 1e-3);
    ck_assert_double_eq_tol(budget_moved(&budget, &tests[0]), budget.floors * 10 * MS, 1e-3);
    budget.repeats = 1;
    ck_assert_double_eq_tol(budget_moved(&budget, &tests[0]), budget.floors * 100 * MS, 1e-3);
    /* one that keeps something is given the time to say what */
    tests[0].keeps = true;
    struct budget keeper = budget_plan(200 * MS, true, wish_of(0), tests, MANY, 5);
    ck_assert_double_eq_tol(keeper.total, (200 * MS + MANY * 2.548 * MS + 30 * MS) / 0.6, 1);
    /* and what is dearer than 5 ms in 1,024 calls is not cheap */
    for (size_t i = 0; i < MANY; i++) {
        tests[i].call_ns = 10000;
        tests[i].keeps = false;
    }
    budget = budget_plan(200 * MS, true, wish_of(0), tests, MANY, 5);
    ck_assert_double_eq_tol(budget.total, (200 * MS + MANY * 5.5 * MS) / 0.6, 1);
}
END_TEST

START_TEST(the_dearest_are_left_when_not_all_fit)
{
    struct budget_test tests[] = {{.call_ns = 1 * S, .repeated = true},
                                  {.call_ns = 3 * S, .repeated = true},
                                  {.call_ns = 9 * S},
                                  {.call_ns = 2 * S, .repeated = true},
                                  {.call_ns = 3 * S, .repeated = true},
                                  {.call_ns = 1 * MS, .repeated = true}}; /* not one of them */
    static const struct {
        double wish;
        size_t repeated;
        bool dear[5];
        double least;
    } rows[] = {
        {45 * S, 4, {false, false, false, false, false}, 36 * S},
        {44.9 * S, 2, {false, true, false, false, true}, 12 * S},
        {21 * S, 2, {false, true, false, false, true}, 12 * S},
        {20.9 * S, 1, {false, true, false, true, true}, 4 * S},
        {13 * S, 1, {false, true, false, true, true}, 4 * S},
        {12.9 * S, 0, {true, true, false, true, true}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct budget budget = budget_plan(9 * S, false, wish_of(rows[i].wish), tests, 5, 1);
        ck_assert_msg(budget.tests == rows[i].repeated && budget.least == rows[i].least,
                      "row %zu: %zu tests, least %g", i, budget.tests, budget.least);
        for (size_t k = 0; k < 5; k++) {
            ck_assert_msg(tests[k].dear == rows[i].dear[k], "row %zu, test %zu", i, k);
        }
    }
}
END_TEST

START_TEST(what_one_test_may_take_is_its_least_and_its_part_of_the_rest)
{
    const struct budget_test test = {.call_ns = 1 * S, .repeated = true},
                             keeper = {.call_ns = 1 * S, .repeated = true, .keeps = true};
    static const struct {
        double repeats, least, keepers;
        size_t tests;
        double still, moved, keeper;
    } rows[] = {
        {1000 * S, 0, 0, 100, 14 * S, 104 * S, 110 * S}, /* a tenth is more than 4 times 10 s */
        {1000 * S, 0, 0, 20, 54 * S, 204 * S, 210 * S},
        {1000 * S, 0, 0, 4, 254 * S, 1004 * S, 1004 * S},
        {1000 * S, 0, 0, 1, 1004 * S, 1004 * S, 1004 * S},
        {1000 * S, 400 * S, 500 * S, 100, 5 * S, 14 * S, 20 * S},
        {1000 * S, 400 * S, 600 * S, 100, 4 * S, 4 * S, 10 * S},
        {1000 * S, 997 * S, 100 * S, 100, 4 * S, 4 * S, 7 * S}, /* no more than there is */
        {0, 0, 0, 5, 4 * S, 4 * S, 4 * S},
        {1000 * S, 0, 0, 0, 4 * S, 104 * S, 110 * S},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct budget budget = {.repeats = rows[i].repeats,
                                .least = rows[i].least,
                                .keepers = rows[i].keepers,
                                .tests = rows[i].tests};
        double still = budget_still(&budget, &test), moved = budget_moved(&budget, &test),
               kept = budget_moved(&budget, &keeper);
        ck_assert_msg(fabs(still - rows[i].still) < 1e-3 && fabs(moved - rows[i].moved) < 1e-3 &&
                          fabs(kept - rows[i].keeper) < 1e-3,
                      "row %zu: %g, %g, %g", i, still, moved, kept);
    }
    ck_assert_double_eq(budget_least(&test), 4 * S);
    ck_assert_double_eq(budget_keeper(&test), 0);
    ck_assert_double_eq(budget_keeper(&keeper), 6 * S);
}
END_TEST

START_TEST(a_plan_without_tests_is_one_pass)
{
    struct budget budget = budget_plan(0, false, wish_of(0), NULL, 0, 1);
    ck_assert_double_eq(budget.total, 5 * S);
    ck_assert_double_eq(budget.floors, 1);
    ck_assert_uint_eq(budget.orders, 1);
    ck_assert_uint_eq(budget.tests, 0);
    budget = budget_plan(1, false, wish_of(1), NULL, 0, 5); /* nothing is left of it */
    ck_assert_double_eq(budget.repeats, 0);
    ck_assert_double_eq(budget.floors, 1);
}
END_TEST

START_TEST(a_second_pass_follows_when_it_is_a_tenth_of_the_hunt)
{
    ck_assert_double_eq(budget_again_most(wish_of(0)), 1 * S); /* of 5 * 1 s + 5 s */
    ck_assert_double_eq(budget_again_most(wish_of(60 * S)), 6 * S);
    ck_assert_double_eq(budget_again_most(wish_of(1)), 0.1);
    struct budget_wish part = {.beside = 0.5 * S}; /* of one program of ten */
    ck_assert_double_eq(budget_again_most(part), 0.1 * S);
    struct budget_test tests[TESTS + 1];
    tests_set(tests, 10 * MS, 0);
    struct budget budget = budget_plan(TESTS * 10 * MS, false, part, tests, TESTS, 1);
    ck_assert_double_eq(budget.total, 1 * S); /* five passes of 0.1 s, and that part */
}
END_TEST

SUITE("budget", &a_plan_is_made_from_one_pass_and_the_wish,
      &cheap_tests_are_called_often_however_many_there_are, &the_dearest_are_left_when_not_all_fit,
      &what_one_test_may_take_is_its_least_and_its_part_of_the_rest,
      &a_plan_without_tests_is_one_pass, &a_second_pass_follows_when_it_is_a_tenth_of_the_hunt)
