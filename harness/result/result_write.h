/*
 * result_write.h - the result file: JSON Lines as docs/result.schema.json says, one write(2) a
 * line.
 *
 * On a regular file the last line is always a `summary`: every line overwrites the one before it
 * and carries a new one behind it in the same write, so that a supervisor killed at any moment
 * leaves a readable file whose summary says how many tests are missing. Supervisor only.
 */
#ifndef RESULT_WRITE_H
#define RESULT_WRITE_H

#include "harness/base/text.h"
#include "harness/result/result.h"

struct result_writer;

/* Opens path ("-" is stdout) and truncates it. NULL and errno on failure. */
struct result_writer *result_writer_new(const char *path);
/* Writes the closing summary, if it is still to come. False when any write failed (disk full): the
 * caller says so, exit 99.
 */
bool result_writer_close(struct result_writer **writer, const struct result *result);

/* The closing summary of one run; another may follow in the same file, to be closed in its turn.
 * result_writer_close writes none behind it. Nothing where no run was begun. */
void result_writer_run_end(struct result_writer *writer, const struct result *result);

void result_write_run(struct result_writer *writer, const struct result *result);
/* `expected` tests are still to come: they count as incomplete in the provisional summary. */
void result_write_expected(struct result_writer *writer, size_t expected);
void result_write_test(struct result_writer *writer, const struct result_test *test);
/* "once": what the test came to when it ran for the first time; a line of type "test" is to follow,
 * and counts instead. */
void result_write_once(struct result_writer *writer, const struct result_test *test);
void result_write_site(struct result_writer *writer, const struct result_site *site);
/* "births": where one repetition of a test allocates. */
void result_write_birth(struct result_writer *writer, const struct result_site *birth);
void result_write_variant(struct result_writer *writer, const struct result_variant *variant);
void result_write_expect(struct result_writer *writer, const struct result_expect *expect);
void result_write_elsewhere(struct result_writer *writer, const struct result_elsewhere *elsewhere);
void result_write_note(struct result_writer *writer, const char *text);
/* Copies the lines of tests, sites and births of another result file as they are, 64 KiB a write.
 * False: the file cannot be read, or a line of it is not JSON. */
bool result_write_copy(struct result_writer *writer, const char *path);
/* Frames as an array under `key`, for what writes a part of a line. */
void result_write_frames(struct text *line, const char *key, const struct result_frame *frames,
                         size_t count);

#endif
