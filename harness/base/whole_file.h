/*
 * whole_file.h - a file that appears only when it is complete: it is written beside its place and
 * renamed, so that a full disk, or a command that fails half-way, leaves the old one, or none.
 * Supervisor only; memory as memory.h.
 */
#ifndef BASE_WHOLE_FILE_H
#define BASE_WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct whole_file {
    FILE *out; /* NULL when it is not open */
    char *path, *part;
};

/* The file that a symbolic link leads to, whether it exists or not; else the path itself. The
 * caller frees. */
char *whole_file_target(const char *path);

/* "-" is stdout; a symbolic link is written through; devices and pipes are written directly:
 * renaming over /dev/null would replace it. False and errno: it cannot be written. */
bool whole_file_open(struct whole_file *file, const char *path);
/* Writes out what is left. 0, or the errno of what could not be written, now or before. */
int whole_file_error(FILE *out);
/* `keep` false: nothing is left of it. False and errno: something was not written, and nothing is
 * left either. Does nothing, and is true, for what is not open. */
bool whole_file_close(struct whole_file *file, bool keep);

#endif
