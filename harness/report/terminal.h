/*
 * terminal.h - what a person reads at the end of `tidemark run` and `tidemark hunt`, and from
 * `tidemark report`. Knows by result->command which of the two layouts it is. Reads the result,
 * changes nothing; no clock, no terminal of its own, so that golden texts test it. Supervisor only.
 *
 * What it takes from the result, and from where:
 *   head       tool_version, allocator, cap, cap_kind, scenario, suite, way_in, shard
 *   table      variants (the first is the reference), low/high where there were several passes
 *   culprits   variant.culprit, projection, horizon; sites with the variant's name
 *   findings   tests with a verdict or status worth a line, sites by `test`; sites_hidden
 *   at the end expects, notes, argv (the repeat command), passed/failed/skipped/incomplete
 */
#ifndef REPORT_TERMINAL_H
#define REPORT_TERMINAL_H

#include "harness/result/result.h"

#include <stdbool.h>
#include <stdio.h>

/* `columns` as table_terminal_width gives it. The last line is "N passed, N failed, N skipped". */
void report_terminal(const struct result *result, FILE *out, unsigned columns, bool color);

#endif
