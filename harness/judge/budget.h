/*
 * budget.h - how the time of a hunt is spent: decided before it is spent, from what one pass over
 * the suite took, so that the load of the machine and the order of the tests decide nothing. Pure.
 * All times in ns, and all but `most` without what was waited for a processor.
 */
#ifndef JUDGE_BUDGET_H
#define JUDGE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* What the user allows. */
struct budget_wish {
    double total;  /* of the whole hunt; 0: five passes, and what is `beside` them, or as much as it
                      takes to call all tests often that are cheap */
    double beside; /* BUDGET_BESIDE, or the part of it for one of many programs */
};
#define BUDGET_BESIDE 5e9 /* a short suite is worth a few seconds */

struct budget_test {
    double call_ns; /* what it took in the pass in order */
    bool repeated;  /* false: it has a result already, or belongs to somebody else */
    bool keeps;     /* it left something in that pass: it will be called more often */
    bool dear;      /* its least calls do not fit into the budget: it is not repeated either */
};

struct budget {
    double total;    /* of the whole hunt, the first pass included */
    double most;     /* wall time, whatever the machine is busy with */
    double pass;     /* what one pass over the suite takes */
    double repeats;  /* for repeating tests: not spent yet */
    double least;    /* of it: what the tests that are not repeated yet take at least */
    double keepers;  /* of it: what those of them that left something take besides */
    double floors;   /* which part of what cheap tests may take whatever their share is, 0 to 1 */
    size_t tests;    /* that are not repeated yet */
    unsigned orders; /* passes in all that the suite is judged by */
    bool again;      /* the first pass was followed by a second in the same process */
};

/* The first pass is followed by a second one in the same process if it took no more than this. */
double budget_again_most(struct budget_wish wish);

/* `pass`: what the first pass took, without the second (`again`); `orders`: most passes over the
 * suite. Says which of the `count` tests are too dear: the dearest, as many as it takes. */
struct budget budget_plan(double pass, bool again, struct budget_wish wish,
                          struct budget_test *tests, size_t count, unsigned orders);

/* What this test takes at least, and besides if it left something. */
double budget_least(const struct budget_test *test);
double budget_keeper(const struct budget_test *test);

/* What this test, which is the next, may take as long as nothing moves, and once something has. */
double budget_still(const struct budget *budget, const struct budget_test *test);
double budget_moved(const struct budget *budget, const struct budget_test *test);

#endif
