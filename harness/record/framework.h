/*
 * framework.h - which test framework an executable file has in it, from its symbols: those of a
 * static copy, or those that it takes from a shared one. Supervisor only.
 */
#ifndef RECORD_FRAMEWORK_H
#define RECORD_FRAMEWORK_H

#include <stdbool.h>

/* Its name, static storage; NULL: none, or the file is no ELF file or cannot be read. *sanitized,
 * where given, says whether the address or leak sanitizer is in it. */
const char *framework_of(const char *path, bool *sanitized);

#endif
