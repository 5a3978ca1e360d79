/*
 * program_name.h - what a test program of a project is called in the ids of its tests: its path in
 * the build folder, or in the folder that the command was given in, so that it stays the same
 * whatever the build folder is called and wherever it is. And what only selects tests among its
 * arguments. Supervisor only.
 */
#ifndef RECORD_PROGRAM_NAME_H
#define RECORD_PROGRAM_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* "tests/check_parser" of /any/build/tests/.libs/check_parser. The build folder is the uppermost
 * one above the program with the files of CMake, Meson, ninja or configure in it. Without one the
 * path below `here`; elsewhere the last part. `path` is resolved. The caller frees. */
char *program_name_of(const char *path, const char *here);

/* The same with the arguments behind it in brackets, but for those that only select tests; paths
 * below the build folder or `here` are cut. `name` alone where there are no others. Frees `name`.
 */
char *program_name_with(char *name, char *const *argv, const char *framework, const char *path,
                        const char *here);

/*
 * A runner may start a program once for each of its tests, and say by an argument which one is
 * meant (gtest_discover_tests, catch_discover_tests, doctest_discover_tests). Does this argument do
 * that, and nothing else? Then *value is what it selects, borrowed.
 */
bool program_argument_selects(const char *argument, const char *framework, const char **value);

/* Does this argument only list tests, so that the run is no test? As CMake asks at build time. */
bool program_argument_lists(const char *argument, const char *framework);

/* One argument that selects what all of values[0..count) do; NULL where they cannot be joined. The
 * caller frees. */
char *program_selections_join(const char *framework, const char *const *values, size_t count);

#endif
