/*
 * run.c - `tidemark run`: scenarios, one after the other: read, planned, run, held against their
 * expectations, shown. Supervisor only.
 */
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/version.h"
#include "harness/campaign/ablate.h"
#include "harness/campaign/runner.h"
#include "harness/cli/output.h"
#include "harness/cli/progress.h"
#include "harness/cli/shard.h"
#include "harness/cli/suppressions.h"
#include "harness/result/result_write.h"
#include "harness/scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every variant is one that this build cannot run, or that belongs to another shard. */
static bool variants_skipped(const struct plan *plan)
{
    for (size_t i = 0; i < plan->variant_count; i++) {
        if (!plan->variants[i].skip || !plan->variants[i].skip[0]) {
            return false;
        }
    }
    return true;
}

/* A run that measured nothing is no green one, and says why. */
static void nothing_tell(const struct plan *plan, bool ran, struct result *result)
{
    if (ran) {
        return;
    }
    const char *why = result->note_count > 0 ? result->notes[result->note_count - 1] : "";
    result_set(&result->reason, why[0] ? why : "no test has a result");
    if (!variants_skipped(plan)) {
        result->incomplete++;
        result->cut_short++;
    }
}

/* The plan of a scenario is run, held against its expectations, written and shown. */
static int plan_run(struct command_line *line, const struct shard_choice *shard,
                    const struct scenario *scenario, struct plan *plan,
                    struct runner_options *options, struct result *result)
{
    struct progress progress;
    struct result_writer *writer = options->writer;
    progress_begin(&progress, line, scenario->name, options, result);
    plan->shard = shard->shard;
    plan->shards = shard->shards;
    if (plan->shards) {
        runner_shard(plan, options, shard->balanced ? &shard->balance : NULL, result);
    }
    bool ran = runner_run(plan, options, result);
    suppress_notes(options->suppress, result);
    runner_expect(scenario, result);
    ablate_conclude(plan, result);
    nothing_tell(plan, ran, result);
    for (size_t i = 0; writer && i < result->expect_count; i++) {
        result_write_expect(writer, &result->expects[i]);
    }
    for (size_t i = 0; writer && i < result->note_count; i++) {
        result_write_note(writer, result->notes[i]);
    }
    progress_end(&progress);
    int status = output_status(result);
    if (writer) {
        result_writer_run_end(writer, result);
    }
    const char *rules = command_text(line, "suppress-out");
    bool written = !rules || suppress_out(line, rules, result);
    result_sites_sort(result);
    return output_write(line, result, OUTPUT_FULL) && written ? status : COMMAND_OURS;
}

static int scenario_run(struct command_line *line, const struct shard_choice *shard,
                        const struct scenario *scenario, struct result_writer *writer)
{
    char error[1024], *suites = command_suites_folder(), *preload = command_preload_path();
    char *repeat = shard_argv(line, shard);
    struct plan plan;
    struct result result;
    struct suppress suppress;
    struct runner_options options = {
        .preload = preload, .writer = writer, .suppress = &suppress, .verbose = line->verbose > 0};
    int status = COMMAND_USAGE;
    suppress_init(&suppress);
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
    if (access(preload, R_OK) != 0) {
        fprintf(stderr, "tidemark run: %s: %s\n", preload, strerror(errno));
        status = COMMAND_OURS;
    } else if (command_suppressions_read(line, &suppress)) {
        status = plan_run(line, shard, scenario, &plan, &options, &result);
    }
    plan_fini(&plan);
out:
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
    int status = shard_choose(line, &shard) && output_options(line) ? COMMAND_MET : COMMAND_USAGE;
    const char *single;
    if (line->operand_count > 1 &&
        (output_single(line, &single) || command_text(line, "suppress-out"))) {
        status = command_usage_error(line,
                                     "--%s FILE holds one scenario; keep all with --json, and make "
                                     "one of each with tidemark report --scenario NAME",
                                     output_single(line, &single) ? single : "suppress-out");
    }
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
    for (size_t i = 0; status != COMMAND_USAGE && status != COMMAND_OURS && i < read; i++) {
        status = output_worse(status, scenario_run(line, &shard, &scenarios[i], writer));
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
    {"suppressions", 0, OPTION_FILE, "FILE",
     "places that are not to be accused, a line leak:PATTERN each", NULL, true},
    {"suppress-out", 0, OPTION_FILE, "FILE",
     "write a suppression for each place that is accused; its reason is for you to add", NULL,
     false},
    {"seed", 0, OPTION_INTEGER, "N", "seed of the shuffled orders of the tests, 1 by default", NULL,
     false},
    SHARD_OPTIONS,
#define RENDERER(name, option, help, append) OUTPUT_FORMAT(name, option, help, append)
#include "harness/report/renderer.def"
#undef RENDERER
    OUTPUT_OPTIONS,
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
        "met, 1 when one is broken or a test failed that was not expected to, 77 when no variant "
        "has a "
        "verdict and nothing is expected of one, 99 when a variant measured nothing. A variant "
        "without a verdict, of which none is expected, counts as skipped.",
    .examples = examples,
    .run = run_main,
};
