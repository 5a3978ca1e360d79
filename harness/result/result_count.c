/* result_count.c - what passed and what failed, by one rule for terminal, exit status, JUnit and
 * all other reports. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/result/result_index.h"
#include "harness/result/result_memcheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const result_fail_on_words[] = {
#define FAIL_ON(NAME, word, by_default) #word,
#include "harness/result/fail_on.def"
#undef FAIL_ON
    NULL,
};

static const unsigned fail_on_default = 0
#define FAIL_ON(NAME, word, by_default) | (by_default ? 1u << FAIL_ON_##NAME : 0)
#include "harness/result/fail_on.def"
#undef FAIL_ON
    ;

bool result_fail_on_parse(const char *text, unsigned *bits, const char **bad)
{
    *bits = 0;
    for (;;) {
        size_t length = strcspn(text, ","), word = 0;
        while (word < FAIL_ON_COUNT && (strlen(result_fail_on_words[word]) != length ||
                                        memcmp(result_fail_on_words[word], text, length) != 0)) {
            word++;
        }
        if (word == FAIL_ON_COUNT) {
            *bad = text;
            return false;
        }
        *bits |= 1u << word;
        if (!text[length]) {
            return true;
        }
        text += length + 1;
    }
}

static bool fails_on(const struct result *result, enum result_fail_on what)
{
    return ((result->fail_on ? result->fail_on : fail_on_default) >> what & 1) != 0;
}

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

bool result_is_hunt(const struct result *result)
{
    return strcmp(result->command, "hunt") == 0;
}

bool result_verdict_bad(enum result_verdict verdict)
{
    return verdict == VERDICT_LEAK || verdict == VERDICT_GROWTH || verdict == VERDICT_ACCUMULATES;
}

static bool verdict_fails(const struct result *result, enum result_verdict verdict)
{
    switch (verdict) {
    case VERDICT_LEAK:
        return fails_on(result, FAIL_ON_LEAK);
    case VERDICT_GROWTH:
        return fails_on(result, FAIL_ON_GROWTH);
    case VERDICT_ACCUMULATES:
        return fails_on(result, FAIL_ON_ACCUMULATES);
    case VERDICT_NONE:
    case VERDICT_INCONCLUSIVE:
        return fails_on(result, FAIL_ON_UNJUDGED);
    case VERDICT_CLEAN:
    case VERDICT_SATURATING:
    case VERDICT_COUNT:
        break;
    }
    return false;
}

/* Descriptors and threads stay, and no memory does. */
static bool only_counted(const struct result_test *test)
{
    return (test->fds != 0 || test->threads != 0 || test->children_left != 0) &&
           (isnan(test->growth_bytes_per_rep) || test->growth_bytes_per_rep == 0);
}

bool result_test_failed(const struct result *result, const struct result_test *test)
{
    if (test->status == RESULT_SKIP) {
        return false;
    }
    if (test->status == RESULT_FLAKY) { /* it passed, too */
        return fails_on(result, FAIL_ON_FLAKY);
    }
    if (test->status != RESULT_PASS) {
        return !failure_expected(result, test->variant);
    }
    if (result_memcheck_bad(test->memcheck)) {
        return true;
    }
    /* What a variant of a scenario does with memory is for `expect:` to judge. */
    if (!result_is_hunt(result)) {
        return false;
    }
    bool accused = test->verdict == VERDICT_LEAK || test->verdict == VERDICT_GROWTH;
    return (test->order != ORDER_FREE && fails_on(result, FAIL_ON_FLAKY)) ||
           (accused && only_counted(test) ? fails_on(result, FAIL_ON_FD)
                                          : verdict_fails(result, test->verdict));
}

static enum result_outcome verdict_outcome(const struct result *result, enum result_verdict verdict)
{
    return verdict_fails(result, verdict)                               ? OUTCOME_FAILED
           : verdict == VERDICT_NONE || verdict == VERDICT_INCONCLUSIVE ? OUTCOME_SKIPPED
                                                                        : OUTCOME_PASSED;
}

enum result_outcome result_test_outcome(const struct result *result, const struct result_test *test)
{
    if (test->status == RESULT_SKIP) {
        return OUTCOME_SKIPPED;
    }
    if (result_test_failed(result, test)) {
        return OUTCOME_FAILED;
    }
    if (test->status == RESULT_FLAKY) {
        return OUTCOME_SKIPPED;
    }
    bool judged = test->verdict != VERDICT_NONE && test->verdict != VERDICT_INCONCLUSIVE;
    return result_is_hunt(result) && test->status == RESULT_PASS && !judged ? OUTCOME_SKIPPED
                                                                            : OUTCOME_PASSED;
}

/* Under hunt, too, what the verdict of a suite should be may be said (.tidemark.yaml): whether it
 * came so is for that expectation to say, once. */
static bool verdict_expected(const struct result *result, const char *variant)
{
    for (size_t i = 0; i < result->expect_count; i++) {
        const struct result_expect *expect = &result->expects[i];
        if (strcmp(expect->variant, variant) == 0 && strcmp(expect->metric, "verdict") == 0) {
            return true;
        }
    }
    return false;
}

bool result_suite_counts(const struct result *result, const struct result_variant *variant)
{
    bool judged = variant->verdict != VERDICT_NONE && variant->verdict != VERDICT_INCONCLUSIVE;
    return result->test_count > 0 &&
           (result_is_hunt(result) || (!judged && !verdict_expected(result, variant->name)));
}

bool result_suite_judged(const struct result *result, const struct result_variant *variant)
{
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (test->status == RESULT_PASS && test->verdict != VERDICT_NONE &&
            test->verdict != VERDICT_INCONCLUSIVE && strcmp(test->variant, variant->name) == 0) {
            return true;
        }
    }
    return false;
}

/* What the tests of a suite of which none was judged keep may not have been seen at all. */
enum result_outcome result_suite_outcome(const struct result *result,
                                         const struct result_variant *variant)
{
    enum result_outcome outcome = verdict_outcome(result, variant->verdict);
    if (verdict_expected(result, variant->name)) {
        return OUTCOME_PASSED;
    }
    return outcome == OUTCOME_PASSED && !result_suite_judged(result, variant) ? OUTCOME_SKIPPED
                                                                              : outcome;
}

void result_count(struct result *result)
{
    size_t count[OUTCOME_SKIPPED + 1] = {0};
    for (size_t i = 0; i < result->test_count; i++) {
        count[result_test_outcome(result, &result->tests[i])]++;
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (result_suite_counts(result, variant)) {
            count[result_suite_outcome(result, variant)]++;
        }
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        count[result_expect_broken(&result->expects[i]) ? OUTCOME_FAILED : OUTCOME_PASSED]++;
    }
    result->passed = count[OUTCOME_PASSED];
    result->failed = count[OUTCOME_FAILED];
    result->skipped = count[OUTCOME_SKIPPED];
}

/* A scenario without expectations is run for the verdicts of its variants: tests that pass while
 * none of them has one have measured nothing. */
static bool variants_unjudged(const struct result *result)
{
    bool judged = result_is_hunt(result) || result->expect_count > 0 || result->variant_count == 0;
    for (size_t i = 0; i < result->variant_count && !judged; i++) {
        judged = result->variants[i].verdict != VERDICT_NONE &&
                 result->variants[i].verdict != VERDICT_INCONCLUSIVE;
    }
    return !judged;
}

struct program {
    const char *name; /* borrowed */
    bool judged;
};

static bool program_same(const void *context, uint64_t value, const char *name, const char *none)
{
    const struct program *programs = context;
    (void)none;
    return strcmp(programs[value].name, name) == 0;
}

size_t result_programs(const struct result *result, size_t *judged)
{
    struct program *programs = NULL;
    struct result_index index = {0};
    size_t count = 0, room = 0;
    *judged = 0;
    for (size_t i = 0; i < result->test_count && result_is_hunt(result); i++) {
        const struct result_test *test = &result->tests[i];
        bool fresh = false;
        if (test->variant[0] == '\0') {
            continue;
        }
        memory_grow(&programs, &room, count + 1, sizeof *programs);
        uint64_t at =
            result_index_add(&index, test->variant, "", count, program_same, programs, &fresh);
        if (fresh) {
            programs[count++] = (struct program){.name = test->variant};
        }
        bool open = result_test_outcome(result, test) == OUTCOME_SKIPPED;
        *judged += !open && !programs[at].judged;
        programs[at].judged = programs[at].judged || !open;
    }
    result_index_fini(&index);
    free(programs);
    return count;
}

/* What is not judged is not passed: most of a project cannot be left out, and the whole be green.
 */
static bool programs_unjudged(const struct result *result)
{
    size_t judged, programs = result_programs(result, &judged);
    return 2 * judged < programs;
}

enum result_end result_end(const struct result *result)
{
    struct result counted = *result; /* borrowed */
    result_count(&counted);
    bool open = counted.passed == 0 || variants_unjudged(result) || programs_unjudged(result);
    return result->incomplete > 0 ? END_INCOMPLETE
           : counted.failed > 0   ? END_BROKEN
           : open                 ? END_NOTHING
                                  : END_MET;
}

bool result_nothing_judged(const struct result *result)
{
    return result_end(result) == END_NOTHING;
}
