/* selection.h - which tests a command takes, and on what it fails: --only, --exclude, --failed,
 * --fail-on. Supervisor only. */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include "harness/cli/command.h"
#include "harness/plan/filter.h"

#define SELECTION_OPTIONS                                                                          \
    {.name = "only",                                                                               \
     .kind = OPTION_TEXT,                                                                          \
     .argument = "GLOB",                                                                           \
     .help = "only tests whose id matches; several add up",                                        \
     .repeats = true},                                                                             \
        {.name = "exclude",                                                                        \
         .kind = OPTION_TEXT,                                                                      \
         .argument = "GLOB",                                                                       \
         .help = "no tests whose id matches; several add up",                                      \
         .repeats = true},                                                                         \
    {                                                                                              \
        .name = "failed", .kind = OPTION_FILE, .argument = "RESULT",                               \
        .help =                                                                                    \
            "only tests that were not clean in this result, or are missing in it; several add up", \
        .repeats = true                                                                            \
    }

#define FAIL_ON_OPTION                                                                             \
    {                                                                                              \
        .name = "fail-on", .kind = OPTION_TEXT, .argument = "WORDS",                               \
        .help =                                                                                    \
            "what fails, of leak,growth,accumulates,fd,flaky,unjudged; the first four when not "   \
            "given",                                                                               \
        .repeats = true                                                                            \
    }

enum selection { SELECTION_TAKEN, SELECTION_WRONG, SELECTION_CLEAN };

/* Fills the filter. SELECTION_WRONG: a message was printed. SELECTION_CLEAN: all that --failed
 * names was clean, and nothing is left to hunt. */
enum selection selection_take(const struct command_line *line, struct plan_filter *filter);
/* Sets *bits where the option was given. Returns false after a message. */
bool selection_fail_on(const struct command_line *line, unsigned *bits);

#endif
