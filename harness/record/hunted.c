/* hunted.c - see hunted.h. */
#include "harness/record/hunted.h"

#include "harness/base/memory.h"
#include "harness/base/process.h"
#include "harness/base/text.h"
#include "harness/report/describe_answer.h"
#include "harness/result/result_printable.h"
#include "harness/result/result_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OURS = 99, NAME_BYTES = 100 };

static uint32_t hash_add(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619u; /* FNV-1a */
    }
    return (hash ^ 0xff) * 16777619u;
}

/* The same program with the same arguments has the same name each time. */
static char *name_of(const struct hunted_program *program)
{
    uint32_t hash = hash_add(2166136261u, program->name);
    for (char *const *argument = program->argv + 1; *argument != NULL; argument++) {
        hash = hash_add(hash, *argument);
    }
    size_t length = strlen(program->name);
    char *name = memory_format("%.*s-%08x", (int)(length < NAME_BYTES ? length : NAME_BYTES),
                               program->name, hash);
    for (char *c = name; *c != '\0'; c++) {
        bool plain = strchr("-_.", *c) != NULL || (*c >= '0' && *c <= '9') ||
                     ((*c | 32) >= 'a' && (*c | 32) <= 'z');
        *c = plain ? *c : '_';
    }
    return name;
}

/* A framework that writes a log would write over that of the run that counts. */
static void environment_quiet(void)
{
    static const char *const names[] = {
        "CK_LOG_FILE_NAME", "CK_XML_LOG_FILE_NAME", "CK_TAP_LOG_FILE_NAME", "GTEST_OUTPUT",
        "XML_OUTPUT_FILE",  "CMOCKA_XML_FILE",      "BOOST_TEST_LOGGER",    "BOOST_TEST_LOG_SINK"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
    }
}

/* The command line of the hunt; the words are borrowed. */
static char **command_make(const struct hunted_program *program, const char *tidemark,
                           const char *result)
{
    const char *const begin[] = {"hunt", "--no-color", "-q", "--program", program->name, "--json"};
    size_t room = 16, count = 0;
    for (char *const *word = program->argv; *word != NULL; word++) {
        room++;
    }
    for (char *const *word = program->options; word != NULL && *word != NULL; word++) {
        room++;
    }
    const char **command = memory_new(room, sizeof *command);
    command[count++] = tidemark;
    for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++) {
        command[count++] = begin[i];
    }
    command[count++] = result;
    for (char *const *word = program->options; word != NULL && *word != NULL; word++) {
        command[count++] = *word;
    }
    command[count++] = "--";
    command[count++] = program->path != NULL ? program->path : program->argv[0];
    for (char *const *word = program->argv + 1; *word != NULL; word++) {
        command[count++] = *word;
    }
    return (char **)command;
}

static void __attribute__((noreturn))
hunt_exec(const struct hunted_program *program, char **command, int report)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    process_restore();
    if (program->env != NULL) {
        environ = (char **)(uintptr_t)program->env;
    }
    environment_quiet();
    setenv("TIDEMARK_WRAPPED", "1", 1);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(report, STDOUT_FILENO) >= 0 &&
        dup2(report, STDERR_FILENO) >= 0 &&
        (program->folder == NULL || chdir(program->folder) == 0)) {
        execv(command[0], command);
    }
    dprintf(report, "tidemark: %s: %s\n", program->folder == NULL ? "." : program->folder,
            strerror(errno));
    _exit(OURS);
}

/* The last line that says something. */
static char *last_line(const char *path)
{
    char line[512], last[512] = "";
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0') {
            snprintf(last, sizeof last, "%s", line);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return memory_copy(last);
}

/* From the result and not from the report, where it is wrapped. */
static void result_take(struct hunted_result *hunted)
{
    struct result result;
    struct diag diag;
    struct text answer = {0};
    const char *reason = "";
    diag_init(&diag);
    result_init(&result);
    if (result_read(hunted->result, &result, &diag)) {
        result_make_printable(&result);
        result_count(&result);
        result_sites_sort(&result);
        describe_answer(&answer, &result);
        hunted->tests = result.test_count;
        hunted->is_parted = result.elsewhere_count > 0;
        reason = result.test_count > 0 ? "" : result.reason;
    }
    hunted->answer = memory_copy(text_peek(&answer));
    hunted->reason = memory_copy(reason);
    text_fini(&answer);
    result_fini(&result);
    diag_fini(&diag);
}

static bool folder_make(const char *path)
{
    struct stat status;
    return mkdir(path, 0777) == 0 ||
           (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

pid_t hunted_start(const struct hunted_program *program, const char *out,
                   struct hunted_result *result, char *error, unsigned error_bytes)
{
    char tidemark[PATH_MAX], folder[PATH_MAX];
    *result = (struct hunted_result){.status = OURS};
    ssize_t bytes = readlink("/proc/self/exe", tidemark, sizeof tidemark - 1);
    if (bytes <= 0 || !folder_make(out) || realpath(out, folder) == NULL) {
        snprintf(error, error_bytes, "%s: %s", out, strerror(errno));
        return -1;
    }
    tidemark[bytes] = '\0';
    result->name = name_of(program);
    result->report = memory_format("%s/%s.txt", folder, result->name);
    result->result = memory_format("%s/%s.jsonl", folder, result->name);
    int report = open(result->report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (report < 0) {
        snprintf(error, error_bytes, "%s: %s", result->report, strerror(errno));
        return -1;
    }
    char **command = command_make(program, tidemark, result->result);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        hunt_exec(program, command, report);
    }
    if (child < 0) {
        snprintf(error, error_bytes, "%s: %s", program->argv[0], strerror(errno));
    }
    close(report);
    free(command);
    return child;
}

bool hunted_end(struct hunted_result *result, int status, char *error, unsigned error_bytes)
{
    bool ran = WIFEXITED(status);
    result->status = ran ? WEXITSTATUS(status) : OURS;
    result->verdict = last_line(result->report);
    result_take(result);
    if (!ran) {
        snprintf(error, error_bytes, "its hunt did not end by itself");
    }
    return ran;
}

bool hunted_run(const struct hunted_program *program, const char *out, struct hunted_result *result,
                char *error, unsigned error_bytes)
{
    int status = 0;
    pid_t child = hunted_start(program, out, result, error, error_bytes);
    while (child > 0 && waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    return child > 0 && hunted_end(result, status, error, error_bytes);
}

/* "NAME-0123abcd.jsonl" or ".txt", as name_of and hunted_start make it. */
static bool is_ours(const char *file)
{
    const char *dot = strrchr(file, '.');
    bool ours = dot != NULL && dot - file > 9 && dot[-9] == '-' &&
                (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".txt") == 0);
    for (const char *c = dot - 8; ours && c < dot; c++) {
        ours = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f');
    }
    return ours;
}

void hunted_folder_clear(const char *out)
{
    DIR *folder = opendir(out);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (is_ours(entry->d_name)) {
            unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

void hunted_result_fini(struct hunted_result *result)
{
    free(result->name);
    free(result->report);
    free(result->result);
    free(result->answer);
    free(result->verdict);
    free(result->reason);
    *result = (struct hunted_result){0};
}
