/* plugin.h - whether a strategy in a shared object can be used, found out in a process of its own:
 * loading runs the object's constructors, and tidemark runs no code of the user's in itself.
 * Supervisor only. */
#ifndef PLAN_PLUGIN_H
#define PLAN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>

/* False, and one line in `error` that names the file, when it cannot. */
bool plugin_check(const char *path, char *error, size_t error_bytes);

#endif
