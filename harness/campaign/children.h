/*
 * children.h - what a test started that its worker's ledger does not see, and what that means for
 * its verdict. Supervisor only.
 */
#ifndef CAMPAIGN_CHILDREN_H
#define CAMPAIGN_CHILDREN_H

#include "harness/campaign/session.h"

/* How many children and programs the last run of this test had, into its result. */
void children_fill(const struct session *session, struct result_test *test);

/* The kernel killed a child of it at the cap of memory: that is what became of the test, whatever
 * it says itself. */
void children_killed(struct session *session, struct result_test *test);

/* No verdict of a test whose children did its work says that nothing is kept. */
void children_judge(struct result_test *test);

/* Nor does the verdict of a suite, if that is so of all tests that passed; of some, its evidence
 * says how many. */
void children_judge_suite(const struct session *session, struct result_variant *variant);

/* One note for all such tests of the variant, and one for those that started programs. */
void children_note(const struct session *session);

#endif
