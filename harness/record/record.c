/* record.c - see record.h. */
#include "harness/record/record.h"

#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/process.h"
#include "harness/record/framework.h"
#include "harness/record/program_name.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_FOUND = 127, EVENT_STOP = 128 /* PTRACE_EVENT_STOP */, NONE = -1 };

/* A process that is followed. Threads come as processes of their own, and end without a program. */
struct traced {
    pid_t pid;
    long program; /* index into the record, of what it executed last; NONE: nothing that is kept */
    long inside;  /* the same of the test program that started it; NONE: none */
    uint64_t begun; /* when it did, monotonic_ns */
};

struct known { /* what was found out of a file */
    char *path;
    const char *framework;
    bool sanitized;
};

struct tracer {
    struct record *record;
    const char *const *tests;
    pid_t root;
    char here[PATH_MAX]; /* where the command is started; empty: not known */
    struct traced *traced;
    size_t traced_count, traced_room;
    struct known *known;
    size_t known_count, known_room;
};

static struct traced *traced_get(struct tracer *tracer, pid_t pid)
{
    for (size_t i = 0; i < tracer->traced_count; i++) {
        if (tracer->traced[i].pid == pid) {
            return &tracer->traced[i];
        }
    }
    memory_grow(&tracer->traced, &tracer->traced_room, tracer->traced_count + 1,
                sizeof *tracer->traced);
    tracer->traced[tracer->traced_count] =
        (struct traced){.pid = pid, .program = NONE, .inside = NONE};
    return &tracer->traced[tracer->traced_count++];
}

static void traced_remove(struct tracer *tracer, pid_t pid)
{
    struct traced *traced = traced_get(tracer, pid);
    *traced = tracer->traced[--tracer->traced_count];
}

static const struct known *known_get(struct tracer *tracer, const char *path)
{
    for (size_t i = 0; i < tracer->known_count; i++) {
        if (strcmp(tracer->known[i].path, path) == 0) {
            return &tracer->known[i];
        }
    }
    memory_grow(&tracer->known, &tracer->known_room, tracer->known_count + 1,
                sizeof *tracer->known);
    struct known *known = &tracer->known[tracer->known_count++];
    known->path = memory_copy(path);
    known->framework = framework_of(path, &known->sanitized);
    return known;
}

/* What /proc says of a process. ------------------------------------------------------------------
 */

static char *proc_link(pid_t pid, const char *name)
{
    char path[64], target[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    ssize_t bytes = readlink(path, target, sizeof target - 1);
    return memory_copy_bytes(target, bytes < 0 ? 0 : (size_t)bytes);
}

/* Strings one after the other, as a list. */
static char **proc_strings(pid_t pid, const char *name)
{
    char path[64], *text = NULL;
    size_t bytes = 0, room = 0, count = 0;
    ssize_t got = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    do {
        memory_grow(&text, &room, bytes + 4096, 1);
        got = fd < 0 ? 0 : read(fd, text + bytes, room - bytes - 1);
        bytes += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    if (fd >= 0) {
        close(fd);
    }
    text[bytes] = '\0';
    for (size_t i = 0; i < bytes; i++) {
        count += text[i] == '\0';
    }
    char **list = memory_new(count + 2, sizeof *list);
    size_t at = 0;
    for (size_t i = 0; i < bytes && at <= count; i += strlen(text + i) + 1) {
        list[at++] = memory_copy(text + i);
    }
    free(text);
    return list;
}

static void strings_free(char **list)
{
    for (char **word = list; word != NULL && *word != NULL; word++) {
        free(*word);
    }
    free(list);
}

static bool strings_equal(char *const *one, char *const *other)
{
    while (*one != NULL && *other != NULL && strcmp(*one, *other) == 0) {
        one++;
        other++;
    }
    return *one == NULL && *other == NULL;
}

/* Noting. ----------------------------------------------------------------------------------------
 */

static bool is_named(const struct tracer *tracer, const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; tracer->tests != NULL && tracer->tests[i] != NULL; i++) {
        if (fnmatch(tracer->tests[i], path, 0) == 0 ||
            (slash != NULL && fnmatch(tracer->tests[i], slash + 1, 0) == 0)) {
            return true;
        }
    }
    return false;
}

static void program_fini(struct record_program *program)
{
    free(program->path);
    free(program->folder);
    strings_free(program->argv);
    strings_free(program->env);
}

/* Its index; that of the one which was executed in the same way before. */
static long program_add(struct record *record, struct record_program *program)
{
    for (size_t i = 0; i < record->count; i++) {
        struct record_program *earlier = &record->programs[i];
        if (strcmp(earlier->path, program->path) == 0 &&
            strcmp(earlier->folder, program->folder) == 0 &&
            strings_equal(earlier->argv, program->argv)) {
            earlier->times++;
            program_fini(program);
            return (long)i;
        }
    }
    memory_grow(&record->programs, &record->room, record->count + 1, sizeof *record->programs);
    record->programs[record->count] = *program;
    return (long)record->count++;
}

/* Notes a program that is not known to be a test program. Returns false when it lies elsewhere. */
static bool other_add(struct record *record, const char *here, const char *path)
{
    size_t bytes = strlen(here);
    bool is_below = bytes > 0 && strncmp(path, here, bytes) == 0 && path[bytes] == '/';
    bool is_new = is_below;
    for (size_t i = 0; is_new && i < record->other_count; i++) {
        is_new = strcmp(record->others[i], path) != 0;
    }
    if (is_new) {
        memory_grow(&record->others, &record->other_room, record->other_count + 1,
                    sizeof *record->others);
        record->others[record->other_count++] = memory_copy(path);
    }
    return is_below;
}

static bool only_lists(char *const *argv, const char *framework)
{
    bool lists = false;
    for (size_t i = 1; argv[0] != NULL && argv[i] != NULL; i++) {
        lists = lists || program_argument_lists(argv[i], framework);
    }
    return lists;
}

/* Returns false when the process is to be let go. */
static bool exec_note(struct tracer *tracer, pid_t pid)
{
    char *path = proc_link(pid, "exe");
    const struct known *known = known_get(tracer, path);
    struct traced *traced = traced_get(tracer, pid);
    traced->inside = traced->program != NONE ? traced->program : traced->inside;
    traced->program = NONE;
    tracer->record->executed++;
    if (traced->inside != NONE &&
        strcmp(tracer->record->programs[traced->inside].path, path) == 0) {
        free(path); /* a test program that executes itself: it is a part of it, and no other one */
    } else if (known->framework != NULL || is_named(tracer, path)) {
        struct record_program program = {.path = path,
                                         .argv = proc_strings(pid, "cmdline"),
                                         .env = proc_strings(pid, "environ"),
                                         .folder = proc_link(pid, "cwd"),
                                         .framework = known->framework,
                                         .status = NONE,
                                         .times = 1};
        if (only_lists(program.argv, program.framework)) {
            program_fini(&program);
        } else {
            traced->program = program_add(tracer->record, &program);
            traced->begun = monotonic_ns();
            tracer->record->has_become_one |= pid == tracer->root;
        }
    } else {
        if (other_add(tracer->record, tracer->here, path)) {
            tracer->record->has_become_one |= pid == tracer->root;
        }
        free(path);
    }
    return !known->sanitized;
}

static void end_note(struct tracer *tracer, pid_t pid, int status)
{
    const struct traced *traced = traced_get(tracer, pid);
    long program = traced->program;
    if (program != NONE) {
        tracer->record->programs[program].ns += (double)(monotonic_ns() - traced->begun);
        int *known = &tracer->record->programs[program].status;
        *known = *known == NONE || *known == 0 ? status : *known; /* the worst of several times */
    }
    traced_remove(tracer, pid);
}

/* Following. -------------------------------------------------------------------------------------
 */

static void go_on(pid_t pid, int signal_number)
{
    ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)signal_number);
}

static bool is_stopping(int signal_number)
{
    return signal_number == SIGSTOP || signal_number == SIGTSTP || signal_number == SIGTTIN ||
           signal_number == SIGTTOU;
}

/* The child's own first stop may have come before. */
static void fork_note(struct tracer *tracer, pid_t pid)
{
    unsigned long child = 0;
    const struct traced *parent = traced_get(tracer, pid);
    long inside = parent->program != NONE ? parent->program : parent->inside;
    if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == 0 && child > 0) {
        traced_get(tracer, (pid_t)child)->inside = inside;
    }
}

static void stop_handle(struct tracer *tracer, pid_t pid, int status)
{
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC) {
        if (exec_note(tracer, pid)) {
            go_on(pid, 0);
        } else {
            ptrace(PTRACE_DETACH, pid, NULL, NULL);
            traced_remove(tracer, pid);
        }
    } else if (event == EVENT_STOP && is_stopping(WSTOPSIG(status))) {
        ptrace(PTRACE_LISTEN, pid, NULL, NULL); /* it stays stopped until somebody continues it */
    } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
               event == PTRACE_EVENT_CLONE) {
        fork_note(tracer, pid);
        go_on(pid, 0);
    } else if (event != 0) {
        traced_get(tracer, pid);
        go_on(pid, 0);
    } else {
        go_on(pid, WSTOPSIG(status));
    }
}

/* What the command has left running goes on by itself. */
static void all_release(struct tracer *tracer)
{
    while (tracer->traced_count > 0) {
        pid_t pid = tracer->traced[tracer->traced_count - 1].pid;
        int status;
        if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
            waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
            bool is_signal = status >> 16 == 0;
            ptrace(PTRACE_DETACH, pid, NULL, (void *)(intptr_t)(is_signal ? WSTOPSIG(status) : 0));
        }
        traced_remove(tracer, pid);
    }
}

static void __attribute__((noreturn)) command_exec(char *const *argv)
{
    process_restore();
    raise(SIGSTOP); /* until it is followed */
    execvp(argv[0], argv);
    fprintf(stderr, "tidemark: %s: %s\n", argv[0], strerror(errno));
    _exit(NOT_FOUND);
}

static bool follow(struct tracer *tracer, pid_t root, int *root_status)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid == -1 && errno == EINTR) {
            continue;
        }
        if (pid == -1) {
            return false;
        }
        if (WIFSTOPPED(status)) {
            stop_handle(tracer, pid, status);
            continue;
        }
        end_note(tracer, pid, status);
        if (pid == root) {
            *root_status = status;
            all_release(tracer);
            return true;
        }
    }
}

bool record_run(struct record *record, char *const *argv, const char *const *tests, int *status,
                char *error, size_t error_bytes)
{
    const long options =
        PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    struct tracer tracer = {.record = record, .tests = tests};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    bool followed = false;
    if (getcwd(tracer.here, sizeof tracer.here) == NULL) {
        tracer.here[0] = '\0';
    }
    *record = (struct record){0};
    fflush(NULL);
    sigaction(SIGINT, &ignore, &interrupt); /* they are the command's */
    sigaction(SIGQUIT, &ignore, &quit);
    pid_t root = fork();
    if (root == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        command_exec(argv);
    }
    int stopped;
    tracer.root = root;
    if (root == -1 || waitpid(root, &stopped, WUNTRACED) != root ||
        ptrace(PTRACE_SEIZE, root, NULL, (void *)options) == -1) {
        snprintf(error, error_bytes, "%s: its programs cannot be followed: %s", argv[0],
                 strerror(errno));
        if (root > 0) {
            kill(root, SIGKILL);
            waitpid(root, &stopped, 0);
        }
    } else {
        kill(root, SIGCONT);
        followed = follow(&tracer, root, status);
        if (!followed) {
            snprintf(error, error_bytes, "%s: %s", argv[0], strerror(errno));
        }
    }
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    for (size_t i = 0; i < tracer.known_count; i++) {
        free(tracer.known[i].path);
    }
    free(tracer.known);
    free(tracer.traced);
    return followed;
}

/* Joining. ---------------------------------------------------------------------------------------
 */

/* The argument that selects tests, where there is one and no more; 0: none. */
static size_t selection_of(const struct record_program *program, const char **value)
{
    size_t found = 0;
    for (size_t i = 1; program->argv[0] != NULL && program->argv[i] != NULL; i++) {
        if (program_argument_selects(program->argv[i], program->framework, value)) {
            if (found != 0) {
                return 0;
            }
            found = i;
        }
    }
    return found;
}

/* Do they differ only in what they select, by the argument at `at`? */
static bool is_alike(const struct record_program *one, const struct record_program *other,
                     size_t at)
{
    const char *value;
    if (strcmp(one->path, other->path) != 0 || strcmp(one->folder, other->folder) != 0 ||
        selection_of(other, &value) != at) {
        return false;
    }
    size_t i = 1;
    for (; one->argv[i] != NULL && other->argv[i] != NULL; i++) {
        if (i != at && strcmp(one->argv[i], other->argv[i]) != 0) {
            return false;
        }
    }
    return one->argv[i] == NULL && other->argv[i] == NULL;
}

static void worse_take(struct record_program *into, const struct record_program *from)
{
    into->status = into->status == NONE || into->status == 0 ? from->status : into->status;
    into->times += from->times;
    into->ns += from->ns;
}

/* Into the program at `first` all those behind it that differ from it only in what they select. */
static void joined_take(struct record *record, size_t first, const char **values)
{
    struct record_program *one = &record->programs[first];
    const char *value = NULL;
    size_t at = selection_of(one, &value), count = 0, kept = first + 1;
    char *joined = NULL;
    for (size_t i = first; at > 0 && i < record->count; i++) {
        if (i == first || is_alike(one, &record->programs[i], at)) {
            selection_of(&record->programs[i], &value);
            values[count++] = value;
        }
    }
    joined = count < 2 ? NULL : program_selections_join(one->framework, values, count);
    if (joined == NULL) {
        return;
    }
    for (size_t i = first + 1; i < record->count; i++) {
        struct record_program *program = &record->programs[i];
        if (is_alike(one, program, at)) {
            worse_take(one, program);
            program_fini(program);
        } else {
            record->programs[kept++] = *program;
        }
    }
    record->count = kept;
    free(one->argv[at]);
    one->argv[at] = joined;
}

void record_join(struct record *record)
{
    const char **values = memory_new(record->count + 1, sizeof *values);
    for (size_t i = 0; i < record->count; i++) {
        joined_take(record, i, values);
    }
    free(values);
}

void record_fini(struct record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        program_fini(&record->programs[i]);
    }
    for (size_t i = 0; i < record->other_count; i++) {
        free(record->others[i]);
    }
    free(record->others);
    free(record->programs);
    *record = (struct record){0};
}
