/* shard.h - the options of commands whose run can be spread over machines: which part of it is
 * this one's, said by hand or by a scheduler. Supervisor only. */
#ifndef CLI_SHARD_H
#define CLI_SHARD_H

#include "harness/cli/command.h"
#include "harness/result/result.h"

struct shard_choice {
    unsigned shard, shards; /* 0 of 0: all tests */
    const char *from;       /* name of the scheduler that said it, or NULL */
    bool balanced;          /* `balance` was read */
    struct result balance;
};

/* Rows of the command's table of options. */
#define SHARD_OPTIONS                                                                              \
    {.name = "shard",                                                                              \
     .kind = OPTION_TEXT,                                                                          \
     .argument = "I/N",                                                                            \
     .help = "run the I-th of N parts of the tests; 1/1: all, whatever a scheduler says"},         \
    {                                                                                              \
        .name = "balance", .kind = OPTION_FILE, .argument = "RESULT",                              \
        .help = "divide the tests by the time and memory that they took in earlier results",       \
        .repeats = true                                                                            \
    }

/* Reads the options and the environment, and takes the variables that test programs would read too
 * out of it. False: it was told what is wrong, on stderr; exit 2. */
bool shard_choose(const struct command_line *line, struct shard_choice *choice);
void shard_choice_fini(struct shard_choice *choice);

/* The command line that repeats the run, with --shard where a scheduler said it. The caller frees.
 */
char *shard_argv(const struct command_line *line, const struct shard_choice *choice);

#endif
