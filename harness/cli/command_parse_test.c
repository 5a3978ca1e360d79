/* command_parse_test.c - the option parser, against a table of its own instead of tidemark's. */
#include "harness/base/suite.h"
#include "harness/cli/command.h"

#include <string.h>

static int nothing(struct command_line *line)
{
    (void)line;
    return COMMAND_MET;
}

static const char *const colours[] = {"red", "green", NULL};
static const struct option_spec options[] = {
    {"limit", 'l', OPTION_SIZE, "SIZE", "most memory", NULL, false},
    {"wait", 0, OPTION_DURATION, "TIME", "how long", NULL, false},
    {"count", 'c', OPTION_INTEGER, "N", "how many", NULL, false},
    {"ratio", 0, OPTION_NUMBER, "X", "what part", NULL, false},
    {"paint", 0, OPTION_WORD, "COLOUR", "which colour", colours, false},
    {"name", 'n', OPTION_TEXT, "TEXT", "a name", NULL, true},
    {"fast", 'f', OPTION_FLAG, NULL, "be fast", NULL, false},
    {0},
};
static const struct command command_go = {.name = "go",
                                          .about = "goes",
                                          .operands = "PLACE...",
                                          .operand_min = 1,
                                          .operand_max = 2,
                                          .options = options,
                                          .run = nothing};
static const struct command command_wrap = {.name = "wrap",
                                            .about = "runs a program",
                                            .operands = "[--] PROGRAM [ARGS]",
                                            .operand_min = 1,
                                            .operand_max = COMMAND_MANY,
                                            .program = true,
                                            .options = options,
                                            .run = nothing};
/* Instead of the table of command_table.c, which the linker then leaves in the archive. */
const struct command *const commands[] = {&command_go, &command_wrap, NULL};

#define WORDS_MAX 16

struct outcome {
    struct command_line line;
    char *out, *err;
    int status;
    bool run;
    char *argv[WORDS_MAX + 1], *storage;
};

/* "go --fast x" as a shell without quotes would split it. */
static void parse(struct outcome *outcome, const char *words)
{
    size_t length;
    int argc = 0;
    *outcome = (struct outcome){.storage = strdup(words), .status = -1};
    outcome->argv[argc++] = (char *)"tidemark";
    for (char *save = NULL, *word = strtok_r(outcome->storage, " ", &save);
         word && argc < WORDS_MAX; word = strtok_r(NULL, " ", &save)) {
        outcome->argv[argc++] = word;
    }
    FILE *out = open_memstream(&outcome->out, &length),
         *err = open_memstream(&outcome->err, &length);
    outcome->run = command_parse(&outcome->line, argc, outcome->argv, out, err, &outcome->status);
    fclose(out);
    fclose(err);
}

static void outcome_fini(struct outcome *outcome)
{
    command_line_fini(&outcome->line);
    free(outcome->out);
    free(outcome->err);
    free(outcome->storage);
}

START_TEST(options_of_every_kind_are_read)
{
    struct outcome o;
    parse(&o, "go --limit=4MiB here -c3 --wait 30s --ratio=2% --paint green -n a --name=b -fqvv "
              "--json r.jsonl");
    ck_assert_msg(o.run, "%s", o.err);
    ck_assert_uint_eq(command_integer(&o.line, "limit", 0), 4 << 20);
    ck_assert_uint_eq(command_integer(&o.line, "wait", 0), 30000000000);
    ck_assert_uint_eq(command_integer(&o.line, "count", 0), 3);
    ck_assert_double_eq(command_number(&o.line, "ratio", 0), 0.02);
    ck_assert_str_eq(command_text(&o.line, "paint"), "green");
    ck_assert_str_eq(command_text(&o.line, "name"), "b");
    ck_assert_str_eq(command_text_at(&o.line, "name", 0), "a");
    ck_assert_str_eq(command_text_at(&o.line, "name", 1), "b");
    ck_assert_ptr_null(command_text_at(&o.line, "name", 2));
    ck_assert(command_flag(&o.line, "fast") && o.line.quiet && o.line.verbose == 2);
    ck_assert(!o.line.color);
    ck_assert_str_eq(o.line.json, "r.jsonl");
    ck_assert_uint_eq(o.line.operand_count, 1);
    ck_assert_str_eq(o.line.operands[0], "here");
    ck_assert_ptr_null(o.line.operands[1]);
    outcome_fini(&o);
}
END_TEST

START_TEST(what_was_not_given_is_the_default)
{
    struct outcome o;
    parse(&o, "go x");
    ck_assert(o.run && !command_flag(&o.line, "fast") && !command_text(&o.line, "name"));
    ck_assert_uint_eq(command_integer(&o.line, "limit", 77), 77);
    ck_assert_ptr_null(o.line.json);
    outcome_fini(&o);
}
END_TEST

START_TEST(a_program_keeps_its_own_options)
{
    static const char *const rows[] = {"wrap --fast ./prog --limit 7",
                                       "wrap --fast -- ./prog --limit 7"};
    for (size_t i = 0; i < 2; i++) {
        struct outcome o;
        parse(&o, rows[i]);
        ck_assert(o.run && command_flag(&o.line, "fast"));
        ck_assert_uint_eq(o.line.operand_count, 3);
        ck_assert_str_eq(o.line.operands[1], "--limit");
        outcome_fini(&o);
    }
}
END_TEST

START_TEST(a_dash_dash_ends_options_and_a_dash_is_an_operand)
{
    struct outcome o;
    parse(&o, "go - -- --fast");
    ck_assert(o.run && !command_flag(&o.line, "fast"));
    ck_assert_str_eq(o.line.operands[0], "-");
    ck_assert_str_eq(o.line.operands[1], "--fast");
    outcome_fini(&o);
}
END_TEST

START_TEST(every_mistake_is_named_at_once_and_ends_with_2)
{
    static const struct {
        const char *words, *err;
    } rows[] = {
        {"go x --limt 4", "tidemark go: unknown option '--limt'; did you mean '--limit'?\n"},
        {"go x --zzzz", "tidemark go: unknown option '--zzzz'; 'tidemark go --help' lists them\n"},
        {"go x -z", "tidemark go: unknown option '-z'; 'tidemark go --help' lists them\n"},
        {"go x --limit 5",
         "tidemark go: --limit '5' has no unit; one of B KB KiB MB MiB GB GiB TB TiB\n"},
        {"go x --limit 5MIB",
         "tidemark go: --limit '5MIB' has unknown unit 'MIB'; did you mean 'MiB'?\n"},
        {"go x --count", "tidemark go: --count needs N\n"},
        {"go x --count=-4", "tidemark go: --count '-4' is negative\n"},
        {"go x --fast=yes", "tidemark go: --fast takes no argument, but was given 'yes'\n"},
        {"go x --paint gren", "tidemark go: --paint cannot be 'gren'; did you mean 'green'?\n"},
        {"go x --paint mauve", "tidemark go: --paint cannot be 'mauve'; one of red, green\n"},
        {"go x --json=", "tidemark go: --json '' names no file\n"},
        {"go", "tidemark go: needs PLACE...\n"},
        {"go a b c", "tidemark go: 'c' is one operand too many\n"},
        {"go --zap --limit 1 --wait soon",
         "tidemark go: unknown option '--zap'; 'tidemark go --help' lists them\n"
         "tidemark go: --limit '1' has no unit; one of B KB KiB MB MiB GB GiB TB TiB\n"
         "tidemark go: --wait 'soon' is not a time, such as 30 s\n"
         "tidemark go: needs PLACE...\n"},
        {"og", "tidemark: unknown command 'og'; did you mean 'go'?\n"},
        {"warp x", "tidemark: unknown command 'warp'; did you mean 'wrap'?\n"},
        {"help elephant",
         "tidemark: unknown command 'elephant'; 'tidemark --help' lists the commands\n"},
        {"--verson", "tidemark: unknown option '--verson'; did you mean '--version'?\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o;
        parse(&o, rows[i].words);
        ck_assert_msg(!o.run && o.status == COMMAND_USAGE, "'%s' gave %d", rows[i].words, o.status);
        /* "--limt 4" leaves 4 as an operand: the message is all that counts here. */
        ck_assert_msg(strcmp(o.err, rows[i].err) == 0, "'%s' said %s", rows[i].words, o.err);
        ck_assert_str_eq(o.out, "");
        outcome_fini(&o);
    }
}
END_TEST

START_TEST(help_goes_to_stdout_and_needs_nothing_else)
{
    static const char *const rows[] = {"go --help", "go -h", "help go", "go --zap --help"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o;
        parse(&o, rows[i]);
        ck_assert(!o.run);
        ck_assert_msg(o.status == COMMAND_MET, "'%s' gave %d", rows[i], o.status);
        ck_assert_ptr_nonnull(strstr(o.out, "Usage: tidemark go [OPTIONS] PLACE...\n"));
        ck_assert_ptr_nonnull(strstr(o.out, "  -l, --limit SIZE"));
        ck_assert_ptr_nonnull(strstr(o.out, "which colour: red, green"));
        ck_assert_ptr_nonnull(strstr(o.out, "--json FILE"));
        outcome_fini(&o);
    }
}
END_TEST

SUITE("command line", &options_of_every_kind_are_read, &what_was_not_given_is_the_default,
      &a_program_keeps_its_own_options, &a_dash_dash_ends_options_and_a_dash_is_an_operand,
      &every_mistake_is_named_at_once_and_ends_with_2, &help_goes_to_stdout_and_needs_nothing_else)
