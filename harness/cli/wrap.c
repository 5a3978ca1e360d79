/*
 * wrap.c - `tidemark wrap`: one test program inside somebody else's runner. The program runs as it
 * is, with the runner's streams, and its status is this command's; then it is hunted, quietly.
 * Supervisor only.
 */
#include "harness/base/process.h"
#include "harness/cli/command.h"
#include "harness/record/framework.h"
#include "harness/record/hunted.h"
#include "harness/record/program_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_FOUND = 127, NOT_EXECUTABLE = 126, OPTIONS_MAX = 64 };

/* The program as it is. Returns how it ended, as waitpid says it, or -1. */
static int program_run(char **argv)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    int status = -1;
    fflush(NULL);
    sigaction(SIGINT, &ignore, &interrupt); /* they are the program's */
    sigaction(SIGQUIT, &ignore, &quit);
    pid_t child = fork();
    if (child == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        process_restore();
        execvp(argv[0], argv);
        fprintf(stderr, "tidemark wrap: %s: %s\n", argv[0], strerror(errno));
        _exit(errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
    }
    while (child > 0 && waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    return status;
}

/* Dies as the program did, so that the runner sees the same; without a second core. */
static void die_of(int signal_number)
{
    const struct rlimit none = {0};
    sigset_t only;
    setrlimit(RLIMIT_CORE, &none);
    signal(signal_number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(signal_number);
}

/* ctest gives a memory checker a file of its own for what it has to say. */
static bool log_write(const char *log, const char *report)
{
    char buffer[4096];
    size_t bytes;
    FILE *from = fopen(report, "r"), *to = fopen(log, "w");
    bool good = from != NULL && to != NULL;
    while (good && (bytes = fread(buffer, 1, sizeof buffer, from)) > 0) {
        good = fwrite(buffer, 1, bytes, to) == bytes;
    }
    if (from != NULL) {
        fclose(from);
    }
    if (to != NULL && fclose(to) != 0) {
        good = false;
    }
    return good;
}

/* As `tidemark hunt -- make check` would call it, which may leave the arguments out where the
 * program is run with no others. The caller frees. */
static char *name_of(const struct command_line *line)
{
    char here[PATH_MAX], resolved[PATH_MAX];
    char *path = command_program_find(line->operands[0]);
    const char *whole = realpath(path, resolved) != NULL ? resolved : path;
    const char *from = getcwd(here, sizeof here) != NULL ? here : "";
    char *name = program_name_with(program_name_of(whole, from), line->operands,
                                   framework_of(whole, NULL), whole, from);
    free(path);
    return name;
}

static int program_hunt(struct command_line *line)
{
    char error[512] = "";
    char *options[OPTIONS_MAX + 2] = {NULL};
    int count = 0;
    const char *file, *log = command_text(line, "log-file"), *out = command_text(line, "out");
    static char quick[] = "--quick", suppressions[] = "--suppressions";
    if (command_flag(line, "quick")) {
        options[count++] = quick;
    }
    for (size_t i = 0; count < OPTIONS_MAX && (file = command_text_at(line, "suppressions", i));
         i++) {
        options[count++] = suppressions;
        options[count++] = (char *)(uintptr_t)file;
    }
    char *name = name_of(line);
    struct hunted_program program = {.name = name, .argv = line->operands, .options = options};
    struct hunted_result result;
    bool ran =
        hunted_run(&program, out == NULL ? "tidemark-results" : out, &result, error, sizeof error);
    int status = ran ? result.status : COMMAND_OURS;
    if (!ran) {
        fprintf(stderr, "tidemark wrap: %s\n", error);
    } else {
        fprintf(stderr, "tidemark: %s: %s%s%s (%s)\n", line->operands[0], result.answer,
                result.answer[0] != '\0' ? " " : "", result.verdict, result.report);
    }
    if (ran && log != NULL && !log_write(log, result.report)) {
        fprintf(stderr, "tidemark wrap: %s: %s\n", log, strerror(errno));
        status = COMMAND_OURS;
    }
    hunted_result_fini(&result);
    free(name);
    return status;
}

/* A runner asks the program for its tests: that is no test. */
static bool only_lists(const struct command_line *line)
{
    char *path = command_program_find(line->operands[0]);
    const char *framework = framework_of(path, NULL);
    bool lists = false;
    for (size_t i = 1; i < line->operand_count; i++) {
        lists = lists || program_argument_lists(line->operands[i], framework);
    }
    free(path);
    return lists;
}

/* Returns only when it cannot be run. */
static int program_become(const struct command_line *line)
{
    execvp(line->operands[0], line->operands);
    fprintf(stderr, "tidemark wrap: %s: %s\n", line->operands[0], strerror(errno));
    return errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

static int wrap_main(struct command_line *line)
{
    if (line->json != NULL) {
        return command_usage_error(line, "--json: the result is written to --out DIR");
    }
    if (getenv("TIDEMARK_WRAPPED") != NULL) { /* a hunt of a script that calls this again */
        return program_become(line);
    }
    if (only_lists(line)) {
        return program_become(line);
    }
    int ended = program_run(line->operands);
    if (ended == -1) {
        fprintf(stderr, "tidemark wrap: %s\n", strerror(errno));
        return COMMAND_OURS;
    }
    if (WIFSIGNALED(ended)) {
        fprintf(stderr, "tidemark: %s: not hunted, it died of signal %d by itself\n",
                line->operands[0], WTERMSIG(ended));
        die_of(WTERMSIG(ended));
    }
    if (WEXITSTATUS(ended) != 0) {
        if (WEXITSTATUS(ended) != NOT_FOUND && WEXITSTATUS(ended) != NOT_EXECUTABLE) {
            fprintf(stderr, "tidemark: %s: not hunted, its status is %d by itself\n",
                    line->operands[0], WEXITSTATUS(ended));
        }
        return WEXITSTATUS(ended);
    }
    int status = program_hunt(line);
    bool tells = status == COMMAND_BROKEN || status == COMMAND_OURS;
    return command_flag(line, "gate") && tells ? status : 0;
}

static const struct option_spec options[] = {
    {.name = "out",
     .kind = OPTION_FOLDER,
     .argument = "DIR",
     .help = "where the reports and results go, tidemark-results by default"},
    {.name = "gate",
     .kind = OPTION_FLAG,
     .help = "end with 1 when the program passes by itself and the hunt finds something"},
    {.name = "quick",
     .kind = OPTION_FLAG,
     .help = "hunt with fewer repetitions and in one order: less evidence"},
    {.name = "suppressions",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "places that are not to be accused, a line leak:PATTERN each",
     .repeats = true},
    {.name = "log-file",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "the report in this file, too, as ctest asks of a memory checker"},
    {0}};

static const char *const examples[] = {"make check LOG_COMPILER='tidemark wrap --'\tautomake",
                                       "meson test --wrapper 'tidemark wrap --'\tMeson",
                                       "prove -e 'tidemark wrap --' build/test_mine\tTAP", NULL};

const struct command command_wrap = {
    .name = "wrap",
    .about = "runs a test program as it is, then hunts it: for inside a test runner",
    .operands = "-- PROGRAM [ARGS...]",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .program = true,
    .options = options,
    .detail =
        "The program's input, output and status are its own: TAP stays TAP, 77 stays 77, and a "
        "program that dies of a signal lets this command die of it. One that passes is then hunted "
        "with its output kept back. The verdict is one line on stderr; the report and the result "
        "lie in --out DIR under the program's name and a number made of its path and arguments.",
    .examples = examples,
    .run = wrap_main,
};
