/* location.h - where in the source a finding belongs: what annotations, code quality and SARIF
 * point at. Supervisor only. */
#ifndef REPORT_LOCATION_H
#define REPORT_LOCATION_H

#include "harness/result/result.h"

struct location {
    const char *file; /* relative to the working folder where it lies below it; "" if unknown */
    unsigned line;    /* at least 1 */
};

/* The line that allocated what stayed, or where the test died or failed, else the test itself. */
struct location location_of_test(const struct result *result, const struct result_test *test);
/* The last part of a path. Borrowed from `path`. */
const char *location_name(const char *path);
/* `path` behind the working folder's name, and without "./". Borrowed from `path`. */
const char *location_relative(const char *path);

#endif
