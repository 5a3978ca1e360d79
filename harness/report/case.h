/*
 * case.h - what counts as one in the last line, one after the other, the same for every format: the
 * tests, under hunt the verdict of each suite, the expectations of a scenario, and at the end, when
 * results are missing or nothing was judged, that. A format that shows all of these agrees with the
 * exit status. Supervisor only.
 */
#ifndef REPORT_CASE_H
#define REPORT_CASE_H

#include "harness/base/text.h"
#include "harness/report/location.h"
#include "harness/result/result.h"

enum case_kind { CASE_TEST, CASE_SUITE, CASE_EXPECT, CASE_MISSING };

struct report_case { /* borrowed from the result */
    enum case_kind kind;
    enum result_outcome outcome;
    bool finding;        /* stands out: it is named where not all cases are */
    const char *name;    /* a test's id, "the whole suite", a metric, "incomplete" */
    const char *variant; /* or "" */
    const char *word;    /* "growth", "crash", "expect", "incomplete", "unjudged" */
    const char *verdict; /* "" for an expectation */
    const struct result_test *test;
    const struct result_variant *suite;
    const struct result_expect *expect;
};

/* The case at *at, which is then advanced; *at begins at 0. Returns false after the last. */
bool case_next(const struct result *result, size_t *at, struct report_case *found);
/* How many there are: the three numbers of the last line together, and what is missing as one. */
size_t case_count(const struct result *result);
/* Would these results be told of as missing? */
bool case_missing(const struct result *result);

/* One sentence without the full stop. */
void case_describe(struct text *text, const struct result *result, const struct report_case *found);
/* Everything that a person needs to know of it, as plain lines. */
void case_detail(struct text *text, const struct result *result, const struct report_case *found);
struct location case_location(const struct result *result, const struct report_case *found);
/* The first site of a test or a suite; NULL if there is none. */
const struct result_site *case_site(const struct result *result, const struct report_case *found);
/* Equal for the same finding in another run; different for different findings. */
uint64_t case_fingerprint(const struct result *result, const struct report_case *found);

#endif
