/*
 * budget.h - how the time of a hunt is spent: decided before it is spent, from what one pass over
 * the suite took, so that the load of the machine and the order of the tests decide nothing. Pure.
 * All times in ns.
 */
#ifndef JUDGE_BUDGET_H
#define JUDGE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    double total;    /* of the whole hunt, the first pass included */
    double pass;     /* what one pass over the suite takes */
    double repeats;  /* for repeating tests: not spent yet */
    size_t tests;    /* that are not repeated yet */
    unsigned orders; /* passes in all that the suite is judged by */
    bool again;      /* whether the first pass is followed by a second in the same process */
};

/* `wish`: what the user allows; 0: five passes and 5 s. `tests`: how many are to be repeated;
 * `orders`: most passes over the suite. */
struct budget budget_plan(double pass, double wish, size_t tests, unsigned orders);

/* What the next test may take as long as nothing moves, and once something has moved. */
double budget_still(const struct budget *budget);
double budget_moved(const struct budget *budget);

/* A test has been repeated, which took so much. */
void budget_spend(struct budget *budget, double spent);

#endif
