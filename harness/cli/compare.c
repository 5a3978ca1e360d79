/* compare.c - `tidemark compare BASE HEAD`: two result files; or -- COMMAND --vs COMMAND: two
 * commands, their counts exactly, their time and memory over pairs of runs. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/campaign/pair.h"
#include "harness/campaign/runner.h"
#include "harness/cli/compare_pairs.h"
#include "harness/cli/output.h"
#include "harness/judge/shift.h"
#include "harness/report/describe.h"
#include "harness/report/difference.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_printable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAIRS        25 /* at least, and more until an interval is narrow */
#define PAIRS_NS     60e9
#define PAIRS_MOST   20000 /* with --until-sure */
#define SITES_MAX    25000 /* kept of each file */
#define TIMEOUT_SECS 300

static struct difference_limits limits_of(const struct command_line *line)
{
    double tolerance = command_number(line, "tolerance", 0.01);
    double fail = command_number(line, "fail-beyond", tolerance);
    return (struct difference_limits){tolerance, fail > tolerance ? fail : tolerance};
}

static int last_line(const struct differences *differences, struct compare_pairs pairs)
{
    size_t passed, failed, unstable;
    differences_count(differences, &passed, &failed, &unstable);
    passed += pairs.same;
    failed += pairs.worse;
    unstable += pairs.unsure;
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, unstable);
    return failed > 0                    ? COMMAND_BROKEN
           : passed == 0 && unstable > 0 ? COMMAND_NOTHING
                                         : COMMAND_MET;
}

/* A file into a result; messages are printed. COMMAND_MET or the status to end with. */
static int file_load(const struct command_line *line, const char *path, struct result *result)
{
    struct diag diag;
    diag_init(&diag);
    enum result_merge merge = result_merge(result, &path, 1, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    diag_fini(&diag);
    if (merge == RESULT_MERGE_BAD) {
        return COMMAND_USAGE;
    }
    if (merge == RESULT_MERGE_REFUSED) {
        return COMMAND_OURS;
    }
    if (result->incomplete > 0) {
        struct text reason = {0};
        text_put(&reason, "incomplete: ");
        describe_incomplete(&reason, result);
        output_complain(line, path, reason.data);
        text_fini(&reason);
        return COMMAND_OURS;
    }
    if (result_nothing_judged(result)) {
        struct text reason = {0};
        describe_nothing(&reason, result);
        output_complain(line, path, reason.data);
        text_fini(&reason);
        return COMMAND_NOTHING;
    }
    return COMMAND_MET;
}

/* Two files are compared as they are. */
static bool for_commands(const struct command_line *line)
{
    static const char *const words[] = {"pairs", "until-sure", "no-counts"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (command_flag(line, words[i])) {
            command_usage_error(line, "--%s is for two commands, not for two result files",
                                words[i]);
            return true;
        }
    }
    return false;
}

static int files_compare(struct command_line *line)
{
    struct result base, head;
    struct differences differences = {0};
    result_init(&base);
    result_init(&head);
    int status = file_load(line, line->operands[0], &base);
    if (status == COMMAND_MET) {
        status = file_load(line, line->operands[1], &head);
    }
    if (status == COMMAND_MET) {
        printf("%s with %s\n\n", line->operands[0], line->operands[1]);
        differences_find(&differences, &base, &head, NULL, limits_of(line), false);
        differences_print(&differences, line->verbose > 0, stdout, table_terminal_width(stdout),
                          line->color);
        bool written = output_differences(line, &differences);
        status = last_line(&differences, (struct compare_pairs){0});
        status = written ? status : COMMAND_OURS;
        if (differences_nothing(&differences)) {
            fprintf(stderr, "tidemark compare: nothing was compared: the two have no test in "
                            "common\n");
            status = output_worse(status, COMMAND_NOTHING);
        }
    }
    differences_fini(&differences);
    result_fini(&base);
    result_fini(&head);
    return status;
}

/* One run of all tests, counted by the preload. False: nothing could be counted. */
static bool counts_take(char *const *command, struct result *result)
{
    char *preload = command_preload_path();
    struct runner_options options = {.preload = preload};
    struct plan plan;
    bool ran = false;
    result_init(result);
    plan_init(&plan);
    plan.births = true;
    plan.timeout_ns = TIMEOUT_SECS * UINT64_C(1000000000);
    char *program = command_program_find(command[0]);
    plan_variant_add(&plan, "", program, command, NULL);
    free(program);
    if (access(preload, R_OK) == 0) {
        ran = runner_run(&plan, &options, result) && result->test_count > 0;
    } else {
        result_note_add(result, "%s: %s", preload, strerror(errno));
    }
    result_sites_sort(result);
    plan_fini(&plan);
    free(preload);
    return ran;
}

/* Returns false if --markdown could not be written. What is left of the differences are numbers. */
static bool counts_compare(struct command_line *line, char *const *a, char *const *b,
                           struct differences *differences)
{
    struct result base, head, again;
    bool written = true, counted = counts_take(a, &base);
    counted = counts_take(b, &head) && counted;
    result_init(&again);
    if (counted) {
        differences_find(differences, &base, &head, NULL, limits_of(line), false);
        if (differences->count > 0) { /* does the head agree with itself? */
            differences_fini(differences);
            result_fini(&again);
            bool repeated = counts_take(b, &again);
            differences_find(differences, &base, &head, repeated ? &again : NULL, limits_of(line),
                             false);
        }
        differences_print(differences, line->verbose > 0, stdout, table_terminal_width(stdout),
                          line->color);
        written = output_differences(line, differences);
    } else {
        const struct result *silent = base.test_count > 0 ? &head : &base;
        struct text why = {0};
        printable_put(&why, silent->note_count ? silent->notes[0] : "");
        printf("allocations were not counted%s%s\n", why.length ? ": " : "", text_peek(&why));
        text_fini(&why);
    }
    result_fini(&base);
    result_fini(&head);
    result_fini(&again);
    return written;
}

static bool command_there(const struct command_line *line, const char *name)
{
    char *program = command_program_find(name);
    bool there = access(program, X_OK) == 0;
    if (!there) {
        command_usage_error(line, "%s: %s", name, strerror(errno));
    }
    free(program);
    return there;
}

static int commands_compare(struct command_line *line, size_t at)
{
    size_t pairs = command_integer(line, "pairs", 0);
    uint64_t until = command_integer(line, "until-sure", 0);
    struct pair_limits limits = {.least = pairs ? pairs : PAIRS,
                                 .most = pairs ? pairs : SHIFT_PAIRS_MAX,
                                 .most_ns = PAIRS_NS,
                                 .enough = compare_pairs_narrow};
    if (until > 0) {
        limits.most = PAIRS_MOST;
        limits.most_ns = (double)until;
        limits.enough = compare_pairs_sure;
    }
    char **a = line->operands, **b = line->operands + at + 1;
    char error[512];
    if (limits.least < SHIFT_PAIRS_MIN || limits.least > SHIFT_PAIRS_MAX) {
        return command_usage_error(line, "--pairs is between %d and %d", SHIFT_PAIRS_MIN,
                                   SHIFT_PAIRS_MAX);
    }
    if (command_flag(line, "until-sure") && until == 0) {
        return command_usage_error(line, "--until-sure %s: no time to run anything in",
                                   command_text(line, "until-sure"));
    }
    if (!command_there(line, a[0]) || !command_there(line, b[0])) {
        return COMMAND_USAGE;
    }
    line->operands[at] = NULL; /* ends A's arguments */
    struct pair_run *runs = memory_new(2 * limits.most, sizeof *runs), *runs_b = runs + limits.most;
    struct differences differences = {0};
    int status = COMMAND_OURS;
    if (!pair_measure(a, b, limits, runs, runs_b, &pairs, error, sizeof error)) {
        fprintf(stderr, "tidemark compare: %s\n", error);
        goto out;
    }
    struct compare_pairs shifts =
        compare_pairs_print(runs, runs_b, pairs, table_terminal_width(stdout), line->color);
    bool written = command_flag(line, "no-counts") || counts_compare(line, a, b, &differences);
    status = last_line(&differences, shifts);
    status = written ? status : COMMAND_OURS;
out:
    differences_fini(&differences);
    free(runs);
    return status;
}

static int compare_run(struct command_line *line)
{
    for (size_t i = 0; i < line->operand_count; i++) {
        if (strcmp(line->operands[i], "--vs") == 0) {
            if (i == 0 || i + 1 == line->operand_count) {
                return command_usage_error(line, "a command is missing beside --vs");
            }
            return commands_compare(line, i);
        }
    }
    if (line->operand_count != 2) {
        return command_usage_error(line, "two result files, or -- COMMAND --vs COMMAND");
    }
    return for_commands(line) ? COMMAND_USAGE : files_compare(line);
}

static const struct option_spec options[] = {
    {"pairs", 'n', OPTION_INTEGER, "N",
     "runs of each command, 9 to 200; when not given 25, and more until an interval is narrow",
     NULL, false},
    {"until-sure", 0, OPTION_DURATION, "TIME",
     "run pairs until each measure is different or is not, or the time is over", NULL, false},
    OUTPUT_MARKDOWN_OPTION,
    {"no-counts", 0, OPTION_FLAG, NULL, "commands: time and memory only", NULL, false},
    {"tolerance", 0, OPTION_NUMBER, "SHARE",
     "bytes and peaks that differ by less are the same; 1 % when not given", NULL, false},
    {"fail-beyond", 0, OPTION_NUMBER, "SHARE",
     "bytes and peaks: warn up to here; the tolerance when not given", NULL, false},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL, false},
};

static const char *const examples[] = {
    "tidemark compare base.jsonl head.jsonl\twhat changed, test by test",
    "tidemark compare -- ./check_old --vs ./check_new\tallocations, time and memory of two "
    "programs",
    NULL,
};

const struct command command_compare = {
    .name = "compare",
    .about = "what changed between two results, or between two commands run side by side",
    .operands = "BASE HEAD | -- COMMAND --vs COMMAND",
    .operand_min = 2,
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "Counts of allocations and blocks are compared exactly, and the call sites that "
        "changed are "
        "named. Time and peak RSS of commands come from pairs of runs, and a difference "
        "counts only "
        "where its whole interval lies beyond 1 %; where all of it lies within, there is no "
        "difference, and else it is unsure, with the number of pairs that would tell "
        "(--until-sure runs them).\n"
        "Status 1: something is worse, or a command fails where the other does not; 77: nothing "
        "is known. What differs from run to run of the same program is unstable and decides "
        "nothing.",
    .examples = examples,
    .run = compare_run,
};
