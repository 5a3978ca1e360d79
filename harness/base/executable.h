/*
 * executable.h - is this file a program, and can libtidemark.so be preloaded into it? Looks at the
 * file only; runs nothing. Supervisor.
 */
#ifndef BASE_EXECUTABLE_H
#define BASE_EXECUTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* 0, or the errno with which the kernel would refuse to execute it: ENOENT, EISDIR, EACCES, or
 * ENOEXEC for what is neither a whole ELF file nor a script that begins with "#!". */
int executable_error(const char *path);

/* True when it can work: a dynamic program of this machine's kind, or a script (whose interpreter
 * then passes the library on). False: `reason` says in one sentence why not, and what to do. A file
 * that cannot be read counts as true: starting it will tell. */
bool executable_preloadable(const char *path, char *reason, size_t room);

#endif
