/*
 * project.c - see project.h. Each program is hunted by a process of its own, which leaves a report
 * and a result in a folder; project_tell.c merges them.
 */
#include "harness/cli/project.h"
#include "harness/cli/project_part.h"

#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/text.h"
#include "harness/cli/output.h"
#include "harness/cli/project_file.h"
#include "harness/cli/selection.h"
#include "harness/cli/shard.h"
#include "harness/cli/suppressions.h"
#include "harness/judge/budget.h"
#include "harness/record/framework.h"
#include "harness/record/hunted.h"
#include "harness/record/program_name.h"
#include "harness/record/record.h"
#include "harness/report/renderer.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MOST   64
#define START_NS    20e6 /* what a program takes in the plan at least: it has to be started */
#define SLACK_LEAST 1e9  /* a hunt starts processes: less would judge little of what grows */

static bool is_script(const char *path)
{
    char begin[2] = "";
    FILE *file = fopen(path, "r");
    bool script = file != NULL && fread(begin, 1, 2, file) == 2 && memcmp(begin, "#!", 2) == 0;
    if (file != NULL) {
        fclose(file);
    }
    return script;
}

bool project_wanted(const struct command_line *line)
{
    char *path = command_program_find(line->operands[0]);
    bool wanted = getenv("TIDEMARK_WRAPPED") == NULL &&
                  (strchr(line->operands[0], '/') == NULL || is_script(path)) &&
                  framework_of(path, NULL) == NULL;
    free(path);
    return wanted;
}

/* The options of a program's hunt. ---------------------------------------------------------------
 */

struct options {
    char **items;
    size_t count, room;
};

static void option_add(struct options *options, char *word)
{
    memory_grow(&options->items, &options->room, options->count + 2, sizeof *options->items);
    options->items[options->count++] = word;
    options->items[options->count] = NULL;
}

static void option_put(struct options *options, const char *name, char *value)
{
    option_add(options, memory_format("--%s", name));
    option_add(options, value);
}

static void options_free(struct options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        free(options->items[i]);
    }
    free(options->items);
}

/* What concerns a program by itself; how it is shown, and where, concerns all of them. Each runs in
 * a folder of its own: the files that are named are named from the root. */
static void options_pass(struct options *options, const struct project *project,
                         const struct programs_entry *entry)
{
    static const char *const words[] = {"only", "exclude", "fail-on", "repetitions",
                                        "seed", "memory",  "timeout", "allocator"};
    static const char *const files[] = {"suppressions", "failed", "balance"};
    static const char *const flags[] = {"quick", "valgrind", "sites", "list"};
    const struct command_line *line = project->line;
    const char *value;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (size_t k = 0; (value = command_text_at(line, words[i], k)) != NULL; k++) {
            option_put(options, words[i], memory_copy(value));
        }
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        for (size_t k = 0; (value = command_text_at(line, files[i], k)) != NULL; k++) {
            char *absolute = realpath(value, NULL);
            option_put(options, files[i], absolute != NULL ? absolute : memory_copy(value));
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (command_flag(line, flags[i])) {
            option_add(options, memory_format("--%s", flags[i]));
        }
    }
    for (size_t i = 0; entry != NULL && i < entry->suppression_count; i++) {
        const char *rules = entry->suppressions[i];
        option_put(options, "suppressions",
                   rules[0] == '/' ? memory_copy(rules)
                                   : memory_format("%s/%s", project->file->folder, rules));
    }
    if (project->shard->shards > 0) {
        option_put(options, "shard",
                   memory_format("%u/%u", project->shard->shard, project->shard->shards));
    }
}

/* What this program may take of what is left: an equal part of the slack, or of a budget as much as
 * it took in the command's run. What it does not use, the others may. */
static void time_give(struct project *project, struct member *member, struct options *options)
{
    double weight = member->program->ns + START_NS;
    double part = project->has_budget ? weight / project->weight : 1.0 / (double)project->open;
    double least = project->has_budget ? 1e6 : SLACK_LEAST;
    member->given = fmax(project->left * part, least);
    project->left = fmax(project->left - member->given, 0);
    project->weight -= weight;
    project->open--;
    option_put(options, project->has_budget ? "budget" : "slack",
               memory_format("%.0fns", member->given));
}

static void time_take_back(struct project *project, const struct member *member)
{
    double took = (double)(monotonic_ns() - member->begun);
    double beside = project->has_budget ? took : took - 5 * member->program->ns;
    project->left += fmax(member->given - fmax(beside, 0), 0);
}

/* Names. -----------------------------------------------------------------------------------------
 */

void project_here(char here[PATH_MAX])
{
    if (getcwd(here, PATH_MAX) == NULL) {
        here[0] = '\0';
    }
}

/* The arguments belong to the name where the same program was run with others, too. */
static void members_name(struct project *project)
{
    char here[PATH_MAX];
    project_here(here);
    for (size_t i = 0; i < project->count; i++) {
        const struct record_program *program = project->members[i].program;
        bool several = false;
        for (size_t k = 0; k < project->count; k++) {
            several = several ||
                      (k != i && strcmp(project->members[k].program->path, program->path) == 0);
        }
        const char *given =
            project->file == NULL
                ? ""
                : project->file->programs.scenario.variants[project->file->entries[i]].name;
        char *name = given[0] != '\0' ? memory_copy(given) : program_name_of(program->path, here);
        several = several && given[0] == '\0';
        project->members[i].name =
            several
                ? program_name_with(name, program->argv, program->framework, program->path, here)
                : name;
    }
    for (size_t i = 0; i < project->count; i++) { /* in other folders, or for no reason we know */
        unsigned same = 1;
        for (size_t k = 0; k < i; k++) {
            size_t length = strlen(project->members[i].name);
            const char *other = project->members[k].name;
            same += strncmp(other, project->members[i].name, length) == 0 &&
                    (other[length] == '\0' || other[length] == '#');
        }
        if (same > 1) {
            char *name = memory_format("%s#%u", project->members[i].name, same);
            free(project->members[i].name);
            project->members[i].name = name;
        }
    }
}

/* Hunting. ---------------------------------------------------------------------------------------
 */

/* A path from here, where it lies below here. */
static const char *path_shown(const char *path)
{
    char here[PATH_MAX];
    project_here(here);
    size_t bytes = strlen(here);
    return bytes > 1 && strncmp(path, here, bytes) == 0 && path[bytes] == '/' ? path + bytes + 1
                                                                              : path;
}

static bool member_start(struct project *project, struct member *member)
{
    char error[512] = "";
    struct options options = {0};
    options_pass(&options, project, member->entry);
    time_give(project, member, &options);
    const struct record_program *program = member->program;
    struct hunted_program hunted = {.name = member->name,
                                    .argv = program->argv,
                                    .path = program->path,
                                    .folder = program->folder,
                                    .env = program->env,
                                    .options = options.items};
    member->begun = monotonic_ns();
    pid_t hunt = hunted_start(&hunted, project->out, &member->result, error, sizeof error);
    options_free(&options);
    if (hunt < 0) {
        fprintf(stderr, "tidemark hunt: %s\n", error);
        return false;
    }
    member->hunt = hunt;
    return true;
}

static void list_print(const char *report)
{
    char line[4096];
    FILE *file = fopen(report, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        fputs(strncmp(line, "tidemark", 8) == 0 ? "" : line, stdout);
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void member_show(const struct project *project, const struct member *member)
{
    const struct command_line *line = project->line;
    const char *framework = member->program->framework;
    if (project->is_listed) {
        list_print(member->result.report);
    } else if (!line->quiet) {
        printf("%s\n    %s: %s (%s)\n", member->name,
               framework == NULL ? "no framework" : framework,
               member->unselected         ? "none of its tests is wanted here"
               : member->unhunted != NULL ? member->unhunted
                                          : member->result.verdict,
               path_shown(member->result.report));
    }
    fflush(stdout);
}

static void member_end(struct project *project, struct member *member, int status)
{
    char error[512] = "";
    member->hunt = 0;
    member->broken = !hunted_end(&member->result, status, error, sizeof error);
    time_take_back(project, member);
    const struct hunted_result *result = &member->result;
    bool none = plan_filter_given(&project->filter) && result->status == COMMAND_USAGE;
    bool is_elsewhere = project->shard->shards > 0 && result->is_parted;
    if (member->broken) {
        fprintf(stderr, "tidemark hunt: %s: %s\n", member->name, error);
    } else if (result->tests == 0 && (none || is_elsewhere)) {
        member->unselected = true;
    } else if (result->tests == 0 && !project->is_listed) {
        member->unhunted =
            memory_copy(result->reason[0] != '\0' ? result->reason : result->verdict);
    }
    member_show(project, member);
}

/* Why it is not to be hunted; NULL: it is. Without a framework nothing but the status says whether
 * a program passes, and a runner may want another one than 0: what it wants is not known. */
static char *skip_words(const struct member *member)
{
    if (member->entry != NULL && member->entry->skip[0] != '\0') {
        return memory_copy(member->entry->skip);
    }
    bool known = member->program->framework == NULL && member->program->status >= 0;
    return known ? project_end_words(member->program->status) : NULL;
}

/* So many side by side. Returns false when one could not be started. */
static bool members_hunt(struct project *project, size_t jobs)
{
    size_t next = 0, running = 0;
    bool good = true;
    while ((good && next < project->count) || running > 0) {
        if (good && next < project->count && running < jobs) {
            struct member *member = &project->members[next++];
            member->unhunted = skip_words(member);
            if (member->unhunted != NULL) {
                project->open--;
                continue;
            }
            good = member_start(project, member);
            running += good;
            continue;
        }
        int status;
        pid_t ended = waitpid(-1, &status, 0);
        if (ended == -1 && errno != EINTR) {
            return false;
        }
        for (size_t i = 0; ended > 0 && i < project->count; i++) {
            if (project->members[i].hunt == ended) {
                member_end(project, &project->members[i], status);
                running--;
            }
        }
    }
    return good;
}

/* The command writes to standard output: nothing else fits there. Returns false after a message. */
static bool is_stdout_free(const struct command_line *line)
{
    const char *taken = line->json != NULL && strcmp(line->json, "-") == 0 ? "json" : NULL;
    for (const struct renderer *renderer = renderers; renderer->option != NULL; renderer++) {
        const char *path = command_text(line, renderer->option);
        taken = path != NULL && strcmp(path, "-") == 0 ? renderer->option : taken;
    }
    if (taken != NULL) {
        command_usage_error(line, "--%s -: a file, where several programs are hunted", taken);
    }
    return taken == NULL;
}

static int programs_hunt(struct project *project, int ended)
{
    const struct command_line *line = project->line;
    uint64_t jobs = command_integer(line, "jobs", 1);
    project->has_budget = command_text(line, "budget") != NULL;
    project->left = project->has_budget
                        ? (double)command_integer(line, "budget", 0) * (double)jobs
                        : (double)command_integer(line, "slack", (uint64_t)BUDGET_BESIDE);
    project->open = project->count;
    for (size_t i = 0; i < project->count; i++) {
        project->weight += project->members[i].program->ns + START_NS;
    }
    members_name(project);
    hunted_folder_clear(project->out);
    if (!project->is_listed && !line->quiet) {
        printf("\ntidemark hunt of %zu test program%s; ", project->count,
               project->count == 1 ? "" : "s");
        printf(project->file != NULL ? "named by %s\n\n" : "%s executed %zu\n\n",
               project->called.data, project->record->executed);
    }
    bool good = members_hunt(project, (size_t)jobs);
    int status = good && !project->is_listed ? project_results_tell(project, ended) : COMMAND_MET;
    return good ? status : COMMAND_OURS;
}

/* A command that becomes one program, and runs no other of the project, is hunted as that program;
 * so is one that runs none at all. */
static bool is_project(const struct record *record)
{
    size_t programs = record->count + record->other_count;
    return programs >= 2 || (programs == 1 && !record->has_become_one) ||
           (programs == 0 && record->executed >= 2);
}

/* All that can be wrong with the options is said before the command runs. */
static bool options_check(struct project *project, int *status)
{
    const struct command_line *line = project->line;
    uint64_t jobs = command_integer(line, "jobs", 1);
    unsigned bits = 0;
    *status = COMMAND_USAGE;
    if (jobs == 0 || jobs > JOBS_MOST) {
        command_usage_error(line, "--jobs %s: from 1 to %d", command_text(line, "jobs"), JOBS_MOST);
        return false;
    }
    if (!output_options(line) || !is_stdout_free(line) || !selection_fail_on(line, &bits)) {
        return false;
    }
    enum selection selection = selection_take(line, &project->filter);
    if (selection == SELECTION_CLEAN) {
        fprintf(stderr, "tidemark hunt: all tests of --failed were clean: nothing to hunt\n");
        *status = COMMAND_NOTHING;
    }
    return selection == SELECTION_TAKEN;
}

static void project_fini(struct project *project)
{
    for (size_t i = 0; i < project->count; i++) {
        free(project->members[i].name);
        free(project->members[i].unhunted);
        hunted_result_fini(&project->members[i].result);
    }
    free(project->members);
    plan_filter_fini(&project->filter);
    text_fini(&project->called);
}

static void members_make(struct project *project)
{
    project->count = project->record->count;
    project->members = memory_new(project->count + 1, sizeof *project->members);
    for (size_t i = 0; i < project->count; i++) {
        project->members[i].program = &project->record->programs[i];
    }
}

bool project_hunt(struct command_line *line, const struct shard_choice *shard, int *status)
{
    struct record record = {0};
    char error[512] = "";
    int ended = 0;
    const char *out = command_text(line, "out");
    struct project project = {.line = line,
                              .record = &record,
                              .shard = shard,
                              .out = out == NULL ? "tidemark-results" : out,
                              .is_listed = command_flag(line, "list")};
    if (!options_check(&project, status)) {
        project_fini(&project);
        return true;
    }
    for (size_t i = 0; i < line->operand_count; i++) {
        text_put(&project.called, i > 0 ? " " : "");
        text_put_shell(&project.called, line->operands[i]);
    }
    const char **tests = memory_new((size_t)line->argc + 1, sizeof *tests);
    for (size_t i = 0; (tests[i] = command_text_at(line, "tests", i)) != NULL; i++) {
    }
    bool followed = record_run(&record, line->operands, tests, &ended, error, sizeof error);
    record_join(&record);
    bool hunts = followed && is_project(&record);
    if (!followed) {
        fprintf(stderr, "tidemark hunt: %s\n", error);
    }
    if (hunts) {
        members_make(&project);
        *status = programs_hunt(&project, ended);
    }
    project_fini(&project);
    record_fini(&record);
    free(tests);
    return hunts;
}

int project_file_hunt(struct command_line *line, const struct shard_choice *shard)
{
    struct project_file file;
    struct diag diag;
    int status = COMMAND_USAGE;
    const char *out = command_text(line, "out"), *path = command_text(line, "programs");
    path = path == NULL ? ".tidemark.yaml" : path;
    struct project project = {.line = line,
                              .record = &file.record,
                              .file = &file,
                              .shard = shard,
                              .out = out == NULL ? "tidemark-results" : out,
                              .is_listed = command_flag(line, "list")};
    diag_init(&diag);
    bool read = project_file_read(path, &file, &diag);
    diag_print(&diag, stderr);
    if (read && options_check(&project, &status)) {
        text_put(&project.called, path);
        members_make(&project);
        for (size_t i = 0; i < project.count; i++) {
            project.members[i].entry = &file.programs.entries[file.entries[i]];
        }
        status = programs_hunt(&project, 0);
    }
    project_fini(&project);
    project_file_fini(&file);
    diag_fini(&diag);
    return status;
}
