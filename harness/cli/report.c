/* report.c - `tidemark report RESULT...`: result files as text, and in every format of
 * harness/report/renderer.def. Supervisor only. */
#include "harness/base/table.h"
#include "harness/cli/command.h"
#include "harness/report/describe.h"
#include "harness/report/renderer.h"
#include "harness/report/terminal.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <string.h>

/* Sites that are kept for the reports; of more, the largest. A million would not be read by anyone,
 * and would not fit the memory that a CI machine has to spare. */
#define SITES_MAX 10000

/* The merged result: lines are copied from file to file, so memory does not grow with them. */
static bool merged_write(const struct result *result, const char *json, char *const *paths,
                         size_t count)
{
    struct result_writer *writer = result_writer_new(json);
    if (!writer) {
        fprintf(stderr, "tidemark report: %s: %s\n", json, strerror(errno));
        return false;
    }
    bool ok = true;
    result_write_run(writer, result);
    result_write_expected(writer, result->test_count + result->incomplete - result->cut_short);
    for (size_t i = 0; i < count; i++) {
        ok = result_write_copy(writer, paths[i]) && ok;
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        result_write_variant(writer, &result->variants[i]);
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        result_write_expect(writer, &result->expects[i]);
    }
    ok = result_writer_close(&writer, result) && ok;
    if (!ok) {
        fprintf(stderr, "tidemark report: %s: %s\n", json, strerror(errno));
    }
    return ok;
}

static bool formats_write(const struct command_line *line, const struct result *result,
                          bool *stdout_taken)
{
    bool ok = true;
    char error[512];
    for (const struct renderer *renderer = renderers; renderer->option; renderer++) {
        const char *path = command_text(line, renderer->option);
        if (!path) {
            continue;
        }
        *stdout_taken = *stdout_taken || strcmp(path, "-") == 0;
        if (!renderer_write(renderer, result, path, error, sizeof error)) {
            fprintf(stderr, "tidemark report: %s\n", error);
            ok = false;
        } else if (!line->quiet && strcmp(path, "-") != 0) {
            fprintf(stderr, "wrote %s\n", path);
        }
    }
    return ok;
}

static int report_run(struct command_line *line)
{
    struct result result;
    struct diag diag;
    bool stdout_taken = line->json && strcmp(line->json, "-") == 0;
    result_init(&result);
    diag_init(&diag);
    result.births_unwanted = true;
    result.scenario_wanted = command_text(line, "scenario");
    if (result.scenario_wanted && line->json) {
        fprintf(stderr, "tidemark report: --json copies all runs; not with --scenario\n");
        return COMMAND_USAGE;
    }
    enum result_merge merge = result_merge(&result, (const char *const *)line->operands,
                                           line->operand_count, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    int status = COMMAND_MET;
    if (merge == RESULT_MERGE_BAD) {
        status = COMMAND_USAGE;
    } else {
        result_count(&result);
        bool ok = formats_write(line, &result, &stdout_taken);
        if (line->json) {
            ok = merged_write(&result, line->json, line->operands, line->operand_count) && ok;
        }
        if (!stdout_taken && !line->quiet) {
            report_terminal(&result, stdout, table_terminal_width(stdout), line->color);
        } else if (result.incomplete > 0 && diag.count == 0) {
            struct text reason = {0};
            describe_incomplete(&reason, &result);
            fprintf(stderr, "tidemark report: incomplete: %s\n", reason.data);
            text_fini(&reason);
        }
        if (!stdout_taken && line->quiet) {
            printf("%zu passed, %zu failed, %zu skipped\n", result.passed, result.failed,
                   result.skipped);
        }
        status = !ok || merge != RESULT_MERGE_DONE || result.incomplete > 0 ? COMMAND_OURS
                 : result.failed > 0                                        ? COMMAND_BROKEN
                                                                            : COMMAND_MET;
    }
    diag_fini(&diag);
    result_fini(&result);
    return status;
}

static const struct option_spec report_options[] = {
#define RENDERER(name, option, help, append) {option, 0, OPTION_FILE, "FILE", help, NULL, false},
#include "harness/report/renderer.def"
#undef RENDERER
    {"scenario", 0, OPTION_TEXT, "NAME", "only the run of this scenario, of files with several",
     NULL, false},
    {NULL, 0, OPTION_FLAG, NULL, NULL, NULL, false},
};

static const char *const report_examples[] = {
    "tidemark report result.jsonl --html report.html\tone page, for a browser",
    "tidemark report shard-*.jsonl --junit junit.xml --json all.jsonl\tshards as one result",
    NULL,
};

const struct command command_report = {
    .name = "report",
    .about = "result files as terminal text, HTML, JUnit, TAP, Markdown and others",
    .operands = "RESULT...",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .options = report_options,
    .detail =
        "Formats may be given in any combination; '-' is standard output. Several files are "
        "merged: a test that two of them have, or files of different suites, are refused, and "
        "missing shards are named (status 99).\n"
        "A result file whose run was killed is readable up to its last line; the status is 99, "
        "and every format says what is missing.",
    .examples = report_examples,
    .run = report_run,
};
