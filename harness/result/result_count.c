/* result_count.c - what passed and what failed, by one rule for terminal, exit status, JUnit and
 * all other reports. Supervisor only. */
#include "harness/result/result_memcheck.h"

#include <string.h>

/* The scenario says that this variant is to be stopped, or how many of its tests may fail. Whether
 * it came so is for that expectation to say, once. */
static bool failure_expected(const struct result *result, const char *variant)
{
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect *expect = &result->expects[i];
        if (strcmp(expect->variant, variant) == 0 &&
            (strcmp(expect->metric, "failed") == 0 ||
             (strcmp(expect->metric, "stopped_by") == 0 && strcmp(expect->limit, "none") != 0))) {
            return true;
        }
    }
    return false;
}

bool result_expect_broken(const struct result_expect *expect)
{
    return !expect->ok && strncmp(expect->limit, "warn ", 5) != 0;
}

const char *result_expect_name(const struct result_expect *expect)
{
    return expect->ok ? "ok" : result_expect_broken(expect) ? "broken" : "warn";
}

bool result_test_failed(const struct result *result, const struct result_test *test)
{
    if (test->status == RESULT_SKIP) {
        return false;
    }
    if (test->status != RESULT_PASS) {
        return !failure_expected(result, test->variant);
    }
    if (result_memcheck_bad(test->memcheck)) {
        return true;
    }
    /* What a variant of a scenario does with memory is for `expect:` to judge. */
    return strcmp(result->command, "hunt") == 0 &&
           (test->verdict == VERDICT_LEAK || test->verdict == VERDICT_GROWTH ||
            test->verdict == VERDICT_ACCUMULATES);
}

void result_count(struct result *result)
{
    result->passed = result->failed = result->skipped = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        if (result->tests[i].status == RESULT_SKIP) {
            result->skipped++;
        } else if (result_test_failed(result, &result->tests[i])) {
            result->failed++;
        } else {
            result->passed++;
        }
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        bool broken = result_expect_broken(&result->expects[i]);
        result->passed += !broken;
        result->failed += broken;
    }
}
