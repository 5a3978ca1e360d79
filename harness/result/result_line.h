/* result_line.h - one line of a result file into one struct. Errors stay in json->error. Only for
 * result_read.c and result_memcheck.c. Supervisor only. */
#ifndef RESULT_RESULT_LINE_H
#define RESULT_RESULT_LINE_H

#include "harness/result/json_read.h"
#include "harness/result/result_read.h"

void result_line_run(struct json *json, struct result *result);
/* Into a started test or site; the caller ends it, after an error too. */
void result_line_test(struct json *json, struct result_test *test);
/* False: it holds less than `least` bytes, and the rest of it was not read. */
bool result_line_site(struct json *json, struct result_site *site, int64_t least);
/* The caller frees what it finds, after an error too. */
void result_line_frames(struct json *json, struct result_frame **frames, size_t *count);
void result_line_variant(struct json *json, struct result_variant *variant);
void result_line_expect(struct json *json, struct result_expect *expect);
/* The tests are only read when `wanted` says so; variant and shard stand before them. */
void result_line_elsewhere(struct json *json, struct result_elsewhere *elsewhere,
                           bool (*wanted)(void *context, const struct result_elsewhere *elsewhere),
                           void *context);
void result_line_note(struct json *json, struct result *result);
/* A summary, or the number of expected tests. */
void result_line_source(struct json *json, struct result_source *source);

#endif
