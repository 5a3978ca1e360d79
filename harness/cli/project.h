/*
 * project.h - `tidemark hunt -- make check`: the command runs once as it is, the test programs that
 * it executes are noted, and each is hunted as a suite of its own. Supervisor only.
 */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "harness/cli/command.h"
#include "harness/cli/shard.h"

/* For hunt's command line, before anything else: is its operand a command that may run test
 * programs, and not a test program itself? A script, or what is found in PATH, without a test
 * framework in it. */
bool project_wanted(const struct command_line *line);

/* Runs it and hunts the programs. Returns false when it ran no program of the project, or only
 * one that can be followed to: then the operand is hunted as ever, and *status is not set. */
bool project_hunt(struct command_line *line, const struct shard_choice *shard, int *status);

/* `tidemark hunt` without a program: those that .tidemark.yaml names, or the file of --programs. */
int project_file_hunt(struct command_line *line, const struct shard_choice *shard);

#endif
