/* suppressions.c - see suppressions.h. Supervisor only. */
#include "harness/cli/suppressions.h"

#include <stdio.h>
#include <time.h>

static unsigned today(void)
{
    struct tm utc;
    time_t now = time(NULL);
    gmtime_r(&now, &utc);
    return (unsigned)((utc.tm_year + 1900) * 10000 + (utc.tm_mon + 1) * 100 + utc.tm_mday);
}

bool command_suppressions_read(const struct command_line *line, struct suppress *suppress)
{
    struct diag diag;
    bool read = true;
    const char *path;
    diag_init(&diag);
    for (size_t i = 0; (path = command_text_at(line, "suppressions", i)); i++) {
        read = suppress_read(suppress, path, today(), &diag) && read;
    }
    diag_print(&diag, stderr);
    diag_fini(&diag);
    return read;
}
