/*
 * memcheck.h - the boundaries of the tests, told to valgrind when the program runs under it: marks
 * between which memcheck's errors stand, and a look for leaks at the end of each test. Under
 * valgrind its own malloc family has taken the place of the ledger's, which then counts nothing.
 * Does nothing without valgrind, or when this library was built without its header. Runs in the
 * worker.
 *
 * The marks, which runner/memcheck_read.c looks for, are client messages of one line:
 *
 *   tidemark begin TEST        TEST: its index, or WIRE_NO_TEST
 *   tidemark end TEST ERRORS   ERRORS: of the test, those included that memcheck did not tell of
 *                              because they look like earlier ones; leaks are not
 *   tidemark child TEST        this process was forked in the middle of TEST
 */
#ifndef BOUNDARY_MEMCHECK_H
#define BOUNDARY_MEMCHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Does this process run under valgrind? */
bool memcheck_here(void);
/* In the constructor, once this process is the worker. */
void memcheck_init(void);
void memcheck_test_begins(uint32_t test);
void memcheck_test_ends(uint32_t test);
/* Of a process that a test forked: `test` is that test. */
void memcheck_child_begins(uint32_t test);
/* The process is about to end: whatever was lost outside of the tests. */
void memcheck_process_ends(void);

#endif
