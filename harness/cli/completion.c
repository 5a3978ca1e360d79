/* completion.c - completions for bash, zsh and fish, see manual.h. Supervisor only. */
#include "harness/cli/command.h"
#include "harness/cli/manual.h"

#include <string.h>

typedef void option_visit(FILE *out, const struct option_spec *option);

static void options_each(const struct command *command, option_visit *visit, FILE *out)
{
    for (const struct option_spec *o = command ? command->options : NULL; o && o->name; o++) {
        visit(out, o);
    }
    for (const struct option_spec *o = command_common; o->name; o++) {
        visit(out, o);
    }
}

/* Text between single quotes of any of the three shells; `escape` is what that shell makes of one.
 */
static void quoted(FILE *out, const char *text, const char *escape)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs(escape, out);
        } else {
            fputc(*text, out);
        }
    }
}

static void bash_words(FILE *out, const struct option_spec *option)
{
    fprintf(out, " --%s", option->name);
    if (option->letter) {
        fprintf(out, " -%c", option->letter);
    }
}

/* One arm of the case over "COMMAND OPTION": how the option's argument is completed. */
static void bash_argument(FILE *out, const char *command, const struct option_spec *option)
{
    if (option->kind == OPTION_FLAG) {
        return;
    }
    fprintf(out, "    '%s --%s'", command, option->name);
    if (option->letter) {
        fprintf(out, "|'%s -%c'", command, option->letter);
    }
    fputs(") ", out);
    if (option->kind == OPTION_FILE) {
        fputs("_tidemark_paths -f", out);
    } else if (option->kind == OPTION_FOLDER) {
        fputs("_tidemark_paths -d", out);
    } else if (option->words) {
        fputs("COMPREPLY=($(compgen -W '", out);
        for (size_t i = 0; option->words[i]; i++) {
            fprintf(out, "%s%s", i ? " " : "", option->words[i]);
        }
        fputs("' -- \"$cur\"))", out);
    } else {
        fputs("COMPREPLY=()", out);
    }
    fputs("; return ;;\n", out);
}

void completion_bash(FILE *out)
{
    fputs("# bash completion for tidemark, generated from its option tables\n"
          "# A name may have blanks in it, so each line is one.\n"
          "_tidemark_paths()\n{\n"
          "    local path\n"
          "    while IFS= read -r path; do COMPREPLY+=(\"$path\"); done < <(compgen \"$1\" -- "
          "\"$cur\")\n}\n"
          "_tidemark()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
          "command=${COMP_WORDS[1]} words first i\n"
          "    COMPREPLY=()\n"
          "    # bash parts --json=FILE at the =\n"
          "    if [ \"$cur\" = = ]; then cur=; fi\n"
          "    if [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    # Behind -- it is the program's command line.\n"
          "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
          "        if [ \"${COMP_WORDS[i]}\" = -- ]; then _tidemark_paths -f; return; fi\n"
          "    done\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '",
          out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "%s ", commands[i]->name);
    }
    fputs("help --help --version' -- \"$cur\"))\n        return\n    fi\n    case \"$command "
          "$prev\" in\n",
          out);
    for (size_t i = 0; commands[i]; i++) {
        for (const struct option_spec *o = commands[i]->options; o && o->name; o++) {
            bash_argument(out, commands[i]->name, o);
        }
        for (const struct option_spec *o = command_common; o->name; o++) {
            bash_argument(out, commands[i]->name, o);
        }
    }
    fputs("    esac\n    case $command in\n", out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "    %s) words='", commands[i]->name);
        options_each(commands[i], bash_words, out);
        fputs("'; first='", out);
        for (size_t j = 0; commands[i]->words && commands[i]->words[j]; j++) {
            fprintf(out, "%s%s", j ? " " : "", commands[i]->words[j]);
        }
        fputs("' ;;\n", out);
    }
    fputs("    help) words=; first='", out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "%s%s", i ? " " : "", commands[i]->name);
    }
    fputs("' ;;\n    *) words=; first= ;;\n    esac\n"
          "    case $cur in\n"
          "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
          "    *) if [ \"$COMP_CWORD\" -eq 2 ]; then COMPREPLY=($(compgen -W \"$first\" -- "
          "\"$cur\")); fi\n"
          "       if [ ${#COMPREPLY[@]} -eq 0 ]; then _tidemark_paths -f; fi ;;\n"
          "    esac\n}\n"
          "complete -o filenames -F _tidemark tidemark\n",
          out);
}

/* In _arguments' specs a colon and a bracket have a meaning. */
static void zsh_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else if (strchr(":[]\\", *text)) {
            fprintf(out, "\\%c", *text);
        } else {
            fputc(*text, out);
        }
    }
}

static void zsh_spec(FILE *out, const struct option_spec *option, const char *dashes,
                     const char *name, int length)
{
    fprintf(out, "            '%s%s%.*s%s[", option->repeats ? "*" : "", dashes, length, name,
            option->kind == OPTION_FLAG ? ""
            : dashes[1]                 ? "="
                                        : "+");
    zsh_text(out, option->help);
    fputs("]", out);
    if (option->kind != OPTION_FLAG) {
        fputs(":", out);
        zsh_text(out, option->argument);
        fputs(":", out);
        if (option->kind == OPTION_FILE) {
            fputs("_files", out);
        } else if (option->kind == OPTION_FOLDER) {
            fputs("_files -/", out);
        } else if (option->words) {
            fputs("(", out);
            for (size_t i = 0; option->words[i]; i++) {
                fprintf(out, "%s%s", i ? " " : "", option->words[i]);
            }
            fputs(")", out);
        }
    }
    fputs("' \\\n", out);
}

static void zsh_option(FILE *out, const struct option_spec *option)
{
    zsh_spec(out, option, "--", option->name, (int)strlen(option->name));
    if (option->letter) {
        zsh_spec(out, option, "-", &option->letter, 1);
    }
}

void completion_zsh(FILE *out)
{
    fputs("#compdef tidemark\n# generated from tidemark's option tables\n"
          "_tidemark()\n{\n    local -a list\n    list=(\n",
          out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "        '%s:", commands[i]->name);
        zsh_text(out, commands[i]->about);
        fputs("'\n", out);
    }
    fputs(
        "        'help:show the help of a command'\n    )\n"
        "    if (( CURRENT == 2 )); then\n        _describe command list\n        return\n    fi\n"
        "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n",
        out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "        %s)\n            _arguments -s \\\n", commands[i]->name);
        options_each(commands[i], zsh_option, out);
        if (commands[i]->words) {
            fputs("            '1:operand:(", out);
            for (size_t j = 0; commands[i]->words[j]; j++) {
                fprintf(out, "%s%s", j ? " " : "", commands[i]->words[j]);
            }
            fputs(")' \\\n", out);
        }
        fputs("            '*:file:_files'\n            ;;\n", out);
    }
    fputs("        help) _describe command list ;;\n    esac\n}\n_tidemark \"$@\"\n", out);
}

static const struct command *fish_command;

static void fish_option(FILE *out, const struct option_spec *option)
{
    fprintf(out, "complete -c tidemark -n '__fish_seen_subcommand_from %s' -l %s",
            fish_command->name, option->name);
    if (option->letter) {
        fprintf(out, " -s %c", option->letter);
    }
    if (option->kind == OPTION_FILE) {
        fputs(" -r -F", out);
    } else if (option->kind == OPTION_FOLDER) {
        fputs(" -x -a '(__fish_complete_directories)'", out);
    } else if (option->words) {
        fputs(" -x -a '", out);
        for (size_t i = 0; option->words[i]; i++) {
            fprintf(out, "%s%s", i ? " " : "", option->words[i]);
        }
        fputs("'", out);
    } else if (option->kind != OPTION_FLAG) {
        fputs(" -x", out);
    }
    fputs(" -d '", out);
    quoted(out, option->help, "\\'");
    fputs("'\n", out);
}

void completion_fish(FILE *out)
{
    fputs("# fish completion for tidemark, generated from its option tables\n", out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "complete -c tidemark -n __fish_use_subcommand -f -a %s -d '",
                commands[i]->name);
        quoted(out, commands[i]->about, "\\'");
        fputs("'\n", out);
    }
    fputs(
        "complete -c tidemark -n __fish_use_subcommand -f -a help -d 'show the help of a command'\n"
        "complete -c tidemark -n __fish_use_subcommand -l version -d 'show the version'\n",
        out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "complete -c tidemark -n '__fish_seen_subcommand_from help' -f -a %s\n",
                commands[i]->name);
    }
    for (size_t i = 0; commands[i]; i++) {
        fish_command = commands[i];
        for (size_t j = 0; commands[i]->words && commands[i]->words[j]; j++) {
            fprintf(out,
                    "complete -c tidemark -n '__fish_seen_subcommand_from %s; and test (count "
                    "(commandline -opc)) -eq 2' -f -a %s\n",
                    commands[i]->name, commands[i]->words[j]);
        }
        options_each(commands[i], fish_option, out);
    }
}
