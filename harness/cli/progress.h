/*
 * progress.h - how far a run is, on stderr: one line that is written over on a terminal, a line
 * every half minute elsewhere, so that the log of a CI job shows where it is. Nothing under
 * --quiet. And what was found until then when the run is ended by a signal. Supervisor only.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "harness/base/text.h"
#include "harness/campaign/runner.h"
#include "harness/cli/command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const struct command_line *line;
    const char *subject;       /* "registry-60gb", or "" */
    struct runner_progress at; /* for runner_options.at */
    struct result *result;     /* in the making */
    bool terminal;
    uint64_t begun_ns, said_ns;
};

/* Also hands the pointers to the options. `result` is what is shown if the run is ended by a
 * signal. */
void progress_begin(struct progress *progress, const struct command_line *line, const char *subject,
                    struct runner_options *options, struct result *result);
/* Takes the line off the terminal; from here on a signal ends it without a report. */
void progress_end(struct progress *progress);

/* The line: phase, test, repetition, time left of the budget. In at most `columns`, the test's name
 * gives way first. Pure. */
void progress_line(struct text *text, const char *subject, const struct runner_progress *at,
                   double elapsed_ns, unsigned columns);
/* Is it time for another line? Pure. */
bool progress_due(bool terminal, double since_ns);

#endif
