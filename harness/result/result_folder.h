/* result_folder.h - a folder of result files, as a hunt of several programs leaves it, stands for
 * all of them. Supervisor only. */
#ifndef RESULT_RESULT_FOLDER_H
#define RESULT_RESULT_FOLDER_H

#include <stddef.h>

/* The paths, with the files *.jsonl of each folder among them in its place, sorted by name; a
 * folder without any stays as it is, and cannot be read. Copies; NULL-terminated, for
 * result_folders_free. */
char **result_folders_expand(const char *const *paths, size_t count, size_t *expanded);
void result_folders_free(char **paths);

#endif
