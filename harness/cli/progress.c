/* progress.c - see progress.h. Supervisor only. */
#include "harness/cli/progress.h"
#include "harness/base/interrupt.h"
#include "harness/base/memory.h"
#include "harness/base/monotonic.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/cli/output.h"
#include "harness/result/result_printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_NS 50e6 /* what an eye can follow */
#define LOG_NS      30e9 /* few enough lines for a log */
#define NAME_LEAST  12   /* columns of a test's name */

bool progress_due(bool terminal, double since_ns)
{
    return since_ns >= (terminal ? TERMINAL_NS : LOG_NS);
}

/* The end of a name says more than its beginning. */
static void name_put(struct text *text, const char *name, unsigned columns)
{
    struct text clean = {0};
    printable_put(&clean, name);
    const char *from = text_peek(&clean);
    bool cut = false;
    while (text_width(from) + (cut ? 1 : 0) > columns && from[0]) {
        from += text_fit(from, 1) ? text_fit(from, 1) : text_fit(from, 2);
        cut = true;
    }
    text_format(text, "%s%s", cut ? "\xe2\x80\xa6" : "", from);
    text_fini(&clean);
}

static void left_put(struct text *text, double budget_ns, double elapsed_ns)
{
    double left = budget_ns - elapsed_ns;
    if (left <= 0) {
        text_put(text, " (over its budget)");
    } else if (left < 60e9) {
        text_format(text, " (%.0f s left)", left / 1e9);
    } else {
        text_format(text, " (%.0f min left)", left / 60e9);
    }
}

void progress_line(struct text *text, const char *subject, const struct runner_progress *at,
                   double elapsed_ns, unsigned columns)
{
    char call[UNIT_TEXT_BYTES], calls[UNIT_TEXT_BYTES];
    struct text head = {0}, tail = {0};
    const char *join = "";
    const char *const words[] = {subject, at->variant, at->phase};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i] && words[i][0]) {
            text_format(&head, "%s%s", join, words[i]);
            join = " ";
        }
    }
    if (at->test && at->test[0]) {
        text_format(&head, "%s%zu/%zu", join, at->done + 1, at->count);
    }
    if (at->budget_ns > 0) {
        left_put(&head, at->budget_ns, elapsed_ns);
    }
    if (at->test && at->test[0]) {
        text_put_char(&head, ' ');
    }
    if (at->calls > 1) {
        text_format(&tail, ", repetition %s of %s", unit_count(call, at->call),
                    unit_count(calls, at->calls));
    }
    unsigned taken = text_width(text_peek(&head)) + text_width(text_peek(&tail));
    text_put(text, text_peek(&head));
    if (at->test && at->test[0]) {
        name_put(text, at->test, taken + NAME_LEAST > columns ? NAME_LEAST : columns - taken);
    }
    text_put(text, text_peek(&tail));
    size_t fits = text_fit(text->data, columns);
    if (fits < text->length) {
        text->length = fits;
        text->data[fits] = '\0';
    }
    text_fini(&head);
    text_fini(&tail);
}

static void progress_show(void *context)
{
    struct progress *progress = context;
    if (progress->line->quiet ||
        !progress_due(progress->terminal, (double)(monotonic_ns() - progress->said_ns))) {
        return;
    }
    progress->said_ns = monotonic_ns();
    struct text text = {0};
    /* A terminal that is full to its last column would break the line. */
    progress_line(&text, progress->subject, &progress->at,
                  (double)(monotonic_ns() - progress->begun_ns),
                  progress->terminal ? table_terminal_width(stderr) - 1 : 400);
    fprintf(stderr, "%s%s%s", progress->terminal ? "\r\033[K" : "", text_peek(&text),
            progress->terminal ? "" : "\n");
    text_fini(&text);
}

static void progress_announce(void *context, const char *text)
{
    const struct progress *progress = context;
    if (!progress->line->quiet) {
        fprintf(stderr, "%s%s\n", progress->terminal ? "\r\033[K" : "", text);
    }
}

/* Ctrl-C: what was found until now, and how to go on. */
static void interrupted(void *context)
{
    struct progress *progress = context;
    struct result *result = progress->result;
    const char *json = progress->line->json;
    size_t done = result->test_count < result->expected ? result->test_count : result->expected;
    if (progress->terminal) {
        fputs("\r\033[K", stderr);
    }
    result->incomplete = result->expected - done;
    if (result->incomplete == 0) { /* all have a result, and their verdicts are missing */
        result->incomplete = result->cut_short = 1;
    }
    result_set(&result->reason, "it was interrupted");
    if (json && strcmp(json, "-") != 0 && result_is_hunt(result)) {
        result_note_add(result,
                        "to go on with what is not clean and what is missing: tidemark hunt "
                        "--failed %s and the same options",
                        json);
    } else if (result_is_hunt(result)) {
        result_note_add(result, "to go on where it ended, hunt with --json FILE, and after an "
                                "interruption with --failed FILE");
    }
    result_sites_sort(result);
    output_write(progress->line, result, OUTPUT_FULL);
    fflush(stdout);
}

void progress_begin(struct progress *progress, const struct command_line *line, const char *subject,
                    struct runner_options *options, struct result *result)
{
    *progress = (struct progress){
        .line = line, .subject = subject, .result = result, .terminal = isatty(STDERR_FILENO)};
    progress->at.variant = progress->at.test = "";
    progress->begun_ns = progress->said_ns = monotonic_ns();
    options->at = &progress->at;
    options->progress = progress_show;
    options->announce = progress_announce;
    options->context = progress;
    interrupt_report(interrupted, progress);
}

void progress_end(struct progress *progress)
{
    interrupt_report(NULL, NULL);
    if (!progress->line->quiet && progress->terminal) {
        fputs("\r\033[K", stderr);
    }
}
