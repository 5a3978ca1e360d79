/*
 * run.c - `tidemark run`: scenarios, one after the other: read, planned, run, held against their
 * expectations, shown. Supervisor only.
 */
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/version.h"
#include "harness/cli/command.h"
#include "harness/cli/progress.h"
#include "harness/cli/shard.h"
#include "harness/cli/suppressions.h"
#include "harness/report/terminal.h"
#include "harness/result/result_write.h"
#include "harness/campaign/ablate.h"
#include "harness/campaign/runner.h"
#include "harness/scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Worst of two: ours before broken before met. */
static int worse(int a, int b)
{
    return a > b ? a : b;
}

static int expectations_status(const struct result *result)
{
    bool broken = result->failed > 0;
    for (size_t i = 0; i < result->expect_count; i++) {
        broken = broken ||
                 (!result->expects[i].ok && strncmp(result->expects[i].limit, "warn ", 5) != 0);
    }
    return broken ? COMMAND_BROKEN : COMMAND_MET;
}

static int scenario_run(struct command_line *line, const struct shard_choice *shard,
                        const struct scenario *scenario, struct result_writer *writer)
{
    char error[1024], *suites = command_suites_folder(), *preload = command_preload_path();
    char *repeat = shard_argv(line, shard);
    struct plan plan;
    struct result result;
    struct progress progress;
    struct runner_options options = {.preload = preload,
                                     .writer = writer,
                                     .progress = progress_show,
                                     .context = &progress,
                                     .verbose = line->verbose > 0};
    int status = COMMAND_USAGE;
    struct suppress suppress;
    suppress_init(&suppress);
    options.suppress = &suppress;
    result_init(&result);
    result_set(&result.tool_version, TIDEMARK_VERSION);
    result_set(&result.command, "run");
    result_set(&result.argv, repeat);
    result_set(&result.scenario, scenario->name);
    result_set(&result.suite, scenario->program);
    if (!plan_from_scenario(&plan, scenario, suites, error, sizeof error) ||
        (command_text(line, "ablate") &&
         !plan_without_caches(&plan, scenario, suites, error, sizeof error))) {
        fprintf(stderr, "%s\n", error);
        goto out;
    }
    plan.seed = command_integer(line, "seed", plan.seed);
    if (!command_suppressions_read(line, &suppress)) {
        status = COMMAND_USAGE;
    } else if (access(preload, R_OK) != 0) {
        fprintf(stderr, "tidemark run: %s: %s\n", preload, strerror(errno));
        status = COMMAND_OURS;
    } else {
        progress_begin(&progress, scenario->name, line->quiet);
        plan.shard = shard->shard;
        plan.shards = shard->shards;
        if (plan.shards) {
            runner_shard(&plan, &options, shard->balanced ? &shard->balance : NULL, &result);
        }
        bool ran = runner_run(&plan, &options, &result);
        suppress_notes(&suppress, &result);
        runner_expect(scenario, &result);
        ablate_conclude(&plan, &result);
        for (size_t i = 0; writer && i < result.expect_count; i++) {
            result_write_expect(writer, &result.expects[i]);
        }
        for (size_t i = 0; writer && i < result.note_count; i++) {
            result_write_note(writer, result.notes[i]);
        }
        progress_end(&progress);
        status = ran ? expectations_status(&result) : COMMAND_OURS;
        if (!line->json || strcmp(line->json, "-") != 0) {
            report_terminal(&result, stdout, table_terminal_width(stdout), line->color);
        }
    }
    plan_fini(&plan);
out:
    if (writer) {
        result_writer_run_end(writer, &result);
    }
    result_fini(&result);
    suppress_fini(&suppress);
    free(repeat);
    free(suites);
    free(preload);
    return status;
}

static int run_main(struct command_line *line)
{
    struct scenario *scenarios = memory_new(line->operand_count, sizeof *scenarios);
    struct result_writer *writer = NULL;
    struct shard_choice shard;
    struct diag diag;
    size_t read = 0;
    int status = shard_choose(line, &shard) ? COMMAND_MET : COMMAND_USAGE;
    diag_init(&diag);
    for (; read < line->operand_count; read++) { /* all mistakes before anything runs */
        if (!scenario_read(line->operands[read], &scenarios[read], &diag)) {
            status = COMMAND_USAGE;
        }
    }
    diag_print(&diag, stderr);
    diag_fini(&diag);
    if (status == COMMAND_MET && line->json && !(writer = result_writer_new(line->json))) {
        fprintf(stderr, "tidemark run: %s: %s\n", line->json, strerror(errno));
        status = COMMAND_OURS;
    }
    for (size_t i = 0; status < COMMAND_USAGE && i < read; i++) {
        status = worse(status, scenario_run(line, &shard, &scenarios[i], writer));
    }
    if (writer) {
        struct result none;
        result_init(&none);
        if (!result_writer_close(&writer, &none)) {
            fprintf(stderr, "tidemark run: %s: %s\n", line->json, strerror(errno));
            status = COMMAND_OURS;
        }
        result_fini(&none);
    }
    for (size_t i = 0; i < read; i++) {
        scenario_fini(&scenarios[i]);
    }
    free(scenarios);
    shard_choice_fini(&shard);
    return status;
}

static const char *const ablations[] = {"cache", NULL};

static const struct option_spec options[] = {
    {"ablate", 0, OPTION_WORD, "WHAT",
     "run each variant once more without it, and say what part of the growth it makes", ablations,
     false},
    {"suppressions", 0, OPTION_FILE, "FILE", "sites not to accuse, as leak:PATTERN lines", NULL,
     true},
    {"seed", 0, OPTION_INTEGER, "N", "of the shuffled orders of the tests, 1 by default", NULL,
     false},
    SHARD_OPTIONS,
    {0}};

static const char *const examples[] = {
    "tidemark run scenarios/registry-60gb.yaml\tthe headline: direct, LRU, unbounded",
    "tidemark run --ablate cache scenarios/registry-60gb-innocent-cache.yaml\tis it the cache?",
    "tidemark run scenarios/*.yaml\tall scenarios", NULL};

const struct command command_run = {
    .name = "run",
    .about = "a scenario's variants side by side, held against its expectations",
    .operands = "SCENARIO...",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "Runs each variant in fresh processes, test by test, and shows look-up cost, hit rate, "
        "allocations, live bytes, peak RSS, growth and verdict. Exit 0 when every expectation is "
        "met, 1 when one is broken or a test failed that was not expected to.",
    .examples = examples,
    .run = run_main,
};
