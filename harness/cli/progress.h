/*
 * progress.h - how far a run is, on stderr: one line that is written over on a terminal, a line
 * every ten seconds elsewhere, so that the log of a CI job shows where it is. Nothing under
 * --quiet. Supervisor only.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct progress {
    const char *subject; /* "registry-60gb", or "" */
    bool quiet, terminal;
    struct timespec said;
};

void progress_begin(struct progress *progress, const char *subject, bool quiet);
/* For runner_options.progress; the context is a struct progress. */
void progress_show(void *context, const char *variant, const char *test, size_t done, size_t count);
/* For runner_options.announce: a sentence on a line of its own, before something long begins. */
void progress_announce(void *context, const char *text);
/* Takes the line off the terminal. */
void progress_end(const struct progress *progress);

#endif
