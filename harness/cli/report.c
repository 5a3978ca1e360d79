/* report.c - `tidemark report RESULT...`: result files as text, and in every format of
 * harness/report/renderer.def. Supervisor only. */
#include "harness/cli/report.h"
#include "harness/cli/output.h"
#include "harness/cli/selection.h"
#include "harness/result/result_folder.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <string.h>

/* Sites that are kept for the reports; of more, the largest. A million would not be read by anyone,
 * and would not fit the memory that a CI machine has to spare. */
#define SITES_MAX 10000

bool report_merged_write(const struct result *result, const char *json, char *const *paths,
                         size_t count)
{
    struct result_writer *writer = result_writer_new(json);
    if (!writer) {
        fprintf(stderr, "tidemark: %s: %s\n", json, strerror(errno));
        return false;
    }
    bool ok = true;
    result_write_run(writer, result);
    result_write_expected(writer, result->test_count + result->incomplete - result->cut_short);
    for (size_t i = 0; i < count; i++) {
        ok = result_write_copy(writer, paths[i]) && ok;
    }
    for (size_t i = 0; i < result->elsewhere_count && result->shard[0]; i++) {
        result_write_elsewhere(writer, &result->elsewhere[i]);
    }
    for (size_t i = 0; i < result->note_count; i++) {
        result_write_note(writer, result->notes[i]);
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        result_write_variant(writer, &result->variants[i]);
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        result_write_expect(writer, &result->expects[i]);
    }
    ok = result_writer_close(&writer, result) && ok;
    if (!ok) {
        fprintf(stderr, "tidemark: %s: %s\n", json, strerror(errno));
    }
    return ok;
}

static int report_run(struct command_line *line)
{
    struct result result;
    struct diag diag;
    const char *scenario = command_text(line, "scenario");
    if (scenario && line->json) {
        fprintf(stderr, "tidemark report: --json copies all runs; not with --scenario\n");
        return COMMAND_USAGE;
    }
    if (!output_options(line)) {
        return COMMAND_USAGE;
    }
    result_init(&result);
    diag_init(&diag);
    result.births_unwanted = true;
    result.scenario_wanted = scenario;
    enum result_merge merge = result_merge(&result, (const char *const *)line->operands,
                                           line->operand_count, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    int status = COMMAND_USAGE;
    if (merge != RESULT_MERGE_BAD && selection_fail_on(line, &result.fail_on)) {
        result_count(&result);
        size_t count;
        char **files =
            result_folders_expand((const char *const *)line->operands, line->operand_count, &count);
        bool ok = !line->json || report_merged_write(&result, line->json, files, count);
        result_folders_free(files);
        status = merge != RESULT_MERGE_DONE ? COMMAND_OURS : output_status(&result);
        enum output_text text = !line->quiet      ? OUTPUT_FULL
                                : diag.count == 0 ? OUTPUT_BRIEF
                                                  : OUTPUT_COUNTS;
        status = output_write(line, &result, text) && ok ? status : COMMAND_OURS;
    }
    diag_fini(&diag);
    result_fini(&result);
    return status;
}

static const struct option_spec report_options[] = {
#define RENDERER(name, option, help, append) OUTPUT_FORMAT(name, option, help, append)
#include "harness/report/renderer.def"
#undef RENDERER
    OUTPUT_OPTIONS,
    FAIL_ON_OPTION,
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
    .operands = "RESULT|FOLDER...",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .options = report_options,
    .detail =
        "Formats may be given in any combination; '-' is standard output. A folder stands for the "
        "results (*.jsonl) in it, as a hunt of several programs leaves them. Several files are "
        "merged: a test that two of them have, or files of different suites, are refused, and "
        "missing shards are named (status 99).\n"
        "A result file whose run was killed is readable up to its last line; the status is 99, "
        "and every format says what is missing.\n"
        "The status is that of the run: 0, 1 when something failed, 77 when nothing was judged, 99 "
        "when results are missing.",
    .examples = report_examples,
    .run = report_run,
};
