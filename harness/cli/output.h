/* output.h - what every command that has a result does with it at the end: the formats that were
 * asked for, the text for a person, and one status. Supervisor only. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "harness/cli/command.h"
#include "harness/report/difference.h"
#include "harness/result/result.h"

/* The options of output_write; in a command's table of options, before its last row. A format is
 * one option, by harness/report/renderer.def. */
#define OUTPUT_OPTIONS                                                                             \
    {.name = "source-root",                                                                        \
     .kind = OPTION_FOLDER,                                                                        \
     .argument = "DIR",                                                                            \
     .help = "what paths in annotations, SARIF and code quality are relative to; the repository "  \
             "when not given"},                                                                    \
    {                                                                                              \
        .name = "source-url", .kind = OPTION_TEXT, .argument = "URL",                              \
        .help = "where a browser shows the repository's files, for links in the page: "            \
                "https://github.com/o/r/blob/COMMIT; by itself in a job of GitHub or GitLab"       \
    }
#define OUTPUT_FORMAT(format, word, text, appended)                                                \
    {.name = word, .kind = OPTION_FILE, .argument = "FILE", .help = text},

/* Was one of the formats asked for, other than those that a file may hold several of? */
bool output_single(const struct command_line *line, const char **option);
/* Takes --source-root. Returns false, after a message, if that is no folder, or if two formats go
 * to one place, or one of them to what is read. */
bool output_options(const struct command_line *line);
enum output_text {
    OUTPUT_FULL,   /* the text for a person */
    OUTPUT_BRIEF,  /* the last line, and what is missing, on standard error */
    OUTPUT_COUNTS, /* the last line: what is missing was said before */
};
/* Writes the formats, and the text unless one of them took standard output. The result is not to be
 * compared or written any more: its strings are made printable. Returns false, after a message, if
 * a file could not be written. */
bool output_write(const struct command_line *line, struct result *result, enum output_text text);

/* The differences as Markdown into the file of --markdown, if it was given. Returns false, after a
 * message, if it could not be written. */
bool output_differences(const struct command_line *line, const struct differences *differences);
#define OUTPUT_MARKDOWN_OPTION                                                                     \
    {                                                                                              \
        .name = "markdown", .kind = OPTION_FILE, .argument = "FILE",                               \
        .help = "the differences as Markdown for a pull request, what is worse first"              \
    }

/* "tidemark baseline: FILE: TEXT" on standard error, made printable; without FILE when it is NULL.
 */
void output_complain(const struct command_line *line, const char *file, const char *text);

/* The status for this result. */
int output_status(const struct result *result);
/* The worse of two: ours, then bad input, then broken, then nothing judged. */
int output_worse(int a, int b);

#endif
