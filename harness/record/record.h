/*
 * record.h - runs a command as it is and notes the programs that it executes, however deep: each
 * exec with its file, arguments, folder and environment, and how the process ended. The kernel
 * tells of them (ptrace), so that static programs and scripts are noted as well, nothing is loaded
 * into any process, and no system call is slowed down but fork, exec and exit. A program built with
 * the address or leak sanitizer is let go at once, because its leak check cannot run beside a
 * tracer: how it ended, and what it executes, is not known then. Supervisor only.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct record_program {
    char *path;            /* the file, resolved; of a script, the interpreter's */
    char **argv;           /* NULL-terminated */
    char **env;            /* NULL-terminated */
    char *folder;          /* where it ran */
    const char *framework; /* framework_of(path); static storage */
    int status;            /* as waitpid gives it; -1: not known */
    unsigned times;        /* that it was executed with these arguments in this folder */
    double ns;             /* what that took, all together; 0: not known */
};

struct record {
    struct record_program *programs; /* those with a framework, or like a glob of `tests` */
    size_t count, room;
    size_t executed; /* of any program */
    char **others;   /* paths, each once: programs without a framework that lie below the folder in
                        which the command was started, so probably the project's own */
    size_t other_count, other_room;
    bool has_become_one; /* the command itself became one of all these, by exec */
};

/* `tests`: globs over paths, NULL-terminated, or NULL: further test programs. *status is how the
 * command ended, as waitpid gives it. Returns false, with a message, when it could not be run or
 * followed. */
bool record_run(struct record *record, char *const *argv, const char *const *tests, int *status,
                char *error, size_t error_bytes);
/* A program that was executed once for each of its tests, with an argument that says which, becomes
 * one with an argument that selects all of them (program_name.h). */
void record_join(struct record *record);
void record_fini(struct record *record);

#endif
