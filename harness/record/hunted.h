/*
 * hunted.h - hunts one program by `tidemark hunt` in a process of its own, away from the streams of
 * whoever runs it: the report and the result go to files in a folder. For `tidemark wrap`, and for
 * hunting the programs that a command was seen to run. Supervisor only.
 */
#ifndef RECORD_HUNTED_H
#define RECORD_HUNTED_H

#include <stdbool.h>

struct hunted_program {
    char *const *argv;    /* NULL-terminated; argv[0] is a path, or looked for in PATH */
    const char *path;     /* of the program itself; NULL: argv[0] */
    const char *folder;   /* where it runs; NULL: here */
    char *const *env;     /* its environment; NULL: this process's */
    char *const *options; /* of `tidemark hunt`, NULL-terminated; or NULL */
};

struct hunted_result {
    char *name;   /* of its files: the program's, and a number made of path, folder and arguments */
    char *report; /* path of the text */
    char *result; /* path of the JSON Lines */
    char *answer; /* what the report begins with, one sentence or two; "" when there is no result */
    char *verdict; /* the report's last line, "" when there is none */
    int status;    /* enum command_exit of the hunt */
};

/* `out` is made where it does not exist. Returns false, with a message in error[], when the files
 * cannot be written or no process can be started; *result is to be released in either case. */
bool hunted_run(const struct hunted_program *program, const char *out, struct hunted_result *result,
                char *error, unsigned error_bytes);
void hunted_result_fini(struct hunted_result *result);

#endif
