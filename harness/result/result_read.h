/*
 * result_read.h - reads result files, for report, compare and baseline: a line at a time, in memory
 * that is bounded by the number of tests and by `sites_max`. Supervisor only.
 *
 * A test may come twice in one file (as "once" when it ran for the first time, as "test" when it
 * was judged): the later line counts. In two files it is a duplicate, which is refused. Unknown
 * fields and line types are passed over; a line that is not JSON, a field of another type, or a
 * version that is not 1, is a diagnostic (file:line:column). A file without a closing summary, or
 * cut off in the middle of its last line, or with a summary that says so or counts more than there
 * are lines of, adds to result->incomplete. Another `run` line begins another result, as if it
 * stood in a file of its own: so JSON Lines may be put together with cat.
 */
#ifndef RESULT_READ_H
#define RESULT_READ_H

#include "harness/base/diag.h"
#include "harness/result/result.h"

/* Begins the diagnostic of a test that two files have. */
#define RESULT_DUPLICATE "this test is in another of the files too"

/* What a file says of itself. */
struct result_source {
    char *path, *command, *suite, *program, *scenario, *shard, *partition, *host, *way_in, *reason;
    unsigned line; /* of its `run` */
    size_t tests;  /* distinct ones */
    size_t expected, passed, failed, skipped, incomplete, cut_short;
    bool has_run, has_summary;
};

struct result_reader;

/* Reads into `result`, which the caller has initialised and keeps. At most `sites_max` sites are
 * kept, the largest; the rest is counted in sites_hidden and bytes_hidden. 0: all. */
struct result_reader *result_reader_new(struct result *result, size_t sites_max);
/* "-" is stdin. False: diagnostics were added. */
bool result_reader_add(struct result_reader *reader, const char *path, struct diag *diag);
const struct result_source *result_reader_sources(const struct result_reader *reader,
                                                  size_t *count);
/* Index into result->tests. */
bool result_reader_find(const struct result_reader *reader, const char *id, const char *variant,
                        size_t *at);
void result_reader_free(struct result_reader **reader);

/* One file, all its sites. */
bool result_read(const char *path, struct result *result, struct diag *diag);

#endif
