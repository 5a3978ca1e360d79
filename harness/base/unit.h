/*
 * unit.h - sizes, times and counts: read from the user, written for the user.
 *
 * Reading: a decimal number ("4", "1.5"), an optional space, a unit. Sizes: B KB KiB MB MiB GB GiB
 * TB TiB (KB is 1000). Times: ns us ms s min h. Exact: no rounding unless the fraction is finer
 * than the base unit, which is an error. Units are case-sensitive, and the error names the nearest.
 *
 * Writing: three significant digits, "4.93 KB" - callers align by column, so the text has no
 * padding. What was measured is written in decimal units everywhere (KB is 1000), so that any two
 * figures on a screen compare. A limit stays as somebody chose it, and one in KiB, MiB ... has its
 * decimal size after it: "4 MiB (4.19 MB)".
 */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unit_kind { UNIT_BYTES, UNIT_NS };

#define UNIT_ERROR_BYTES 160
#define UNIT_TEXT_BYTES  32

/* False: error says what is wrong with `text`, without quoting where it came from. With `bare`, a
 * number without unit is taken in the base unit; without, only 0 may go without one. */
bool unit_parse(enum unit_kind kind, const char *text, bool bare, uint64_t *value,
                char error[UNIT_ERROR_BYTES]);
/* A whole number, digits only, with '_' or ',' between thousands allowed. */
bool unit_parse_count(const char *text, uint64_t *value, char error[UNIT_ERROR_BYTES]);
/* A finite decimal number; "98 %" is 0.98. */
bool unit_parse_number(const char *text, double *value, char error[UNIT_ERROR_BYTES]);

/* Each fills and returns `text`. NAN gives "-". Negative values are allowed. */
char *unit_bytes(char text[UNIT_TEXT_BYTES], double bytes); /* "812 B" "4.93 KB" "1.2 GB" */
/* A size that somebody chose: "500 MB", "4 MiB (4.19 MB)". Binary where that is exact. */
char *unit_limit(char text[UNIT_TEXT_BYTES], uint64_t bytes);
/* A condition as somebody wrote it, with the decimal sizes behind binary ones: "<= 4 MiB
 * (4.19 MB)", "1 KiB .. 4 KiB (1.02 KB .. 4.1 KB)". The caller frees; never NULL. */
char *unit_condition(const char *text);
char *unit_ns(char text[UNIT_TEXT_BYTES], double ns);       /* "49.3 ns" "30 s" "2 min 3 s" */
char *unit_count(char text[UNIT_TEXT_BYTES], double count); /* "27,000" "0.25" */
char *unit_ratio(char text[UNIT_TEXT_BYTES], double ratio); /* "98.2 %" */

#endif
