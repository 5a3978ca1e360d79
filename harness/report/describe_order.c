/* describe_order.c - sentences about tests that hang on each other: victims and polluters.
 * Supervisor only. */
#include "harness/base/unit.h"
#include "harness/report/describe.h"

#include <inttypes.h>
#include <string.h>

static void victim_put(struct text *text, const struct result_test *test)
{
    bool needs = test->order == ORDER_NEEDS;
    text_put(text, test->id);
    if (needs) {
        text_put(text, " fails without the tests before it");
    } else {
        text_format(text, " passes by itself and fails after %s",
                    test->order_by[0] ? test->order_by : "several tests together");
    }
    if (test->order_message[0]) {
        text_format(text, " (%s)", test->order_message);
    }
    if (needs) {
        text_format(text, ": it needs what %s leaves behind",
                    test->order_by[0] ? test->order_by : "several of them together");
    } else {
        text_format(text, ": %s behind, this one pays for it",
                    test->order_by[0] ? "that one leaves state" : "they leave state");
    }
}

void describe_flaky(struct text *text, const struct result_test *test)
{
    text_put(text, "passes in one order of the tests and fails in another");
    if (test->order_by[0]) {
        text_format(text, ": %s %s", test->order == ORDER_NEEDS ? "without" : "after",
                    test->order_by);
    }
    if (test->order_message[0]) {
        text_format(text, " (%s)", test->order_message);
    }
}

static bool unexplained_put(struct text *text, const struct result *result)
{
    size_t count = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        count += result->tests[i].order == ORDER_UNEXPLAINED;
    }
    if (count > 0) {
        text_format(text, "%zu more test%s in another order (--seed %" PRIu64 ")", count,
                    count == 1 ? " fails" : "s fail", result->seed);
    }
    return count > 0;
}

static bool leavers_put(struct text *text, const struct result *result, const char *variant)
{
    const struct result_test *most = NULL;
    char size[UNIT_TEXT_BYTES];
    size_t tests = 0, leavers = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (test->left_bytes == RESULT_UNMEASURED || strcmp(test->variant, variant) != 0) {
            continue;
        }
        tests++;
        leavers += test->left_bytes > 0;
        most = !most || test->left_bytes > most->left_bytes ? test : most;
    }
    if (leavers > 0) {
        text_format(text, "what stays was left behind by %zu of %zu tests, the most by %s: %s",
                    leavers, tests, most->id, unit_bytes(size, (double)most->left_bytes));
    }
    return leavers > 0;
}

/* *next runs over the tests, then once for those without a cause, then over the variants. */
bool describe_order_next(struct text *text, const struct result *result, size_t *next)
{
    size_t tests = result->test_count;
    size_t variants = result->variant_count ? result->variant_count : 1;
    while (*next <= tests + variants) {
        size_t at = (*next)++;
        if (at < tests) {
            const struct result_test *test = &result->tests[at];
            if (test->order == ORDER_POLLUTED || test->order == ORDER_NEEDS) {
                victim_put(text, test);
                return true;
            }
        } else if (at == tests) {
            if (unexplained_put(text, result)) {
                return true;
            }
        } else {
            const char *variant =
                result->variant_count ? result->variants[at - tests - 1].name : "";
            if (leavers_put(text, result, variant)) {
                return true;
            }
        }
    }
    return false;
}
