/*
 * hunt.c - `tidemark hunt`: leaks and growth in any test program, unmodified. Supervisor only.
 */
#include "harness/base/executable.h"
#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/version.h"
#include "harness/cli/command.h"
#include "harness/cli/progress.h"
#include "harness/cli/project.h"
#include "harness/cli/shard.h"
#include "harness/cli/suppressions.h"
#include "harness/report/describe.h"
#include "harness/report/terminal.h"
#include "harness/result/result_write.h"
#include "harness/runner/memcheck.h"
#include "harness/runner/runner.h"
#include "harness/runner/suppress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int status_of(const struct result *result)
{
    for (size_t i = 0; i < result->test_count; i++) {
        if (result_test_failed(result, &result->tests[i])) {
            return COMMAND_BROKEN;
        }
    }
    for (size_t i = 0; i < result->variant_count; i++) {
        if (describe_verdict_bad(result->variants[i].verdict)) {
            return COMMAND_BROKEN;
        }
    }
    return COMMAND_MET;
}

static void count_tests(struct result *result)
{
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        bool bad = result_test_failed(result, test);
        *(test->status == RESULT_SKIP ? &result->skipped
          : bad                       ? &result->failed
                                      : &result->passed) += 1;
    }
}

static int hunt_program(struct command_line *line, const struct shard_choice *shard,
                        struct plan *plan, struct suppress *suppress, struct result *result)
{
    char *preload = command_preload_path();
    struct progress progress;
    int status = COMMAND_OURS;
    struct result_writer *writer = NULL;
    if (access(preload, R_OK) != 0) {
        fprintf(stderr, "tidemark hunt: %s: %s\n", preload, strerror(errno));
    } else if (line->json && !(writer = result_writer_new(line->json))) {
        fprintf(stderr, "tidemark hunt: %s: %s\n", line->json, strerror(errno));
    } else {
        struct runner_options options = {.preload = preload,
                                         .writer = writer,
                                         .progress = progress_show,
                                         .context = &progress,
                                         .suppress = suppress,
                                         .verbose = line->verbose > 0};
        progress_begin(&progress, "", line->quiet);
        if (plan->shards) {
            runner_shard(plan, &options, shard->balanced ? &shard->balance : NULL, result);
        }
        bool ran = runner_run(plan, &options, result);
        count_tests(result);
        suppress_notes(suppress, result);
        progress_end(&progress);
        for (size_t i = 0; writer && i < result->note_count; i++) {
            result_write_note(writer, result->notes[i]);
        }
        bool none = !ran && plan->only && plan->only[0] && result->way_in[0]; /* is like that */
        status = none                         ? COMMAND_USAGE
                 : ran && !result->incomplete ? status_of(result)
                                              : COMMAND_OURS;
        if (!line->json || strcmp(line->json, "-") != 0) {
            report_terminal(result, stdout, table_terminal_width(stdout), line->color);
        }
        if (writer && !result_writer_close(&writer, result)) {
            fprintf(stderr, "tidemark hunt: %s: %s\n", line->json, strerror(errno));
            status = COMMAND_OURS;
        }
    }
    free(preload);
    return status;
}

static int hunt_main(struct command_line *line)
{
    struct plan plan;
    struct result result;
    struct suppress suppress;
    struct shard_choice shard;
    char *program = command_program_find(line->operands[0]), *repeat = NULL;
    const char *only = command_text(line, "only"), *allocator = command_text(line, "allocator");
    char reason[256];
    int status = COMMAND_USAGE;
    if (project_wanted(line) && project_hunt(line, &status)) {
        free(program);
        return status;
    }
    plan_init(&plan);
    result_init(&result);
    suppress_init(&suppress);
    bool chosen = shard_choose(line, &shard);
    repeat = shard_argv(line, &shard);
    plan.shard = shard.shard;
    plan.shards = shard.shards;
    plan.hunt = true;
    plan.memory_cap = command_integer(line, "memory", 0);
    plan.timeout_ns = command_integer(line, "timeout", 60000000000u);
    plan.quick = command_flag(line, "quick");
    plan.valgrind = command_flag(line, "valgrind");
    plan.births = command_flag(line, "sites");
    plan.repetitions = (unsigned)command_integer(line, "repetitions", 0);
    plan.seed = command_integer(line, "seed", 1);
    plan.allocator = allocator && strcmp(allocator, "system") == 0 ? PLAN_SYSTEM : PLAN_JEMALLOC;
    if (only) {
        free(plan.only);
        plan.only = memory_copy(only);
    }
    plan_variant_add(&plan, "", program, line->operands, NULL);
    result_set(&result.tool_version, TIDEMARK_VERSION);
    result_set(&result.command, "hunt");
    result_set(&result.argv, repeat);
    result_set(&result.suite, line->operands[0]);
    int why = executable_error(program);
    if (why != 0) {
        status = command_usage_error(line, "%s: %s", line->operands[0], strerror(why));
    } else if (plan.valgrind && !memcheck_possible(reason, sizeof reason)) {
        status = command_usage_error(line, "--valgrind: %s", reason);
    } else if (chosen && command_suppressions_read(line, &suppress)) {
        status = hunt_program(line, &shard, &plan, &suppress, &result);
    }
    shard_choice_fini(&shard);
    suppress_fini(&suppress);
    result_fini(&result);
    plan_fini(&plan);
    free(program);
    free(repeat);
    return status;
}

static const char *const allocators[] = {"jemalloc", "system", NULL};

static const struct option_spec options[] = {
    {.name = "only",
     .kind = OPTION_TEXT,
     .argument = "GLOB",
     .help = "only tests whose id matches"},
    {.name = "repetitions",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "least repetitions of each test, 8 by default"},
    {.name = "sites",
     .kind = OPTION_FLAG,
     .help = "write where each test allocates, too, so that compare and baseline can name the call "
             "sites that changed"},
    {.name = "quick",
     .kind = OPTION_FLAG,
     .help = "fewer repetitions, no confirmation, one order: a shorter horizon, and said so"},
    {.name = "valgrind",
     .kind = OPTION_FLAG,
     .help = "then each test once under valgrind's memcheck, its errors and leaks beside the "
             "verdicts (valgrind's own options: VALGRIND_OPTS)"},
    {.name = "seed",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "of the shuffled orders of the tests, 1 by default"},
    {.name = "memory",
     .kind = OPTION_SIZE,
     .argument = "SIZE",
     .help = "cap of the program's memory"},
    {.name = "timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .help = "most time of one repetition, 60 s by default"},
    {.name = "suppressions",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "sites not to accuse, as leak:PATTERN lines",
     .repeats = true},
    {.name = "tests",
     .kind = OPTION_TEXT,
     .argument = "GLOB",
     .help = "of a command like make check: programs whose path or name matches are test programs, "
             "too",
     .repeats = true},
    {.name = "out",
     .kind = OPTION_FOLDER,
     .argument = "DIR",
     .help = "of a command like make check: where the programs' reports and results go, "
             "tidemark-results by default"},
    SHARD_OPTIONS,
    {.name = "allocator",
     .kind = OPTION_WORD,
     .argument = "NAME",
     .help = "what stands below the ledger: jemalloc, or the system's",
     .words = allocators},
    {0}};

static const char *const examples[] = {
    "tidemark hunt -- build/check_mine\tevery test, repeated until its memory is understood",
    "tidemark hunt --only '*/parser/*' -- build/check_mine\tsome of them",
    "tidemark hunt -- make check\tthe test programs that a command runs, each after the other",
    "tidemark hunt --valgrind -- build/check_mine\tand what memcheck says of each", NULL};

const struct command command_hunt = {
    .name = "hunt",
    .about = "leaks and growth in a test program, unmodified",
    .operands = "-- PROGRAM [ARGS...]",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .program = true,
    .options = options,
    .detail =
        "Runs each test again and again in one process, with its fixtures, until its memory has "
        "levelled off or is seen to grow, and names the line that allocated what stays and the "
        "global that holds it. Then runs all tests in order, twice in one process, and in two "
        "shuffled orders, for what accumulates from test to test, and for tests that fail for what "
        "another one left behind. --valgrind runs each test once more under memcheck, and puts its "
        "errors and lost bytes beside the verdicts. A command that runs two test programs or more "
        "(make check, ctest, a script) runs once as it is, and then each of them is hunted where "
        "and as it was run. Exit 1 when something leaks, grows, "
        "accumulates "
        "or fails, or memcheck finds an error or a lost block.",
    .examples = examples,
    .run = hunt_main,
};
