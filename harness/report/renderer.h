/*
 * renderer.h - a report format is one file and one row of renderer.def. Each reads the result and
 * writes one file; none keeps state. Supervisor only.
 */
#ifndef REPORT_RENDERER_H
#define REPORT_RENDERER_H

#include "harness/result/result.h"

#include <stdbool.h>
#include <stdio.h>

struct renderer {
    const char *option; /* of `tidemark report`, and the name of the format */
    const char *help;
    bool append; /* to a file that exists; otherwise it is replaced when the new one is complete */
    /* Write errors are found by the caller, with ferror. */
    void (*render)(const struct result *result, FILE *out);
};

extern const struct renderer renderers[]; /* ends with option NULL */

/* Renders into the file ("-": stdout). False, and a message in error[], when that failed. */
bool renderer_write(const struct renderer *renderer, const struct result *result, const char *path,
                    char *error, size_t error_bytes);

#endif
