/* result_writer.h - what the lines of result_write.c need of the file that they go into. Internal
 * to harness/result. Supervisor only. */
#ifndef RESULT_RESULT_WRITER_H
#define RESULT_RESULT_WRITER_H

#include "harness/result/result_write.h"

/* An open JSON object with `v` and `type`, borrowed until the line's end. */
struct text *result_line_open(struct result_writer *writer, const char *type);
/* Closes the object, and writes the line with a new provisional summary behind it. */
void result_line_end(struct result_writer *writer);
/* A run begins: its summary is to come. */
void result_writer_begin(struct result_writer *writer);
/* The test counts in the provisional summary, the later line of one that comes twice. `once`: it is
 * not judged yet, so that it has not passed. */
void result_writer_count(struct result_writer *writer, const struct result_test *test, bool once);

#endif
