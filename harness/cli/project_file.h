/* project_file.h - the programs of a project as .tidemark.yaml names them, in place of a record of
 * what a command executed. Supervisor only. */
#ifndef CLI_PROJECT_FILE_H
#define CLI_PROJECT_FILE_H

#include "harness/record/record.h"
#include "harness/scenario/programs.h"

struct project_file {
    struct programs programs;
    char *folder; /* of the file, resolved */
    struct record record;
    size_t *entries; /* of each program of the record, the entry of `programs` that named it */
};

/* Reads the file and looks for its programs. A program that is named by a path belongs to that
 * entry and to no glob. Returns false when diagnostics were added; release it in any case. */
bool project_file_read(const char *path, struct project_file *file, struct diag *diag);
void project_file_fini(struct project_file *file);

#endif
