/*
 * spending.h - the budget of a hunt while it is spent, by one supervisor or by several side by side
 * (jobs.h): what is left is in memory that they share. Supervisor only.
 */
#ifndef CAMPAIGN_SPENDING_H
#define CAMPAIGN_SPENDING_H

#include "harness/judge/budget.h"
#include "harness/plan/plan.h"

#include <stdatomic.h>
#include <stdint.h>

struct spending {
    struct budget plan; /* as it was made, and not changed thereafter */
    struct budget_test *tests;
    size_t test_count;
    double begun_wall; /* ns of the machine's clock */
    struct spending_left {
        _Atomic int64_t repeats, least, keepers; /* ns: see struct budget */
        _Atomic uint32_t tests;
        _Atomic uint32_t left, dearest; /* tests that were not repeated; 1 + the dearest of them */
    } * left;
};

/* What the user allows. */
struct budget_wish spending_wish(const struct plan *plan);

/* Takes the plan and the tests, which the caller has filled by budget_plan; `tests` is borrowed.
 * `begun_wall`: when the hunt began, by monotonic_ns. */
void spending_init(struct spending *spending, const struct budget *plan, struct budget_test *tests,
                   size_t test_count, double begun_wall);
void spending_fini(struct spending *spending);

/* What is left now, for budget_still and budget_moved. */
struct budget spending_budget(const struct spending *spending);

/* What is known of the test; of one that the pass in order did not come to, nothing. */
const struct budget_test *spending_test(const struct spending *spending, uint32_t test);

/* The test took so much. */
void spending_take(struct spending *spending, uint32_t test, double spent);

/* The test is not repeated. How many were not, and which of them is the dearest. */
void spending_leave(struct spending *spending, uint32_t test);
size_t spending_left(const struct spending *spending, uint32_t *dearest);

/* Has the hunt taken all of the machine's time that it may? */
bool spending_is_over(const struct spending *spending);

#endif
