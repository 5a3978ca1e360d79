/* selection.c - see selection.h. Supervisor only. */
#include "harness/cli/selection.h"
#include "harness/base/memory.h"
#include "harness/result/result_merge.h"

#include <stdlib.h>
#include <string.h>

static void words_take(const struct command_line *line, const char *option,
                       struct plan_words *words)
{
    const char *word;
    for (size_t i = 0; (word = command_text_at(line, option, i)); i++) {
        plan_words_add(words, word);
    }
}

/* What a person looks at again: it failed, died, was accused, or could not be judged. */
static bool test_unclean(const struct result *result, const struct result_test *test)
{
    bool passed = result_test_outcome(result, test) == OUTCOME_PASSED;
    return (!passed && test->status != RESULT_SKIP) || test->order != ORDER_FREE;
}

/* Several tests together make a suite accumulate: all of them are wanted then. */
static bool suite_unclean(const struct result *result)
{
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *suite = &result->variants[i];
        if (result_suite_counts(result, suite) &&
            result_suite_outcome(result, suite) == OUTCOME_FAILED) {
            return true;
        }
    }
    return false;
}

/* A result that is incomplete does not name the tests that are missing: all are wanted but those
 * that it calls clean. */
static enum selection failed_take(const struct command_line *line, const char *path,
                                  struct plan_filter *filter, bool *all)
{
    struct result result;
    struct diag diag;
    result_init(&result);
    diag_init(&diag);
    result.births_unwanted = true;
    bool read = result_merge(&result, &path, 1, 1, &diag) != RESULT_MERGE_BAD;
    if (!read) {
        diag_print(&diag, stderr);
    } else if (result.test_count == 0) {
        read = false;
        command_usage_error(line, "--failed %s: no test has a result in it", path);
    }
    for (size_t i = 0; read && i < result.test_count; i++) {
        bool unclean = test_unclean(&result, &result.tests[i]);
        plan_ids_add(unclean ? &filter->ids : &filter->clean, result.tests[i].id);
    }
    filter->open = filter->open || (read && result.incomplete > 0);
    *all = *all || (read && suite_unclean(&result));
    diag_fini(&diag);
    result_fini(&result);
    return read ? SELECTION_TAKEN : SELECTION_WRONG;
}

enum selection selection_take(const struct command_line *line, struct plan_filter *filter)
{
    const char *path;
    bool all = false;
    words_take(line, "only", &filter->only);
    words_take(line, "exclude", &filter->exclude);
    for (size_t i = 0; (path = command_text_at(line, "failed", i)); i++) {
        filter->ids.given = true;
        if (failed_take(line, path, filter, &all) != SELECTION_TAKEN) {
            return SELECTION_WRONG;
        }
    }
    if (filter->ids.given && filter->ids.count == 0 && !all && !filter->open) {
        return SELECTION_CLEAN;
    }
    filter->ids.given = filter->ids.given && !all;
    return SELECTION_TAKEN;
}

bool selection_fail_on(const struct command_line *line, unsigned *bits)
{
    const char *text, *bad;
    unsigned together = 0, some;
    for (size_t i = 0; (text = command_text_at(line, "fail-on", i)); i++) {
        if (!result_fail_on_parse(text, &some, &bad)) {
            char *word = memory_copy_bytes(bad, strcspn(bad, ","));
            command_word_error(line, "word in --fail-on", word, result_fail_on_words,
                               FAIL_ON_COUNT);
            free(word);
            return false;
        }
        together |= some;
    }
    *bits = together ? together : *bits;
    return true;
}
