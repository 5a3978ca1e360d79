/* result_read.h - reads a result file (jansson), for report, compare and baseline. Supervisor only. */
#ifndef RESULT_READ_H
#define RESULT_READ_H

#include "harness/base/diag.h"
#include "harness/result/result.h"

/* Adds the lines of `path` to `result`. Unknown fields and line types are passed over; a line that is
 * not JSON, or a version that is not 1, is a diagnostic (file:line:column). A file without a closing
 * summary, or with one that says so, adds to result->incomplete. False: diagnostics were added. */
bool result_read(const char *path, struct result *result, struct diag *diag);

#endif
