/*
 * repetition.h - one RUN: a test repeated as the command says, with a boundary after each
 * repetition, which is reported as a SAMPLE, and a TEST at the end. Runs in the worker, on the
 * thread that runs the tests.
 */
#ifndef BOUNDARY_REPETITION_H
#define BOUNDARY_REPETITION_H

#include "harness/boundary/serve.h"

/* Returns true if the test failed. */
bool repetition_run(const struct test_group *group, const struct wire_command *command);

/* Copies a text, cut to what there is room for, its NUL included. */
void repetition_text(char *to, size_t room, const char *from);

#endif
