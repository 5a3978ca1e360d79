/* result_printable.h - the strings of a result, fit to be shown: whatever a test, the symbols of a
 * program, a scenario or a damaged file put into them, no terminal is coloured, no line is begun
 * and no CI system is commanded by them. Each format still escapes what is markup in it. Supervisor
 * only. */
#ifndef RESULT_RESULT_PRINTABLE_H
#define RESULT_RESULT_PRINTABLE_H

#include "harness/base/text.h"
#include "harness/result/result.h"

/* Rewrites every string in place: control characters (C1 and DEL too) and what is not UTF-8 become
 * \xNN, a line's end becomes \n, a tab a blank; what a CI system would take for a command at the
 * beginning of a line ("::error", "##[error]") gets a backslash before it. Not for a result that is
 * still to be written or compared: names are other names then. */
void result_make_printable(struct result *result);
/* The same for one string, appended to `text`. */
void printable_put(struct text *text, const char *string);
/* The same for one string by itself. The caller frees. */
char *printable_new(const char *string);

#endif
