/*
 * unit.h - sizes, times and counts: read from the user, written for the user.
 *
 * Reading: a decimal number ("4", "1.5"), an optional space, a unit. Sizes: B KB KiB MB MiB GB GiB
 * TB TiB (KB is 1000). Times: ns us ms s min h. Exact: no rounding unless the fraction is finer
 * than the base unit, which is an error. Units are case-sensitive, and the error names the nearest.
 *
 * Writing: three significant digits, "4.93 KB" - callers align by column, so the text has no
 * padding.
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
char *unit_bytes(char text[UNIT_TEXT_BYTES], double bytes);     /* "812 B" "4.93 KB" "1.2 GB" */
char *unit_bytes_two(char text[UNIT_TEXT_BYTES], double bytes); /* "4 MiB", for limits */
char *unit_ns(char text[UNIT_TEXT_BYTES], double ns);           /* "49.3 ns" "30 s" "2 min 3 s" */
char *unit_count(char text[UNIT_TEXT_BYTES], double count);     /* "27,000" "0.25" */
char *unit_ratio(char text[UNIT_TEXT_BYTES], double ratio);     /* "98.2 %" */

#endif
