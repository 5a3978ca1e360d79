/*
 * cxx.h - what C++ test frameworks keep their names in, as libstdc++ lays it out (since GCC 5,
 * which mangles std::string as std::__cxx11::basic_string). Runs in the worker.
 */
#ifndef BOUNDARY_CXX_H
#define BOUNDARY_CXX_H

#include <stddef.h>

/* std::string: the text ends with a NUL, and may lie in `here`. */
struct cxx_string {
    const char *text;
    size_t bytes;
    char here[16];
};
_Static_assert(sizeof(struct cxx_string) == 32, "std::string of libstdc++");

/* A view of a text that ends with no NUL. */
struct cxx_view {
    const char *text;
    size_t bytes;
};

#endif
