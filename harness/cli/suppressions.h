/* suppressions.h - the option --suppressions of run and hunt. Supervisor only. */
#ifndef CLI_SUPPRESSIONS_H
#define CLI_SUPPRESSIONS_H

#include "harness/cli/command.h"
#include "harness/campaign/suppress.h"

/* All files of --suppressions. False: mistakes in them, told on stderr. */
bool command_suppressions_read(const struct command_line *line, struct suppress *suppress);

#endif
