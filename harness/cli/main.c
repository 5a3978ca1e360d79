/* main.c - tidemark: reads the command line and runs the command. Supervisor only. */
#include "harness/base/process.h"
#include "harness/cli/command.h"
#include "harness/cli/manual.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct command_line line;
    int status;
    /* A reader that stops reading (| head) must end a report, not the run that feeds a worker. */
    process_begin();
    if (argc > 2 && strcmp(argv[1], "--manual") == 0) { /* for `make install`; in no help */
        return manual_print(argv[2], argc > 3 ? argv[3] : NULL, stdout) ? COMMAND_MET
                                                                        : COMMAND_USAGE;
    }
    if (command_parse(&line, argc, argv, stdout, stderr, &status)) {
        status = line.command->run(&line);
    }
    command_line_fini(&line);
    errno = EIO; /* of a write that failed before */
    if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) { /* `| head` saw enough */
        perror("tidemark: standard output");
        return COMMAND_OURS;
    }
    return status;
}
