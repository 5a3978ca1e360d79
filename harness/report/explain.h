/*
 * explain.h - one finding in words, for `tidemark explain`: what was seen with its curve, the
 * source that allocated what stays, what the verdict rests on, when it would be wrong, what to do,
 * and the next command to type. Supervisor only.
 */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include "harness/result/result.h"

#include <stdbool.h>
#include <stdio.h>

/* `path` is the result file's, for the commands at the end. `columns` as table_terminal_width gives
 * it. */
void explain_test(const struct result *result, const struct result_test *test, const char *path,
                  FILE *out, unsigned columns, bool color);
/* Of what the suite as a whole keeps. */
void explain_suite(const struct result *result, const struct result_variant *variant,
                   const char *path, FILE *out, unsigned columns, bool color);

#endif
