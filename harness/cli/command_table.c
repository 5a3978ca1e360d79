/* command_table.c - the list of commands. Supervisor only. */
#include "harness/cli/command.h"

#define COMMAND(name) extern const struct command command_##name;
#include "harness/cli/command.def"
#undef COMMAND

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "harness/cli/command.def"
#undef COMMAND
    NULL};
