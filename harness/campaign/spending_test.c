/* spending_test.c - what is left of a budget while several processes spend it. */
#include "harness/campaign/spending.h"

#include "harness/base/monotonic.h"
#include "harness/base/suite.h"

#include <sys/wait.h>
#include <unistd.h>

static struct budget_test tests[] = {{.call_ns = 10, .repeated = true},
                                     {.call_ns = 30, .repeated = true, .keeps = true},
                                     {.call_ns = 20}};

static void spending_make(struct spending *spending)
{
    struct budget plan = {
        .repeats = 1000, .least = 160, .keepers = 180, .tests = 2, .most = 1e9, .floors = 1};
    spending_init(spending, &plan, tests, 3, (double)monotonic_ns());
}

START_TEST(what_a_test_took_is_no_longer_there)
{
    struct spending spending;
    spending_make(&spending);
    spending_take(&spending, 1, 400);
    struct budget left = spending_budget(&spending);
    ck_assert(left.repeats == 600 && left.least == 40 && left.keepers == 0 && left.tests == 1);
    spending_take(&spending, 2, 100); /* was not to be repeated, but was */
    spending_take(&spending, 7, 100); /* nobody knew of it */
    left = spending_budget(&spending);
    ck_assert(left.repeats == 400 && left.least == 40 && left.tests == 1);
    spending_take(&spending, 0, 4000);
    left = spending_budget(&spending);
    ck_assert(left.repeats == 0 && left.least == 0 && left.tests == 0);
    ck_assert(left.floors == 1 && left.most == 1e9);
    spending_fini(&spending);
}
END_TEST

START_TEST(several_processes_spend_the_same)
{
    struct spending spending;
    spending_make(&spending);
    for (uint32_t i = 0; i < 2; i++) {
        if (fork() == 0) {
            spending_take(&spending, i, 300);
            spending_leave(&spending, i);
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    struct budget left = spending_budget(&spending);
    ck_assert(left.repeats == 400 && left.least == 0 && left.keepers == 0 && left.tests == 0);
    uint32_t dearest = 99;
    ck_assert_uint_eq(spending_left(&spending, &dearest), 2);
    ck_assert_uint_eq(dearest, 1);
    spending_fini(&spending);
}
END_TEST

START_TEST(the_clock_of_the_wall_ends_it)
{
    struct spending spending;
    uint32_t dearest = 99;
    spending_make(&spending);
    ck_assert(!spending_is_over(&spending));
    ck_assert_uint_eq(spending_left(&spending, &dearest), 0);
    ck_assert_uint_eq(dearest, 0);
    spending.begun_wall -= 1.1e9;
    ck_assert(spending_is_over(&spending));
    spending_fini(&spending);
}
END_TEST

SUITE("spending", &what_a_test_took_is_no_longer_there, &several_processes_spend_the_same,
      &the_clock_of_the_wall_ends_it)
