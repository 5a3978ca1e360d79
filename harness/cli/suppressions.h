/* suppressions.h - the options --suppressions and --suppress-out of run and hunt. Supervisor only.
 */
#ifndef CLI_SUPPRESSIONS_H
#define CLI_SUPPRESSIONS_H

#include "harness/campaign/suppress.h"
#include "harness/cli/command.h"

/* All files of --suppressions. False: mistakes in them, told on stderr. */
bool command_suppressions_read(const struct command_line *line, struct suppress *suppress);

/* Writes a rule for each place that the result accuses, the tests that it concerns in the comment,
 * and a line for the reason. Returns false, after a message, if the file could not be written. */
bool suppress_out(const struct command_line *line, const char *path, const struct result *result);

#endif
