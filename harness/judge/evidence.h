/*
 * evidence.h - what each verdict rests on, in words: every sentence of evidence that a hunt writes
 * is here. Pure. The caller frees what is returned.
 */
#ifndef JUDGE_EVIDENCE_H
#define JUDGE_EVIDENCE_H

#include "harness/result/result.h"

struct evidence_calls { /* a test that was repeated */
    enum result_verdict verdict;
    unsigned calls;
    bool counted;    /* descriptors, threads or files, to which no pointer leads */
    bool growing;    /* an inconclusive one grew in all calls */
    bool nowhere;    /* no site holds what grew */
    double resident; /* bytes a call by which resident memory rose that nothing explains; or 0 */
};
/* NULL for VERDICT_NONE. */
char *evidence_test(const struct evidence_calls *test);

/* Of a test whose program was run `passes` times as a whole. `growing`: an inconclusive one grew in
 * all of them. */
char *evidence_program(enum result_verdict verdict, unsigned passes, bool growing);

struct evidence_suite {
    enum result_verdict verdict;
    size_t tests;              /* that came to their end in the pass in order */
    size_t shuffled, accusing; /* passes besides it; passes that accuse */
    bool few_orders;           /* to tell inputs from tests: see judge_orders */
    uint64_t seed;
    bool again;          /* a second pass in the same process was made */
    int64_t again_bytes; /* that it added */
    size_t traced;       /* the first so many tests are those that the sites are of; 0: all */
    size_t depositors;   /* tests that left something at the places that grow */
    const char *first, *largest; /* their ids, or NULL */
};
char *evidence_suite(const struct evidence_suite *suite);
/* Why there is no verdict: in the pass that was to judge the suite its program ended in or behind
 * `test`; NULL: it could not be started again. */
char *evidence_suite_ended(const char *test);

#endif
