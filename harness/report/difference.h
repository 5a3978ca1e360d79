/*
 * difference.h - what changed from one result to another, test by test and site by site. Counts are
 * compared exactly; bytes and peaks within a tolerance; what two runs of the same program disagree
 * on is unstable and gates nothing. Times are not compared here: one run of a test says nothing
 * about its time (judge/shift.h does that, over pairs). Supervisor only.
 */
#ifndef REPORT_DIFFERENCE_H
#define REPORT_DIFFERENCE_H

#include "harness/result/result.h"

#include <stdbool.h>
#include <stdio.h>

enum difference_kind {
    DIFFERENCE_WORSE,    /* more allocations, more kept, a worse verdict or status */
    DIFFERENCE_WARN,     /* worse, but within the limit that fails */
    DIFFERENCE_BETTER,   /* less of something, nothing worse */
    DIFFERENCE_NEW,      /* a test that the base does not have */
    DIFFERENCE_NEW_BAD,  /* the same, and it failed or grows */
    DIFFERENCE_GONE,     /* a test that the head does not have */
    DIFFERENCE_UNSTABLE, /* differs, but from run to run too */
    DIFFERENCE_KINDS,
};

struct difference {
    enum difference_kind kind;
    const char *id, *variant; /* borrowed; of the test, "the whole suite", or an expectation */
    char *text;               /* "allocs 3 -> 6 (+3), kept 0 B -> 64 B" */
    char *sites;              /* lines: "+3 allocations in parse_key (registry.c:88)"; "" if none */
    const struct result_frame *place; /* the first of these, borrowed; NULL: not known */
    size_t callers;                   /* of a suite's place: frames behind it, in its stack */
    bool suite;
    bool served; /* another cause's: the test allocates less because the suite keeps, or more
                    because it does not keep any more */
};

struct difference_limits {
    double tolerance; /* of bytes and peaks: up to this is no difference (0.01) */
    double fail; /* of bytes and peaks: beyond this fails, up to it warns; at least tolerance */
};

struct differences {
    struct difference *items; /* in the order of the base's tests, new ones behind */
    size_t count, room;
    size_t kinds[DIFFERENCE_KINDS];
    size_t compared;           /* tests and suites that both have */
    size_t tests;              /* of these, tests */
    size_t changed;            /* of these, with an item */
    struct wrappers *wrappers; /* these two while they are looked for */
    const struct result *again;
    size_t fresh;    /* tests that only the head has */
    size_t unjudged; /* of those that are compared: without a verdict in the head, and no item */
};

/* `again` is a second run of the head's program, or NULL. The variant's name is not compared when
 * `any_variant`: base and head then are two variants. Results must outlive the differences. */
void differences_find(struct differences *differences, const struct result *base,
                      const struct result *head, const struct result *again,
                      struct difference_limits limits, bool any_variant);
void differences_fini(struct differences *differences);

/* Was no test compared, although the base has some? Then nothing is known of them. */
bool differences_nothing(const struct differences *differences);
/* Does anything here break a build? And how many of how many: for the last line. */
bool differences_broken(const struct differences *differences);
void differences_count(const struct differences *differences, size_t *passed, size_t *failed,
                       size_t *unstable);
/* Causes, then a line of counts. What has one cause is one entry: tests that changed at one place,
 * or in the same figures. What is worse comes last, where a terminal ends; what is better is one
 * line. At most 40 lines; `verbose`: all, test by test. */
void differences_print(const struct differences *differences, bool verbose, FILE *out,
                       unsigned columns, bool color);
/* The same as Markdown for a pull request: what is worse comes first there. */
void differences_markdown(const struct differences *differences, FILE *out);

#endif
