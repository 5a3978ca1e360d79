/* progress.c - see progress.h. Supervisor only. */
#include "harness/cli/progress.h"
#include "harness/base/text.h"
#include "harness/result/result_printable.h"

#include <stdio.h>
#include <unistd.h>

#define TERMINAL_NS 50000000    /* what an eye can follow */
#define LOG_NS      10000000000 /* few enough lines for a log */

void progress_begin(struct progress *progress, const char *subject, bool quiet)
{
    *progress = (struct progress){.subject = subject, .quiet = quiet, .terminal = isatty(2)};
    clock_gettime(CLOCK_MONOTONIC, &progress->said);
}

void progress_show(void *context, const char *variant, const char *test, size_t done, size_t count)
{
    struct progress *progress = context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long since = (now.tv_sec - progress->said.tv_sec) * 1000000000LL +
                      (now.tv_nsec - progress->said.tv_nsec);
    if (progress->quiet || since < (progress->terminal ? TERMINAL_NS : LOG_NS)) {
        return;
    }
    progress->said = now;
    struct text name = {0};
    printable_put(&name, test);
    fprintf(stderr, "%s%s%s%s%s%zu/%zu %.*s%s", progress->terminal ? "\r\033[K" : "",
            progress->subject, progress->subject[0] ? " " : "", variant, variant[0] ? " " : "",
            done + 1, count, (int)text_fit(text_peek(&name), progress->terminal ? 40 : 200),
            text_peek(&name), progress->terminal ? "" : "\n");
    text_fini(&name);
}

void progress_announce(void *context, const char *text)
{
    const struct progress *progress = context;
    if (!progress->quiet) {
        fprintf(stderr, "%s%s\n", progress->terminal ? "\r\033[K" : "", text);
    }
}

void progress_end(const struct progress *progress)
{
    if (!progress->quiet && progress->terminal) {
        fputs("\r\033[K", stderr);
    }
}
