/* spending.c - see spending.h. */
#include "harness/campaign/spending.h"

#include "harness/base/memory.h"
#include "harness/base/monotonic.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

struct budget_wish spending_wish(const struct plan *plan)
{
    return (struct budget_wish){.total = (double)plan->budget_ns,
                                .beside =
                                    plan->slack_ns > 0 ? (double)plan->slack_ns : BUDGET_BESIDE};
}

void spending_init(struct spending *spending, const struct budget *plan, struct budget_test *tests,
                   size_t test_count, double begun_wall)
{
    *spending = (struct spending){
        .plan = *plan, .tests = tests, .test_count = test_count, .begun_wall = begun_wall};
    spending->left = mmap(NULL, sizeof *spending->left, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (spending->left == MAP_FAILED) {
        memory_die();
    }
    atomic_store(&spending->left->repeats, (int64_t)plan->repeats);
    atomic_store(&spending->left->least, (int64_t)plan->least);
    atomic_store(&spending->left->keepers, (int64_t)plan->keepers);
    atomic_store(&spending->left->tests, (uint32_t)plan->tests);
}

void spending_fini(struct spending *spending)
{
    munmap(spending->left, sizeof *spending->left);
    spending->left = NULL;
}

struct budget spending_budget(const struct spending *spending)
{
    const struct spending_left *left = spending->left;
    struct budget budget = spending->plan;
    budget.repeats = fmax((double)atomic_load(&left->repeats), 0);
    budget.least = fmax((double)atomic_load(&left->least), 0);
    budget.keepers = fmax((double)atomic_load(&left->keepers), 0);
    budget.tests = atomic_load(&left->tests);
    return budget;
}

const struct budget_test *spending_test(const struct spending *spending, uint32_t number)
{
    static const struct budget_test unknown;
    return number < spending->test_count ? &spending->tests[number] : &unknown;
}

void spending_take(struct spending *spending, uint32_t number, double spent)
{
    const struct budget_test *test = spending_test(spending, number);
    atomic_fetch_sub(&spending->left->repeats, (int64_t)spent);
    if (!test->repeated) {
        return;
    }
    atomic_fetch_sub(&spending->left->least, (int64_t)budget_least(test));
    atomic_fetch_sub(&spending->left->keepers, (int64_t)budget_keeper(test));
    atomic_fetch_sub(&spending->left->tests, 1);
}

void spending_leave(struct spending *spending, uint32_t number)
{
    struct spending_left *left = spending->left;
    double cost = spending_test(spending, number)->call_ns;
    uint32_t dearest = atomic_load(&left->dearest);
    while ((dearest == 0 || cost > spending_test(spending, dearest - 1)->call_ns) &&
           !atomic_compare_exchange_weak(&left->dearest, &dearest, number + 1)) {
    }
    atomic_fetch_add(&left->left, 1);
}

size_t spending_left(const struct spending *spending, uint32_t *dearest)
{
    uint32_t number = atomic_load(&spending->left->dearest);
    *dearest = number > 0 ? number - 1 : 0;
    return atomic_load(&spending->left->left);
}

bool spending_is_over(const struct spending *spending)
{
    return (double)monotonic_ns() - spending->begun_wall > spending->plan.most;
}
