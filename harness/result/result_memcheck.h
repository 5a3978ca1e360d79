/*
 * result_memcheck.h - what valgrind's memcheck said of one run of a test (hunt --valgrind), as part
 * of the test in memory and of its line in the result file. Ownership as in result.h. Supervisor
 * only.
 */
#ifndef RESULT_RESULT_MEMCHECK_H
#define RESULT_RESULT_MEMCHECK_H

#include "harness/base/text.h"
#include "harness/result/json_read.h"
#include "harness/result/result.h"

struct result_error {      /* an error, or a place whose blocks were lost */
    char *kind;            /* memcheck's: InvalidRead, UninitCondition, Leak_DefinitelyLost ... */
    char *what;            /* "Invalid read of size 4" */
    char *detail;          /* "0 bytes after a block of size 10 alloc'd, f (x.c:3)", or "" */
    int64_t bytes, blocks; /* of a leak: lost in this test; else not measured */
    struct result_frame *frames;
    size_t frame_count;
};

struct result_memcheck {
    enum result_status status; /* of the test's run under memcheck */
    char *message;             /* when it did not pass */
    int64_t errors;            /* each time that one was made; leaks are not among them */
    int64_t definite_bytes, definite_blocks;
    int64_t indirect_bytes, indirect_blocks; /* only reached from lost blocks */
    int64_t possible_bytes, possible_blocks; /* only pointers into their middle */
    struct result_error *list;
    size_t list_count, list_room;
};

/* The test's, made when it has none. */
struct result_memcheck *result_memcheck_get(struct result_test *test);
void result_memcheck_free(struct result_memcheck **memcheck);
struct result_error *result_error_add(struct result_memcheck *memcheck);
void result_error_fini(struct result_error *error);

/* Did the test not come to its end as a pass? An assertion that fails, or a time limit that is
 * reached, may only say that memcheck is slow: told, not counted. */
bool result_memcheck_stopped(const struct result_memcheck *memcheck);
/* Did it find what a person must look at: an error, a block that is definitely lost, or that the
 * test dies under it? False for NULL. Possibly lost blocks are told, not counted. */
bool result_memcheck_bad(const struct result_memcheck *memcheck);
bool result_error_is_leak(const struct result_error *error);

/* The "memcheck" of a test's line. */
void result_memcheck_write(struct text *line, const struct result_memcheck *memcheck);
void result_memcheck_read(struct json *json, struct result_test *test);

#endif
