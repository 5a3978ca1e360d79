/*
 * input.h - the whole text of a file, plain or .xz. Build time only.
 */
#ifndef GENERATE_INPUT_H
#define GENERATE_INPUT_H

#include "harness/base/diag.h"

#include <stdbool.h>
#include <stddef.h>

#define INPUT_MOST (UINT64_C(1) << 30) /* bytes after decompression */

/* *text is the caller's to free. False: a diagnostic was added. Compression is seen by the first
 * bytes, not by the name. */
bool input_read(const char *file, char **text, size_t *length, struct diag *diag);

#endif
