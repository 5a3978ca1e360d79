/*
 * hunt.c - `tidemark hunt`: leaks and growth in any test program, unmodified. Supervisor only.
 */
#include "harness/base/executable.h"
#include "harness/base/memory.h"
#include "harness/base/version.h"
#include "harness/campaign/runner.h"
#include "harness/campaign/suppress.h"
#include "harness/cli/output.h"
#include "harness/cli/progress.h"
#include "harness/cli/project.h"
#include "harness/cli/selection.h"
#include "harness/cli/shard.h"
#include "harness/cli/suppressions.h"
#include "harness/result/result_printable.h"
#include "harness/result/result_write.h"
#include "harness/worker/guard.h"
#include "harness/worker/valgrind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Does the file begin with "#!"? */
static bool script(const char *path)
{
    char begin[2] = "";
    FILE *file = fopen(path, "re");
    bool is = file && fread(begin, 1, 2, file) == 2 && memcmp(begin, "#!", 2) == 0;
    if (file) {
        fclose(file);
    }
    return is;
}

/* A hunt that measured nothing is no green one. A script that ended well may be a test, but not one
 * for tidemark; a program that skips itself, a filter that nothing matches, or a shard without
 * tests is as it is; all else is a program that could not be watched. */
static void nothing_tell(const struct plan *plan, bool ran, struct result *result)
{
    bool none = plan_filter_given(&plan->filter) && result->way_in[0];
    bool other =
        result->skips_itself || (result->without_tests && script(plan->variants[0].program));
    const char *why = result->note_count > 0 ? result->notes[result->note_count - 1] : "";
    if (result->test_count > 0) {
        return;
    }
    result_set(&result->reason, why[0] ? why : "no test has a result");
    if (!ran && !none && !other) {
        result->incomplete++;
        result->cut_short++;
    }
}

static int status_of(const struct plan *plan, bool ran, const struct result *result)
{
    bool none = !ran && plan_filter_given(&plan->filter) && result->way_in[0];
    return none ? COMMAND_USAGE : output_status(result);
}

/* Beside other programs' notes it must be seen whose they are. */
static void notes_name(struct result *result)
{
    size_t length = strlen(result->program);
    for (size_t i = 0; i < result->note_count && length > 0; i++) {
        if (strncmp(result->notes[i], result->program, length) == 0) {
            continue; /* it begins with a test of it */
        }
        char *note = memory_format("%s: %s", result->program, result->notes[i]);
        free(result->notes[i]);
        result->notes[i] = note;
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
                                         .suppress = suppress,
                                         .verbose = line->verbose > 0};
        progress_begin(&progress, line, "", &options, result);
        if (plan->shards) {
            runner_shard(plan, &options, shard->balanced ? &shard->balance : NULL, result);
        }
        bool ran = runner_run(plan, &options, result);
        suppress_notes(suppress, result);
        nothing_tell(plan, ran, result);
        result_count(result);
        progress_end(&progress);
        notes_name(result);
        for (size_t i = 0; writer && i < result->note_count; i++) {
            result_write_note(writer, result->notes[i]);
        }
        status = status_of(plan, ran, result);
        bool written = !writer || result_writer_close(&writer, result);
        if (!written) {
            fprintf(stderr, "tidemark hunt: %s: %s\n", line->json, strerror(errno));
        }
        const char *rules = command_text(line, "suppress-out");
        written = (!rules || suppress_out(line, rules, result)) && written;
        result_sites_sort(result);
        written = output_write(line, result, OUTPUT_FULL) && written;
        status = written ? status : COMMAND_OURS;
    }
    free(preload);
    return status;
}

/* The ids of the tests that a hunt with these options would take, a line each. */
static int tests_list(struct plan *plan, struct result *result)
{
    char *preload = command_preload_path();
    struct runner_options options = {.preload = preload};
    plan->shard = 0;
    plan->shards = 1; /* of one shard, and not ours: its tests are listed and not run */
    runner_shard(plan, &options, NULL, result);
    size_t count = 0;
    for (size_t i = 0; i < result->elsewhere_count; i++) {
        for (size_t k = 0; k < result->elsewhere[i].count; k++, count++) {
            struct text id = {0};
            printable_put(&id, result->elsewhere[i].tests[k]);
            printf("%s\n", text_peek(&id));
            text_fini(&id);
        }
    }
    if (count == 0) {
        fprintf(stderr, "tidemark hunt: no test can be listed: %s\n",
                result->note_count > 0 ? result->notes[0] : "none is like that");
    }
    free(preload);
    return count > 0 ? COMMAND_MET : COMMAND_NOTHING;
}

static void plan_fill(const struct command_line *line, const struct shard_choice *shard,
                      struct plan *plan)
{
    const char *allocator = command_text(line, "allocator");
    plan->shard = shard->shard;
    plan->shards = shard->shards;
    plan->hunt = true;
    plan->memory_cap = command_integer(line, "memory", 0);
    plan->timeout_ns = command_integer(line, "timeout", 60000000000u);
    plan->quick = command_flag(line, "quick");
    plan->valgrind = command_flag(line, "valgrind");
    plan->births = command_flag(line, "sites");
    plan->repetitions = (unsigned)command_integer(line, "repetitions", 0);
    plan->budget_ns = command_integer(line, "budget", 0);
    plan->slack_ns = command_integer(line, "slack", 0);
    plan->jobs = (unsigned)command_integer(line, "jobs", 1);
    plan->memory_guard = plan->memory_cap ? 0 : guard_default("") / (plan->jobs ? plan->jobs : 1);
    plan->seed = command_integer(line, "seed", 1);
    plan->allocator = allocator && strcmp(allocator, "system") == 0 ? PLAN_SYSTEM : PLAN_JEMALLOC;
}

static int hunt_main(struct command_line *line)
{
    struct plan plan;
    struct result result;
    struct suppress suppress;
    struct shard_choice shard;
    char *program = NULL, *repeat = NULL;
    char reason[256];
    int status = COMMAND_USAGE;
    bool chosen = shard_choose(line, &shard);
    if (line->operand_count == 0) {
        status = chosen ? project_file_hunt(line, &shard) : COMMAND_USAGE;
        shard_choice_fini(&shard);
        return status;
    }
    program = command_program_find(line->operands[0]);
    if (chosen && executable_error(program) == 0 && project_wanted(line) &&
        project_hunt(line, &shard, &status)) {
        shard_choice_fini(&shard);
        free(program);
        return status;
    }
    plan_init(&plan);
    result_init(&result);
    suppress_init(&suppress);
    chosen = chosen && output_options(line) && selection_fail_on(line, &result.fail_on);
    repeat = shard_argv(line, &shard);
    plan_fill(line, &shard, &plan);
    enum selection selection = selection_take(line, &plan.filter);
    const char *name = command_text(line, "program");
    plan_variant_add(&plan, name == NULL ? "" : name, program, line->operands, NULL);
    result_set(&result.program, name == NULL ? "" : name);
    result_set(&result.tool_version, TIDEMARK_VERSION);
    result_set(&result.command, "hunt");
    result_set(&result.argv, repeat);
    result_set(&result.suite, line->operands[0]);
    if (plan_filter_given(&plan.filter)) {
        char *like = plan_filter_text(&plan.filter);
        result_set(&result.filter, like);
        free(like);
    }
    int why = executable_error(program);
    if (why != 0) {
        status = command_usage_error(line, "%s: %s", line->operands[0], strerror(why));
    } else if (plan.jobs == 0 || plan.jobs > RUNNER_JOBS_MOST) {
        status = command_usage_error(line, "--jobs %s: from 1 to %u", command_text(line, "jobs"),
                                     RUNNER_JOBS_MOST);
    } else if (command_text(line, "out")) {
        status = command_usage_error(line,
                                     "--out %s: is for a command that runs several programs; of "
                                     "one, --json FILE keeps the result",
                                     command_text(line, "out"));
    } else if (plan.valgrind && !valgrind_possible(reason, sizeof reason)) {
        status = command_usage_error(line, "--valgrind: %s", reason);
    } else if (selection == SELECTION_CLEAN) {
        fprintf(stderr, "tidemark hunt: all tests of --failed were clean: nothing to hunt\n");
        status = COMMAND_NOTHING;
    } else if (chosen && selection == SELECTION_TAKEN && command_flag(line, "list")) {
        status = tests_list(&plan, &result);
    } else if (chosen && selection == SELECTION_TAKEN &&
               command_suppressions_read(line, &suppress)) {
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
    SELECTION_OPTIONS,
    {.name = "list", .kind = OPTION_FLAG, .help = "only name the tests, and run none"},
    FAIL_ON_OPTION,
    {.name = "repetitions",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help =
         "call each test at least N times after its first three calls; by default as often as the "
         "budget allows"},
    {.name = "budget",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .help = "what the hunt may take, without what it waits for a busy processor; by default five "
             "passes over the suite and 5 s, more where there are thousands of tests"},
    {.name = "slack",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .help = "without --budget, what the hunt may take beside the five passes, 5 s by default; of "
             "a command that runs several programs, for all of them together"},
    {.name = "program",
     .kind = OPTION_TEXT,
     .argument = "NAME",
     .help = "begin the id of each test with NAME, so that results of several programs can be "
             "merged"},
    {.name = "jobs",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "repeat N tests side by side, each in a process with a TMPDIR of its own; 1 by "
             "default. More where tests share nothing else: no port, no file, no database"},
    {.name = "sites",
     .kind = OPTION_FLAG,
     .help =
         "also write where each test allocates, so that compare and baseline can name the lines "
         "that changed"},
    {.name = "quick",
     .kind = OPTION_FLAG,
     .help = "fewer repetitions and one order: less evidence, and the report says so"},
    {.name = "valgrind",
     .kind = OPTION_FLAG,
     .help =
         "afterwards run each test once under valgrind's memcheck, and show its errors and leaks "
         "beside the verdicts (options for valgrind: VALGRIND_OPTS)"},
    {.name = "seed",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .help = "seed of the shuffled orders of the tests, 1 by default"},
    {.name = "memory",
     .kind = OPTION_SIZE,
     .argument = "SIZE",
     .help = "end the program when it takes more memory than this; by default when it and its "
             "children have "
             "three quarters of what the machine, or its control group, has free"},
    {.name = "timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .help = "longest time for one repetition of a test, 60 s by default"},
    {.name = "suppressions",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "places that are not to be accused, a line leak:PATTERN each",
     .repeats = true},
    {.name = "suppress-out",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "write a suppression for each place that is accused; its reason is for you to add"},
    {.name = "tests",
     .kind = OPTION_TEXT,
     .argument = "GLOB",
     .help =
         "for a command like make check: programs whose path or name matches are test programs, "
         "too",
     .repeats = true},
    {.name = "programs",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "without a program on the command line, the file that names them; .tidemark.yaml by "
             "default"},
    {.name = "out",
     .kind = OPTION_FOLDER,
     .argument = "DIR",
     .help = "for a command like make check: the folder for the programs' reports and results, "
             "tidemark-results by default"},
    SHARD_OPTIONS,
    {.name = "allocator",
     .kind = OPTION_WORD,
     .argument = "NAME",
     .help = "the allocator that the program gets its memory from",
     .words = allocators},
#define RENDERER(name, option, help, append) OUTPUT_FORMAT(name, option, help, append)
#include "harness/report/renderer.def"
#undef RENDERER
    OUTPUT_OPTIONS,
    {0}};

static const char *const examples[] = {
    "tidemark hunt -- build/check_mine\tevery test, repeated until its memory is understood",
    "tidemark hunt --only '*/parser/*' -- build/check_mine\tsome of them",
    "tidemark hunt -- make check\tthe test programs that a command runs, each after the other",
    "tidemark hunt --valgrind -- build/check_mine\tand what memcheck says of each", NULL};

const struct command command_hunt = {
    .name = "hunt",
    .about = "leaks and growth in a test program, unmodified",
    .operands = "[-- PROGRAM [ARGS...]]",
    .operand_min = 0,
    .operand_max = COMMAND_MANY,
    .program = true,
    .options = options,
    .detail =
        "Runs all tests in order, and repeats each of them in one process, with its fixtures, "
        "until "
        "its memory has levelled off or is seen to grow. Names the line that allocated what stays "
        "and the variable that holds it. Then runs all tests in up to four shuffled orders, to "
        "find "
        "what accumulates from test to test, and tests that fail because of what another one "
        "left. What it takes is planned after the first pass, and printed.\n"
        "A command that runs programs of a project (make check, ctest, a script) runs once as "
        "it is. Then each of its test programs is hunted where and as it was run.\n"
        "The status is 1 when something leaks, grows, accumulates or fails, or memcheck finds an "
        "error or a lost block; --fail-on chooses among them. The verdict of the suite counts as "
        "one more test. A test without a verdict counts as skipped.\n"
        "Ctrl-C shows what was found until then; --failed goes on from its --json FILE.",
    .examples = examples,
    .run = hunt_main,
};
