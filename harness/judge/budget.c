/* budget.c - see budget.h. */
#include "harness/judge/budget.h"

#include "harness/base/memory.h"
#include "harness/judge/threshold.h"

#include <math.h>
#include <stdlib.h>

#define PASSES       5.0
#define BUSY         8.0 /* times as long on a busy machine, and no longer */
#define SUITE_PART   0.4 /* of the total, at most, for the orders of the suite */
#define AGAIN_PART   0.1 /* of the total, for the second pass in the same process */
#define ORDER_STARTS 3e8 /* what an order takes beside its tests: a process, names of places */
#define LEAST_CALLS  4.0 /* of a test: the warm-up and one more */
#define KEEPER_CALLS                                                                               \
    6.0 /* besides, of one that keeps something: until it is known to lose it, and where */
/* What is cheap is called often, whatever the share of one test is: else it would hang on the
 * number and the order of the tests what they are called. Of a wish that has no room for it, a
 * part. */
#define STILL_NS  5e6   /* as long as nothing moves */
#define MOVED_NS  100e6 /* and once something has ... */
#define SPENT_NS  10e6  /* ... or so much when all has been spent */
#define ASKING_NS 5e5   /* what questions take beside the calls */
#define KEEPER_NS                                                                                  \
    30e6                /* what a cheap test takes that keeps something, and to say what and where \
                         */
#define MOVED_TIMES 4.0 /* most tests are still: one that moves may take what they leave */
#define MOVED_PART  0.1 /* or so much of all that is left, if that is more */

/* What a test takes if it is cheap. */
static double cheap_ns(const struct budget_test *test)
{
    double still = fmin(threshold(CLEAN_CALLS) * test->call_ns, STILL_NS);
    return still + ASKING_NS + (test->keeps ? KEEPER_NS : 0);
}

static double total_of(double pass, struct budget_wish wish, double cheap)
{
    return wish.total > 0 ? wish.total
                          : fmax(PASSES * pass + wish.beside, (pass + cheap) / (1 - SUITE_PART));
}

double budget_again_most(struct budget_wish wish)
{
    /* of pass = part * total(pass), for the pass */
    return wish.total > 0 ? AGAIN_PART * wish.total
                          : AGAIN_PART * wish.beside / (1 - AGAIN_PART * PASSES);
}

double budget_least(const struct budget_test *test)
{
    return LEAST_CALLS * test->call_ns;
}

double budget_keeper(const struct budget_test *test)
{
    return test->keeps ? KEEPER_CALLS * test->call_ns : 0;
}

static int compare_costs(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The cost below which all fit into `room` together. */
static double affordable_cost(const struct budget_test *tests, size_t count, double room)
{
    double *costs = memory_new(count, sizeof *costs), most = INFINITY, sum = 0;
    size_t repeated = 0;
    for (size_t i = 0; i < count; i++) {
        if (tests[i].repeated) {
            costs[repeated++] = budget_least(&tests[i]);
        }
    }
    qsort(costs, repeated, sizeof *costs, compare_costs);
    for (size_t i = 0; i < repeated && most == INFINITY; i++) {
        sum += costs[i];
        if (sum > room) {
            most = costs[i];
        }
    }
    free(costs);
    return most;
}

struct budget budget_plan(double pass, bool again, struct budget_wish wish,
                          struct budget_test *tests, size_t count, unsigned orders)
{
    double cheap = 0;
    for (size_t i = 0; i < count; i++) {
        cheap += tests[i].repeated ? cheap_ns(&tests[i]) : 0;
    }
    struct budget budget = {.pass = pass, .again = again, .total = total_of(pass, wish, cheap)};
    budget.most = BUSY * budget.total;
    double left = fmax(budget.total - pass * (again ? 2 : 1), 0);
    double affordable = affordable_cost(tests, count, left);
    for (size_t i = 0; i < count; i++) {
        tests[i].dear = tests[i].repeated && budget_least(&tests[i]) >= affordable;
        if (tests[i].repeated && !tests[i].dear) {
            budget.tests++;
            budget.least += budget_least(&tests[i]);
            budget.keepers += budget_keeper(&tests[i]);
        }
    }
    double suite = SUITE_PART * budget.total - (again ? pass : 0), each = pass + ORDER_STARTS;
    suite = fmax(fmin(suite, left - budget.least - budget.keepers), 0);
    unsigned shuffled = (unsigned)fmin(suite / each, orders - 1);
    budget.orders = 1 + shuffled;
    budget.repeats = left - each * shuffled;
    budget.floors = fmin(budget.repeats / cheap, 1); /* 1 where nothing is repeated */
    return budget;
}

/* What is left beside what tests take at least, those that keep something included. */
static double spare(const struct budget *budget)
{
    return fmax(budget->repeats - budget->least - budget->keepers, 0);
}

static double share(const struct budget *budget)
{
    return budget->tests > 0 ? spare(budget) / (double)budget->tests : 0;
}

double budget_still(const struct budget *budget, const struct budget_test *test)
{
    double cheap = fmin(threshold(CLEAN_CALLS) * test->call_ns, STILL_NS);
    double floor = budget->floors < 1 ? budget->floors * cheap : STILL_NS;
    return fmax(budget_least(test) + share(budget), floor);
}

double budget_moved(const struct budget *budget, const struct budget_test *test)
{
    double floor = budget->floors * (budget->repeats > 0 ? MOVED_NS : SPENT_NS);
    double part = fmax(MOVED_TIMES * share(budget), MOVED_PART * spare(budget));
    part = fmin(part, spare(budget)) + budget_keeper(test);
    part = fmin(part, fmax(budget->repeats - budget->least, 0));
    return fmax(budget_least(test) + part, floor);
}
