/* manual.c - man pages, see manual.h. Plain man(7) macros, so that groff and mandoc both read them.
 * Supervisor only. */
#include "harness/cli/manual.h"
#include "harness/base/version.h"
#include "harness/cli/command.h"
#include "harness/report/words.h"
#include "harness/scenario/scenario.h"

#include <ctype.h>
#include <string.h>

/* A dash is a minus that can be copied, a backslash is itself, a dot does not begin a request. */
static void roff_put(FILE *out, const char *text, bool line_start)
{
    for (const char *at = text; *at; at++) {
        if ((line_start && at == text) && (*at == '.' || *at == '\'')) {
            fputs("\\&", out);
        }
        if (*at == '-') {
            fputs("\\-", out);
        } else if (*at == '\\') {
            fputs("\\e", out);
        } else {
            fputc(*at, out);
        }
    }
}

static void line_put(FILE *out, const char *text)
{
    roff_put(out, text, true);
    fputc('\n', out);
}

static void head_put(FILE *out, const char *name, int section, const char *about)
{
    char upper[64];
    size_t length = strnlen(name, sizeof upper - 1);
    for (size_t i = 0; i < length; i++) {
        upper[i] = (char)toupper((unsigned char)name[i]);
    }
    upper[length] = '\0';
    fprintf(out, ".TH ");
    roff_put(out, upper, false);
    fprintf(out, " %d \"\" \"tidemark %s\" \"tidemark manual\"\n.SH NAME\n", section,
            TIDEMARK_VERSION);
    roff_put(out, name, true);
    fputs(" \\- ", out);
    line_put(out, about);
}

static void paragraphs_put(FILE *out, const char *text)
{
    bool first = true;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        if (length > 0) {
            char line[4096];
            snprintf(line, sizeof line, "%.*s", (int)length, at);
            fputs(first ? "" : ".PP\n", out);
            line_put(out, line);
            first = false;
        }
        at += length + (at[length] == '\n');
    }
}

static void option_put(FILE *out, const struct option_spec *option)
{
    fputs(".TP\n", out);
    if (option->letter) {
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    }
    fputs("\\fB\\-\\-", out);
    roff_put(out, option->name, false);
    fputs("\\fR", out);
    if (option->argument) {
        fputs(" \\fI", out);
        roff_put(out, option->argument, false);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff_put(out, option->help, true);
    for (size_t i = 0; option->words && option->words[i]; i++) {
        fputs(i ? ", " : ": ", out);
        fputs("\\fB", out);
        roff_put(out, option->words[i], false);
        fputs("\\fR", out);
    }
    fputs(".\n", out);
}

static void pair_put(FILE *out, const char *name, const char *value, const char *help)
{
    fputs(".TP\n\\fB", out);
    roff_put(out, name, false);
    fputs("\\fR", out);
    if (value) {
        fputs(" \\fI", out);
        roff_put(out, value, false);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    line_put(out, help);
}

static const char *const statuses[][2] = {
    {"0", "all is well"},
    {"1", "a test failed, leaks, grows or accumulates, or an expectation is broken"},
    {"2", "usage or bad input; nothing was run"},
    {"77", "nothing was judged; the reason is on the screen and in every report"},
    {"99", "tidemark itself failed, or results are missing"},
};

static void tail_put(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n%s\n", statuses[i][0], statuses[i][1]);
    }
    fputs(".SH FILES\n", out);
    pair_put(out, "tidemark-baseline.jsonl", NULL, "the baseline, where baseline has no --file");
    pair_put(out, "tidemark-results/", NULL,
             "reports and results of the programs that hunt of a command, or wrap, has hunted");
    fputs(".SH ENVIRONMENT\n", out);
    pair_put(out, "NO_COLOR", NULL, "no colour when set to anything");
    pair_put(out, "COLUMNS", NULL, "width of tables where the output is no terminal");
    pair_put(out, "TIDEMARK_PRELOAD", NULL, "path of libtidemark.so instead of the installed one");
    pair_put(out, "TIDEMARK_LIBEXEC", NULL, "folder of the built-in suites");
}

static void see_put(FILE *out, const struct command *except)
{
    fputs(".SH SEE ALSO\n", out);
    if (except) {
        fputs("\\fBtidemark\\fR(1),\n", out);
    }
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i] != except) {
            fprintf(out, "\\fBtidemark\\-%s\\fR(1),\n", commands[i]->name);
        }
    }
    fputs("\\fBtidemark\\-scenario\\fR(5),\n\\fBtidemark\\-verdicts\\fR(7)\n", out);
}

static void top_page(FILE *out)
{
    head_put(out, "tidemark", 1, "whether a test suite's memory levels off, and a cache pays");
    fputs(
        ".SH SYNOPSIS\n\\fBtidemark\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n.br\n"
        "\\fBtidemark\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR\n.SH DESCRIPTION\n"
        "tidemark runs a test suite in one process with per\\-test teardown, keeps an exact ledger "
        "of every allocation, and says for each test whether it is clean, leaks, grows without "
        "bound, accumulates with every new input, or fills up and stops. It names the line that "
        "allocated what stayed, the global that still holds it, and where such blocks are "
        "released.\n.SH COMMANDS\n",
        out);
    for (size_t i = 0; commands[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "tidemark-%s", commands[i]->name);
        pair_put(out, name, NULL, commands[i]->about);
    }
    fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
    for (const struct option_spec *option = command_common; option->name; option++) {
        option_put(out, option);
    }
    pair_put(out, "--version", NULL, "show the version");
    tail_put(out);
    see_put(out, NULL);
}

static void command_page(const struct command *command, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "tidemark-%s", command->name);
    head_put(out, name, 1, command->about);
    fprintf(out, ".SH SYNOPSIS\n\\fBtidemark %s\\fR [\\fIOPTIONS\\fR] ", command->name);
    line_put(out, command->operands);
    fputs(".SH DESCRIPTION\n", out);
    paragraphs_put(out, command->detail ? command->detail : command->about);
    fputs(".SH OPTIONS\n", out);
    for (const struct option_spec *option = command->options; option && option->name; option++) {
        option_put(out, option);
    }
    for (const struct option_spec *option = command_common; option->name; option++) {
        option_put(out, option);
    }
    for (size_t i = 0; command->examples && command->examples[i]; i++) {
        const char *example = command->examples[i];
        char text[1024];
        size_t length = strcspn(example, "\t");
        snprintf(text, sizeof text, "%.*s", (int)length, example);
        fputs(i ? "" : ".SH EXAMPLES\n", out);
        pair_put(out, text, NULL, example[length] ? example + length + 1 : "");
    }
    tail_put(out);
    see_put(out, command);
}

static const char *const scenario_keys[][3] = {
    {"scenario:", "NAME", "The name, letters, digits, '.', '_', '-' and '/'."},
    {"about:", "TEXT", "One sentence for reports."},
    {"suite:", "NAME | {program: NAME, ...}",
     "A built-in suite, or with a slash a program of yours, relative to the file's folder. Both "
     "take "
     "args: [...] and env: {NAME: value}; a built-in suite its parameters besides."},
    {"teardown:", "per-test | per-module | after-suite | never", "When fixtures are torn down."},
    {"variants:", "[NAME, {NAME: {...}}, ...]",
     "What is compared. The name is the strategy unless strategy: says otherwise; the braces take "
     "the "
     "strategy's parameters, those of the suite, program, args, env and teardown."},
    {"limits:", "{memory: SIZE, timeout: TIME}",
     "A cap on the worker's memory, and the longest time of one repetition of a test."},
    {"passes:", "N", "Fresh processes per variant, interleaved."},
    {"expect:", "{VARIANT: {METRIC: CONDITION}}",
     "What must be seen. A condition is a quoted comparison (\"< 500 MB\"), a bare value (equal), "
     "a "
     "range (1 KiB .. 8 KiB), a word, or a budget {warn: ..., fail: ...}."},
};

static void scenario_page(FILE *out)
{
    static const struct {
        const char *json, *help;
    } metrics[] = {
#define METRIC(NAME, json, kind, title, help) {#json, help},
#include "harness/result/metric.def"
#undef METRIC
    };
    struct scenario_parameter parameter;
    head_put(out, "tidemark-scenario", 5,
             "which suite runs, in which variants, and what must be seen");
    fputs(
        ".SH SYNOPSIS\n\\fBtidemark run\\fR \\fIFILE\\fR.yaml\n.SH DESCRIPTION\n"
        "A scenario is one YAML document. All errors are reported at once, with file, line, column "
        "and the nearest valid word; nothing is run then.\n.SH KEYS\n",
        out);
    for (size_t i = 0; i < sizeof scenario_keys / sizeof scenario_keys[0]; i++) {
        pair_put(out, scenario_keys[i][0], scenario_keys[i][1], scenario_keys[i][2]);
    }
    for (int strategy = 0; strategy < 2; strategy++) {
        fputs(strategy ? ".SH PARAMETERS OF STRATEGIES\n" : ".SH PARAMETERS OF SUITES\n", out);
        for (size_t i = 0; scenario_parameter(i, &parameter); i++) {
            if (parameter.strategy == (strategy == 1)) {
                pair_put(out, parameter.name, parameter.value, parameter.help);
            }
        }
    }
    fputs(".SH METRICS\nThe short form in italics leaves the unit out of the name; its value must "
          "have "
          "one.\n",
          out);
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        pair_put(out, metrics[i].json, scenario_metric_short(metrics[i].json), metrics[i].help);
    }
    pair_put(out, "verdict", "clean leak growth accumulates saturating inconclusive none",
             "what the judge says, see tidemark-verdicts(7)");
    pair_put(out, "stopped_by", "memory timeout crash exit none", "what ended the variant early");
    pair_put(out, "culprit", "GLOB", "the test that stopped it");
    fputs(".SH UNITS\nSizes: B KB KiB MB MiB GB GiB TB TiB, where KB is 1,000 and KiB is 1,024. "
          "Times: ns us ms s min h. What was measured is shown in decimal units; a limit as it was "
          "written, one in KiB, MiB ... with its decimal size after it.\n.SH EXAMPLE\n.nf\n",
          out);
    static const char *const example[] = {
        "scenario: registry-60gb",
        "suite: {program: registry, tests: 450, lookups: 27000, keys: all}",
        "teardown: never",
        "variants:",
        "  - direct",
        "  - lru: {entries: 1024, bytes: 4 MiB}",
        "limits: {memory: 512 MiB, timeout: 30 s}",
        "expect:",
        "  direct: {verdict: clean, peak_rss: \"< 500 MB\", allocs_per_lookup: 0}",
        "  lru:    {verdict: saturating}",
    };
    for (size_t i = 0; i < sizeof example / sizeof example[0]; i++) {
        line_put(out, example[i]);
    }
    fputs(".fi\n.SH SEE ALSO\n\\fBtidemark\\fR(1)\n", out);
}

/* What stands between backticks is bold, as an option or a label is. */
static void marked_put(FILE *out, const char *text)
{
    for (bool bold = false; *text; bold = !bold) {
        char part[512];
        size_t length = strcspn(text, "`");
        snprintf(part, sizeof part, "%.*s", (int)length, text);
        fputs(bold ? "\\fB" : "", out);
        roff_put(out, part, false);
        fputs(bold ? "\\fR" : "", out);
        text += length + (text[length] == '`');
    }
}

static void verdicts_page(FILE *out)
{
    static const char *const titles[][2] = {
        {"verdict", "VERDICTS"},
        {"status", "STATUSES OF TESTS"},
        {"order", "TESTS THAT HANG ON OTHERS"},
        {"in a finding", "LINES OF A FINDING"},
        {"column", "COLUMNS OF REPORTS"},
        {"column of bench", "COLUMNS OF BENCH"},
        {"column of whatif", "COLUMNS OF WHATIF"},
        {"metric", "METRICS AS COLUMNS"},
    };
    head_put(out, "tidemark-verdicts", 7, "what the words on the screen mean, and what to do");
    fputs(
        ".SH DESCRIPTION\nEvery report begins with its answer. These are the words below it. What "
        "was not measured is a dash, and what was not judged has not passed.\n",
        out);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        fprintf(out, ".SH %s\n", titles[i][1]);
        for (size_t k = 0; k < word_count; k++) {
            if (strcmp(words[k].kind, titles[i][0]) != 0) {
                continue;
            }
            fputs(".TP\n\\fB", out);
            roff_put(out, words[k].word, false);
            fputs("\\fR\n", out);
            marked_put(out, words[k].means);
            fputs(".\n", out);
            if (words[k].action[0]) {
                fputs("What to do: ", out);
                marked_put(out, words[k].action);
                fputs(".\n", out);
            }
            if (words[k].doubt[0]) {
                fputs("It is wrong if ", out);
                marked_put(out, words[k].doubt);
                fputs(".\n", out);
            }
        }
    }
    see_put(out, NULL);
}

static void words_print(FILE *out)
{
    for (size_t i = 0; i < word_count; i++) {
        fprintf(out, "%s\t%s\t%s\t%s\n", words[i].kind, words[i].word, words[i].means,
                words[i].action);
    }
}

static bool man_print(const char *page, FILE *out)
{
    if (!page) {
        top_page(out);
        return true;
    }
    if (strcmp(page, "scenario") == 0) {
        scenario_page(out);
        return true;
    }
    if (strcmp(page, "verdicts") == 0) {
        verdicts_page(out);
        return true;
    }
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, page) == 0) {
            command_page(commands[i], out);
            return true;
        }
    }
    return false;
}

bool manual_print(const char *format, const char *page, FILE *out)
{
    if (strcmp(format, "man") == 0) {
        return man_print(page, out);
    }
    if (strcmp(format, "bash") == 0) {
        completion_bash(out);
    } else if (strcmp(format, "zsh") == 0) {
        completion_zsh(out);
    } else if (strcmp(format, "fish") == 0) {
        completion_fish(out);
    } else if (strcmp(format, "words") == 0) {
        words_print(out);
    } else if (strcmp(format, "pages") == 0) {
        for (size_t i = 0; commands[i]; i++) {
            fprintf(out, "%s 1\n", commands[i]->name);
        }
        fputs("scenario 5\nverdicts 7\n", out);
    } else {
        return false;
    }
    return true;
}
