/* budget.c - see budget.h. */
#include "harness/judge/budget.h"

#include <math.h>

#define PASSES       5.0
#define FLAT         5e9 /* beside the passes: a short suite is worth a few seconds */
#define SUITE_PART   0.4 /* of the total, for the orders of the suite */
#define ORDER_STARTS 3e8 /* what an order takes beside its tests: a process, names of places */
#define MOVED_TIMES  4.0 /* most tests are still: one that moves may take what they leave */
#define MOVED_PART   0.1 /* or so much of all that is left, if that is more */
#define LEAST_ORDERS 2u

struct budget budget_plan(double pass, double wish, size_t tests, unsigned orders)
{
    struct budget budget = {.pass = pass, .tests = tests};
    budget.total = wish > 0 ? wish : PASSES * pass + FLAT;
    double suite = SUITE_PART * budget.total, each = pass + ORDER_STARTS;
    budget.again = suite >= pass;
    suite -= budget.again ? pass : 0;
    budget.orders = 1 + (unsigned)(suite / each);
    budget.orders = budget.orders < orders ? budget.orders : orders;
    if (budget.orders < LEAST_ORDERS && pass < budget.total / PASSES) {
        budget.orders = LEAST_ORDERS < orders ? LEAST_ORDERS : orders;
    }
    double spent = pass * (budget.again ? 2 : 1) + each * (budget.orders - 1);
    budget.repeats = fmax(budget.total - spent, 0);
    return budget;
}

double budget_still(const struct budget *budget)
{
    return budget->tests > 0 ? budget->repeats / (double)budget->tests : 0;
}

double budget_moved(const struct budget *budget)
{
    double times = MOVED_TIMES * budget_still(budget), part = MOVED_PART * budget->repeats;
    return fmin(fmax(times, part), budget->repeats);
}

void budget_spend(struct budget *budget, double spent)
{
    budget->repeats = fmax(budget->repeats - spent, 0);
    budget->tests -= budget->tests > 0;
}
