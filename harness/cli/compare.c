/* compare.c - `tidemark compare BASE HEAD`: two result files; or -- COMMAND --vs COMMAND: two
 * commands, their counts exactly, their time and memory over pairs of runs. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/cli/command.h"
#include "harness/judge/shift.h"
#include "harness/report/describe.h"
#include "harness/report/difference.h"
#include "harness/report/terminal.h"
#include "harness/result/result_merge.h"
#include "harness/campaign/pair.h"
#include "harness/campaign/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAIRS        25 /* at least, and more until an interval is narrow */
#define PAIRS_NS     60e9
#define NARROW       0.015
#define SHOWN        20    /* findings of a kind */
#define SITES_MAX    25000 /* kept of each file */
#define TIMEOUT_SECS 300

static struct difference_limits limits_of(const struct command_line *line)
{
    double tolerance = command_number(line, "tolerance", 0.01);
    double fail = command_number(line, "fail-beyond", tolerance);
    return (struct difference_limits){tolerance, fail > tolerance ? fail : tolerance};
}

static int last_line(const struct differences *differences, bool slower)
{
    size_t passed, failed, unstable;
    differences_count(differences, &passed, &failed, &unstable);
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed + slower, unstable);
    return failed > 0 || slower ? COMMAND_BROKEN : COMMAND_MET;
}

/* A file into a result; messages are printed. COMMAND_MET or the status to end with. */
static int file_load(const char *path, struct result *result)
{
    struct diag diag;
    diag_init(&diag);
    enum result_merge merge = result_merge(result, &path, 1, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    diag_fini(&diag);
    if (merge != RESULT_MERGE_DONE) {
        return COMMAND_USAGE;
    }
    if (result->incomplete > 0) {
        struct text reason = {0};
        describe_incomplete(&reason, result);
        fprintf(stderr, "tidemark compare: %s: incomplete: %s\n", path, reason.data);
        text_fini(&reason);
        return COMMAND_OURS;
    }
    return COMMAND_MET;
}

static int files_compare(struct command_line *line)
{
    struct result base, head;
    struct differences differences = {0};
    result_init(&base);
    result_init(&head);
    int status = file_load(line->operands[0], &base);
    if (status == COMMAND_MET) {
        status = file_load(line->operands[1], &head);
    }
    if (status == COMMAND_MET) {
        printf("%s with %s\n\n", line->operands[0], line->operands[1]);
        differences_find(&differences, &base, &head, NULL, limits_of(line), false);
        differences_print(&differences, SHOWN, stdout, table_terminal_width(stdout), line->color);
        status = last_line(&differences, false);
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

static void counts_compare(struct command_line *line, char *const *a, char *const *b,
                           struct differences *differences)
{
    struct result base, head, again;
    bool counted = counts_take(a, &base);
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
        differences_print(differences, SHOWN, stdout, table_terminal_width(stdout), line->color);
    } else {
        const struct result *silent = base.test_count > 0 ? &head : &base;
        printf("allocations were not counted%s%s\n", silent->note_count ? ": " : "",
               silent->note_count ? silent->notes[0] : "");
    }
    result_fini(&base);
    result_fini(&head);
    result_fini(&again);
}

/* "+3.1 %" */
static void percent_cell(struct table *table, double ratio)
{
    char text[64];
    snprintf(text, sizeof text, "%+.1f %%", (ratio - 1) * 100);
    table_cell(table, strcmp(text, "-0.0 %") == 0 ? "+0.0 %" : text);
}

static int double_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median_of(const double *values, size_t count)
{
    double sorted[SHIFT_PAIRS_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, double_compare);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static struct shift shift_of(const struct pair_run *a, const struct pair_run *b, size_t pairs,
                             enum pair_measure m)
{
    double x[SHIFT_PAIRS_MAX], y[SHIFT_PAIRS_MAX];
    for (size_t i = 0; i < pairs; i++) {
        x[i] = a[i].value[m];
        y[i] = b[i].value[m];
    }
    return shift_of_pairs(x, y, pairs, 0.05 / PAIR_MEASURES); /* all three together: 5 % */
}

/* The interval of one of the times is narrow: a difference of 3 % lies beyond it. Its width
 * decides, not where it lies, so that going on does not look for a difference until there is one.
 */
static bool intervals_narrow(const struct pair_run *a, const struct pair_run *b, size_t pairs)
{
    struct shift wall = shift_of(a, b, pairs, PAIR_WALL), cpu = shift_of(a, b, pairs, PAIR_CPU);
    return wall.high - wall.low <= NARROW || cpu.high - cpu.low <= NARROW;
}

/* A row for each measure. True: the head is slower or larger. */
static bool shifts_print(const struct pair_run *a, const struct pair_run *b, size_t pairs,
                         unsigned columns, bool color)
{
    static const struct {
        const char *name, *more, *less;
    } facts[PAIR_MEASURES] = {[PAIR_WALL] = {"wall time", "slower", "faster"},
                              [PAIR_CPU] = {"CPU time", "slower", "faster"},
                              [PAIR_RSS] = {"peak RSS", "larger", "smaller"}};
    bool worse = false;
    struct table *table = table_new();
    static const char *const titles[] = {"base", "head", "change", "from", "to"};
    table_column(table, "", TABLE_LEFT);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        table_column(table, titles[i], TABLE_RIGHT);
    }
    table_column(table, "verdict", TABLE_LEFT);
    for (int m = 0; m < PAIR_MEASURES; m++) {
        double x[SHIFT_PAIRS_MAX], y[SHIFT_PAIRS_MAX];
        char text[UNIT_TEXT_BYTES];
        for (size_t i = 0; i < pairs; i++) {
            x[i] = a[i].value[m];
            y[i] = b[i].value[m];
        }
        struct shift shift = shift_of(a, b, pairs, (enum pair_measure)m);
        table_row(table);
        table_cell(table, facts[m].name);
        for (int side = 0; side < 2; side++) {
            double median = median_of(side ? y : x, pairs);
            table_cell(table, m == PAIR_RSS ? unit_bytes(text, median) : unit_ns(text, median));
        }
        percent_cell(table, shift.ratio);
        percent_cell(table, shift.low);
        percent_cell(table, shift.high);
        table_cell_color(table,
                         shift.verdict == SHIFT_MORE   ? facts[m].more
                         : shift.verdict == SHIFT_LESS ? facts[m].less
                                                       : "no difference",
                         shift.verdict == SHIFT_MORE   ? TABLE_RED
                         : shift.verdict == SHIFT_LESS ? TABLE_GREEN
                                                       : TABLE_PLAIN);
        worse = worse || shift.verdict == SHIFT_MORE;
    }
    table_print(table, stdout, columns, color);
    table_free(&table);
    printf("\n%zu pairs, run A B B A; median shift, and what it lies between; a difference "
           "counts beyond 1 %%\n\n",
           pairs);
    return worse;
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
    struct pair_limits limits = {.least = pairs ? pairs : PAIRS,
                                 .most = pairs ? pairs : SHIFT_PAIRS_MAX,
                                 .most_ns = PAIRS_NS,
                                 .enough = intervals_narrow};
    char **a = line->operands, **b = line->operands + at + 1;
    char error[512];
    if (limits.least < SHIFT_PAIRS_MIN || limits.least > SHIFT_PAIRS_MAX) {
        return command_usage_error(line, "--pairs is between %d and %d", SHIFT_PAIRS_MIN,
                                   SHIFT_PAIRS_MAX);
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
    bool worse = shifts_print(runs, runs_b, pairs, table_terminal_width(stdout), line->color);
    if (!command_flag(line, "no-counts")) {
        counts_compare(line, a, b, &differences);
    }
    status = last_line(&differences, worse);
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
    return files_compare(line);
}

static const struct option_spec options[] = {
    {"pairs", 'n', OPTION_INTEGER, "N",
     "runs of each command, 9 to 200; when not given 25, and more until an interval is narrow",
     NULL, false},
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
    .detail = "Counts of allocations and blocks are compared exactly, and the call sites that "
              "changed are "
              "named. Time and peak RSS of commands come from pairs of runs, and a difference "
              "counts only "
              "where its whole interval lies beyond 1 %. No difference is a verdict.\n"
              "Status 1: something is worse. What differs from run to run of the same program is "
              "unstable "
              "and decides nothing.",
    .examples = examples,
    .run = compare_run,
};
