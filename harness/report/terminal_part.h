/* terminal_part.h - what terminal.c puts together. Supervisor only. */
#ifndef REPORT_TERMINAL_PART_H
#define REPORT_TERMINAL_PART_H

#include "harness/report/describe.h"

#include <stdbool.h>
#include <stdio.h>

/* Variants side by side, and below it those that grow or were stopped. */
void terminal_run(const struct result *result, FILE *out, unsigned columns, bool color);
/* Findings by test, or that there are none. */
void terminal_hunt(const struct result *result, FILE *out, unsigned columns, bool color);

/* Up to `most` findings of `variant` (NULL: of all). Returns how many there are. */
size_t terminal_findings(const struct result *result, const char *variant, size_t most, FILE *out,
                         unsigned columns, bool color);
/* Sites of a test under a variant: share, size, place, stack, held by. At most `most`.
 * `repetitions` of the test; 0 for the whole suite. */
void terminal_sites(const struct result *result, const char *test, const char *variant,
                    unsigned repetitions, size_t most, FILE *out, unsigned columns);
/* "    held by       text", wrapped under itself. */
void terminal_label(const char *label, const char *text, FILE *out, unsigned columns);
/* "    at            f (x.c:3)", a line a frame. */
void terminal_stack(const char *label, const struct result_frame *frames, size_t count, FILE *out,
                    unsigned columns);
/* Both tools in one table; nothing when memcheck was not run. */
void terminal_memcheck(const struct result *result, FILE *out, unsigned columns, bool color);
/* What memcheck found in a test. */
void terminal_errors(const struct result_test *test, FILE *out, unsigned columns);
void terminal_wrapped(const char *string, unsigned indent, unsigned columns, FILE *out);

#endif
