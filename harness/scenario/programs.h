/*
 * programs.h - the `programs:` of .tidemark.yaml: the test programs of a project, each by a path or
 * a glob, with what each needs to run and what is expected of it. docs/ci.md has an example. Read
 * as a scenario is: every mistake at once, with file:line:column. Supervisor only.
 */
#ifndef SCENARIO_PROGRAMS_H
#define SCENARIO_PROGRAMS_H

#include "harness/scenario/scenario.h"

struct programs_entry {
    char *folder;        /* where it runs; "": the file's */
    char **suppressions; /* files, relative to the file's folder */
    size_t suppression_count;
    char *skip; /* why it is not hunted; "": it is */
};

struct programs {
    struct scenario scenario; /* of each program a variant: name ("": by its path), program (the
                                 glob), args, env, position; and the expectations of them */
    struct programs_entry *entries; /* beside scenario.variants */
    size_t count;
};

/* Returns false when diagnostics were added; *programs is empty then. */
bool programs_read(const char *path, struct programs *programs, struct diag *diag);
bool programs_parse(const char *path, const char *bytes, size_t length, struct programs *programs,
                    struct diag *diag);
void programs_fini(struct programs *programs);

#endif
