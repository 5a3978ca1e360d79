/*
 * command.h - commands and their options, as const tables. The parser, --help, the man pages and
 * the shell completions are all made from these tables; nothing about a command is written twice.
 *
 * A new command is one file harness/cli/NAME.c that defines
 *     const struct command command_NAME = { ... };
 * and one row COMMAND(NAME) in command.def. Supervisor only.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum command_exit {
    COMMAND_MET = 0,      /* all expectations met */
    COMMAND_BROKEN = 1,   /* a test failed, a verdict or budget broke, a worker died */
    COMMAND_USAGE = 2,    /* usage or bad input */
    COMMAND_NOTHING = 77, /* nothing was judged, and why was said */
    COMMAND_OURS = 99,    /* tidemark itself failed, or results are incomplete */
};

enum option_kind {
    OPTION_FLAG,     /* no argument */
    OPTION_TEXT,     /* any text */
    OPTION_FILE,     /* a path; completed as a file */
    OPTION_FOLDER,   /* a path; completed as a folder */
    OPTION_SIZE,     /* "512 MiB" */
    OPTION_DURATION, /* "30 s" */
    OPTION_INTEGER,  /* whole, 0 or more */
    OPTION_NUMBER,   /* decimal; "2 %" is 0.02 */
    OPTION_WORD,     /* one of `words` */
};

struct option_spec {  // NOLINT(clang-analyzer-optin.performance.Padding): rows read in this order
    const char *name; /* long, without dashes; NULL ends the table */
    char letter;      /* short, or 0 */
    enum option_kind kind;
    const char *argument;     /* "FILE", "N"; NULL for a flag */
    const char *help;         /* one sentence without the full stop */
    const char *const *words; /* OPTION_WORD: NULL-terminated */
    bool repeats;             /* may be given more than once */
};

struct command_line;

struct command {
    const char *name;                  /* "run" */
    const char *about;                 /* one line */
    const char *operands;              /* "SCENARIO..." for the usage line; "" for none */
    unsigned operand_min, operand_max; /* COMMAND_MANY: no upper bound */
    bool program; /* the first operand is a program: what follows it is passed on unread */
    const struct option_spec *options; /* its own; the common ones come by themselves */
    const char *detail; /* paragraphs for --help and the man page, '\n' between them; or NULL */
    const char *const *examples; /* "command line\tabout" each, NULL-terminated; or NULL */
    const char *const *words;    /* what the first operand may be, for completion; or NULL */
    int (*run)(struct command_line *line); /* returns enum command_exit */
};

#define COMMAND_MANY 0xffffffffu

/* A parsed command line. Everything is borrowed from argv, for as long as the process runs. */
struct command_line {
    const struct command *command;
    char **operands; /* NULL-terminated */
    size_t operand_count;
    const char *json; /* --json FILE ("-" is stdout), or NULL */
    bool quiet;       /* -q */
    unsigned verbose; /* -v, how often */
    bool color;       /* stdout is a terminal, and neither --no-color nor NO_COLOR */
    int argc;         /* as main got them, for the line that repeats a run */
    char **argv;
    struct command_value *values;
    size_t value_count, value_room;
};

/* All commands in the order of command.def, NULL-terminated. */
extern const struct command *const commands[];
extern const struct option_spec command_common[];

/* Values by the option's long name; asking for a name that is not in the table is an assertion.
 * Arguments were checked when the line was parsed. An option with an argument that is given twice
 * adds up where its row says so, and is a mistake otherwise. */
bool command_flag(const struct command_line *line, const char *name);
const char *command_text(const struct command_line *line, const char *name); /* NULL: not given */
/* Bytes, ns or a count; `otherwise` when not given. */
uint64_t command_integer(const struct command_line *line, const char *name, uint64_t otherwise);
double command_number(const struct command_line *line, const char *name, double otherwise);
/* The n-th text of an option that repeats; NULL behind the last. */
const char *command_text_at(const struct command_line *line, const char *name, size_t n);

/* Fills *line from argv (main's, argv[1] is the command). False: the messages were printed to
 * `err`, or the help or version to `out`; *status is what to exit with. */
bool command_parse(struct command_line *line, int argc, char **argv, FILE *out, FILE *err,
                   int *status);
void command_line_fini(struct command_line *line);

/* For a mistake that only the command can see: "tidemark run: ...", and returns COMMAND_USAGE. */
int command_usage_error(const struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a word of the command line that is none of words[0..count): the nearest, else all of
 * them. `what` is "incident". */
int command_word_error(const struct command_line *line, const char *what, const char *word,
                       const char *const *words, size_t count);

/* The help of a command, or of tidemark itself when NULL. */
void command_help(const struct command *command, FILE *out);

/* Folder of the built-in suites: TIDEMARK_LIBEXEC, else `suites` beside the tidemark binary, else
 * PREFIX/libexec/tidemark/suites. And the path of libtidemark.so, found likewise. The caller frees;
 * never NULL, but the file may be absent. */
char *command_suites_folder(void);
char *command_preload_path(void);

/* A program as a path, looked for in PATH: execv looks nowhere. The caller frees; `name` itself
 * when there is none. */
char *command_program_find(const char *name);

#endif
