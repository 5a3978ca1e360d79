/*
 * describe.h - the words for a frame, a site, a retention path and a finding, the same in every
 * report. All append to a text that the caller owns. Supervisor only.
 */
#ifndef REPORT_DESCRIBE_H
#define REPORT_DESCRIBE_H

#include "harness/base/text.h"
#include "harness/result/result.h"
#include "harness/result/result_memcheck.h"

/* "table_grow (registry/cache.c:88)", "strdup (libc.so.6+0x1f2)", "libx.so+0x12". */
void describe_frame(struct text *text, const struct result_frame *frame);
/* "2 blocks of 56 B in every repetition (4,096 tried)" where it is as regular as that, else "243 KB
 * in 4,337 blocks, 40 % of what stays, 56 B a repetition"; "241 file descriptors, 1 a repetition".
 * `repetitions` are those of its test; 0: not known. */
void describe_kept(struct text *text, const struct result_site *site, unsigned repetitions);
/* "s", or "es" where the word ends with one; "" for one of them. */
const char *describe_plural(const char *word, int64_t count);
/* What of a site that is no memory is counted in: "file descriptor", "thread"; NULL for memory. */
const char *describe_counted(const char *kind);
/* "allocated by"; a descriptor, a thread or a mapping is "made by". */
const char *describe_origin(const struct result_site *site);
/* "g_cache (registry/cache.c) -> +0x18 -> 65,536 B from table_grow:88". */
void describe_held(struct text *text, const struct result_site *site);
/* Only the variable at the beginning, with its fields: "g_cache.buckets[3]->next". */
void describe_holder(struct text *text, const struct result_site *site);
/* "blocks made beside it are freed in queue_free (queue.c:88) < test_queue (check_queue.c:12)" */
void describe_release(struct text *text, const struct result_site *site,
                      const struct result_release *release);
/* All of it, as lines: what is kept, the stack, who holds it, where such is released. */
void describe_site(struct text *text, const struct result_site *site, unsigned repetitions);
/* The frame a person wants to see first: the innermost with a source line, else the innermost. NULL
 * without frames. */
const struct result_frame *describe_place(const struct result_frame *frames, size_t count);

/* How many of these frames are the program's: all up to main. What libc calls main through is in
 * the result file, and is no news to a person. */
size_t describe_frames_own(const struct result_frame *frames, size_t count);

/* Does the test stand out: failed, died, or its memory does not level off? What the whole variant
 * does is told once, of the variant, not of each of its tests. */
bool describe_test_finding(const struct result *result, const struct result_test *test);
/* "levels off", "leaks", "was not judged". */
const char *describe_verdict_verb(enum result_verdict verdict);
/* Its status when it did not pass, else its verdict, or "memcheck" when only that has something to
 * say. */
const char *describe_test_word(const struct result_test *test);
/* "2 errors, 50 B definitely lost", "died of SIGSEGV"; empty when memcheck was silent or not run.
 */
void describe_memcheck(struct text *text, const struct result_memcheck *memcheck);
/* "Invalid read of size 1: 0 bytes after a block of size 10 alloc'd, f (x.c:3)". */
void describe_error(struct text *text, const struct result_error *error);
/* Up to `most` findings of memcheck with their stacks, as plain lines. */
void describe_error_lines(struct text *text, const struct result_test *test, size_t most);
/* Where the first of them is; NULL without any. */
const struct result_frame *describe_error_place(const struct result_test *test);
/* One sentence without the full stop: "leaks 64 B a repetition", "died of SIGSEGV in f (x.c:3)". */
void describe_test(struct text *text, const struct result *result, const struct result_test *test);
/* Why a test or a suite that was skipped is not judged: "was not judged: run once, in a child ...".
 */
void describe_skip(struct text *text, const struct result *result, const struct result_test *test);
/* The verdict of a suite under hunt, one sentence without the full stop: "accumulates with every
 * new input: kept 1.05 MB a test, 210 MB in 200 tests; allocated by record_load (x.c:17); held by
 * g_cache (check_x)". */
void describe_suite(struct text *text, const struct result *result,
                    const struct result_variant *variant);
/* What the suite's verdict is called where it stands among tests. */
#define DESCRIBE_SUITE "the whole suite"
/* Why nothing was judged, for a result that is whole: see result_nothing_judged. */
void describe_nothing(struct text *text, const struct result *result);
/* The same for a variant: "kept 133 MB a test, 400 MB in 3 tests, which would be 60 GB at test 450;
 * stopped at ...". Empty when there is nothing to tell. */
void describe_variant(struct text *text, const struct result *result,
                      const struct result_variant *variant);
/* Is this frame left out of a stack for a person? Those of headers of C++ and of frameworks are,
 * beside others, in the program's own modules. */
bool describe_frame_folded(const struct result_frame *frames, size_t count, size_t at);
/* The variant that is to be shown beside a test's id: "" where the id begins with it, as the ids of
 * a program among several do. */
const char *describe_variant_beside(const char *id, const char *variant);
/* The sentence that people quote; "" when the result gives none. */
void describe_closing(struct text *text, const struct result *result);
/* "boom was not judged: its program ended ... . ": the first suite or variant that counts and has
 * no verdict, and how many others; nothing where there is none. */
void describe_unjudged(struct text *text, const struct result *result);
/* What hangs on the order of the tests, a sentence each without the full stop: who fails for what
 * another leaves behind, who needs another, who left what stays. From *next (0) on; false: no more,
 * and nothing was put. */
bool describe_order_next(struct text *text, const struct result *result, size_t *next);

/* "passes in one order of the tests and fails in another: after s/c/a (message)". */
void describe_flaky(struct text *text, const struct result_test *test);

/* Is the metric known of any variant, was any of them stopped? A column that would be all dashes is
 * not shown. */
bool describe_measured(const struct result *result, enum result_metric metric);
bool describe_stopped(const struct result *result);

/* A limit as the scenario has it, with the decimal size behind a binary one. */
void describe_limit(struct text *text, const struct result_expect *expect);
/* "peak_rss_bytes of lru is 4.9 MB, expected <= 4 MiB (4.19 MB)". */
void describe_expect(struct text *text, const struct result_expect *expect);
/* "7 tests without a result", "the run was cut short ..."; for a result that is incomplete. */
void describe_incomplete(struct text *text, const struct result *result);

/* A metric's value as its kind is written; NAN: "-". */
void describe_metric(struct text *text, enum result_metric metric, double value);
/* The change against the reference when it is significant: counts exactly, sizes and times beyond
 * 1 % where no interval overlaps. "+15 %", "x34", or "". */
void describe_change(struct text *text, enum result_metric metric,
                     const struct result_variant *reference, const struct result_variant *variant);

/* Sites of a test ("" for those of the whole suite) under a variant, from *next on; NULL: no more.
 */
const struct result_site *describe_site_next(const struct result *result, const char *test,
                                             const char *variant, size_t *next);
/* "SIGSEGV", "signal 64". */
void describe_signal(struct text *text, int signal);

#endif
