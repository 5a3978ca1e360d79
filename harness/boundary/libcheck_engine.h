/* libcheck_engine.h - prototypes of the engine's functions, each that of <check.h>. */
#ifndef BOUNDARY_LIBCHECK_ENGINE_H
#define BOUNDARY_LIBCHECK_ENGINE_H

#include "harness/boundary/libcheck.h"

#define LIBCHECK_API(name) extern __typeof__(name) engine_##name;
#define LIBCHECK_TAKE(name)
#include "harness/boundary/libcheck_api.def"
#undef LIBCHECK_API
#undef LIBCHECK_TAKE

/* From 0.13 on: (tcase, ttest, signal, exit, start, end). Before: (tcase, function, name, signal,
 * exit, start, end). Arguments that were not passed are garbage. */
void engine__tcase_add_test(TCase *tcase, const void *test, intptr_t a, intptr_t b, intptr_t c,
                            intptr_t d, intptr_t e);
/* Up to 0.14 the message is the first variable argument: the same registers. */
void engine__ck_assert_failed(const char *file, int line, const char *expression,
                              const char *message, ...) __attribute__((noreturn));
void engine_check_waitpid_and_exit(pid_t pid) __attribute__((noreturn));

#endif
