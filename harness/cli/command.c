/* command.c - reads a command line by the tables of command.h. Supervisor only. */
#include "harness/cli/command.h"
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/unit.h"
#include "harness/base/version.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command_value {
    const struct option_spec *option;
    const char *text; /* "" for a flag */
    uint64_t integer;
    double number;
};

const struct option_spec command_common[] = {
    {"json", 0, OPTION_FILE, "FILE", "write the result to FILE as JSON Lines, '-' is stdout", NULL,
     false},
    {"help", 'h', OPTION_FLAG, NULL, "show this help", NULL, false},
    {"quiet", 'q', OPTION_FLAG, NULL, "only the result, no progress", NULL, false},
    {"verbose", 'v', OPTION_FLAG, NULL, "say more; of a test program, also what it prints", NULL,
     true},
    {"no-color", 0, OPTION_FLAG, NULL, "no colour, as with NO_COLOR set", NULL, false},
    {0},
};

#define WORDS_MAX 128

/* All options of a command, its own first. */
static size_t options_list(const struct command *command, const struct option_spec *list[WORDS_MAX])
{
    size_t count = 0;
    for (const struct option_spec *o = command->options; o && o->name && count < WORDS_MAX; o++) {
        list[count++] = o;
    }
    for (const struct option_spec *o = command_common; o->name && count < WORDS_MAX; o++) {
        list[count++] = o;
    }
    return count;
}

static const struct option_spec *option_find(const struct command *command, const char *name,
                                             size_t length, const char **nearest)
{
    const struct option_spec *list[WORDS_MAX];
    const char *names[WORDS_MAX];
    size_t count = options_list(command, list);
    for (size_t i = 0; i < count; i++) {
        names[i] = list[i]->name;
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            return list[i];
        }
    }
    char *copy = memory_copy_bytes(name, length);
    *nearest = diag_nearest(copy, names, count);
    free(copy);
    return NULL;
}

static const struct option_spec *letter_find(const struct command *command, char letter)
{
    const struct option_spec *list[WORDS_MAX];
    size_t count = options_list(command, list);
    for (size_t i = 0; i < count; i++) {
        if (list[i]->letter == letter) {
            return list[i];
        }
    }
    return NULL;
}

struct parse {
    struct command_line *line;
    struct diag *diag;
    char where[64]; /* "tidemark run" */
    int argc;
    char **argv;
    int at;
};

/* Counts the words; false: `text` is none of them. */
static bool word_known(const char *const *words, const char *text, size_t *count)
{
    bool known = false;
    for (*count = 0; words[*count]; ++*count) {
        known = known || strcmp(words[*count], text) == 0;
    }
    return known;
}

static void word_check(struct parse *parse, const struct option_spec *option, const char *text)
{
    size_t count;
    if (word_known(option->words, text, &count)) {
        return;
    }
    char *suggestion = diag_suggestion(text, option->words, count);
    diag_add(parse->diag, parse->where, 0, 0, "--%s cannot be '%s'%s", option->name, text,
             suggestion);
    free(suggestion);
}

static void value_take(struct parse *parse, const struct option_spec *option, const char *text)
{
    struct command_line *line = parse->line;
    char error[UNIT_ERROR_BYTES];
    bool good = true;
    struct command_value value = {.option = option, .text = text};
    switch (option->kind) {
    case OPTION_FLAG:
    case OPTION_TEXT:
        break;
    case OPTION_FILE:
    case OPTION_FOLDER:
        good = text[0] != '\0';
        snprintf(error, sizeof error, "names no %s",
                 option->kind == OPTION_FILE ? "file" : "folder");
        break;
    case OPTION_SIZE:
        good = unit_parse(UNIT_BYTES, text, false, &value.integer, error);
        break;
    case OPTION_DURATION:
        good = unit_parse(UNIT_NS, text, false, &value.integer, error);
        break;
    case OPTION_INTEGER:
        good = unit_parse_count(text, &value.integer, error);
        break;
    case OPTION_NUMBER:
        good = unit_parse_number(text, &value.number, error);
        break;
    case OPTION_WORD:
        word_check(parse, option, text);
        break;
    }
    if (!good) {
        diag_add(parse->diag, parse->where, 0, 0, "--%s '%s' %s", option->name, text, error);
    }
    for (size_t i = 0; i < line->value_count && option->kind != OPTION_FLAG && !option->repeats;
         i++) {
        if (line->values[i].option == option) {
            diag_add(parse->diag, parse->where, 0, 0, "--%s is given twice, '%s' and '%s'",
                     option->name, line->values[i].text, text);
        }
    }
    memory_grow(&line->values, &line->value_room, line->value_count + 1, sizeof line->values[0]);
    line->values[line->value_count++] = value;
}

/* The argument of `option`: what follows '=', or the next word. */
static void argument_take(struct parse *parse, const struct option_spec *option, const char *given)
{
    if (option->kind == OPTION_FLAG) {
        if (given) {
            diag_add(parse->diag, parse->where, 0, 0, "--%s takes no argument, but was given '%s'",
                     option->name, given);
        }
        value_take(parse, option, "");
    } else if (given) {
        value_take(parse, option, given);
    } else if (parse->at + 1 < parse->argc) {
        value_take(parse, option, parse->argv[++parse->at]);
    } else {
        diag_add(parse->diag, parse->where, 0, 0, "--%s needs %s", option->name, option->argument);
    }
}

static void long_parse(struct parse *parse, const char *word)
{
    const struct command *command = parse->line->command;
    size_t length = strcspn(word, "=");
    const char *nearest = NULL;
    const struct option_spec *option = option_find(command, word, length, &nearest);
    if (option) {
        argument_take(parse, option, word[length] == '=' ? word + length + 1 : NULL);
    } else if (nearest) {
        diag_add(parse->diag, parse->where, 0, 0, "unknown option '--%.*s'; did you mean '--%s'?",
                 (int)length, word, nearest);
    } else {
        diag_add(parse->diag, parse->where, 0, 0,
                 "unknown option '--%.*s'; 'tidemark %s --help' lists them", (int)length, word,
                 command->name);
    }
}

static void short_parse(struct parse *parse, const char *letters)
{
    const struct command *command = parse->line->command;
    for (const char *at = letters; *at; at++) {
        const struct option_spec *option = letter_find(command, *at);
        if (!option) {
            diag_add(parse->diag, parse->where, 0, 0,
                     "unknown option '-%c'; 'tidemark %s --help' lists them", *at, command->name);
            return;
        }
        if (option->kind != OPTION_FLAG) {
            argument_take(parse, option, at[1] == '=' ? at + 2 : at[1] ? at + 1 : NULL);
            return;
        }
        value_take(parse, option, "");
    }
}

static void words_parse(struct parse *parse)
{
    struct command_line *line = parse->line;
    bool options = true;
    for (; parse->at < parse->argc; parse->at++) {
        char *word = parse->argv[parse->at];
        if (options && strcmp(word, "--") == 0) {
            options = false;
        } else if (options && word[0] == '-' && word[1] == '-') {
            long_parse(parse, word + 2);
        } else if (options && word[0] == '-' && word[1]) {
            short_parse(parse, word + 1);
        } else {
            line->operands[line->operand_count++] = word;
            options = options && !line->command->program;
        }
    }
}

static void operands_check(struct parse *parse)
{
    const struct command_line *line = parse->line;
    const struct command *command = line->command;
    size_t words;
    if (line->operand_count < command->operand_min) {
        const char *first = line->operand_count > 0 ? line->operands[0] : "";
        bool misspelt = command->words && *first && !word_known(command->words, first, &words);
        char *suggestion = misspelt ? diag_suggestion(first, command->words, words) : NULL;
        diag_add(parse->diag, parse->where, 0, 0, misspelt ? "unknown verb '%s'%s" : "needs %s",
                 misspelt ? first : command->operands, suggestion);
        free(suggestion);
    } else if (line->operand_count > command->operand_max) {
        diag_add(parse->diag, parse->where, 0, 0, "'%s' is one operand too many",
                 line->operands[command->operand_max]);
    }
    size_t ours = command->program && line->operand_count > 1 ? 1 : line->operand_count;
    for (size_t i = 0; i < ours; i++) {
        if (!line->operands[i][0]) { /* "$FILE" with no such variable */
            diag_add(parse->diag, parse->where, 0, 0, "operand %zu is empty: %s is wanted", i + 1,
                     command->operands);
        }
    }
}

static const struct command *command_find(const char *name, const char **nearest)
{
    const char *names[WORDS_MAX];
    size_t count = 0;
    for (; count < WORDS_MAX - 1 && commands[count]; count++) {
        names[count] = commands[count]->name;
        if (strcmp(names[count], name) == 0) {
            return commands[count];
        }
    }
    names[count++] = "help";
    *nearest = diag_nearest(name, names, count);
    return NULL;
}

static int command_unknown(const char *name, const char *nearest, FILE *err)
{
    const char *kind = name[0] == '-' ? "option" : "command";
    if (nearest) {
        fprintf(err, "tidemark: unknown %s '%s'; did you mean '%s'?\n", kind, name, nearest);
    } else {
        fprintf(err, "tidemark: unknown %s '%s'; 'tidemark --help' lists the commands\n", kind,
                name);
    }
    return COMMAND_USAGE;
}

/* `tidemark`, `tidemark --help`, `tidemark help run`, `tidemark --version`: no command is run. */
static bool top_parse(int argc, char **argv, FILE *out, FILE *err, int *status)
{
    static const char *const options[] = {"--help", "--version"};
    const char *word = argc > 1 ? argv[1] : "";
    const char *nearest = NULL;
    *status = COMMAND_MET;
    if (argc < 2) {
        command_help(NULL, err);
        *status = COMMAND_USAGE;
    } else if (strcmp(word, "--version") == 0) {
        fprintf(out, "tidemark %s\n", TIDEMARK_VERSION);
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        command_help(NULL, out);
    } else if (strcmp(word, "help") == 0) {
        const struct command *about = argc > 2 ? command_find(argv[2], &nearest) : NULL;
        if (argc > 2 && !about) {
            *status = command_unknown(argv[2], nearest, err);
        } else {
            command_help(about, out);
        }
    } else if (word[0] == '-') {
        *status = command_unknown(word, diag_nearest(word, options, 2), err);
    } else if (!command_find(word, &nearest)) {
        *status = command_unknown(word, nearest, err);
    } else {
        return true;
    }
    return false;
}

bool command_parse(struct command_line *line, int argc, char **argv, FILE *out, FILE *err,
                   int *status)
{
    const char *nearest;
    *line = (struct command_line){.argc = argc, .argv = argv};
    if (!top_parse(argc, argv, out, err, status)) {
        return false;
    }
    struct diag diag;
    diag_init(&diag);
    line->command = command_find(argv[1], &nearest);
    line->operands = memory_new((size_t)argc + 1, sizeof line->operands[0]);
    struct parse parse = {.line = line, .diag = &diag, .argc = argc, .argv = argv, .at = 2};
    snprintf(parse.where, sizeof parse.where, "tidemark %s", line->command->name);
    words_parse(&parse);

    bool run = false;
    if (command_flag(line, "help")) {
        command_help(line->command, out);
    } else {
        operands_check(&parse);
        run = diag.count == 0;
        *status = run ? COMMAND_MET : COMMAND_USAGE;
        diag_print(&diag, err);
    }
    diag_fini(&diag);
    line->json = command_text(line, "json");
    line->quiet = command_flag(line, "quiet");
    for (size_t i = 0; i < line->value_count; i++) {
        line->verbose += strcmp(line->values[i].option->name, "verbose") == 0;
    }
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    line->color = !command_flag(line, "no-color") && !(none && *none) && isatty(fileno(out)) &&
                  !(term && strcmp(term, "dumb") == 0);
    return run;
}

void command_line_fini(struct command_line *line)
{
    free(line->operands);
    free(line->values);
    *line = (struct command_line){0};
}

static const struct command_value *value_find(const struct command_line *line, const char *name,
                                              size_t n, bool last)
{
    const struct command_value *found = NULL;
    const char *nearest;
    const struct option_spec *option = option_find(line->command, name, strlen(name), &nearest);
    assert(option);
    for (size_t i = 0; i < line->value_count; i++) {
        if (line->values[i].option == option) {
            found = &line->values[i];
            if (!last && n-- == 0) {
                return found;
            }
        }
    }
    return last ? found : NULL;
}

bool command_flag(const struct command_line *line, const char *name)
{
    return value_find(line, name, 0, true) != NULL;
}

const char *command_text(const struct command_line *line, const char *name)
{
    const struct command_value *value = value_find(line, name, 0, true);
    return value ? value->text : NULL;
}

const char *command_text_at(const struct command_line *line, const char *name, size_t n)
{
    const struct command_value *value = value_find(line, name, n, false);
    return value ? value->text : NULL;
}

uint64_t command_integer(const struct command_line *line, const char *name, uint64_t otherwise)
{
    const struct command_value *value = value_find(line, name, 0, true);
    return value ? value->integer : otherwise;
}

double command_number(const struct command_line *line, const char *name, double otherwise)
{
    const struct command_value *value = value_find(line, name, 0, true);
    return value ? value->number : otherwise;
}

int command_usage_error(const struct command_line *line, const char *format, ...)
{
    va_list list;
    fprintf(stderr, "tidemark %s: ", line->command->name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return COMMAND_USAGE;
}

int command_word_error(const struct command_line *line, const char *what, const char *word,
                       const char *const *words, size_t count)
{
    char *suggestion = diag_suggestion(word, words, count);
    int status = command_usage_error(line, "unknown %s '%s'%s", what, word, suggestion);
    free(suggestion);
    return status;
}
