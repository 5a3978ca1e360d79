/*
 * demangle.h - names of C++ functions and variables as people write them: demangled, without
 * parameters and return type, long template arguments as <...>. The demangler is that of
 * libstdc++.so.6, which is on any machine with a program of C++ on it; where it is not, names stay
 * as they are. Supervisor only.
 */
#ifndef SYMBOL_DEMANGLE_H
#define SYMBOL_DEMANGLE_H

/* "testing::Test::Run" of "_ZN7testing4Test3RunEv"; a name of C as it is. The caller frees. */
char *demangle(const char *name);

/* What demangle makes of a name that is demangled already. The caller frees. */
char *demangle_shorten(const char *name);

#endif
