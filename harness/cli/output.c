/* output.c - see output.h. Supervisor only. */
#include "harness/cli/output.h"
#include "harness/base/table.h"
#include "harness/base/whole_file.h"
#include "harness/report/describe.h"
#include "harness/report/location.h"
#include "harness/report/renderer.h"
#include "harness/report/terminal.h"
#include "harness/result/result_printable.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool output_single(const struct command_line *line, const char **option)
{
    for (const struct renderer *renderer = renderers; renderer->option; renderer++) {
        *option = renderer->option;
        if (!renderer->append && command_text(line, renderer->option)) {
            return true;
        }
    }
    return false;
}

struct output { /* something that a command writes */
    const char *option, *path;
    bool prints; /* on standard output, wherever the file is */
};

#define OUTPUTS_MOST 16

static size_t outputs_list(const struct command_line *line, struct output outputs[OUTPUTS_MOST])
{
    size_t count = 0;
    if (line->json) {
        outputs[count++] = (struct output){.option = "json", .path = line->json};
    }
    for (const struct renderer *renderer = renderers; renderer->option; renderer++) {
        const char *path = command_text(line, renderer->option);
        if (path) {
            assert(count + 1 < OUTPUTS_MOST);
            outputs[count++] = (struct output){renderer->option, path, renderer->append};
        }
    }
    const char *rules = NULL;
    for (const struct option_spec *o = line->command->options; o->name; o++) {
        rules = strcmp(o->name, "suppress-out") == 0 ? command_text(line, o->name) : rules;
    }
    if (rules) {
        outputs[count++] = (struct output){.option = "suppress-out", .path = rules};
    }
    for (size_t i = 0; i < count; i++) {
        outputs[i].prints = outputs[i].prints || strcmp(outputs[i].path, "-") == 0;
    }
    return count;
}

/* Two names of one file, which the second would replace. A device takes everything. */
static bool file_same(const char *a, const char *b)
{
    struct stat one, other;
    bool known = stat(a, &one) == 0;
    if (known && !S_ISREG(one.st_mode)) {
        return false;
    }
    return strcmp(a, b) == 0 || (known && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
                                 one.st_ino == other.st_ino);
}

/* What is written has a place of its own, and is not what is read. */
static bool outputs_distinct(const struct command_line *line)
{
    struct output outputs[OUTPUTS_MOST];
    size_t count = outputs_list(line, outputs);
    size_t read = line->command->program && line->operand_count > 1 ? 1 : line->operand_count;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (outputs[i].prints && outputs[k].prints) {
                command_usage_error(line, "--%s and --%s both go to standard output",
                                    outputs[k].option, outputs[i].option);
                return false;
            }
            if (file_same(outputs[k].path, outputs[i].path)) {
                command_usage_error(line, "--%s and --%s are the same file, '%s'",
                                    outputs[k].option, outputs[i].option, outputs[i].path);
                return false;
            }
        }
        for (size_t k = 0; k < read; k++) {
            if (file_same(line->operands[k], outputs[i].path)) {
                command_usage_error(line, "--%s would replace what is read, '%s'",
                                    outputs[i].option, outputs[i].path);
                return false;
            }
        }
    }
    return true;
}

bool output_options(const struct command_line *line)
{
    const char *root = command_text(line, "source-root");
    if (root && access(root, X_OK) != 0) {
        command_usage_error(line, "--source-root '%s': %s", root, strerror(errno));
        return false;
    }
    const char *url = command_text(line, "source-url");
    if (!location_url_set(url)) {
        command_usage_error(line, "--source-url '%s' begins with neither https:// nor http://",
                            url);
        return false;
    }
    location_root_set(root);
    return outputs_distinct(line);
}

static bool formats_write(const struct command_line *line, const struct result *result,
                          bool *stdout_taken)
{
    bool ok = true;
    char error[512];
    for (const struct renderer *renderer = renderers; renderer->option; renderer++) {
        const char *path = command_text(line, renderer->option);
        if (!path) {
            continue;
        }
        *stdout_taken = *stdout_taken || strcmp(path, "-") == 0;
        if (!renderer_write(renderer, result, path, error, sizeof error)) {
            fprintf(stderr, "tidemark %s: %s\n", line->command->name, error);
            ok = false;
        } else if (!line->quiet && strcmp(path, "-") != 0) {
            fprintf(stderr, "wrote %s\n", path);
        }
    }
    return ok;
}

void output_complain(const struct command_line *line, const char *file, const char *text)
{
    struct text clean = {0};
    printable_put(&clean, text);
    fprintf(stderr, "tidemark %s: %s%s%s\n", line->command->name, file ? file : "",
            file ? ": " : "", text_peek(&clean));
    text_fini(&clean);
}

bool output_differences(const struct command_line *line, const struct differences *differences)
{
    const char *path = command_text(line, "markdown");
    struct whole_file file;
    if (!path) {
        return true;
    }
    bool ok = whole_file_open(&file, path);
    if (ok) {
        differences_markdown(differences, file.out);
        ok = whole_file_close(&file, true);
    }
    if (!ok) {
        fprintf(stderr, "tidemark %s: %s: cannot be written: %s\n", line->command->name, path,
                strerror(errno));
    }
    return ok;
}

static void brief_print(const struct command_line *line, const struct result *result)
{
    struct text reason = {0};
    if (result->incomplete > 0) {
        text_put(&reason, "incomplete: ");
        describe_incomplete(&reason, result);
    } else if (result_nothing_judged(result)) {
        describe_nothing(&reason, result);
    }
    if (reason.length > 0) {
        output_complain(line, NULL, reason.data);
    }
    text_fini(&reason);
}

bool output_write(const struct command_line *line, struct result *result, enum output_text text)
{
    bool taken = line->json && strcmp(line->json, "-") == 0;
    result_make_printable(result);
    result_count(result);
    bool ok = formats_write(line, result, &taken);
    if (!taken && text == OUTPUT_FULL) {
        report_terminal(result, stdout, table_terminal_width(stdout), line->color);
        return ok;
    }
    if (text != OUTPUT_COUNTS) {
        brief_print(line, result);
    }
    if (!taken) {
        printf("%zu passed, %zu failed, %zu skipped\n", result->passed, result->failed,
               result->skipped);
    }
    return ok;
}

int output_status(const struct result *result)
{
    return (int)result_end(result);
}

int output_worse(int a, int b)
{
    static const int order[] = {COMMAND_OURS, COMMAND_USAGE, COMMAND_BROKEN, COMMAND_NOTHING};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return COMMAND_MET;
}
