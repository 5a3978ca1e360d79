/* explain.c - `tidemark explain RESULT [TEST]`: one finding in words. Supervisor only. */
#include "harness/report/explain.h"
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/cli/output.h"
#include "harness/report/describe.h"
#include "harness/report/describe_answer.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_printable.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define SITES_MAX 10000
#define NAMES_MAX 10
#define SUITE     "suite" /* what is typed for the verdict of the whole */

/* By its id or the end of it, or by a pattern for one of these. */
static bool is_named(const struct result_test *test, const char *name)
{
    const char *end = strrchr(test->id, '/');
    size_t id = strlen(test->id), length = strlen(name);
    if (id > length && test->id[id - length - 1] == '/' &&
        strcmp(test->id + id - length, name) == 0) {
        return true;
    }
    return strcmp(test->id, name) == 0 || fnmatch(name, test->id, 0) == 0 ||
           (end && fnmatch(name, end + 1, 0) == 0);
}

static const struct result_variant *suite_find(const struct result *result)
{
    const struct result_variant *found = NULL;
    for (size_t i = 0; i < result->variant_count; i++) {
        const struct result_variant *variant = &result->variants[i];
        if (!found ||
            (result_verdict_bad(variant->verdict) && !result_verdict_bad(found->verdict))) {
            found = variant;
        }
    }
    return found;
}

/* The test that is called so. Of several the first that is a finding; *count says how many there
 * are, variants of one test not counted. */
static const struct result_test *test_find(const struct result *result, const char *name,
                                           size_t *count)
{
    const struct result_test *first = NULL;
    *count = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (!is_named(test, name)) {
            continue;
        }
        *count += !first || strcmp(first->id, test->id) != 0;
        if (!first ||
            (describe_test_finding(result, test) && !describe_test_finding(result, first))) {
            first = test;
        }
    }
    return first;
}

static int name_wrong(const struct command_line *line, const struct result *result,
                      const char *name, size_t count)
{
    struct text text = {0};
    const char **ids = memory_new(result->test_count + 1, sizeof *ids);
    if (count == 0) {
        for (size_t i = 0; i < result->test_count; i++) {
            const char *id = result->tests[i].id, *slash = strrchr(id, '/');
            ids[i] = strchr(name, '/') || !slash ? id : slash + 1;
        }
        const char *near = diag_nearest(name, ids, result->test_count);
        text_format(&text, "no test is called '%s'", name);
        text_format(&text, near ? "; did you mean '%s'?" : "%.0s", near ? near : "");
    } else {
        size_t shown = 0;
        text_format(&text, "'%s' is the name of %zu tests: ", name, count);
        for (size_t i = 0; i < result->test_count && shown < NAMES_MAX; i++) {
            if (is_named(&result->tests[i], name)) {
                text_format(&text, "%s%s", shown++ ? ", " : "", result->tests[i].id);
            }
        }
        text_put(&text, count > shown ? " ..." : "");
    }
    output_complain(line, line->operands[0], text.data);
    text_fini(&text);
    free(ids);
    return COMMAND_USAGE;
}

/* Whatever else stands out, to be asked for next. */
static void others_print(const struct result *result, const char *but)
{
    size_t shown = 0, others = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (!describe_test_finding(result, test) || strcmp(test->id, but) == 0) {
            continue;
        }
        if (shown < NAMES_MAX) {
            printf(shown == 0 ? "\nOther findings\n    %s\n" : "    %s\n", test->id);
            shown++;
        }
        others++;
    }
    if (others > shown) {
        printf("    and %zu more\n", others - shown);
    }
}

/* What the answer is about when no test is named: the suite, else the first finding. */
static int explain_first(const struct command_line *line, const struct result *result)
{
    const struct result_variant *suite = suite_find(result);
    unsigned columns = table_terminal_width(stdout);
    if (suite && result_is_hunt(result) && result_verdict_bad(suite->verdict)) {
        explain_suite(result, suite, line->operands[0], stdout, columns, line->color);
        others_print(result, "");
        return COMMAND_MET;
    }
    for (size_t i = 0; i < result->test_count; i++) {
        if (describe_test_finding(result, &result->tests[i])) {
            explain_test(result, &result->tests[i], line->operands[0], stdout, columns,
                         line->color);
            others_print(result, result->tests[i].id);
            return COMMAND_MET;
        }
    }
    struct text answer = {0};
    describe_answer(&answer, result);
    printf("%s\nNothing stands out; tidemark explain %s TEST tells of any test.\n", answer.data,
           line->operands[0]);
    text_fini(&answer);
    return COMMAND_MET;
}

static int explain_named(const struct command_line *line, const struct result *result)
{
    const char *name = line->operands[1];
    const struct result_variant *suite = suite_find(result);
    size_t count;
    const struct result_test *test = test_find(result, name, &count);
    unsigned columns = table_terminal_width(stdout);
    if (count == 0 && suite && strcmp(name, SUITE) == 0) {
        explain_suite(result, suite, line->operands[0], stdout, columns, line->color);
        return COMMAND_MET;
    }
    if (count != 1) {
        return name_wrong(line, result, name, count);
    }
    explain_test(result, test, line->operands[0], stdout, columns, line->color);
    return COMMAND_MET;
}

static int explain_run(struct command_line *line)
{
    struct result result;
    struct diag diag;
    int status = COMMAND_USAGE;
    result_init(&result);
    diag_init(&diag);
    result.births_unwanted = true;
    enum result_merge merge =
        result_merge(&result, (const char *const *)line->operands, 1, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    if (merge != RESULT_MERGE_BAD) {
        result_count(&result);
        result_make_printable(&result);
        status =
            line->operand_count > 1 ? explain_named(line, &result) : explain_first(line, &result);
    }
    diag_fini(&diag);
    result_fini(&result);
    return status;
}

static const char *const explain_examples[] = {
    "tidemark explain result.jsonl\tthe first finding",
    "tidemark explain result.jsonl opens_a_session\tthis test",
    NULL,
};

const struct command command_explain = {
    .name = "explain",
    .about = "one finding of a result file in words: curve, source, evidence, what to do",
    .operands = "RESULT [TEST]",
    .operand_min = 1,
    .operand_max = 2,
    .options = NULL,
    .detail =
        "Tells of one test what was seen, with the curve of its memory, the place in the source "
        "that allocated what stays, what the verdict rests on and when it would be wrong, what to "
        "do, and the next command to type.\n"
        "TEST is an id, the end of one, or a pattern that one test matches; suite is the verdict "
        "of the whole. Without it, what the report's first line is about.\n"
        "The status is 0 when there was something to tell, whatever it was: report and baseline "
        "are for gates.",
    .examples = explain_examples,
    .run = explain_run,
};
