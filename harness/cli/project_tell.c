/* project_tell.c - the results of a project's programs as one, and beside them what is in none: how
 * the command ended, what was not hunted and why, what .tidemark.yaml expects. Supervisor only. */
#include "harness/cli/project_part.h"

#include "harness/base/memory.h"
#include "harness/campaign/runner.h"
#include "harness/cli/output.h"
#include "harness/cli/report.h"
#include "harness/cli/selection.h"
#include "harness/cli/suppressions.h"
#include "harness/record/program_name.h"
#include "harness/result/result_merge.h"
#include "harness/result/result_write.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SITES_MAX 10000 /* as `tidemark report` keeps them */

char *project_end_words(int ended)
{
    if (WIFSIGNALED(ended)) {
        return memory_format("it died of %s by itself", strsignal(WTERMSIG(ended)));
    }
    return WEXITSTATUS(ended) == 0
               ? NULL
               : memory_format("it ended with status %d by itself", WEXITSTATUS(ended));
}

static void case_add(struct result *result, const char *name, enum result_status status,
                     const char *why)
{
    struct result_test *test = result_test_add(result);
    result_set(&test->id, name);
    result_set(&test->variant, name);
    result_set(&test->message, why);
    test->status = status;
}

static void other_add(const struct project *project, struct result *result, const char *path)
{
    char here[PATH_MAX];
    project_here(here);
    char *name = program_name_of(path, here);
    if (!plan_filter_given(&project->filter) || plan_filter_takes(&project->filter, name)) {
        case_add(result, name, RESULT_SKIP,
                 "no test framework is in it (--tests GLOB names test programs)");
    }
    free(name);
}

/* What .tidemark.yaml expects of each program, held against the result. The expectations are the
 * rest's, and come to the merged result with it. */
static void expectations_hold(const struct project *project, char **paths, size_t count,
                              struct result *rest)
{
    const struct scenario *said = &project->file->programs.scenario;
    struct scenario all = {.file = said->file, .variant_count = project->count};
    struct result result;
    struct diag diag;
    all.variants = memory_new(project->count + 1, sizeof *all.variants);
    all.expects = memory_new(project->count * said->expect_count + 1, sizeof *all.expects);
    for (size_t i = 0; i < project->count; i++) {
        all.variants[i].name = project->members[i].name;
        for (size_t k = 0; k < said->expect_count; k++) {
            if (said->expects[k].variant == project->file->entries[i]) {
                all.expects[all.expect_count] = said->expects[k];
                all.expects[all.expect_count++].variant = i;
            }
        }
    }
    result_init(&result);
    diag_init(&diag);
    result.births_unwanted = true;
    result_merge_programs(&result, (const char *const *)paths, count, 1, &diag);
    runner_expect(&all, &result);
    for (size_t i = 0; i < result.expect_count; i++) {
        struct result_expect *expect = result_expect_add(rest);
        const struct result_expect *held = &result.expects[i];
        result_set(&expect->variant, held->variant);
        result_set(&expect->metric, held->metric);
        result_set(&expect->limit, held->limit);
        result_set(&expect->actual, held->actual);
        result_set(&expect->file, held->file);
        expect->line = held->line;
        expect->ok = held->ok;
    }
    free(all.variants);
    free(all.expects);
    diag_fini(&diag);
    result_fini(&result);
}

/* What is in no program's result: how the command ended, and what was not hunted, and why. In one
 * shard of several, which would else have it several times. Returns the file, for the caller to
 * free; NULL: there is nothing, or it cannot be written, after a message. */
static char *rest_write(const struct project *project, int ended, char **paths, size_t count,
                        bool *good)
{
    struct result rest;
    char *bad = project_end_words(ended), *path = NULL;
    result_init(&rest);
    result_set(&rest.command, "hunt");
    result_set(&rest.program, project->called.data);
    bool is_here = project->shard->shards == 0 || project->shard->shard == 1;
    if (project->shard->shards > 0) {
        char *shard = memory_format("%u/%u", project->shard->shard, project->shard->shards);
        result_set(&rest.shard, shard);
        result_set(&rest.partition, "rest");
        free(shard);
    }
    if (bad != NULL && is_here) {
        case_add(&rest, project->called.data, RESULT_FAIL, bad);
    }
    for (size_t i = 0; is_here && i < project->count; i++) {
        if (project->members[i].unhunted != NULL) {
            case_add(&rest, project->members[i].name, RESULT_SKIP, project->members[i].unhunted);
        }
    }
    for (size_t i = 0; is_here && i < project->record->other_count; i++) {
        other_add(project, &rest, project->record->others[i]);
    }
    if (bad != NULL && !is_here) {
        result_note_add(&rest, "%s: %s", project->called.data, bad);
    }
    if (project->file != NULL && project->file->programs.scenario.expect_count > 0 && count > 0) {
        expectations_hold(project, paths, count, &rest);
    }
    bool any = rest.test_count > 0 || rest.note_count > 0 || rest.expect_count > 0;
    if (any || project->shard->shards > 0) {
        path = memory_format("%s/command-00000000.jsonl", project->out);
        struct result_writer *writer = result_writer_new(path);
        result_count(&rest);
        if (writer != NULL) {
            result_write_run(writer, &rest);
            for (size_t i = 0; i < rest.test_count; i++) {
                result_write_test(writer, &rest.tests[i]);
            }
            for (size_t i = 0; i < rest.note_count; i++) {
                result_write_note(writer, rest.notes[i]);
            }
            for (size_t i = 0; i < rest.expect_count; i++) {
                result_write_expect(writer, &rest.expects[i]);
            }
        }
        if (writer == NULL || !result_writer_close(&writer, &rest)) {
            fprintf(stderr, "tidemark hunt: %s: %s\n", path, strerror(errno));
            *good = false;
        }
    }
    result_fini(&rest);
    free(bad);
    return path;
}

int project_results_tell(const struct project *project, int ended)
{
    struct result result;
    struct diag diag;
    bool good = true;
    char **paths = memory_new(project->count + 2, sizeof *paths);
    size_t count = 0;
    for (size_t i = 0; i < project->count; i++) {
        const struct member *member = &project->members[i];
        bool is_empty = member->unselected && project->shard->shards == 0;
        if (member->unhunted != NULL || is_empty) {
            if (member->result.result != NULL) {
                unlink(member->result.result); /* it says nothing that the rest does not say */
            }
        } else {
            paths[count++] = member->result.result;
        }
    }
    char *rest = rest_write(project, ended, paths, count, &good);
    if (rest != NULL) {
        paths[count++] = rest;
    }
    result_init(&result);
    diag_init(&diag);
    result.births_unwanted = true;
    enum result_merge merge =
        result_merge_programs(&result, (const char *const *)paths, count, SITES_MAX, &diag);
    diag_print(&diag, stderr);
    char *repeat = shard_argv(project->line, project->shard);
    result_set(&result.command, "hunt");
    result_set(&result.argv, repeat);
    result_set(&result.suite, project->called.data);
    result_set(&result.program, "");
    selection_fail_on(project->line, &result.fail_on);
    result_count(&result);
    int status = COMMAND_OURS;
    if (merge == RESULT_MERGE_BAD || !good) {
        fprintf(stderr, "tidemark hunt: the results in %s cannot be merged\n", project->out);
    } else if (count == 0 && project->count == 0) {
        fprintf(
            stderr,
            "tidemark hunt: nothing was judged: none of the %zu programs that %s executed has a "
            "test framework in it, or lies in this folder (--tests GLOB names test programs)\n",
            project->record->executed, project->called.data);
        printf("0 passed, 0 failed, 0 skipped\n");
        status = COMMAND_NOTHING;
    } else if (count == 0) {
        fprintf(stderr, "tidemark hunt: no test of these programs is wanted here\n");
        status = COMMAND_USAGE;
    } else {
        const char *rules = command_text(project->line, "suppress-out");
        const char *json = project->line->json;
        good = json == NULL || report_merged_write(&result, json, paths, count);
        good = (rules == NULL || suppress_out(project->line, rules, &result)) && good;
        status = merge == RESULT_MERGE_DONE ? output_status(&result) : COMMAND_OURS;
        printf(project->line->quiet ? "" : "\n");
        enum output_text text = project->line->quiet ? OUTPUT_BRIEF : OUTPUT_FULL;
        good = output_write(project->line, &result, text) && good;
        status = good ? status : COMMAND_OURS;
    }
    free(repeat);
    free(rest);
    free(paths);
    diag_fini(&diag);
    result_fini(&result);
    return status;
}
