/* command_help.c - the help of tidemark and of its commands, from the tables of command.h, and the
 * folders that the commands need. Supervisor only. */
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/version.h"
#include "harness/cli/command.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELP_WIDTH 80

/* Two columns: `left` padded to `column`, the help wrapped behind it. */
static void pair_print(FILE *out, const char *left, const char *right, unsigned column)
{
    struct text text = {0};
    text_wrap(&text, right, column, HELP_WIDTH);
    const char *body = text_peek(&text);
    unsigned width = text_width(left);
    if (width + 2 <= column) {
        fprintf(out, "%s%*s%s", left, (int)(column - width), "", body + column);
    } else {
        fprintf(out, "%s\n%s", left, body);
    }
    text_fini(&text);
}

static void option_print(FILE *out, const struct option_spec *option)
{
    struct text left = {0}, right = {0};
    if (option->letter) {
        text_format(&left, "  -%c, --%s", option->letter, option->name);
    } else {
        text_format(&left, "      --%s", option->name);
    }
    if (option->argument) {
        text_format(&left, " %s", option->argument);
    }
    text_put(&right, option->help);
    for (size_t i = 0; option->words && option->words[i]; i++) {
        text_format(&right, "%s%s", i ? ", " : ": ", option->words[i]);
    }
    pair_print(out, text_peek(&left), text_peek(&right), 28);
    text_fini(&left);
    text_fini(&right);
}

static void tidemark_help(FILE *out)
{
    fputs("tidemark: does your suite's memory level off, and is that cache worth having?\n\n"
          "Usage: tidemark COMMAND [OPTIONS] ...\n"
          "       tidemark COMMAND --help\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; commands[i]; i++) {
        char left[64];
        snprintf(left, sizeof left, "  %s", commands[i]->name);
        pair_print(out, left, commands[i]->about, 14);
    }
    fputs("\nOptions of every command:\n", out);
    for (const struct option_spec *option = command_common; option->name; option++) {
        option_print(out, option);
    }
    fputs("      --version             show the version\n\n"
          "Exit status: 0 all is well; 1 a test failed, leaks or grows, or an expectation\n"
          "is broken; 2 usage or bad input; 77 nothing was judged; 99 tidemark itself\n"
          "failed, or results are missing. The words on the screen: man 7\n"
          "tidemark-verdicts.\n",
          out);
}

void command_help(const struct command *command, FILE *out)
{
    if (!command) {
        tidemark_help(out);
        return;
    }
    fprintf(out, "Usage: tidemark %s [OPTIONS]%s%s\n\n", command->name,
            command->operands[0] ? " " : "", command->operands);
    struct text text = {0};
    text_wrap(&text, command->about, 0, HELP_WIDTH);
    const char *at = command->detail ? command->detail : "";
    while (*at) {
        size_t length = strcspn(at, "\n");
        char *paragraph = memory_copy_bytes(at, length);
        if (length > 0) {
            text_put_char(&text, '\n');
            text_wrap(&text, paragraph, 0, HELP_WIDTH);
        }
        free(paragraph);
        at += length + (at[length] == '\n');
    }
    fputs(text_peek(&text), out);
    text_fini(&text);
    fputs("\nOptions:\n", out);
    for (const struct option_spec *o = command->options; o && o->name; o++) {
        option_print(out, o);
    }
    for (const struct option_spec *o = command_common; o->name; o++) {
        option_print(out, o);
    }
    for (size_t i = 0; command->examples && command->examples[i]; i++) {
        const char *example = command->examples[i];
        size_t length = strcspn(example, "\t");
        fprintf(out, "%s  %.*s\n", i ? "" : "\nExamples:\n", (int)length, example);
        if (example[length]) {
            fprintf(out, "      %s\n", example + length + 1);
        }
    }
}

/* `beside` in the folder of this binary when it is there (a build folder), else `installed` under
 * the prefix above it. */
static char *program_path(const char *beside, const char *installed)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) {
        return memory_copy(beside);
    }
    self[length] = '\0';
    char *folder = dirname(self);
    char *path = memory_format("%s/%s", folder, beside);
    if (access(path, F_OK) == 0) {
        return path;
    }
    char *prefix_path = memory_format("%s/../%s", folder, installed);
    if (access(prefix_path, F_OK) != 0) {
        free(prefix_path);
        return path;
    }
    free(path);
    return prefix_path;
}

char *command_suites_folder(void)
{
    const char *given = getenv("TIDEMARK_LIBEXEC");
    return given && *given ? memory_copy(given) : program_path("suites", "libexec/tidemark/suites");
}

char *command_preload_path(void)
{
    const char *given = getenv("TIDEMARK_PRELOAD");
    return given && *given ? memory_copy(given)
                           : program_path("libtidemark.so", "lib/tidemark/libtidemark.so");
}

char *command_program_find(const char *name)
{
    const char *folders = getenv("PATH");
    if (strchr(name, '/') || !folders) {
        return memory_copy(name);
    }
    for (const char *at = folders; *at;) {
        size_t length = strcspn(at, ":");
        char *path = memory_format("%.*s/%s", (int)length, at, name);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
        at += length + (at[length] == ':');
    }
    return memory_copy(name);
}
