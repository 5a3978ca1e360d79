/* project.c - see project.h. */
#include "harness/cli/project.h"

#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/text.h"
#include "harness/record/framework.h"
#include "harness/record/hunted.h"
#include "harness/record/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sums of the programs' last lines. */
struct project_sums {
    unsigned passed, failed, skipped, broken, unsure, open; /* open: nothing in it was judged */
};

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

/* Options of this hunt that each program's hunt gets: all but where the results go. Each program
 * runs in a folder of its own: the files that are named are named from the root. */
static char **options_pass(const struct command_line *line)
{
    size_t count = 0;
    char **options = memory_new((size_t)line->argc * 2 + 1, sizeof *options);
    for (int i = 2;
         i < line->argc && strcmp(line->argv[i], "--") != 0 && line->argv[i] != line->operands[0];
         i++) {
        const char *word = line->argv[i];
        bool is_json = strncmp(word, "--json", 6) == 0, is_out = strncmp(word, "--out", 5) == 0;
        bool is_tests = strncmp(word, "--tests", 7) == 0;
        bool is_file = strncmp(word, "--suppressions", 14) == 0;
        bool is_quiet = strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0;
        if (is_json || is_out || is_tests || is_file) {
            i += strchr(word, '=') == NULL; /* its value is the next word */
        } else if (!is_quiet && strcmp(word, "--no-color") != 0) {
            options[count++] = memory_copy(word);
        }
    }
    const char *file;
    for (size_t i = 0; (file = command_text_at(line, "suppressions", i)) != NULL; i++) {
        char *absolute = realpath(file, NULL);
        options[count++] = memory_copy("--suppressions");
        options[count++] = absolute != NULL ? absolute : memory_copy(file);
    }
    return options;
}

/* The program's path from here, where it lies below here. */
static const char *path_shown(const char *path)
{
    char here[4096];
    size_t bytes = getcwd(here, sizeof here) == NULL ? 0 : strlen(here);
    return bytes > 1 && strncmp(path, here, bytes) == 0 && path[bytes] == '/' ? path + bytes + 1
                                                                              : path;
}

static void program_show(const struct record_program *program, const char *answer, const char *what)
{
    struct text line = {0};
    text_put_shell(&line, path_shown(program->path));
    for (char *const *word = program->argv + 1; program->argv[0] != NULL && *word != NULL; word++) {
        text_put_char(&line, ' ');
        text_put_shell(&line, *word);
    }
    printf("%s\n", line.data);
    if (answer != NULL && answer[0] != '\0') {
        struct text wrapped = {0};
        text_wrap(&wrapped, answer, 4, table_terminal_width(stdout));
        fputs(wrapped.data, stdout);
        text_fini(&wrapped);
    }
    printf("    %s\n", what);
    fflush(stdout);
    text_fini(&line);
}

/* --json FILE: the results one after the other, each with its own `run` line. */
static bool json_add(FILE *json, const char *path)
{
    char buffer[4096];
    size_t bytes;
    FILE *file = fopen(path, "r");
    bool good = file != NULL;
    while (good && (bytes = fread(buffer, 1, sizeof buffer, file)) > 0) {
        good = fwrite(buffer, 1, bytes, json) == bytes;
    }
    if (file != NULL) {
        fclose(file);
    }
    return good;
}

static void program_hunt(const struct record_program *recorded, const char *out, char **options,
                         FILE *json, struct project_sums *sums)
{
    char error[512] = "";
    unsigned passed = 0, failed = 0, skipped = 0;
    struct hunted_program program = {.argv = recorded->argv,
                                     .path = recorded->path,
                                     .folder = recorded->folder,
                                     .env = recorded->env,
                                     .options = options};
    struct hunted_result result;
    bool ran = hunted_run(&program, out, &result, error, sizeof error);
    char *what =
        ran ? memory_format("%s: %s (%s)",
                            recorded->framework == NULL ? "no framework" : recorded->framework,
                            result.verdict, path_shown(result.report))
            : memory_copy(error);
    program_show(recorded, result.answer, what);
    if (ran && sscanf(result.verdict, "%u passed, %u failed, %u skipped", &passed, &failed,
                      &skipped) == 3) {
        sums->passed += passed;
        sums->failed += failed;
        sums->skipped += skipped;
    }
    if (json != NULL && ran && !json_add(json, result.result)) {
        ran = false;
    }
    sums->broken += ran && result.status == COMMAND_BROKEN;
    sums->open += ran && result.status == COMMAND_NOTHING;
    sums->unsure += !ran || (result.status != COMMAND_MET && result.status != COMMAND_BROKEN &&
                             result.status != COMMAND_NOTHING);
    free(what);
    hunted_result_fini(&result);
}

/* How the command ended, for the person; NULL when it ended well. */
static char *end_words(const char *command, int ended)
{
    if (WIFSIGNALED(ended)) {
        return memory_format("%s died of %s", command, strsignal(WTERMSIG(ended)));
    }
    return WEXITSTATUS(ended) == 0
               ? NULL
               : memory_format("%s ended with status %d", command, WEXITSTATUS(ended));
}

/* Not judged is not passed: each counts as skipped. */
static void others_show(const struct record *record, struct project_sums *sums)
{
    if (record->other_count == 0) {
        return;
    }
    printf(
        "\nnot hunted, because no test framework is in them (--tests GLOB names test programs):\n");
    for (size_t i = 0; i < record->other_count; i++) {
        struct text name = {0};
        text_put_shell(&name, path_shown(record->others[i]));
        printf("    %s\n", name.data);
        text_fini(&name);
    }
    sums->skipped += (unsigned)record->other_count;
    sums->open += (unsigned)record->other_count;
}

static int sums_show(const struct project_sums *sums, const char *bad, const struct record *record)
{
    size_t programs = record->count;
    size_t all = programs + record->other_count;
    bool is_majority_open = 2 * (size_t)sums->open > all;
    if (bad != NULL) {
        printf("\nnote: %s by itself\n", bad);
    }
    if (sums->unsure > 0) {
        printf("\nnote: %u of %zu programs could not be judged: their reports say why\n",
               sums->unsure, programs);
    }
    if (sums->open > 0) {
        printf("\nnote: %u of %zu programs were not judged\n", sums->open, all);
    }
    if (sums->broken > 0) {
        printf("\n%u of %zu programs %s something that leaks, grows or fails\n", sums->broken,
               programs, sums->broken == 1 ? "has" : "have");
    }
    printf("\n%u passed, %u failed, %u skipped\n", sums->passed, sums->failed, sums->skipped);
    return bad != NULL || sums->broken > 0 ? COMMAND_BROKEN
           : sums->unsure > 0              ? COMMAND_OURS
           : is_majority_open              ? COMMAND_NOTHING
                                           : COMMAND_MET;
}

static int programs_hunt(const struct command_line *line, const struct record *record, int ended)
{
    struct project_sums sums = {0};
    const char *out = command_text(line, "out");
    bool to_stdout = line->json != NULL && strcmp(line->json, "-") == 0;
    FILE *json = line->json == NULL || to_stdout ? NULL : fopen(line->json, "w");
    if ((line->json != NULL && json == NULL) || to_stdout) {
        fprintf(stderr, "tidemark hunt: --json %s: %s\n", line->json,
                to_stdout ? "a file, where several programs are hunted" : strerror(errno));
        return COMMAND_USAGE;
    }
    char **options = options_pass(line);
    char *bad = end_words(line->operands[0], ended);
    printf("\ntidemark hunt of %zu test program%s; %s executed %zu\n\n", record->count,
           record->count == 1 ? "" : "s", line->operands[0], record->executed);
    for (size_t i = 0; i < record->count; i++) {
        program_hunt(&record->programs[i], out == NULL ? "tidemark-results" : out, options, json,
                     &sums);
    }
    others_show(record, &sums);
    int status = sums_show(&sums, bad, record);
    if (json != NULL && fclose(json) != 0) {
        fprintf(stderr, "tidemark hunt: %s: %s\n", line->json, strerror(errno));
        status = COMMAND_OURS;
    }
    for (size_t i = 0; options[i] != NULL; i++) {
        free(options[i]);
    }
    free(bad);
    free(options);
    return status;
}

/* A command that is, or only leads to, one program is hunted as that program: what follows children
 * finds a test framework in it, and nothing else. */
static bool is_project(const struct record *record)
{
    size_t programs = record->count + record->other_count;
    bool has_framework = record->count > 0 && record->programs[0].framework != NULL;
    return programs >= 2 || (programs == 1 && !has_framework && !record->has_become_other);
}

bool project_hunt(struct command_line *line, int *status)
{
    struct record record;
    char error[512] = "";
    int ended = 0;
    const char **tests = memory_new((size_t)line->argc + 1, sizeof *tests);
    for (size_t i = 0; (tests[i] = command_text_at(line, "tests", i)) != NULL; i++) {
    }
    bool followed = record_run(&record, line->operands, tests, &ended, error, sizeof error);
    bool hunts = followed && is_project(&record);
    if (!followed) {
        fprintf(stderr, "tidemark hunt: %s\n", error);
    }
    if (hunts) {
        *status = programs_hunt(line, &record, ended);
    }
    record_fini(&record);
    free(tests);
    return hunts;
}
