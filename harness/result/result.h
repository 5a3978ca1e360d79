/*
 * result.h - what a run found: plain structs that the runner fills, the judge completes, the result
 * file carries and every report reads. One format in memory, one on disk
 * (result_write.h/result_read.h).
 *
 * Ownership: a struct result owns everything reachable from it; result_fini releases it. Strings
 * are never NULL ("" when unknown). Sizes are bytes, times ns. INT64_MIN / NAN mean "not measured".
 * Threads: none of this is shared. Runs in the supervisor only.
 */
#ifndef RESULT_RESULT_H
#define RESULT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULT_UNMEASURED INT64_MIN

enum result_status { /* as enum wire_status, then more; JSON: pass fail crash timeout oom exit skip
                        flaky */
                     RESULT_PASS,
                     RESULT_FAIL,
                     RESULT_CRASH,
                     RESULT_TIMEOUT,
                     RESULT_OOM,
                     RESULT_EXIT,
                     RESULT_SKIP,
                     RESULT_FLAKY, /* it passed and it failed: neither counts, and no verdict */
                     RESULT_STATUS_COUNT,
};

enum result_verdict { /* JSON: none clean leak growth accumulates saturating inconclusive */
                      VERDICT_NONE,
                      VERDICT_CLEAN,
                      VERDICT_LEAK,
                      VERDICT_GROWTH,
                      VERDICT_ACCUMULATES,
                      VERDICT_SATURATING,
                      VERDICT_INCONCLUSIVE,
                      VERDICT_COUNT,
};

/* A test that passes in one order of the suite and fails in another. */
enum result_order {                 /* JSON: polluted needs unexplained */
                    ORDER_FREE,     /* none is known */
                    ORDER_POLLUTED, /* passes by itself, fails after another */
                    ORDER_NEEDS,    /* fails without another before it */
                    ORDER_UNEXPLAINED,
                    ORDER_COUNT,
};

/* What a hunt fails on, a bit each; 0 is the default, see fail_on.def. Findings that are not among
 * them are shown, and do not fail. */
enum result_fail_on {
#define FAIL_ON(NAME, word, by_default) FAIL_ON_##NAME,
#include "harness/result/fail_on.def"
#undef FAIL_ON
    FAIL_ON_COUNT
};
/* "leak,growth" into bits. Returns false if a word is unknown; it is at *bad, borrowed from `text`.
 */
bool result_fail_on_parse(const char *text, unsigned *bits, const char **bad);
/* The words of fail_on.def; NULL-terminated. */
extern const char *const result_fail_on_words[];

enum result_reach { REACH_UNKNOWN, REACH_UNREACHABLE, REACH_HELD };

#define METRIC(NAME, json, kind, title, help) METRIC_##NAME,
enum result_metric {
#include "harness/result/metric.def"
    METRIC_COUNT
};
#undef METRIC

enum metric_kind {
    METRIC_KIND_COUNT,
    METRIC_KIND_BYTES,
    METRIC_KIND_NS,
    METRIC_KIND_RATIO,
    METRIC_KIND_PER
};

/* A counter of the suite in an `expect:` is "counter.NAME". What it counts, the end of its name
 * says: _bytes, _ns, else a number. */
#define RESULT_COUNTER "counter."
enum metric_kind result_counter_kind(const char *name);

struct metric_facts {
    const char *json, *title, *help;
    enum metric_kind kind;
};
extern const struct metric_facts result_metrics[METRIC_COUNT];

struct result_frame {
    char *function;  /* "" if unknown */
    char *file;      /* "" if unknown */
    char *module;    /* path of the loaded object */
    unsigned line;   /* 0 if unknown */
    uint64_t offset; /* in the module */
};

struct result_link { /* a step of the retention path, from the root inwards */
    char *symbol; /* "g_cache", "stack of thread 123", or the function:line that allocated the block
                   */
    char *field;  /* ".buckets[3]->next" where DWARF gives it, else "" */
    char *module;
    uint64_t offset;
    uint64_t bytes; /* of the block; 0 for the root */
};

/* What a release that was seen has to do with the blocks of a site that stay. */
enum result_relation {                  /* JSON: holder member same beside */
                       RELATION_HOLDER, /* what was released pointed to them, as the last */
                       RELATION_MEMBER, /* they point to what was released */
                       RELATION_SAME,   /* it was allocated by the same stack */
                       RELATION_PASSED, /* none: one of the last functions that were given them */
                       RELATION_BESIDE, /* it was allocated by the same call of a function */
                       RELATION_COUNT,
};

struct result_release { /* a stack that released something, see result_release.h */
    enum result_relation relation;
    int64_t blocks;    /* of the site, of which this is so; same and beside: released ones */
    unsigned wrappers; /* innermost frames that all releases had: the program's ways to call free */
    struct result_frame *frames;
    size_t frame_count;
};

struct result_site {
    char *test; /* id; "" for a site judged over the whole suite */
    char *variant;
    unsigned rank; /* 1 is the largest */
    char *kind;    /* "heap" "mmap" "fd" "thread" "file" "child" */
    int64_t bytes, blocks;
    double bytes_per_rep; /* NAN if not a growing site */
    double share;         /* of what the variant retains, 0..1; NAN unknown */
    enum result_verdict verdict;
    enum result_reach reach;
    struct result_frame *frames;
    size_t frame_count;
    struct result_link *held_by;
    size_t held_by_count;
    struct result_release *released_by; /* where such blocks, or those beside them, are released;
                                           most telling first; NULL: none is known */
    size_t released_by_count;
    bool suppressed;
};

struct result_test {
    char *id;      /* suite/tcase/name[i] */
    char *variant; /* "" under hunt without variants */
    enum result_status status;
    int signal; /* 0: none */
    enum result_verdict verdict;
    unsigned repetitions;
    int64_t allocs, frees, bytes;
    int64_t retained_bytes, retained_blocks;
    int64_t peak_live_bytes, peak_rss_bytes;
    int64_t live_bytes;          /* absolute, at the boundary */
    bool once;                   /* read of a file: it ran once, and was not judged any more */
    double growth_bytes_per_rep; /* NAN: not judged */
    int64_t fds, threads;        /* change per repetition when not settled, else 0 */
    int64_t children_left;       /* likewise, processes that nobody waited for */
    int64_t wall_ns;
    char *message, *file;
    unsigned line;
    char *horizon;        /* what the verdict is worth, in words */
    int64_t *live_by_rep; /* live bytes at some boundaries, for curves; may be NULL */
    size_t live_by_rep_count;
    int64_t *live_at_rep; /* after which repetition each of them is, counted from 1; NULL: each */
    size_t live_at_rep_count;
    int64_t *rss_by_rep; /* peak RSS of each of the first of these repetitions; may be NULL */
    size_t rss_by_rep_count;
    struct result_frame *frames; /* of a crash, timeout, exit or refused allocation */
    size_t frame_count;
    struct result_memcheck *memcheck; /* result_memcheck.h; NULL: it was not run under memcheck */
    enum result_order order;
    char *order_by;      /* who pollutes or is needed; "" when several do together, or not known */
    char *order_message; /* how it fails then */
    int64_t children;    /* forked, that keep what they did; 0: none. Then it has no verdict */
    int64_t children_followed; /* forked, whose losses are the test's; 0: none */
    int64_t programs;          /* started by it, and not watched; 0: none */
    char *program;             /* the first of them, or "" */
    int64_t left_bytes; /* alive after a pass over all tests, at places that several tests feed;
                           measured where the suite accumulates or grows */
};

struct result_variant {
    char *name;
    double metric[METRIC_COUNT]; /* NAN: not measured */
    enum result_verdict verdict;
    char *horizon;
    double kept_bytes; /* what stays after the pass that the verdict and the growth by test are of;
                          NAN: not measured, or nothing that is accused */
    unsigned kept_tests; /* tests of that pass, up to where it was stopped; 0: as kept_bytes */
    char *projection;    /* what did not run would come to: "60 GB at test 468", or "" */
    char *shard; /* of the file that it is read from, or ""; not in the file, nor is the next */
    bool joined; /* it is of several shards, and `shard` the one that the horizon is of */
    char *stopped_by; /* "memory", "timeout", "" */
    char *culprit;    /* test id that stopped it, or "" */
    struct {
        char *name;
        double value;
    } * counters; /* the suite's other counters */
    size_t counter_count;
    double low[METRIC_COUNT],
        high[METRIC_COUNT]; /* 95 % interval over passes; NAN: one pass only */
};

struct result_expect {
    char *variant, *metric, *limit, *actual; /* limit as written in the scenario */
    char *file;
    unsigned line;
    bool ok;
};

/* Tests that another shard runs: so a merger can name what a missing file would have had. */
struct result_elsewhere {
    char *variant;
    unsigned shard, shards;
    char **tests;
    size_t count;
};

struct result {
    /* run line */
    char *tool_version, *command, *argv, *host, *allocator, *cap_kind, *started, *scenario, *suite;
    char *program; /* one of several of a project: the ids of its tests begin with it; or "" */
    char *way_in;  /* how tidemark got between the tests ("libcheck, static, in process"), or "" */
    char *shard;   /* "2/5", or "" */
    char *partition;    /* of all tests over the shards: equal where it was the same; or "" */
    char *filter;       /* it is of those tests only that are like this; "": of all */
    unsigned fail_on;   /* bits of enum result_fail_on; 0: the default */
    bool without_tests; /* the program ended well, and no test was found in it; not in the file */
    bool skips_itself;  /* and that with the status of a test that cannot be run here; likewise */
    int64_t cap;        /* bytes; 0: none */
    int64_t guard;      /* without a cap: a worker that has more is ended, bytes; 0: none */
    uint64_t seed;
    /* the rest */
    struct result_test *tests;
    size_t test_count, test_room;
    struct result_site *sites;
    size_t site_count, site_room;
    struct result_site *births; /* where a repetition of a test allocates, whatever becomes of it:
                                   of each only test, variant, frames, blocks and bytes */
    size_t birth_count, birth_room;
    bool births_unwanted;        /* set before reading: those of a file are passed over */
    const char *scenario_wanted; /* set before reading, not owned: runs of others are passed over */
    struct result_variant *variants;
    size_t variant_count, variant_room;
    struct result_expect *expects;
    size_t expect_count, expect_room;
    struct result_elsewhere *elsewhere;
    size_t elsewhere_count, elsewhere_room;
    char **notes; /* for the person: what was not possible, warnings, what to do */
    size_t note_count, note_room;
    size_t passed, failed, skipped;
    char *reason;      /* why nothing was measured, or why the run broke off; or "" */
    size_t incomplete; /* tests without a result; a run that was cut short counts as one at least */
    size_t cut_short;  /* of these: runs that count for themselves, and not for a test */
    size_t expected;   /* tests that are to be run, where that is known before; 0: not known */
    size_t sites_hidden;  /* sites that were found and are not in `sites` */
    int64_t bytes_hidden; /* what they hold together */
    bool sites_sorted;    /* by result_sites_sort, and none added since */
};

void result_init(struct result *result);
void result_fini(struct result *result);

/* Each returns a zeroed, initialised element (strings "", numbers not measured) owned by the
 * result, valid until the next add of the same kind. They end the program with 99 when memory is
 * out. */
struct result_test *result_test_add(struct result *result);
struct result_site *result_site_add(struct result *result);
struct result_site *result_birth_add(struct result *result);
struct result_variant *result_variant_add(struct result *result);
struct result_expect *result_expect_add(struct result *result);
struct result_elsewhere *result_elsewhere_add(struct result *result);
void result_note_add(struct result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For an element outside a result: the same start of life as _add gives, and its end. */
void result_test_start(struct result_test *test);
void result_test_fini(struct result_test *test);
void result_site_start(struct result_site *site);
void result_site_fini(struct result_site *site);
void result_variant_fini(struct result_variant *variant);
void result_expect_fini(struct result_expect *expect);
void result_elsewhere_fini(struct result_elsewhere *elsewhere);

/* Adds a counter to a variant. */
void result_counter_add(struct result_variant *variant, const char *name, double value);

/* Is the frame libc's, a framework's or the compiler's? Their headers have lines in the program's
 * own modules, where their functions were inlined or made of templates. */
bool result_frame_system(const struct result_frame *frame);

/* `count` zeroed frames or links with strings "". Owned by what they are stored in. */
struct result_frame *result_frames_new(size_t count);
void result_frames_free(struct result_frame *frames, size_t count);
struct result_link *result_links_new(size_t count);

/* Frees *slot and stores a copy of text. */
void result_set(char **slot, const char *text);

/* Sorts sites and births by test, variant and rank, so that those of a test are found by bisection:
 * reports of 100,000 failing tests look for each one's sites. */
void result_sites_sort(struct result *result);

/* Is this verdict an accusation? */
bool result_verdict_bad(enum result_verdict verdict);
/* Does this test break the build? It failed or died, unless the scenario expects its variant to
 * be stopped, or says how many of its tests may fail; under hunt, also when its memory leaks, grows
 * or accumulates. */
bool result_test_failed(const struct result *result, const struct result_test *test);
/* Is it the result of a hunt? Then the verdicts of its tests and of its suites are judged; those of
 * a scenario's variants are for `expect:` to judge. */
bool result_is_hunt(const struct result *result);

/* How a case counts in the last line, in JUnit and in all other reports. */
enum result_outcome { OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_SKIPPED };

/* Under hunt, a test that passed and has no verdict is skipped: what was not judged has not passed.
 */
enum result_outcome result_test_outcome(const struct result *result,
                                        const struct result_test *test);
/* Does the verdict of this variant's suite count as one more test, if a test ran? Under hunt it
 * does. Of a scenario it is for `expect:` to judge, but a variant that has no verdict, and of which
 * none is expected, has not passed: it counts as skipped. */
bool result_suite_counts(const struct result *result, const struct result_variant *variant);
/* Was any test of this variant judged? Of a suite without one nothing is known. */
bool result_suite_judged(const struct result *result, const struct result_variant *variant);
enum result_outcome result_suite_outcome(const struct result *result,
                                         const struct result_variant *variant);

/* How many programs of a project the result is of, and of how many of them anything was judged or
 * failed: each is a variant of a hunt. 0 where it is the result of one suite. */
size_t result_programs(const struct result *result, size_t *judged);

/* What a command ends with after this result, whichever command it is. Needs no result_count. */
enum result_end { END_MET = 0, END_BROKEN = 1, END_NOTHING = 77, END_INCOMPLETE = 99 };
enum result_end result_end(const struct result *result);
/* Was nothing judged, or less than half of the programs of a project, though the result is whole?
 */
bool result_nothing_judged(const struct result *result);

/* Not met, and more than a warning: the limit does not begin with "warn ". */
bool result_expect_broken(const struct result_expect *expect);
/* "ok" "warn" "broken" */
const char *result_expect_name(const struct result_expect *expect);
/* Sets passed, failed and skipped from tests, verdicts of suites and expectations (each counts as
 * one), the same for every command and every report. `incomplete` is left alone. */
void result_count(struct result *result);

const char *result_status_name(enum result_status status);
const char *result_verdict_name(enum result_verdict verdict);
const char *result_order_name(enum result_order order);
bool result_order_parse(const char *text, enum result_order *order);
bool result_status_parse(const char *text, enum result_status *status);
bool result_verdict_parse(const char *text, enum result_verdict *verdict);

#endif
