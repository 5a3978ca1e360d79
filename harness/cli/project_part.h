/* project_part.h - what project.c and project_tell.c share: the programs of a project and their
 * hunts. Supervisor only. */
#ifndef CLI_PROJECT_PART_H
#define CLI_PROJECT_PART_H

#include "harness/base/text.h"
#include "harness/cli/project_file.h"
#include "harness/cli/shard.h"
#include "harness/plan/filter.h"
#include "harness/record/hunted.h"
#include "harness/record/record.h"

#include <limits.h>
#include <sys/types.h>

/* A program and its hunt. */
struct member {
    const struct record_program *program;
    const struct programs_entry *entry; /* of .tidemark.yaml, or NULL */
    char *name;
    struct hunted_result result;
    pid_t hunt; /* 0: it does not run */
    uint64_t begun;
    double given;    /* ns of the slack, or of the budget */
    char *unhunted;  /* why no test of it has a result; NULL: some have */
    bool unselected; /* none of its tests is wanted here */
    bool broken;     /* its hunt did not end by itself */
};

struct project {
    const struct command_line *line;
    const struct record *record;
    const struct project_file *file; /* NULL: the record is of a command */
    struct plan_filter filter;
    const struct shard_choice *shard;
    struct text called; /* the command, as a shell takes it */
    const char *out;
    struct member *members;
    size_t count;
    bool is_listed; /* only the names of the tests are wanted */
    double left;    /* ns that the programs which have not begun may take beside their passes, or
                       altogether where there is a budget */
    double weight;  /* of these programs */
    size_t open;    /* their number */
    bool has_budget;
};

/* The working folder; "" when it is gone. */
void project_here(char here[PATH_MAX]);

/* How a process ended, for the person; NULL when it ended well. The caller frees. */
char *project_end_words(int ended);

/* The results of all programs as one, in memory and where the options say. `ended`: how the command
 * did. Returns what tidemark ends with. */
int project_results_tell(const struct project *project, int ended);

#endif
