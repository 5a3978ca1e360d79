/*
 * hunted.h - hunts one program by `tidemark hunt` in a process of its own, away from the streams of
 * whoever runs it: the report and the result go to files in a folder. For `tidemark wrap`, and for
 * hunting the programs that a command was seen to run. Supervisor only.
 */
#ifndef RECORD_HUNTED_H
#define RECORD_HUNTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hunted_program {
    const char *name;     /* what the ids of its tests begin with (program_name.h) */
    char *const *argv;    /* NULL-terminated; argv[0] is a path, or looked for in PATH */
    const char *path;     /* of the program itself; NULL: argv[0] */
    const char *folder;   /* where it runs; NULL: here */
    char *const *env;     /* its environment; NULL: this process's */
    char *const *options; /* of `tidemark hunt`, NULL-terminated; or NULL */
};

struct hunted_result {
    char *name;   /* of its files: the program's, and a number made of it and the arguments */
    char *report; /* path of the text */
    char *result; /* path of the JSON Lines */
    char *answer; /* what the report begins with, one sentence or two; "" when there is no result */
    char *verdict;  /* the report's last line, "" when there is none */
    char *reason;   /* why no test has a result, or "" */
    size_t tests;   /* that have a result */
    bool is_parted; /* other shards have tests of it */
    int status;     /* enum command_exit of the hunt */
};

/* Several may run at the same time: hunted_start makes `out` where it does not exist, and starts
 * the hunt; -1, with a message in error[], when the files cannot be written or no process can be
 * started. hunted_end after its process has ended, with what waitpid says; returns false, with a
 * message, when that was not by itself. *result is to be released in any case. */
pid_t hunted_start(const struct hunted_program *program, const char *out,
                   struct hunted_result *result, char *error, unsigned error_bytes);
bool hunted_end(struct hunted_result *result, int status, char *error, unsigned error_bytes);

/* The two, and waits between them. */
bool hunted_run(const struct hunted_program *program, const char *out, struct hunted_result *result,
                char *error, unsigned error_bytes);
void hunted_result_fini(struct hunted_result *result);

/* Removes what earlier hunts have left in the folder, and nothing else: results of programs that
 * are not there any more would be merged with those that are. */
void hunted_folder_clear(const char *out);

#endif
